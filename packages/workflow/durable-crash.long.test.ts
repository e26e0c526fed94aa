import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@superfluidity/core';
import { startTestServer, type TestServer, whyNoTestServer } from '@superfluidity/store/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { EngineProcess } from './testing/child.ts';

interface Effect {
  readonly key: string;
  readonly fence: number;
  readonly executor: string;
  readonly accepted: boolean;
}

type Keeper = 'tables' | 'dbos';
const keepers: readonly Keeper[] = ['tables', 'dbos'];

const children: EngineProcess[] = [];
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.end()));
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function child(url: string, executorId: string, keeper: Keeper): EngineProcess {
  const started = new EngineProcess(url, executorId, keeper);
  children.push(started);
  return started;
}

async function effectsSeenBy(server: EngineProcess): Promise<readonly Effect[]> {
  const before = server.news.length;
  server.send({ effects: true });
  await server.until(
    (news) => news['effects'] !== undefined && server.news.indexOf(news) >= before,
    'effects are told',
  );
  return server.news.findLast((news) => news['effects'] !== undefined)!['effects'] as Effect[];
}

const finished = (run: string) => (news: Readonly<Record<string, unknown>>) => news['finished'] === run;

describe.each(keepers)('a server on PGlite that is killed, runs in %s', (keeper) => {
  it('goes on at the step that was under way, whichever it was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sf-crash-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const url = `pglite:${folder}/db`;
    const steps = 4;
    for (let killed = 1; killed <= steps; killed += 1) {
      const server = child(url, 'srv-a', keeper);
      await server.ready();
      server.send({ start: 'run', input: { steps, stepMs: 150 } });
      await server.until(({ begun }) => begun === killed, `step ${killed} has begun`);
      // In odd rounds while the step works, in even ones at the moment it has ended.
      if (killed % 2 === 0) await server.until(({ ended }) => ended === killed, `step ${killed} has ended`);
      await server.end();
    }
    const last = child(url, 'srv-a', keeper);
    await last.ready();
    last.send({ start: 'run', input: { steps, stepMs: 150 } });
    expect(await last.until(finished('run'), 'the run has ended')).toMatchObject({ status: 'succeeded' });
    const effects = await effectsSeenBy(last);
    expect([...new Set(effects.map(({ key }) => key))]).toEqual(['run/s1', 'run/s2', 'run/s3', 'run/s4']);
    for (const n of [1, 2, 3, 4]) {
      const times = effects.filter(({ key }) => key === `run/s${n}`);
      expect(times.length).toBeLessThanOrEqual(2);
      expect(times.map(({ fence }) => fence)).toEqual(times.map(({ fence }) => fence).toSorted((a, b) => a - b));
    }
  }, 120_000);
});

const reason = whyNoTestServer();

describe.skipIf(reason !== undefined).each(keepers)(
  `two servers on one PostgreSQL, runs in %s${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  (keeper) => {
    async function twoServers() {
      const postgres: TestServer = await startTestServer();
      cleanups.push(() => postgres.stop());
      const url = await postgres.createDatabase();
      const a = child(url, 'srv-a', keeper);
      await a.ready();
      const b = child(url, 'srv-b', keeper);
      await b.ready();
      return { a, b };
    }

    it('goes on when the database comes back, if it was gone in the middle of a run', async () => {
      const postgres = await startTestServer();
      cleanups.push(() => postgres.stop());
      const a = child(await postgres.createDatabase(), 'srv-a', keeper);
      await a.ready();
      a.send({ start: 'r1', input: { steps: 6, stepMs: 100 } });
      await a.until(({ begun }) => begun === 3, 'step 3 has begun');
      await postgres.crash();
      // Longer than the lease: nobody took it, so it is still its own.
      await systemClock.sleep(2_000);
      await postgres.start();
      expect(await a.until(finished('r1'), 'the run has ended')).toMatchObject({ status: 'succeeded' });
      const keys = new Set((await effectsSeenBy(a)).map(({ key }) => key));
      expect([...keys]).toEqual([1, 2, 3, 4, 5, 6].map((n) => `r1/s${n}`));
    }, 90_000);

    /** What the site accepted, checked: no key twice by the same fence, and fences only grow. */
    function checkFences(effects: readonly Effect[]): void {
      for (const key of new Set(effects.map((effect) => effect.key))) {
        const fences = effects.filter((effect) => effect.key === key && effect.accepted).map(({ fence }) => fence);
        expect(fences).toEqual([...new Set(fences)].toSorted((x, y) => x - y));
      }
    }

    it('kill one: the other takes its runs over within seconds', async () => {
      const { a, b } = await twoServers();
      const runs = ['r1', 'r2', 'r3'];
      for (const run of runs) a.send({ start: run, input: { steps: 8, stepMs: 100 } });
      await a.until(({ begun, run }) => begun === 3 && run === 'r3', 'step 3 of the last run has begun');
      const killedAt = systemClock.now();
      await a.end();
      await b.until(({ begun }) => begun !== undefined, 'the other server has begun a step');
      const takenAfterMs = systemClock.now() - killedAt;
      await Promise.all(
        runs.map((run) => b.until(({ ended, run: of }) => ended === 8 && of === run, `${run} has ended`)),
      );
      expect(takenAfterMs).toBeLessThan(10_000);
      const effects = await effectsSeenBy(b);
      checkFences(effects);
      // Each run repeats at most the step that was under way.
      for (const run of runs) {
        const count = effects.filter(({ key }) => key.startsWith(`${run}/`)).length;
        expect(count).toBeGreaterThanOrEqual(8);
        expect(count).toBeLessThanOrEqual(9);
      }
    }, 90_000);

    it('freeze one: it is taken over, and when it comes back it does nothing twice and works again', async () => {
      const { a, b } = await twoServers();
      a.send({ start: 'r1', input: { steps: 20, stepMs: 100 } });
      await a.until(({ begun }) => begun === 3, 'step 3 has begun');
      a.kill('SIGSTOP');
      await b.until(({ begun }) => (begun as number) >= 6, 'the other server is at step 6');
      const seen = a.news.length;
      a.kill('SIGCONT');
      await b.until(({ ended }) => ended === 20, 'the other server has ended the run');
      await a.until(({ warn }) => String(warn).startsWith('the lease was lost'), 'the frozen server knows');
      // The outcome that the other one recorded is the outcome here too.
      expect(await a.until(finished('r1'), 'the frozen server learns the outcome')).toMatchObject({
        status: 'succeeded',
      });
      expect(a.news.slice(seen).filter(({ begun }) => begun !== undefined)).toEqual([]);
      const effects = await effectsSeenBy(b);
      checkFences(effects);
      const firstOfB = effects.findIndex(({ executor }) => executor === 'srv-b');
      expect(effects.slice(firstOfB).filter(({ executor, accepted }) => executor === 'srv-a' && accepted)).toEqual([]);
      expect(effects.length).toBeLessThanOrEqual(21);
      await a.until(({ warn }) => warn === 'the lease was regained', 'the lease is regained');
      a.send({ start: 'r2', input: { steps: 1, stepMs: 1 } });
      expect(await a.until(finished('r2'), 'a new run ends')).toMatchObject({ status: 'succeeded' });
    }, 90_000);
  },
);
