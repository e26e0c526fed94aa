import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@superfluidity/core';
import { afterEach, describe, expect, it } from 'vitest';
import { readPostmaster } from './embedded.ts';
import { openStore, type Store } from './index.ts';
import { startTestServer, whyNoTestServer } from './testing/index.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sf-store-'));
  // An embedded server runs as another user when we are root.
  await chmod(folder, 0o755);
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a process that writes, kills it after so many rows, and returns how many were acknowledged. */
async function writeAndKill(url: string, rows: number): Promise<number> {
  const program = fileURLToPath(new URL('./testing/writer-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', program, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged === rows) child.kill('SIGKILL');
  }
  await exited;
  return acknowledged;
}

/** Nothing acknowledged is lost, at most one more is there, and no transaction is there by half. */
async function checkRows(store: Store, acknowledged: number): Promise<void> {
  const count = (kind: string) =>
    store.db
      .selectFrom('event')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('kind', '=', kind)
      .executeTakeFirstOrThrow();
  const [first, second] = [(await count('first')).n, (await count('second')).n];
  expect(first).toBe(second);
  expect(first).toBeGreaterThanOrEqual(acknowledged);
  expect(first).toBeLessThanOrEqual(acknowledged + 1);
}

describe('PGlite in a folder', () => {
  it('loses nothing that was acknowledged when its process is killed, and belongs to one process', async () => {
    const folder = await temporaryFolder();
    const url = `pglite:${folder}/db`;
    const acknowledged = await writeAndKill(url, 50);
    const store = await openStore(url);
    try {
      await checkRows(store, acknowledged);
      await expect(openStore(url)).rejects.toMatchObject({
        code: 'SF-STORE-IN-USE',
        details: { data: { pid: process.pid } },
      });
    } finally {
      await store.close();
    }

    // The lock of a process that is gone is not that of one that lives: our own pid, but another start time.
    await writeFile(`${folder}/db.lock`, `${process.pid} 1`);
    await (await openStore(url)).close();
  }, 90_000);
});

describe('the embedded server', () => {
  it('outlives a killed process and is adopted by the next one, with all that was acknowledged', async () => {
    const folder = join(await temporaryFolder(), 'pg');
    const url = `embedded:${folder}`;
    const acknowledged = await writeAndKill(url, 50);
    const orphan = await readPostmaster(folder);
    expect(orphan).toBeDefined();
    const store = await openStore(url);
    try {
      expect((await readPostmaster(folder))?.pid).toBe(orphan?.pid);
      await checkRows(store, acknowledged);
    } finally {
      await store.close();
    }
    expect(await readPostmaster(folder)).toBeUndefined();
    const handlers = process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    const again = await openStore(url);
    // Signals stay the program's affair.
    expect(process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')).toBe(handlers);
    await checkRows(again, acknowledged);
    await again.close();
  }, 120_000);
});

const reason = whyNoTestServer();

describe.skipIf(reason !== undefined)(
  `a PostgreSQL server${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    it('that goes away is reported so, and used again when it is back, notifications included', async () => {
      const server = await startTestServer();
      cleanups.push(() => server.stop());
      const store = await openStore(await server.createDatabase());
      cleanups.push(() => store.close());
      const heard: (string | undefined)[] = [];
      await store.listen('news', (payload) => heard.push(payload));

      const interrupted = store.transaction(async (trx) => {
        await trx.insertInto('event').values({ at: 1, kind: 'lost', subject: 's', body: '1' }).execute();
        await server.crash();
        await trx.insertInto('event').values({ at: 2, kind: 'lost', subject: 's', body: '1' }).execute();
      });
      await expect(interrupted).rejects.toMatchObject({ code: 'SF-STORE-UNREACHABLE' });
      await expect(store.db.selectFrom('event').selectAll().execute()).rejects.toMatchObject({
        code: 'SF-STORE-UNREACHABLE',
      });

      await server.start();
      expect(await store.db.selectFrom('event').selectAll().execute()).toEqual([]);
      for (let i = 0; i < 200 && heard.length === 0; i += 1) await systemClock.sleep(25);
      await store.notify('news', 'again');
      for (let i = 0; i < 200 && heard.length < 2; i += 1) await systemClock.sleep(25);
      expect(heard).toEqual([undefined, 'again']);
    }, 90_000);
  },
);
