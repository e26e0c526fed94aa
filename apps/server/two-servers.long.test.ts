import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer, whyNoTestServer } from '@superfluidity/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completed, pause, settled, sourceOf, stepSeen, until } from './testing/operations.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';
import { simulatedService, simulatedSites, type SimulatedWorld } from './testing/simulated-world.ts';

const why = whyNoTestServer();
/** A lease, the beat at which peers look, and some room for a machine that does other things too. */
const TAKE_OVER_MS = 15_000;

describe.skipIf(why !== undefined)(
  `two servers on one PostgreSQL${why === undefined ? '' : ` (skipped: ${why})`}`,
  { timeout: 120_000 },
  () => {
    let folder: string;
    let postgres: TestServer;
    let database: string;
    let first: ServerProcess;
    let second: ServerProcess;
    let world: SimulatedWorld;
    let empty: readonly string[];

    const start = (name: string) =>
      startServerProcess({ state: join(folder, name), database, args: ['--sites', join(folder, 'sites')] });

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sf-two-'));
      postgres = await startTestServer();
      database = await postgres.createDatabase();
      first = await start('first');
      second = await start('second');
      // Told to the first alone.
      world = await simulatedSites(first.client, join(folder, 'sites'), { startMs: 1_000, fabricMs: 20 });
      empty = await world.inventory();
    });

    afterAll(async () => {
      await Promise.all([first?.stop(), second?.stop()]);
      await postgres?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const deploy = async (server: ServerProcess) =>
      (await server.client.call('deployService', { body: { source: sourceOf(simulatedService) } })).operation;

    async function terminate(server: ServerProcess): Promise<void> {
      const { operation } = await server.client.call('terminateService', { params: { name: 'stream' } });
      await completed(server.client, operation);
      expect(await world.inventory()).toEqual(empty);
    }

    /** Deploys by way of the server and waits until one of its units is being started. */
    async function deployAndCatch(server: ServerProcess): Promise<string> {
      const operation = await deploy(server);
      await stepSeen(server.client, operation, 'create:video/video#0', ['running']);
      return operation;
    }

    test('a site that one of them was told of is known to the other, and so is its removal', async () => {
      const names = async (server: ServerProcess) =>
        (await server.client.call('listSites')).items.map((site) => site.name).sort();
      expect(await names(second)).toEqual(['core', 'edge']);
      const price = { core: 1, gib: 0.1 };
      const body = { name: 'spare', kind: 'simulated', config: {}, cells: [], services: [], price };
      await second.client.call('addSite', { body });
      expect(await first.client.call('getSite', { params: { name: 'spare' } })).toMatchObject({ healthy: true });
      await first.client.call('removeSite', { params: { name: 'spare' } });
      expect(await names(second)).toEqual(['core', 'edge']);
    });

    test('operations of both at once, on the same sites, do not keep each other out', async () => {
      const other = simulatedService
        .replace('name: stream', 'name: other')
        .replaceAll('10.45.', '10.55.')
        .replaceAll('10.46.', '10.56.')
        .replaceAll('10.99.0.', '10.98.0.');
      const one = await deploy(first);
      const { operation: two } = await second.client.call('deployService', { body: { source: sourceOf(other) } });
      await completed(first.client, one);
      await completed(second.client, two);
      const { operation } = await first.client.call('terminateService', { params: { name: 'other' } });
      await completed(first.client, operation);
      await terminate(second);
    });

    test('one is killed in the middle of a deployment: the other finishes it within seconds', async () => {
      const operation = await deployAndCatch(first);
      await first.kill();
      const killedAt = Date.now();
      const taken = await until(
        'the operation has another executor',
        async () => (second.log().includes('took the runs of a dead server over') ? Date.now() : undefined),
        TAKE_OVER_MS,
      );
      await completed(second.client, operation);
      expect(taken - killedAt).toBeLessThan(TAKE_OVER_MS);
      const { units } = await second.client.call('getService', { params: { name: 'stream' } });
      expect(units.map((unit) => unit.state)).toEqual(['running', 'running', 'running', 'running']);
      expect((await world.inventory()).filter((line) => line.includes('#'))).toHaveLength(4);
      console.log(`taken over ${taken - killedAt} ms after the kill`);
      first = await start('first');
      await terminate(first);
    });

    test('one is frozen, the other takes over, and the one that thaws does no harm and is a good member again', async () => {
      const operation = await deployAndCatch(first);
      first.freeze();
      await completed(second.client, operation);
      const [afterwards, recorded] = [
        await world.inventory(),
        await second.client.call('getOperation', { params: { id: operation } }),
      ];
      await terminate(second);

      // What it comes back to is gone: were it to go on, units of a service that does not exist would appear.
      const fencedBefore = world.fencedCalls();
      first.thaw();
      await until('the thawed server notices', async () =>
        first.log().includes('the lease was lost') ? true : undefined,
      );
      await until('it is a member again', async () =>
        first.log().includes('the lease was regained') ? true : undefined,
      );
      await pause(2_000);
      expect(afterwards.filter((line) => line.includes('#'))).toHaveLength(4);
      expect(world.fencedCalls()).toBeGreaterThan(fencedBefore);
      expect(await world.inventory()).toEqual(empty);
      expect(await second.client.call('getOperation', { params: { id: operation } })).toEqual(recorded);

      await completed(first.client, await deploy(first));
      await terminate(second);
    });

    test('the database goes away in the middle of a deployment and comes back: the operation goes on', async () => {
      const operation = await deployAndCatch(first);
      await postgres.crash();
      await pause(3_000);
      await expect(first.client.call('getOperation', { params: { id: operation } })).rejects.toMatchObject({
        report: { code: expect.stringMatching(/^SF-STORE-/), hint: expect.any(String) },
      });
      await postgres.start();
      const ended = await settled(second.client, operation);
      expect(ended.state).toBe('COMPLETED');
      expect((await world.inventory()).filter((line) => line.includes('#'))).toHaveLength(4);
      await terminate(first);
    });
  },
);
