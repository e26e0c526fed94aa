import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { cursorAt, type ListPage, type ListQuery, positionOf, type Principal, type Token } from '@superfluidity/api';
import { type Clock, isSuperfluidityError, newId, SuperfluidityError } from '@superfluidity/core';
import { contains, pageOfRows, type RawBuilder, sql, type Store } from '@superfluidity/store';
import { createAttempts } from './attempts.ts';
import { limits } from './limits.ts';
import { createPasswords, type PasswordCost } from './password.ts';
import { hashSecret, looksLikeSecret, newSecret, sameHash } from './secret.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createUsers, type Role, type Users } from './users.ts';

export interface Access {
  readonly users: Users;
  readonly sessions: Sessions;
  /** Who the bearer of a token is, or undefined for a secret that opens nothing. */
  authenticate(secret: string): Promise<Principal | undefined>;
  /** The same of a browser that has signed in. */
  authenticateSession(secret: string): Promise<Principal | undefined>;
  list(query: TokenQuery): Promise<ListPage<Token>>;
  /** The only moment at which the secret is known: the database keeps its hash. */
  create(name: string, role: Role, user?: string): Promise<Token & { readonly secret: string }>;
  revoke(name: string): Promise<void>;
  /** Makes sure that `file` (mode 0600) holds an admin token of this database, and returns it. */
  ensureAdmin(file: string): Promise<string>;
  /** A first password for the first admin, of a control plane in which nobody has one; it is told this once. */
  firstPassword(): Promise<{ readonly name: string; readonly password: string } | undefined>;
}

export interface TokenQuery extends ListQuery {
  readonly role?: readonly Role[] | undefined;
  readonly user?: readonly string[] | undefined;
}

export interface AccessOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Of passwords; less where tests make many. */
  readonly cost?: PasswordCost;
  /** Told when so many passwords were wrong that no more are taken for a while. */
  readonly onLocked?: (name: string, address: string) => void;
}

/** The user whom migrations make, and whose are the tokens that are made without a user. */
export const FIRST_USER = 'admin';

const SORTS: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql.ref('token.name'),
  user: sql.ref('account.name'),
  role: sql.ref('token.role'),
  createdAt: sql.ref('token.created_at'),
};

export function createAccess({ store, clock, cost, onLocked }: AccessOptions): Access {
  const { db } = store;
  const cache = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();
  const changed = () => cache.clear();
  const passwords = createPasswords(cost);
  const attempts = createAttempts({ clock, ...(onLocked === undefined ? {} : { onLocked }) });
  const users = createUsers({ store, clock, passwords, changed });
  const sessions = createSessions({ store, clock, passwords, attempts, changed });

  const tokens = () =>
    db
      .selectFrom('token')
      .innerJoin('account', 'account.id', 'token.account_id')
      .select(['token.id', 'token.name', 'token.role', 'token.hash', 'token.created_at'])
      .select(['account.name as user', 'account.role as user_role', 'account.disabled']);

  async function find(secret: string): Promise<Principal | undefined> {
    const hash = hashSecret(secret);
    const row = await tokens().where('token.hash', '=', hash).executeTakeFirst();
    if (row === undefined || row.disabled || !sameHash(row.hash, hash)) return undefined;
    const role = row.role === 'admin' && row.user_role === 'admin' ? 'admin' : 'reader';
    return { name: row.user, role, token: row.name };
  }

  async function create(name: string, role: Role, user = FIRST_USER): Promise<Token & { readonly secret: string }> {
    const doing = `create token ${name}`;
    const secret = newSecret();
    const owner = await db.selectFrom('account').selectAll().where('name', '=', user).executeTakeFirst();
    if (owner === undefined)
      throw new SuperfluidityError('SF-ACCESS-UNKNOWN-USER', { doing, reason: `there is no user ${user}` });
    if (role === 'admin' && owner.role !== 'admin')
      throw new SuperfluidityError('SF-ACCESS-ROLE', { doing, reason: `${user} is a reader` });
    const token: Token = { id: newId('tok', clock.now()), name, user, role, createdAt: clock.now() };
    try {
      await db
        .insertInto('token')
        .values({
          id: token.id,
          name,
          role,
          account_id: owner.id,
          hash: hashSecret(secret),
          created_at: token.createdAt,
        })
        .execute();
    } catch (cause) {
      if (!isSuperfluidityError(cause, 'SF-STORE-DUPLICATE')) throw cause;
      throw new SuperfluidityError('SF-ACCESS-NAME-TAKEN', { doing, reason: 'name in use' });
    }
    return { ...token, secret };
  }

  /** Through a cache: every request asks. */
  async function known(
    kind: string,
    secret: string,
    look: (secret: string) => Promise<Principal | undefined>,
  ): Promise<Principal | undefined> {
    if (!looksLikeSecret(secret)) return undefined;
    const key = `${kind} ${hashSecret(secret)}`;
    const kept = cache.get(key);
    if (kept !== undefined && kept.untilMs > clock.now()) return kept.principal;
    cache.delete(key);
    const principal = await look(secret);
    if (principal === undefined) return undefined;
    if (cache.size >= limits.cacheMax) cache.clear();
    const untilMs = Math.min(clock.now() + limits.cacheMs, principal.session?.expiresAt ?? Number.POSITIVE_INFINITY);
    cache.set(key, { principal, untilMs });
    return principal;
  }

  /** The first user, or a new one in its place: who starts the server owns its database. */
  async function localAdmin(): Promise<string> {
    const first = await db.selectFrom('account').selectAll().where('name', '=', FIRST_USER).executeTakeFirst();
    if (first?.role === 'admin' && !first.disabled) return FIRST_USER;
    const name = first === undefined ? FIRST_USER : `${FIRST_USER}-${newId('usr', clock.now()).slice(-8)}`;
    return (await users.add(name, 'admin')).name;
  }

  return {
    create,
    users,
    sessions,
    authenticate: (secret) => known('token', secret, find),
    authenticateSession: (secret) => known('session', secret, sessions.find),
    async list({ search, role, user, ...query }) {
      const { field, ...position } = positionOf(query);
      const sort = SORTS[field] ?? SORTS['createdAt']!;
      const found = await pageOfRows(
        tokens()
          .$if(role !== undefined, (all) => all.where('token.role', 'in', role!))
          .$if(user !== undefined, (all) => all.where('account.name', 'in', user!))
          .$if(search !== undefined, (all) =>
            all.where(contains([sql.ref('token.name'), sql.ref('account.name')], search!)),
          ),
        { sort, key: sql.ref('token.id'), limit: query.limit, ...position },
      );
      return {
        items: found.rows.map((row) => ({
          id: row.id,
          name: row.name,
          user: row.user,
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
      changed();
    },
    async firstPassword() {
      const someone = await db.selectFrom('account').select('id').where('password', 'is not', null).executeTakeFirst();
      if (someone !== undefined) return undefined;
      const name = await localAdmin();
      // 120 random bits, in groups that a person can type.
      const password = randomBytes(15).toString('hex').match(/.{6}/g)!.join('-');
      await users.setPassword(name, password);
      return { name, password };
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
        await localAdmin(),
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
