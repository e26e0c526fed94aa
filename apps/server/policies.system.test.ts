import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiError } from '@superfluidity/api';
import { readNative } from '@superfluidity/dialects';
import { prove } from '@superfluidity/intent';
import { onOneSite } from '@superfluidity/intent/plane';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LinuxWorld, linuxSites, whyNoLinuxSites } from './testing/linux-world.ts';
import { completed, sourceOf, until } from './testing/operations.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

/** What is proven of a service, held against packets that are sent in it. */
const why = await whyNoLinuxSites();

const run = promisify(execFile);
const ADDRESS = '10.98.0.61';
const PORTS = [8080, 8443, 2222];
/** Tries all ports at once, again and again, and prints what came of it. */
const client = `import net from 'node:net';
const tried = (port) => new Promise((resolve) => {
  const socket = net.connect({ host: '${ADDRESS}', port, timeout: 400 });
  const done = (open) => { socket.destroy(); resolve(open); };
  socket.on('connect', () => done(true)).on('timeout', () => done(false)).on('error', () => done(false));
});
for (let round = 1; ; round += 1) {
  const ports = ${JSON.stringify(PORTS)};
  const open = await Promise.all(ports.map(tried));
  for (const [i, port] of ports.entries()) console.log(JSON.stringify({ round, port, open: open[i] }));
}
`;
const server = `import net from 'node:net';
for (const port of ${JSON.stringify(PORTS)}) net.createServer((socket) => socket.end()).listen(port);
`;

const service = (policies: string) => `superfluidity: 1
service:
  name: shop
  version: "1"
  networks:
    - {name: clients, prefix: 10.61.0.0/16}
    - {name: office, prefix: 10.62.0.0/16}
    - {name: servers, prefix: 10.63.0.0/16}
  functions:
    - {name: client, environment: container, image: "host:", files: ., command: [node, /app/client.mjs], ports: [clients], requirements: {location: {sites: [edge]}}}
    - {name: admin, environment: container, image: "host:", files: ., command: [node, /app/client.mjs], ports: [office], requirements: {location: {sites: [edge]}}}
    - name: firewall
      environment: nft
      forwards: true
      ports: [servers]
      requirements: {location: {sites: [edge]}}
      program: |
        table ip filter {
          chain forward {
            type filter hook forward priority 0; policy drop;
            ct state established accept
            tcp dport 8080 accept
          }
        }
    - {name: web, environment: container, image: "host:", files: ., command: [node, /app/server.mjs], health: "tcp:8080", ports: [servers], requirements: {location: {sites: [core]}}}
  chains:
    - {name: watch, from: client, through: [firewall], to: web, address: ${ADDRESS}, ports: [8080, 8443]}
  policies:
${policies}
`;
const kept = `    - {name: served, reach: {from: client, to: web, packet: tcp dst port 8080}}
    - {name: nothing-else, deny: {from: client, to: web, packet: not (tcp dst port 8080)}}
    - {name: apart, deny: {from: office, to: servers}}`;

/** For each client and port, whether the engine finds a packet that gets there. */
function predicted(): Readonly<Record<string, boolean>> {
  const asked = ['client', 'admin'].flatMap((from) =>
    PORTS.map(
      (port) =>
        `    - {name: ${from}-${port}, deny: {from: ${from}, to: web, packet: dst host ${ADDRESS} and tcp dst port ${port}}}`,
    ),
  );
  const described = readNative(service(asked.join('\n'))).service!;
  const { policies } = prove({ service: described, intended: onOneSite(described) });
  expect(policies.every(({ answer }) => answer !== 'unknown')).toBe(true);
  return Object.fromEntries(policies.map(({ policy, answer }) => [policy, answer === 'violated']));
}

