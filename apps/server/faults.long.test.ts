import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shortName } from '@superfluidity/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LinuxWorld, linuxSites, mobileEdge, whyNoLinuxSites } from './testing/linux-world.ts';
import { completed, pause, settled, sourceOf, until } from './testing/operations.ts';
import { type ServerProcess, startServerProcess, tryServerProcess } from './testing/server-process.ts';
import { simulatedService, simulatedSites } from './testing/simulated-world.ts';

const run = promisify(execFile);
const root = process.getuid?.() === 0;
const needsRoot = root ? '' : ' (skipped: not root)';
const NOBODY = 65_534;

/** What a report and its causes say, from the top down. */
interface Report {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly request?: string | undefined;
  readonly answer?: string | undefined;
  readonly cause?: Report | undefined;
}

function chainOf(report: Report | undefined): readonly Report[] {
  return report === undefined ? [] : [report, ...chainOf(report.cause)];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-faults-'));
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the server', { timeout: 60_000 }, () => {
  test('says who is in the way when the port is in use, and leaves its state folder free', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { readonly port: number };
    const state = join(folder, 'port');
    const failed = await tryServerProcess({ state, args: ['--port', String(port)] });
    expect(failed).toMatchObject({ code: 1, said: expect.stringContaining('SF-SERVER-PORT-IN-USE') });
    expect(failed).toMatchObject({ said: expect.stringContaining('--port') });
    expect(await readdir(state)).not.toContain('server.lock');
    other.close();
  });

  test('cannot use a database that is not there, and says so', async () => {
    const failed = await tryServerProcess({
      state: join(folder, 'no-database'),
      database: 'postgres://nobody@127.0.0.1:1/none',
    });
    expect(failed).toMatchObject({ code: 1, said: expect.stringContaining('SF-STORE-UNREACHABLE') });
  });

  test.skipIf(!root)(`runs without root: real sites say what they lack, simulated ones work${needsRoot}`, async () => {
    const state = join(folder, 'nobody');
    await mkdir(state);
    await chown(state, NOBODY, NOBODY);
    const server = await startServerProcess({
      state,
      through: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'],
    });
    try {
      const { siteKinds } = await server.client.call('getSystem');
      const linux = siteKinds.find((each) => each.kind === 'linux')!;
      expect(linux.usable).toBe(false);
      expect(linux.missing).toContainEqual(
        expect.objectContaining({
          name: 'root',
          required: true,
          neededFor: expect.stringMatching(/\w/),
          reason: expect.stringMatching(/\w/),
        }),
      );
      const price = { core: 1, gib: 1 };
      const refused = server.client.call('addSite', {
        body: { name: 'real', kind: 'linux', config: {}, cells: [], services: [], price },
      });
      await expect(refused).rejects.toMatchObject({
        report: {
          code: 'SF-LIFECYCLE-SITE-UNUSABLE',
          message: expect.stringContaining('root'),
          hint: expect.stringContaining('doctor'),
        },
      });
      await simulatedSites(server.client, join(state, 'sites'), { startMs: 0, fabricMs: 0 });
      const { operation } = await server.client.call('deployService', { body: { source: sourceOf(simulatedService) } });
      await completed(server.client, operation);
    } finally {
      await server.stop();
    }
  });

  describe.skipIf(!root)(`on a disk that fills up${needsRoot}`, () => {
    let disk: string;
    beforeAll(async () => {
      disk = join(folder, 'disk');
      await mkdir(disk);
      await run('mount', ['-t', 'tmpfs', '-o', 'size=120m', 'tmpfs', disk]);
    });
    afterAll(() => run('umount', ['-l', disk]));

    test('an operation says so, and goes on when there is room again', async () => {
      const server = await startServerProcess({ state: join(disk, 'state') });
      try {
        const world = await simulatedSites(server.client, join(disk, 'state', 'sites'), { startMs: 300, fabricMs: 50 });
        const empty = await world.inventory();
        await fill(join(disk, 'ballast'));
        const source = sourceOf(simulatedService);
        const outcome = await server.client.call('deployService', { body: { source } }).then(
          ({ operation }) => ({ operation, report: undefined }),
          (error: { readonly report?: Report }) => ({ operation: undefined, report: error.report }),
        );
        if (outcome.operation === undefined) {
          // The database refused to note the wish: then nothing of it is there.
          expect(outcome.report).toMatchObject({
            code: expect.stringMatching(/^SF-(STORE|SITE)-/),
            hint: expect.any(String),
          });
          expect(await world.inventory()).toEqual(empty);
        }
        await rm(join(disk, 'ballast'));
        const operation =
          outcome.operation ??
          (await until('a deployment is accepted', async () => {
            const accepted = await server.client.call('deployService', { body: { source } });
            return accepted.operation;
          }));
        let ended = await settled(server.client, operation);
        if (ended.state === 'FAILED_TEMP') {
          const reports = chainOf(ended.error);
          expect(
            reports.some(({ message, answer }) => /no space|ENOSPC|full/i.test(`${message} ${answer ?? ''}`)),
          ).toBe(true);
          await server.client.call('retryOperation', { params: { id: operation } });
          ended = await settled(server.client, operation);
        }
        expect(ended.state).toBe('COMPLETED');
        expect((await world.inventory()).filter((line) => line.includes('#'))).toHaveLength(4);
      } finally {
        await server.stop();
      }
    });

    test('a server is not started on one that is full', async () => {
      await fill(join(disk, 'ballast'));
      const failed = await tryServerProcess({ state: join(disk, 'late') });
      expect(failed).toMatchObject({
        code: 1,
        said: expect.stringMatching(/SF-SERVER-STATE-UNUSABLE.*(MiB are free|ENOSPC)/s),
      });
      await rm(join(disk, 'ballast'));
    });

    async function fill(file: string): Promise<void> {
      // dd ends with an error: that is what it is for here.
      await run('dd', ['if=/dev/zero', `of=${file}`, 'bs=64k']).catch(() => {});
    }
  });
});

