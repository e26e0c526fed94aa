import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SuperfluidityError, systemClock } from '@superfluidity/core';
import { readDescriptor } from '@superfluidity/dialects';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyse } from '../analysis/analyse.ts';
import { readCharacterisation } from '../config/read.ts';
import { active, exhaustive } from '../choose/strategy.ts';
import { table7 } from '../testing/table-7.ts';
import type { Deployer } from './deployer.ts';
import { digestOf, Journal, readJournal } from './journal.ts';
import { type Progress, runExperiments, type RunOptions } from './run.ts';

const example = fileURLToPath(new URL('../../../examples/characterise/unified-origin.yaml', import.meta.url));
const read = readCharacterisation(await readFile(example));
if (!('characterisation' in read)) throw new Error('unreadable');
const { characterisation } = read;
const once16 = { ...characterisation, iterations: 1 };
const all = table7(characterisation, { samples: 3 });
const code = (name: string) => expect.objectContaining({ code: `SF-CHARACTERISE-${name}` });
const forever = new AbortController().signal;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-characterise-'));
});
afterAll(() => rm(folder, { recursive: true }));

const file = (path: string, text: string) => ({ path, bytes: new TextEncoder().encode(text) });
const service = [
  file(
    'service.yaml',
    `superfluidity: 1
service:
  name: origin
  version: "1"
  networks: [{name: lan, prefix: 10.0.0.0/24}]
  functions:
    - {name: video, environment: container, image: "host:", command: [sleep, infinity], ports: [lan]}
`,
  ),
];

function recorded(log: string[], fail?: (name: string) => boolean): Deployer {
  return {
    deploy(name, files) {
      const { block } = readDescriptor(files).service!;
      const { cpu } = block.children[0]!.children[0]!.requirements;
      log.push(`deploy ${name} ${block.name} ${cpu}`);
      if (fail?.(name) === true) return Promise.reject(new SuperfluidityError('SF-CORE-LIMIT', { reason: 'no room' }));
      return Promise.resolve({ addresses: { video: '10.0.0.2' } });
    },
    terminate: (name) => Promise.resolve(void log.push(`terminate ${name}`)),
  };
}

async function options(journal: string, more: Partial<RunOptions> = {}): Promise<RunOptions> {
  const { characterisation: chosen = characterisation } = more;
  return {
    characterisation: chosen,
    service,
    neighbours: [],
    useCase: { stress: ({ experiment }) => Promise.resolve(all[experiment]!.samples) },
    deployer: recorded([]),
    strategy: exhaustive(chosen),
    journal: await Journal.open(join(folder, journal), chosen),
    clock: systemClock,
    signal: forever,
    ...more,
  };
}

function logging(log: string): Deployer {
  return {
    deploy: (name) => appendFile(log, `deploy ${name}\n`).then(() => ({ addresses: {} })),
    terminate: (name) => appendFile(log, `terminate ${name}\n`),
  };
}

/** Runs, and closes the file of results. */
async function finished(given: RunOptions) {
  try {
    return await runExperiments(given);
  } finally {
    await given.journal.close();
  }
}