describe.skipIf(why !== undefined)(
  `policies and real packets${why === undefined ? '' : ` (skipped: ${why})`}`,
  { timeout: 150_000 },
  () => {
    let folder: string;
    let running: ServerProcess;
    let world: LinuxWorld;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sf-policies-'));
      await writeFile(join(folder, 'client.mjs'), client);
      await writeFile(join(folder, 'server.mjs'), server);
      running = await startServerProcess({ state: join(folder, 'state') });
      world = await linuxSites(running.client);
    }, 60_000);

    afterAll(async () => {
      await running?.stop();
      await world?.purge();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    test('a service against its policies is refused, and nothing of it is there', async () => {
      const before = await world.kernel();
      const text = service(kept).replace('tcp dport 8080 accept', 'tcp dport { 8080, 8443 } accept');
      const refused = running.client.call('deployService', { body: { source: sourceOf(text, folder) } });
      const error = (await refused.catch((reason: unknown) => reason)) as ApiError;
      expect(error).toBeInstanceOf(ApiError);
      expect(error.message).toContain("policy 'nothing-else': there are packets that arrive at web (by ");
      const rule = text.split('\n').findIndex((line) => line.includes('{ 8080, 8443 } accept')) + 1;
      expect(error.message).toContain(`service.yaml:${rule}`);
      expect(await world.kernel()).toEqual(before);
    });

    test('packets get where the proof says that they get, and nowhere else', async () => {
      const { operation } = await running.client.call('deployService', {
        body: { source: sourceOf(service(kept), folder) },
      });
      const { plan, realised } = await completed(running.client, operation);
      expect(plan!.verification).toMatchObject({ plane: 'intended', answer: 'holds' });
      expect(realised).toMatchObject({ plane: 'realised', answer: 'holds', assumptions: [] });
      const seen: Record<string, boolean> = {};
      const look = async (unit: string) => {
        const from = (await output(unit)).length;
        // A round that began after the deployment was over.
        const lines = await until(`${unit} has tried every port twice`, async () => {
          const all = (await output(unit)).slice(from);
          return all.length >= PORTS.length * 2 ? all : undefined;
        });
        for (const { port, open } of lines.slice(-PORTS.length)) seen[`${unit}-${port}`] = open;
      };
      await Promise.all(['client', 'admin'].map(look));
      expect(seen).toEqual(predicted());
      expect(Object.values(seen).filter(Boolean)).toHaveLength(1);
    });

    test('a rule that somebody adds by hand is found, and packets show that it is right', async () => {
      const namespace = await firewallNamespace();
      const nft = (...words: string[]) => run('ip', ['netns', 'exec', namespace, 'nft', ...words]);
      await nft('add', 'rule', 'ip', 'filter', 'forward', 'tcp', 'dport', '8443', 'accept');
      const asked = { params: { name: 'shop' }, query: { realised: 'true' } } as const;
      const report = await running.client.call('verifyService', asked);
      expect(report.policies.map(({ policy, answer }) => [policy, answer])).toEqual([
        ['served', 'holds'],
        ['nothing-else', 'violated'],
        ['apart', 'holds'],
      ]);
      const [path] = report.policies[1]!.paths;
      expect(path!.packet!.sent['TCP.dport']).toBe('8443');
      expect(path!.hops.flatMap(({ because }) => because)).toContainEqual(
        expect.objectContaining({ file: `${namespace}.nft`, text: expect.stringContaining('8443') }),
      );
      await until('a client gets through', async () =>
        (await output('client')).some(({ port, open }) => port === 8443 && open) ? true : undefined,
      );
      // What is meant is as it was.
      expect(await running.client.call('verifyService', { ...asked, query: {} })).toMatchObject({ answer: 'holds' });
    });

    async function firewallNamespace(): Promise<string> {
      const spaces = (await world.kernel()).flatMap((line) => /^(?:namespace|netns) (\S+)/.exec(line)?.[1] ?? []);
      for (const name of spaces) {
        const rules = await run('ip', ['netns', 'exec', name, 'nft', 'list', 'ruleset']);
        if (rules.stdout.includes('table ip filter')) return name;
      }
      throw new Error(`none of ${spaces.join(', ')} has the rules of the firewall`);
    }

    async function output(unit: string) {
      const params = { name: 'shop', unit };
      const { lines } = await running.client.call('readUnitOutput', { params, query: { offset: 0 } });
      return lines
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { port: number; open: boolean });
    }
  },
);
