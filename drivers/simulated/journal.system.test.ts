import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Command } from './commands.ts';
import { simulated, type SimulatedSite } from './index.ts';
import { Journal } from './journal.ts';
import type { PeerAnswer, PeerRequest } from './testing/peer.ts';

let stateFolder: string;
let peers: ChildProcess[];

beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-journal-'));
  peers = [];
});
afterEach(() => {
  for (const peer of peers) peer.kill('SIGKILL');
  rmSync(stateFolder, { recursive: true });
});

const network = {
  id: 'net',
  service: 'svc',
  name: 'data',
  prefix: '10.60.0.0/20',
  supernet: '10.60.0.0/16',
  mtu: 1400,
};
const call = (fence: number) => ({ key: 'test', fence, signal: AbortSignal.timeout(20_000) });

function unit(number: number): UnitSpec {
  return {
    id: `unit-${number}`,
    service: 'svc',
    path: 'f/u',
    index: number,
    host: 'h1',
    execution: { environment: 'container' },
    cpu: 0.01,
    memoryMiB: 1,
    storageMiB: 1,
    ports: [{ id: `port-${number}`, name: 'eth0', network: 'net', serviceAddresses: [] }],
    facts: {},
  };
}

const units = (count: number) => Array.from({ length: count }, (_, number) => unit(number));

async function openHere(config: object): Promise<SimulatedSite> {
  const site = await simulated.open({
    id: 'site-shared',
    name: 'shared',
    config: config as Record<string, unknown>,
    stateFolder,
    clock: systemClock,
    log: silentLogger,
  });
  await site.fabric.ensureNetwork(network, call(1));
  return site;
}

/** Another server, which starts to work at once. */
function peer(request: Omit<PeerRequest, 'stateFolder'>): { process: ChildProcess; answer: Promise<PeerAnswer> } {
  const process = fork(new URL('./testing/peer.ts', import.meta.url));
  peers.push(process);
  process.send({ stateFolder, ...request } satisfies PeerRequest);
  const answer = Promise.race([
    once(process, 'message').then(([message]) => message as PeerAnswer),
    once(process, 'exit').then(([code, signal]): PeerAnswer => ({ code: `ended with ${code ?? signal}` })),
  ]);
  return { process, answer };
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let times = 0; times < 500; times += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not happen within 10 s');
}

describe('a site that servers share', () => {
  test('is one site: whoever asks gets the same units with the same addresses', async () => {
    const config = { persist: true };
    const site = await openHere(config);
    const others = [
      peer({ config, fence: 1, specs: units(200) }),
      peer({ config, fence: 1, specs: units(200).toReversed() }),
    ];
    const [first, second] = await Promise.all(others.map((other) => other.answer));
    const here = (await site.listUnits()).toSorted((a, b) => a.index - b.index);
    const addresses = here.map((one) => one.ports[0]!.address);
    expect(new Set(addresses).size).toBe(200);
    expect(first).toEqual({ addresses });
    expect(second?.addresses?.toReversed()).toEqual(addresses);
  });

  test('goes on after kill -9 with what was there', async () => {
    const config = { persist: true, latency: { start: { kind: 'lognormal', medianMs: 150, sigma: 1 } } };
    const site = await openHere(config);
    const { process } = peer({ config, fence: 1, specs: units(100) });
    const running = async () => (await site.listUnits()).filter((one) => one.state === 'running').length;
    await until(async () => (await running()) > 10);
    process.kill('SIGKILL');
    await once(process, 'exit');
    const before = await site.listUnits();
    expect(before.some((one) => one.state === 'starting')).toBe(true);
    const outcomes = await site.ensureUnits(units(100), call(2));
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
    const after = await site.listUnits();
    expect(after).toHaveLength(100);
    expect(after.map((one) => one.ports)).toEqual(before.map((one) => one.ports));
  });

  test('refuses a server that was frozen and replaced, and keeps what the successor made', async () => {
    const config = { persist: true, latency: { start: { kind: 'fixed', ms: 500 } } };
    const site = await openHere(config);
    const { process, answer } = peer({ config, fence: 1, specs: units(20) });
    await until(async () => (await site.listUnits()).length === 20);
    process.kill('SIGSTOP');
    const taken = await site.ensureUnits(units(20), call(2));
    process.kill('SIGCONT');
    expect(await answer).toEqual({ code: 'SF-SITE-FENCED' });
    const statuses = taken.map((outcome) => (outcome.ok ? outcome.status : undefined));
    expect(await site.listUnits()).toEqual(statuses);
  });
});

describe('the journal', () => {
  const host = (name: string): Command => ({ kind: 'host', host: name, up: false, atMs: 0 });

  test('shows every writer the same commands in the same order, each with its own outcome', () => {
    let files = 0;
    fc.assert(
      fc.property(fc.array(fc.record({ writer: fc.nat(2), torn: fc.boolean() }), { maxLength: 40 }), (steps) => {
        files += 1;
        const file = join(stateFolder, `${files}.jsonl`);
        const seen: string[][] = [[], [], []];
        const apply = (writer: number) => (command: Command) => {
          if (command.kind === 'host') seen[writer]!.push(command.host);
          return seen[writer]!.at(-1);
        };
        const journals = seen.map(() => new Journal(file));
        for (const [index, { writer, torn }] of steps.entries()) {
          // What a process leaves that is killed while it writes.
          if (torn) appendFileSync(file, '\n{"by":"x","command":{"kind":"host","ho');
          expect(journals[writer]!.commit(host(`h${index}`), apply(writer))).toBe(`h${index}`);
        }
        for (const [writer, journal] of journals.entries()) journal.follow(apply(writer));
        const all = steps.map((_, index) => `h${index}`);
        expect(seen).toEqual([all, all, all]);
        for (const journal of journals) journal.close();
      }),
      { numRuns: 50 },
    );
  });

  test('tells the writer what applying threw, and others nothing', () => {
    const journals = [new Journal(join(stateFolder, 'a')), new Journal(join(stateFolder, 'a'))];
    const refuse = () => {
      throw new Error('refused');
    };
    expect(() => journals[0]!.commit(host('h'), refuse)).toThrow('refused');
    const seen: Command[] = [];
    journals[1]!.follow((command) => seen.push(command));
    expect(seen).toEqual([host('h')]);
    for (const journal of journals) journal.close();
  });

  test('lies in the state folder whatever the id of the site is', async () => {
    const config = { persist: true };
    const open = { id: '../../site', name: 'odd', config, stateFolder, clock: systemClock, log: silentLogger };
    await simulated.open(open);
    expect(readdirSync(stateFolder)).toEqual(['..%2F..%2Fsite.simulated.jsonl']);
  });
});