describe('one experiment after the other', () => {
  test('is deployed with its configuration, disturbed, put under stress, terminated, and kept', async () => {
    const log: string[] = [];
    const progress: Progress[] = [];
    const loud = { ...characterisation, neighbours: [{ serviceId: 'noise.yaml' }] };
    const given = await options('all', {
      characterisation: loud,
      neighbours: [service],
      deployer: recorded(log),
      strategy: active(characterisation),
      onProgress: (one) => progress.push(one),
    });
    const { results, failures, confidence } = await finished(given);
    expect([results.length, failures, confidence! > 0.95]).toEqual([10, [], true]);
    expect(log.slice(0, 6)).toEqual([
      'terminate unified-origin-e0-n0',
      'terminate unified-origin-e0',
      'deploy unified-origin-e0 unified-origin-e0 2',
      'deploy unified-origin-e0-n0 unified-origin-e0-n0 undefined',
      'terminate unified-origin-e0-n0',
      'terminate unified-origin-e0',
    ]);
    expect(progress.slice(0, 5).map(({ phase }) => phase)).toEqual([
      'clear',
      'deploy',
      'neighbours',
      'stress',
      'terminate',
    ]);
    expect(progress[0]).toMatchObject({ configuration: expect.stringMatching(/^vm_ram=2048/), done: 0, all: 48 });
    const kept = await readJournal(join(folder, 'all'), digestOf(loud));
    expect(kept!.results).toEqual(results);
    expect(Object.keys(analyse(characterisation, kept!.results).templates)).toEqual(['Class_A', 'Class_B', 'None']);
  });

  test('what fails is told, cleared away, and tried again by the next run; too many in a row end it', async () => {
    const log: string[] = [];
    const deployer = recorded(log, (name) => name === 'unified-origin-e1');
    const first = await finished(await options('failing', { deployer, characterisation: once16 }));
    expect([first.results.length, first.failures.map(({ index }) => index)]).toEqual([15, [1]]);
    expect(log.filter((line) => line === 'terminate unified-origin-e1')).toHaveLength(2);
    const second = await finished(await options('failing', { characterisation: once16 }));
    expect([second.results.length, second.failures]).toEqual([16, []]);
    const none = finished(await options('none', { deployer: recorded([], () => true) }));
    await expect(none).rejects.toMatchObject({ code: 'SF-CHARACTERISE-EXPERIMENT', cause: { code: 'SF-CORE-LIMIT' } });
    const silent = finished(await options('silent', { useCase: { stress: () => Promise.resolve([]) } }));
    await expect(silent).rejects.toMatchObject({ cause: { code: 'SF-CHARACTERISE-SAMPLES' } });
  });

  test('a search that was interrupted goes on behind the trials that it has made', async () => {
    const trial = (rate: number) => ({ rate, durationMs: 1_000, sent: rate, lost: 0 });
    const offered: number[][] = [];
    const searching = (stop: AbortController): RunOptions['useCase'] => ({
      async stress({ experiment }, _signal, hooks) {
        offered.push(hooks!.trials.map(({ rate }) => rate));
        if (experiment > 0 || hooks!.trials.length > 0) return all[experiment]!.samples;
        await hooks!.keep(trial(1));
        await hooks!.keep(trial(2));
        stop.abort();
        throw new Error('crash');
      },
    });
    const stop = new AbortController();
    const first = finished(await options('search', { useCase: searching(stop), signal: stop.signal }));
    await expect(first).rejects.toMatchObject({ code: 'SF-CORE-CANCELLED' });
    await appendFile(join(folder, 'search'), '{"index":0,"configuration":0,"iteration":0,"tri');
    const { results } = await finished(await options('search', { useCase: searching(new AbortController()) }));
    expect(offered.slice(0, 3)).toEqual([[], [1, 2], []]);
    expect(results).toHaveLength(48);
    expect((await readJournal(join(folder, 'search'), digestOf(characterisation)))!.trials.size).toBe(0);
  });

  test('can be cancelled, and clears away', async () => {
    const [log, stop] = [[] as string[], new AbortController()];
    const useCase: RunOptions['useCase'] = {
      stress: (_service, signal) => {
        setTimeout(() => stop.abort(), 20);
        return delay(60_000, [], { signal });
      },
    };
    const run = finished(await options('cancelled', { useCase, deployer: recorded(log), signal: stop.signal }));
    await expect(run).rejects.toMatchObject({ code: 'SF-CORE-CANCELLED' });
    expect(log.at(-1)).toBe('terminate unified-origin-e0');
  });
});

describe('the file of results', () => {
  test('keeps what was finished when the process is killed, and the next one goes on', async () => {
    const [results, log] = [join(folder, 'killed'), join(folder, 'log')];
    const program = fileURLToPath(new URL('../testing/crash.ts', import.meta.url));
    const child = spawn(process.execPath, [program, results, log], { stdio: 'inherit' });
    const ended = once(child, 'exit');
    const count = async () => (await readFile(results, 'utf8').catch(() => '')).split('\n').length - 2;
    while ((await count()) < 12 && child.exitCode === null) await delay(5);
    child.kill('SIGKILL');
    expect((await ended)[1]).toBe('SIGKILL');
    // A line that was being written when the machine went down.
    await appendFile(results, '{"index":47,"configurat');
    const { results: made } = await finished({ ...(await options('killed')), service: [], deployer: logging(log) });
    expect(made).toHaveLength(48);
    const kept = await readJournal(results, digestOf(characterisation));
    expect(kept!.results.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(all.map(({ index }) => index));
    expect(kept!.results.toSorted((a, b) => a.index - b.index)).toEqual(all);
    // Each was measured once, but for the one that was under way; it was cleared away first.
    const lines = (await readFile(log, 'utf8')).trim().split('\n');
    expect(lines.filter((line) => line.startsWith('deploy')).length).toBeLessThanOrEqual(49);
    for (const [i, line] of lines.entries())
      if (line.startsWith('deploy')) expect(lines[i - 1]).toBe(line.replace('deploy', 'terminate'));
  });

  test('is refused when somebody else has it, and when it is of another configuration or damaged', async () => {
    const path = join(folder, 'other');
    const first = await Journal.open(path, characterisation);
    await expect(Journal.open(path, characterisation)).rejects.toThrow(`process ${process.pid} is at it`);
    await first.close();
    await (await Journal.open(path, characterisation)).close();
    const other = { ...characterisation, iterations: 4 };
    await expect(Journal.open(path, other)).rejects.toEqual(code('JOURNAL'));
    await (
      await Journal.open(path, { ...characterisation, analysis: { per: 'experiment', outliers: 0, probability: 1 } })
    ).close();
    const whole = await readFile(path, 'utf8');
    for (const bad of [
      'hello\n',
      `${whole}{"index":1}\n{}\n`,
      `${whole}\n`,
      '{"superfluidity-characterise":2,"digest":""}\n',
    ]) {
      await writeFile(path, bad);
      await expect(Journal.open(path, characterisation)).rejects.toEqual(code('JOURNAL'));
    }
    await writeFile(path, 'a letter of somebody');
    await expect(Journal.open(path, characterisation)).rejects.toEqual(code('JOURNAL'));
    expect(await readFile(path, 'utf8')).toBe('a letter of somebody');
    await writeFile(path, whole.slice(0, 30));
    const begun = await Journal.open(path, characterisation);
    expect([begun.results, await readFile(path, 'utf8')]).toEqual([[], whole]);
    await begun.close();
  });
});
