import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { cursorAt, type ListPage, type ListQuery, positionOf, type Principal, type Token } from '@superfluidity/api';
import { type Clock, isSuperfluidityError, newId, SuperfluidityError } from '@superfluidity/core';
import { contains, pageOfRows, type RawBuilder, sql, type Store } from '@superfluidity/store';
import { hashSecret, looksLikeSecret, newSecret, sameHash } from './secret.ts';

export type Role = Token['role'];

export interface Access {
  /** Who the bearer is, or undefined for a secret that opens nothing. */
  authenticate(secret: string): Promise<Principal | undefined>;
  list(query: TokenQuery): Promise<ListPage<Token>>;
  /** The only moment at which the secret is known: the database keeps its hash. */
  create(name: string, role: Role): Promise<Token & { readonly secret: string }>;
  revoke(name: string): Promise<void>;
  /** Makes sure that `file` (mode 0600) holds an admin token of this database, and returns it. */
  ensureAdmin(file: string): Promise<string>;
}

export interface TokenQuery extends ListQuery {
  readonly role?: readonly Role[] | undefined;
}

export interface AccessOptions {
  readonly store: Store;
  readonly clock: Clock;
}

const SORTS: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql.ref('name'),
  role: sql.ref('role'),
  createdAt: sql.ref('created_at'),
};

/** A token revoked on another server of the same database opens this one for at most so long. */
const CACHE_MS = 5_000;
const CACHE_MAX = 1_000;

export function createAccess({ store, clock }: AccessOptions): Access {
  const { db } = store;
  const cache = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();

  async function find(secret: string): Promise<Principal | undefined> {
    const hash = hashSecret(secret);
    const row = await db.selectFrom('token').selectAll().where('hash', '=', hash).executeTakeFirst();
    if (row === undefined || !sameHash(row.hash, hash)) return undefined;
    return { name: row.name, role: row.role as Role };
  }

  async function create(name: string, role: Role): Promise<Token & { readonly secret: string }> {
    const secret = newSecret();
    const token: Token = { id: newId('tok', clock.now()), name, role, createdAt: clock.now() };
    try {
      await db
        .insertInto('token')
        .values({ id: token.id, name, role, hash: hashSecret(secret), created_at: token.createdAt })
        .execute();
    } catch (cause) {
      if (!isSuperfluidityError(cause, 'SF-STORE-DUPLICATE')) throw cause;
      throw new SuperfluidityError('SF-ACCESS-NAME-TAKEN', { doing: `create token ${name}`, reason: 'name in use' });
    }
    return { ...token, secret };
  }

  return {
    create,
    async authenticate(secret) {
      if (!looksLikeSecret(secret)) return undefined;
      const key = hashSecret(secret);
      const known = cache.get(key);
      if (known !== undefined && known.untilMs > clock.now()) return known.principal;
      cache.delete(key);
      const principal = await find(secret);
      if (principal === undefined) return undefined;
      if (cache.size >= CACHE_MAX) cache.clear();
      cache.set(key, { principal, untilMs: clock.now() + CACHE_MS });
      return principal;
    },
    async list({ search, role, ...query }) {
      const { field, ...position } = positionOf(query);
      const sort = SORTS[field] ?? SORTS['createdAt']!;
      const found = await pageOfRows(
        db
          .selectFrom('token')
          .selectAll()
          .$if(role !== undefined, (all) => all.where('role', 'in', role!))
          .$if(search !== undefined, (all) => all.where(contains([sql.ref('name')], search!))),
        { sort, key: sql.ref('id'), limit: query.limit, ...position },
      );
      return {
        items: found.rows.map((row) => ({
          id: row.id,
          name: row.name,
          role: row.role as Role,
          createdAt: row.created_at,
        })),
        total: found.total,
        ...(found.next === undefined ? {} : { next: cursorAt(query.sort, found.next.value, found.next.key) }),
      };
    },
    async revoke(name) {
      const doing = `revoke token ${name}`;
      await store.transaction(async (transaction) => {
        // The lock makes two revocations one after the other, so that they cannot each spare "the other" admin.
        const rows = await transaction.selectFrom('token').selectAll().forUpdate().execute();
        const token = rows.find((row) => row.name === name);
        if (token === undefined)
          throw new SuperfluidityError('SF-ACCESS-UNKNOWN-TOKEN', { doing, reason: 'no such token' });
        const otherAdmin = rows.some((row) => row.role === 'admin' && row.name !== name);
        if (!otherAdmin)
          throw new SuperfluidityError('SF-ACCESS-LAST-ADMIN', { doing, reason: 'no other admin token' });
        await transaction.deleteFrom('token').where('id', '=', token.id).execute();
      });
      cache.clear();
    },
    async ensureAdmin(file) {
      const kept = await readSecret(file);
      if (kept !== undefined && (await find(kept))?.role === 'admin') {
        await chmod(file, 0o600);
        return kept;
      }
      // Never registers what the file says: a token that was revoked must not come back with the next start.
      const taken = await db.selectFrom('token').select('id').where('name', '=', 'admin').executeTakeFirst();
      const { secret } = await create(
        taken !== undefined ? `admin-${newId('tok', clock.now()).slice(-8)}` : 'admin',
        'admin',
      );
      const fresh = `${file}.new`;
      await writeFile(fresh, `${secret}\n`, { mode: 0o600 });
      await rename(fresh, file);
      return secret;
    },
  };
}

async function readSecret(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return looksLikeSecret(text) ? text : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
