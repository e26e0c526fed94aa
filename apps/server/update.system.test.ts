import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LinuxWorld, linuxSites, whyNoLinuxSites } from './testing/linux-world.ts';
import { completed, sourceOf, until } from './testing/operations.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

/** What an update makes of networks, held against packets: who is attached gets there, and who is not does not. */
const why = await whyNoLinuxSites();

/** Tries the address that stands in a file, again and again, and prints what came of it. */
const client = `import net from 'node:net';
import { readFileSync } from 'node:fs';
const tried = (host) => new Promise((resolve) => {
  const socket = net.connect({ host, port: 7000, timeout: 300 });
  const done = (open) => { socket.destroy(); resolve(open); };
  socket.on('connect', () => done(true)).on('timeout', () => done(false)).on('error', () => done(false));
});
for (;;) {
  const host = readFileSync('/app/target', 'utf8');
  console.log(JSON.stringify({ host, open: host !== '' && (await tried(host)) }));
  await new Promise((resolve) => setTimeout(resolve, 50));
}
`;
const server = `import net from 'node:net';
net.createServer((socket) => socket.end()).listen(7000);
`;

const service = (clientPorts: string, prefix = '10.73.0.0/16', mtu = 1_500) => `superfluidity: 1
service:
  name: attach
  version: "1"
  networks:
    - {name: outside, prefix: 10.72.0.0/16}
    - {name: inside, prefix: ${prefix}, mtu: ${mtu}}
  functions:
    - {name: client, environment: container, image: "host:", files: ., command: [node, /app/client.mjs], ports: [${clientPorts}], requirements: {location: {sites: [edge]}}}
    - {name: server, environment: container, image: "host:", files: ., command: [node, /app/server.mjs], health: "tcp:7000", ports: [inside], requirements: {location: {sites: [edge]}}}
`;

describe.skipIf(why !== undefined)(
  `an update of networks and real packets${why === undefined ? '' : ` (skipped: ${why})`}`,
  { timeout: 120_000 },
  () => {
    let folder: string;
    let running: ServerProcess;
    let world: LinuxWorld;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sf-update-'));
      await writeFile(join(folder, 'client.mjs'), client);
      await writeFile(join(folder, 'server.mjs'), server);
      await writeFile(join(folder, 'target'), '');
      running = await startServerProcess({ state: join(folder, 'state') });
      world = await linuxSites(running.client);
    }, 60_000);

    afterAll(async () => {
      await running?.stop();
      await world?.purge();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    const params = { name: 'attach' };
    const unit = async (path: string) =>
      (await running.client.call('getService', { params })).units.find((one) => one.path === path)!;

    /** Whether the client, as it is now, gets to the server, as it is now. */
    async function gets(): Promise<boolean> {
      const { address } = (await unit('server/server')).ports[0]!;
      await writeFile(join(folder, 'target'), address);
      const { id } = await unit('client/client');
      const read = async () => {
        const input = { params: { ...params, unit: id }, query: { offset: 0 } };
        const { lines } = await running.client.call('readUnitOutput', input);
        return lines
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as { host: string; open: boolean })
          .filter(({ host }) => host === address);
      };
      const from = (await read()).length;
      const tried = await until('the client has tried twice', async () => {
        const all = (await read()).slice(from);
        return all.length >= 2 ? all : undefined;
      });
      return tried.at(-1)!.open;
    }

    async function update(text: string) {
      const source = sourceOf(text);
      const { digest, steps } = await running.client.call('planUpdate', { params, body: { source } });
      const { operation } = await running.client.call('updateService', { params, body: { source, digest } });
      await completed(running.client, operation);
      return steps.map(({ id }) => id);
    }

    test('a port that is attached to another network gets there, and no more when it is detached', async () => {
      const before = await world.kernel();
      const deployed = await running.client.call('deployService', {
        body: { source: sourceOf(service('outside'), folder) },
      });
      await completed(running.client, deployed.operation);
      expect(await gets()).toBe(false);
      const kept = (await unit('server/server')).id;
      await update(service('outside, inside'));
      expect(await gets()).toBe(true);
      expect((await unit('server/server')).id).toBe(kept);
      const steps = await update(service('outside, inside', '10.74.0.0/16', 1_400));
      expect(steps).toEqual(expect.arrayContaining(['remove-network:inside@edge', 'create-network:inside@edge']));
      expect((await unit('server/server')).ports[0]!.address).toMatch(/^10\.74\./);
      expect(await gets()).toBe(true);
      await update(service('outside', '10.74.0.0/16', 1_400));
      expect(await gets()).toBe(false);
      const ended = await running.client.call('terminateService', { params });
      await completed(running.client, ended.operation);
      expect((await world.kernel()).filter((line) => !line.startsWith('cgroup '))).toEqual(
        before.filter((line) => !line.startsWith('cgroup ')),
      );
    });
  },
);
