import { cursorAt, type ListPage, type ListQuery, positionOf, type Secret } from '@superfluidity/api';
import { type Clock, SuperfluidityError } from '@superfluidity/core';
import { contains, pageOfRows, type RawBuilder, type SecretTable, sql, type Store } from '@superfluidity/store';
import '../errors.ts';
import { fingerprintOf, type Key, type KeyRing, newKey, seal, unseal } from './key-ring.ts';

/** Named values that sites and services refer to as `secret:NAME`. What was put in comes out at the border of drivers alone. */
export interface Vault {
  list(query: SecretQuery): Promise<ListPage<Secret>>;
  show(name: string): Promise<Secret>;
  set(name: string, kind: Secret['kind'], value: string, by: string): Promise<Secret>;
  /** Refused while a site or a service refers to it. */
  remove(name: string): Promise<void>;
  /** For drivers: never for an answer of the API. */
  read(name: string): Promise<string>;
  /** Seals everything anew with another key, and forgets the old ones. */
  rotate(): Promise<{ readonly keyId: string; readonly secrets: number }>;
}

export interface SecretQuery extends ListQuery {
  readonly kind?: readonly Secret['kind'][] | undefined;
}

export interface VaultOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly keys: KeyRing;
  /** A value is another one now: whoever was opened with it is to be opened anew. */
  readonly onChange?: (name: string) => Promise<void>;
}

type Row = Pick<
  SecretTable,
  'name' | 'kind' | 'key_id' | 'nonce' | 'sealed' | 'fingerprint' | 'set_by' | 'updated_at'
> & {
  readonly version: number;
  readonly created_at: number;
};

const SORTS: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql.ref('name'),
  kind: sql.ref('kind'),
  createdAt: sql.ref('created_at'),
  updatedAt: sql.ref('updated_at'),
};
/** `SFSK` in ASCII: the advisory lock of whoever sets a secret or rotates the keys. */
const LOCK = 0x5346534b;
/** In JSON, as sites and descriptors are kept. */
const REFERENCE = /"secret:([a-z0-9-]{1,63})"/g;

