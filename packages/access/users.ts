import { cursorAt, type ListPage, type ListQuery, positionOf, type User, type UserDetail } from '@superfluidity/api';
import { type Clock, isSuperfluidityError, newId, SuperfluidityError } from '@superfluidity/core';
import { contains, pageOfRows, type RawBuilder, sql, type Store } from '@superfluidity/store';
import './errors.ts';
import { checkPassword, type Passwords } from './password.ts';

export type Role = User['role'];

/** People, and programs with tokens of their own. Who is disabled can neither sign in nor use a token. */
export interface Users {
  list(query: UserQuery): Promise<ListPage<User>>;
  show(name: string): Promise<UserDetail>;
  add(name: string, role: Role, password?: string): Promise<UserDetail>;
  change(
    name: string,
    change: { readonly role?: Role | undefined; readonly disabled?: boolean | undefined },
  ): Promise<UserDetail>;
  setPassword(name: string, password: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface UserQuery extends ListQuery {
  readonly role?: readonly Role[] | undefined;
  readonly disabled?: readonly ('true' | 'false')[] | undefined;
}

export interface UsersOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly passwords: Passwords;
  /** What a user may do has changed. */
  readonly changed: () => void;
}

type Transaction = Parameters<Parameters<Store['transaction']>[0]>[0];
type Account = { readonly id: string; readonly role: Role; readonly disabled: boolean };

const SORTS: Readonly<Record<string, RawBuilder<unknown>>> = {
  name: sql.ref('account.name'),
  role: sql.ref('account.role'),
  createdAt: sql.ref('account.created_at'),
  signedInAt: sql`coalesce(account.signed_in_at, 0)`,
};

export function createUsers({ store, clock, passwords, changed }: UsersOptions): Users {
  const { db } = store;

  const selected = () =>
    db
      .selectFrom('account')
      .select(['account.id', 'account.name', 'account.role', 'account.disabled', 'account.created_at'])
      .select(['account.signed_in_at'])
      .select(sql<boolean>`account.password is not null`.as('has_password'))
      .select((eb) =>
        eb
          .selectFrom('token')
          .whereRef('token.account_id', '=', 'account.id')
          .select((all) => all.fn.countAll<string | number>().as('count'))
          .as('tokens'),
      )
      .select((eb) =>
        eb
          .selectFrom('session')
          .whereRef('session.account_id', '=', 'account.id')
          .where('session.expires_at', '>', clock.now())
          .select((all) => all.fn.countAll<string | number>().as('count'))
          .as('sessions'),
      );

  async function show(name: string): Promise<UserDetail> {
    const row = await selected().where('account.name', '=', name).executeTakeFirst();
    if (row === undefined) throw unknown(name, `show user ${name}`);
    const [tokens, sessions] = await Promise.all([
      db.selectFrom('token').selectAll().where('account_id', '=', row.id).orderBy('created_at').execute(),
      db
        .selectFrom('session')
        .selectAll()
        .where('account_id', '=', row.id)
        .where('expires_at', '>', clock.now())
        .orderBy('created_at', 'desc')
        .execute(),
    ]);
    return {
      ...userOf(row),
      tokens: tokens.map((one) => ({
        id: one.id,
        name: one.name,
        user: name,
        role: one.role as Role,
        createdAt: one.created_at,
      })),
      sessions: sessions.map((one) => ({
        id: one.id,
        address: one.address,
        agent: one.agent,
        createdAt: one.created_at,
        expiresAt: one.expires_at,
      })),
    };
  }

  /** All rows are locked, so that two admins cannot each rely on the other while both go. */
  async function changing(name: string, doing: string, work: (one: Account, trx: Transaction) => Promise<void>) {
    await store.transaction(async (transaction) => {
      const rows = await transaction.selectFrom('account').selectAll().orderBy('id').forUpdate().execute();
      const one = rows.find((row) => row.name === name);
      if (one === undefined) throw unknown(name, doing);
      await work(one, transaction);
    });
    changed();
  }

  return {
    show,
    async list({ search, role, disabled, ...query }) {
      const { field, ...position } = positionOf(query);
      const found = await pageOfRows(
        selected()
          .$if(role !== undefined, (all) => all.where('account.role', 'in', role!))
          .$if(disabled !== undefined, (all) =>
            all.where(
              'account.disabled',
              'in',
              disabled!.map((one) => one === 'true'),
            ),
          )
          .$if(search !== undefined, (all) => all.where(contains([sql.ref('account.name')], search!))),
        { sort: SORTS[field] ?? SORTS['name']!, key: sql.ref('account.id'), limit: query.limit, ...position },
      );
      return {
        items: found.rows.map(userOf),
        total: found.total,
        ...(found.next === undefined ? {} : { next: cursorAt(query.sort, found.next.value, found.next.key) }),
      };
    },

    async add(name, role, password) {
      const doing = `add user ${name}`;
      if (password !== undefined) checkPassword(password, name);
      const now = clock.now();
      const hash = password === undefined ? null : await passwords.hash(password);
      const row = { id: newId('usr', now), name, role, password: hash, created_at: now, updated_at: now };
      try {
        await db.insertInto('account').values(row).execute();
      } catch (cause) {
        if (!isSuperfluidityError(cause, 'SF-STORE-DUPLICATE')) throw cause;
        throw new SuperfluidityError('SF-ACCESS-USER-TAKEN', { doing, reason: 'name in use' });
      }
      return show(name);
    },

    async change(name, { role, disabled }) {
      const doing = `change user ${name}`;
      await changing(name, doing, async (one, transaction) => {
        const loses = disabled === true || role === 'reader';
        if (loses) await keepOneAdmin(transaction, one, doing);
        await transaction
          .updateTable('account')
          .set({
            ...(role === undefined ? {} : { role }),
            ...(disabled === undefined ? {} : { disabled }),
            updated_at: clock.now(),
          })
          .where('id', '=', one.id)
          .execute();
        if (disabled === true) await transaction.deleteFrom('session').where('account_id', '=', one.id).execute();
      });
      return show(name);
    },

    async setPassword(name, password) {
      checkPassword(password, name);
      const hash = await passwords.hash(password);
      await changing(name, `set the password of ${name}`, async (one, transaction) => {
        await transaction
          .updateTable('account')
          .set({ password: hash, updated_at: clock.now() })
          .where('id', '=', one.id)
          .execute();
        await transaction.deleteFrom('session').where('account_id', '=', one.id).execute();
      });
    },

    async remove(name) {
      const doing = `remove user ${name}`;
      await changing(name, doing, async (one, transaction) => {
        await keepOneAdmin(transaction, one, doing);
        await transaction.deleteFrom('account').where('id', '=', one.id).execute();
      });
    },
  };
}

/** Another one who is an admin and has a way in: a password, or a token of that role. */
async function keepOneAdmin(transaction: Transaction, one: Account, doing: string): Promise<void> {
  const other = await transaction
    .selectFrom('account')
    .select('id')
    .where('role', '=', 'admin')
    .where('disabled', '=', false)
    .where('id', '!=', one.id)
    .where((eb) =>
      eb.or([
        eb('password', 'is not', null),
        eb.exists(
          eb
            .selectFrom('token')
            .select('token.id')
            .whereRef('token.account_id', '=', 'account.id')
            .where('token.role', '=', 'admin'),
        ),
      ]),
    )
    .executeTakeFirst();
  if (other === undefined && one.role === 'admin' && !one.disabled)
    throw new SuperfluidityError('SF-ACCESS-LAST-USER', { doing, reason: 'no other admin has a way in' });
}

interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly disabled: boolean;
  readonly has_password: boolean;
  readonly tokens: string | number | null;
  readonly sessions: string | number | null;
  readonly created_at: number;
  readonly signed_in_at: number | null;
}

function userOf(row: UserRow): User {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    disabled: row.disabled,
    hasPassword: row.has_password,
    tokenCount: Number(row.tokens ?? 0),
    sessionCount: Number(row.sessions ?? 0),
    createdAt: row.created_at,
    ...(row.signed_in_at === null ? {} : { signedInAt: row.signed_in_at }),
  };
}

function unknown(name: string, doing: string): SuperfluidityError {
  return new SuperfluidityError('SF-ACCESS-UNKNOWN-USER', { doing, reason: `there is no user ${name}` });
}
