import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock, invariant, type Logger, silentLogger, systemClock } from '@superfluidity/core';
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import type pg from 'pg';
import type { Backend, BackendOptions, NotificationHandler } from './backend.ts';
import type { Database } from './database.ts';
import { databaseCode } from './errors.ts';
import { kyselyPool } from './kysely-pool.ts';
import { limits } from './limits.ts';
import { migrate, readMigrations } from './migrate.ts';
import { parseStoreUrl } from './url.ts';

export interface StoreOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Connections at most; no effect on PGlite, which has one. */
  readonly poolSize?: number;
}

/**
 * The database of one server. One SQL dialect on all back ends. On PGlite the pool has a single connection, so a
 * transaction keeps everybody else waiting: it must be short and must not wait for anything that uses the database,
 * such as the workflow engine. The store refuses the mistakes that would wait for ever (see `transaction`).
 */
export interface Store {
  readonly kind: Backend['kind'];
  /** How a person would name the database; no password in it. */
  readonly label: string;
  /** Not inside `transaction`: use the handle given there. */
  readonly db: Kysely<Database>;
  /** For the workflow engine. Errors and types are those of `pg`. */
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly log: Logger;
  /** `work` runs again when it loses a deadlock or a serialization conflict, so it must do nothing but database work. */
  transaction<T>(work: (trx: Transaction<Database>) => Promise<T>): Promise<T>;
  /** True within `transaction`, and in everything started from there as long as it is open. */
  inTransaction(): boolean;
  /** Wakes the listeners of the channel on every server, this one included. A hint only: it may be lost. */
  notify(channel: string, payload?: string): Promise<void>;
  /** Resolves when it is listening, to a function that ends it. */
  listen(channel: string, handler: NotificationHandler): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const MIGRATIONS = new URL('./migrations/', import.meta.url);

/** Opens `pglite:memory`, `pglite:<folder>`, `embedded:<folder>` or `postgres://...`, and brings it up to date. */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const { clock = systemClock, log = silentLogger, poolSize = limits.poolSize } = options;
  const backend = await openBackend(url, { clock, log, poolSize });
  try {
    const applied = await migrate(backend.pool, await readMigrations(MIGRATIONS), clock.now());
    if (applied.length > 0) log.info({ applied, database: backend.label }, 'database migrated');
  } catch (error) {
    await backend.close();
    throw error;
  }
  return makeStore(backend, clock, log);
}

/** Only what is used is loaded: it is start-up time. */
async function openBackend(url: string, options: BackendOptions): Promise<Backend> {
  const location = parseStoreUrl(url);
  switch (location.kind) {
    case 'memory':
    case 'pglite': {
      const { openPGlite } = await import('./pglite.ts');
      return openPGlite(location.kind === 'memory' ? undefined : location.folder, options);
    }
    case 'embedded': {
      const { openEmbedded } = await import('./embedded.ts');
      return openEmbedded(location.folder, options);
    }
    case 'server': {
      const { openServer } = await import('./server.ts');
      return openServer(location.url, options);
    }
  }
}

/** SQLSTATE of serialization_failure and deadlock_detected. */
const RETRYABLE = new Set(['40001', '40P01']);

function makeStore(backend: Backend, clock: Clock, log: Logger): Store {
  const scope = new AsyncLocalStorage<{ open: boolean; connected: boolean }>();
  const inTransaction = () => scope.getStore()?.open === true;
  const mayConnect = () => {
    const current = scope.getStore();
    if (current?.open !== true) return;
    invariant(
      !current.connected,
      'a transaction is open: use its handle, not the store (with one connection this waits for ever)',
    );
    current.connected = true;
  };
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: kyselyPool(backend.pool, mayConnect) }) });
  let closing: Promise<void> | undefined;

  async function attempt<T>(work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
    const current = { open: true, connected: false };
    try {
      return await scope.run(current, () => db.transaction().execute(work));
    } finally {
      current.open = false;
    }
  }

  return {
    kind: backend.kind,
    label: backend.label,
    db,
    pool: backend.pool,
    clock,
    log,
    inTransaction,
    async transaction(work) {
      invariant(!inTransaction(), 'transactions do not nest: hand the open one on');
      for (let tries = 1; ; tries += 1) {
        try {
          return await attempt(work);
        } catch (error) {
          if (tries >= limits.transactionAttempts || !RETRYABLE.has(databaseCode(error) ?? '')) throw error;
        }
      }
    },
    async notify(channel, payload = '') {
      invariant(
        Buffer.byteLength(payload) <= limits.notificationBytes,
        'a notification is a hint: send an id, not data',
      );
      await db.selectNoFrom((eb) => eb.fn('pg_notify', [eb.val(channel), eb.val(payload)]).as('sent')).execute();
    },
    listen: (channel, handler) => backend.onNotification(channel, handler),
    close: () => (closing ??= db.destroy().then(() => backend.close())),
  };
}