const whyNotLinux = await whyNoLinuxSites();

describe.skipIf(whyNotLinux !== undefined)(
  `a deployment on real sites that cannot succeed${whyNotLinux === undefined ? '' : ` (skipped: ${whyNotLinux})`}`,
  { timeout: 60_000 },
  () => {
    let server: ServerProcess;
    let world: LinuxWorld;
    let empty: Readonly<Record<string, number>>;

    beforeAll(async () => {
      server = await startServerProcess({ state: join(folder, 'linux') });
      world = await linuxSites(server.client);
      empty = await world.counts();
    });

    afterAll(async () => {
      await server?.stop();
      await world?.purge();
      expect(await world?.kernel()).toEqual([]);
    });

    // A test that fails leaves its operation, and the next one needs the room.
    afterEach(async () => {
      for (const { name } of (await server.client.call('listServices')).items) {
        const [last] = (await server.client.call('listOperations', { query: { service: name, limit: 1 } })).items;
        const rested = await settled(server.client, last!.id);
        const { operation } =
          rested.state === 'FAILED_TEMP'
            ? { operation: (await server.client.call('rollbackOperation', { params: { id: rested.id } })).id }
            : await server.client.call('terminateService', { params: { name } });
        await settled(server.client, operation);
      }
    });

    /** Deploys what must fail, reads why, rolls it back, and sees that nothing is left. */
    async function failed(
      change: (text: string) => string,
      base?: string,
      over: () => void = () => {},
    ): Promise<readonly Report[]> {
      const { operation } = await server.client.call('deployService', {
        body: { source: await mobileEdge(change, base) },
      });
      const ended = await settled(server.client, operation);
      over();
      expect(ended.state).toBe('FAILED_TEMP');
      const step = ended.steps.find((each) => each.id === ended.error?.data?.['step']);
      expect(step?.error?.code).toBe(ended.error?.code);
      const reports = chainOf(ended.error);
      expect(reports.some(({ hint }) => hint !== undefined && hint !== '')).toBe(true);
      await server.client.call('rollbackOperation', { params: { id: operation } });
      expect((await settled(server.client, operation)).state).toBe('ROLLED_BACK');
      await until(
        'nothing is left of it',
        async () => {
          const counts = await world.counts();
          return JSON.stringify(counts) === JSON.stringify(empty) ? true : undefined;
        },
        15_000,
        200,
      ).catch(async () => expect(await world.counts()).toEqual(empty));
      expect((await server.client.call('listServices')).items).toEqual([]);
      return reports;
    }

    test('a unit that never becomes ready: the check, what it asked and what it was answered', async () => {
      const [first] = await failed((text) =>
        text.replace('health: http:8080/health', 'health: {kind: http, port: 8080, path: /nothing, timeoutMs: 700}'),
      );
      expect(first).toMatchObject({ code: 'SF-SITE-UNIT-NOT-READY' });
      expect(`${first!.request} ${first!.answer} ${first!.message}`).toMatch(/http|404|refused/i);
    });

    const videoFrom = (image: string) => (text: string) => {
      const host = 'image: "host:"\n      files: .\n      command: [node, /app/programs/video.js]';
      expect(text).toContain(host);
      // Its program does not lie in that folder, and its failure is not the one that is wanted.
      const idle = text.replace('[node, /app/programs/ue.js]', '[sh, -c, exec sleep infinity]');
      return idle.replace(host, `image: "${image}"\n      command: [node, video.ts]`);
    };

    test('an image that is missing: where it was looked for', async () => {
      const said = JSON.stringify(await failed(videoFrom('oci:no-such-image'), folder));
      expect(said).toContain(join(folder, 'no-such-image'));
      expect(said).toMatch(/SF-SITE-IMAGE.*does not exist/);
    });

    test('an image that is broken: what is wrong with which file', async () => {
      const image = join(folder, 'broken-image');
      await mkdir(image);
      await writeFile(join(image, 'oci-layout'), '{"imageLayoutVersion": "1.0.0"}');
      await writeFile(join(image, 'index.json'), '{"schemaVersion": 2, "manifests": [{"digest": "sha256:00"');
      const said = JSON.stringify(await failed(videoFrom('oci:broken-image'), folder));
      expect(said).toContain('broken-image');
      expect(said).toMatch(/index\.json/);
    });

    test('a program that is not there: the answer of the runtime', async () => {
      const reports = await failed((text) => text.replace('[node, /app/programs/video.js]', '[/no/such/program]'));
      expect(JSON.stringify(reports)).toMatch(/no\/such\/program/);
    });

    test('a runtime that is killed while it works: its signal, and the command that it was', async () => {
      const over = new AbortController();
      const killing = killRuntimes(Object.values(world.sites), over.signal);
      const reports = await failed(
        (text) => text,
        undefined,
        () => over.abort(),
      );
      expect(await killing).toBeGreaterThan(0);
      expect(JSON.stringify(reports)).toMatch(/SIGKILL|signal 9|killed/i);
      expect(reports.some(({ request }) => request?.includes('runc') && request.includes('create'))).toBe(true);
    });

    test('packet rules that the kernel refuses: its answer', async () => {
      const reports = await failed((text) =>
        text.replace('ip daddr 10.99.0.0/24 tcp dport 8080 ct state new', 'tcp dport nonsense-and-more'),
      );
      expect(JSON.stringify(reports)).toMatch(/nonsense-and-more/);
      expect(reports.some(({ answer }) => answer !== undefined && answer !== '')).toBe(true);
    });

    test('after all of that a good one comes up', async () => {
      const { operation } = await server.client.call('deployService', { body: { source: await mobileEdge() } });
      await completed(server.client, operation);
    });
  },
);

/** Kills every runtime that makes a container of these sites, as soon as it is seen. Resolves with how many those were. */
async function killRuntimes(sites: readonly string[], over: AbortSignal): Promise<number> {
  const scopes = sites.map((id) => shortName('', id));
  let killed = 0;
  while (!over.aborted) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const makes = argv[0]!.endsWith('runc') && argv.includes('create');
        if (!makes || !scopes.some((scope) => argv.some((one) => one.includes(scope)))) continue;
        process.kill(Number(pid), 'SIGKILL');
        killed += 1;
      } catch {
        // It ended by itself meanwhile.
      }
    }
    await pause(1);
  }
  return killed;
}
