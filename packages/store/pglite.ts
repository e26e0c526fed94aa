import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { Backend, BackendOptions } from './backend.ts';
import { Channels } from './channels.ts';
import { toStoreError } from './errors.ts';
import { lockFolder } from './folder-lock.ts';
import { pgliteClient } from './pglite-client.ts';
import { createPGlite } from './pglite-template.ts';

/**
 * PostgreSQL compiled to WebAssembly, in this process. It is one session, so there is one owner of the instance and one
 * pool of one connection that everybody shares: two connections would mix up the protocol, and a statement that went
 * past the pool would run inside whatever transaction is open. It survives `kill -9` but not loss of power, because it
 * never syncs its files.
 */
export async function openPGlite(folder: string | undefined, options: BackendOptions): Promise<Backend> {
  const lock = folder === undefined ? undefined : await lockForOpening(folder);
  try {
    const pglite = await createPGlite(folder, options.log);
    return await connect(pglite, folder, options, async () => {
      await pglite.close();
      await lock?.release();
    });
  } catch (error) {
    await lock?.release();
    throw toStoreError(error, `open the database ${labelOf(folder)}`);
  }
}

const labelOf = (folder: string | undefined) => (folder === undefined ? 'pglite:memory' : `pglite:${folder}`);

async function lockForOpening(folder: string) {
  try {
    await mkdir(dirname(folder), { recursive: true });
  } catch (error) {
    throw toStoreError(error, `open the database ${labelOf(folder)}`);
  }
  return lockFolder(folder);
}

async function connect(
  pglite: PGlite,
  folder: string | undefined,
  options: BackendOptions,
  close: () => Promise<void>,
): Promise<Backend> {
  const pool = new pg.Pool({ Client: pgliteClient(pglite), max: 1, idleTimeoutMillis: 0 } as pg.PoolConfig);
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'database connection failed'));
  const channels = new Channels((error) => options.log.error({ error: String(error) }, 'notification handler failed'));
  pglite.onNotification((channel, payload) => channels.tell(channel, payload));
  return {
    kind: 'pglite',
    pool,
    label: labelOf(folder),
    async onNotification(channel, handler) {
      if (channels.add(channel, handler)) await pool.query(`listen ${pg.escapeIdentifier(channel)}`);
      return async () => {
        if (channels.remove(channel, handler)) await pool.query(`unlisten ${pg.escapeIdentifier(channel)}`);
      };
    },
    async close() {
      await pool.end();
      await close();
    },
  };
}