export function createVault({ store, clock, keys, onChange = async () => {} }: VaultOptions): Vault {
  const { db } = store;
  const aboutOf = ({ name, kind, version }: Pick<Row, 'name' | 'kind' | 'version'>) => `${name}\n${kind}\n${version}`;

  async function keyOf(id: string, doing: string): Promise<Key> {
    const key = (await keys.keys()).find((one) => one.id === id) ?? (await keys.reload()).find((one) => one.id === id);
    if (key !== undefined) return key;
    throw new SuperfluidityError('SF-SECRET-KEY', {
      doing,
      reason: `it is sealed with the key ${id}, which is not here`,
    });
  }

  async function openRow(row: Row): Promise<string> {
    const doing = `open the secret ${row.name}`;
    const key = await keyOf(row.key_id, doing);
    try {
      return unseal(key, row, aboutOf(row));
    } catch (cause) {
      throw new SuperfluidityError('SF-SECRET-BROKEN', { doing, reason: 'it is not as it was sealed', cause });
    }
  }

  /** Who refers to what, of everything that is there. */
  async function uses(): Promise<ReadonlyMap<string, Secret['usedBy']>> {
    const sites = await db
      .selectFrom('site')
      .select(['name', sql<string>`declaration::text`.as('text')])
      .where(sql<boolean>`strpos(declaration::text, '"secret:') > 0`)
      .orderBy('name')
      .execute();
    const services = await db
      .selectFrom('service')
      .innerJoin('descriptor', 'descriptor.id', 'service.descriptor_id')
      .select(['service.name', sql<string>`descriptor.service::text`.as('text')])
      .where(sql<boolean>`strpos(descriptor.service::text, '"secret:') > 0`)
      .orderBy('service.name')
      .execute();
    const found = new Map<string, Secret['usedBy']>();
    for (const [kind, rows] of [
      ['site', sites],
      ['service', services],
    ] as const)
      for (const { name, text } of rows)
        for (const secret of new Set([...text.matchAll(REFERENCE)].map((match) => match[1]!)))
          found.set(secret, [...(found.get(secret) ?? []), { kind, name }]);
    return found;
  }

  const viewOf = (row: Row, used: ReadonlyMap<string, Secret['usedBy']>): Secret => ({
    name: row.name,
    kind: row.kind as Secret['kind'],
    version: Number(row.version),
    fingerprint: row.fingerprint,
    setBy: row.set_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    usedBy: used.get(row.name) ?? [],
  });

  async function find(name: string, doing: string): Promise<Row> {
    const row = await db.selectFrom('secret').selectAll().where('name', '=', name).executeTakeFirst();
    if (row !== undefined) return row;
    throw new SuperfluidityError('SF-SECRET-UNKNOWN', { doing, reason: `there is no secret ${name}` });
  }

  return {
    async list({ search, kind, ...query }) {
      const { field, ...position } = positionOf(query);
      const [found, used] = await Promise.all([
        pageOfRows(
          db
            .selectFrom('secret')
            .selectAll()
            .$if(kind !== undefined, (all) => all.where('kind', 'in', kind!))
            .$if(search !== undefined, (all) => all.where(contains([sql.ref('name')], search!))),
          { sort: SORTS[field] ?? SORTS['name']!, key: sql.ref('name'), limit: query.limit, ...position },
        ),
        uses(),
      ]);
      return {
        items: found.rows.map((row) => viewOf(row, used)),
        total: found.total,
        ...(found.next === undefined ? {} : { next: cursorAt(query.sort, found.next.value, found.next.key) }),
      };
    },
    show: async (name) => viewOf(await find(name, `show the secret ${name}`), await uses()),
    async set(name, kind, value, by) {
      const [key] = await keys.keys(true);
      const now = clock.now();
      const row = await store.transaction(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${LOCK})`.execute(transaction);
        const before = await transaction
          .selectFrom('secret')
          .select('version')
          .where('name', '=', name)
          .executeTakeFirst();
        const version = Number(before?.version ?? 0) + 1;
        const { keyId, ...sealed } = seal(key!, value, aboutOf({ name, kind, version }));
        const values = { kind, version, key_id: keyId, ...sealed, set_by: by, updated_at: now };
        const fingerprint = fingerprintOf(key!, value);
        return transaction
          .insertInto('secret')
          .values({ name, ...values, fingerprint, created_at: now })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...values, fingerprint }))
          .returningAll()
          .executeTakeFirstOrThrow();
      });
      await onChange(name);
      return viewOf(row, await uses());
    },
    async remove(name) {
      const doing = `remove the secret ${name}`;
      await find(name, doing);
      const used = (await uses()).get(name) ?? [];
      if (used.length > 0) {
        const reason = `${used.map((one) => `${one.kind} ${one.name}`).join(', ')} refers to it`;
        throw new SuperfluidityError('SF-SECRET-IN-USE', { doing, reason });
      }
      await db.deleteFrom('secret').where('name', '=', name).execute();
    },
    read: async (name) => openRow(await find(name, `use the secret ${name}`)),
    async rotate() {
      const before = await keys.keys(true);
      const key = keys.replace === undefined ? before[0]! : newKey();
      // Both until everything is sealed anew: should this be cut short, all can be opened, and it can be done again.
      await keys.replace?.([key, ...before]);
      const secrets = await store.transaction(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${LOCK})`.execute(transaction);
        const rows = await transaction.selectFrom('secret').selectAll().forUpdate().execute();
        for (const row of rows) {
          const value = await openRow(row);
          const { keyId, ...sealed } = seal(key, value, aboutOf({ ...row, version: Number(row.version) }));
          const fingerprint = fingerprintOf(key, value);
          const change = { key_id: keyId, ...sealed, fingerprint };
          await transaction.updateTable('secret').set(change).where('name', '=', row.name).execute();
        }
        return rows.length;
      });
      await keys.replace?.([key]);
      return { keyId: key.id, secrets };
    },
  };
}
