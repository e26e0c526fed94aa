import type { Principal } from '@superfluidity/api';
import { type Clock, isSuperfluidityError, newId, SuperfluidityError } from '@superfluidity/core';
import type { Store } from '@superfluidity/store';
import type { Attempts } from './attempts.ts';
import './errors.ts';
import { limits } from './limits.ts';
import { checkPassword, type Passwords } from './password.ts';
import { hashSecret, newSecret, sameHash } from './secret.ts';

export interface SignIn {
  readonly name: string;
  readonly password: string;
  readonly address: string;
  readonly agent: string;
}

export interface Opened {
  readonly secret: string;
  readonly principal: Principal & { readonly session: NonNullable<Principal['session']> };
}

/** Browsers in which somebody has signed in. */
export interface Sessions {
  signIn(from: SignIn): Promise<Opened>;
  find(secret: string): Promise<Principal | undefined>;
  end(id: string): Promise<void>;
  endAll(user: string, but?: string): Promise<void>;
  /** Whoever changes the own password shows the old one. The session with which it is done goes on, the others end. */
  changePassword(caller: Principal, current: string, password: string, address: string): Promise<void>;
}

export interface SessionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly attempts: Attempts;
  readonly changed: () => void;
}

export function createSessions({ store, clock, passwords, attempts, changed }: SessionsOptions): Sessions {
  const { db } = store;

  /** The account, when the password is its own. The hash is kept anew where it was made with other parameters. */
  async function prove(name: string, password: string, address: string) {
    attempts.begin(name, address);
    const row = await db.selectFrom('account').selectAll().where('name', '=', name).executeTakeFirst();
    const right = await passwords.verify(password, row?.password);
    if (row === undefined || row.password === null || !right || row.disabled) {
      // One answer for all of these: it must not tell which names there are.
      throw new SuperfluidityError('SF-ACCESS-PASSWORD', { doing: `sign in as ${name}`, reason: 'they do not match' });
    }
    attempts.succeeded(name, address);
    if (passwords.isOld(row.password)) {
      const fresh = await passwords.hash(password);
      await db.updateTable('account').set({ password: fresh }).where('id', '=', row.id).execute();
    }
    return row;
  }

  async function makeRoom(account: string): Promise<void> {
    const kept = db
      .selectFrom('session')
      .select('id')
      .where('account_id', '=', account)
      .orderBy('created_at', 'desc')
      .limit(limits.sessionsOfUser - 1);
    await db
      .deleteFrom('session')
      .where((eb) =>
        eb.or([
          eb('expires_at', '<=', clock.now()),
          eb.and([eb('account_id', '=', account), eb('id', 'not in', kept)]),
        ]),
      )
      .execute();
  }

  async function endAll(user: string, but = ''): Promise<void> {
    await db
      .deleteFrom('session')
      .where('account_id', 'in', (eb) => eb.selectFrom('account').select('account.id').where('name', '=', user))
      .where('id', '!=', but)
      .execute();
    changed();
  }

  return {
    endAll,
    async signIn({ name, password, address, agent }) {
      const account = await prove(name, password, address);
      const [secret, now] = [newSecret(), clock.now()];
      const session = { id: newId('ses', now), expiresAt: now + limits.sessionMs };
      await makeRoom(account.id);
      await db
        .insertInto('session')
        .values({
          id: session.id,
          account_id: account.id,
          hash: hashSecret(secret),
          address,
          agent: agent.slice(0, limits.agentLength),
          created_at: now,
          expires_at: session.expiresAt,
        })
        .execute();
      await db.updateTable('account').set({ signed_in_at: now }).where('id', '=', account.id).execute();
      return { secret, principal: { name, role: account.role, session } };
    },
    async find(secret) {
      const hash = hashSecret(secret);
      const row = await db
        .selectFrom('session')
        .innerJoin('account', 'account.id', 'session.account_id')
        .select(['session.id', 'session.hash', 'session.expires_at', 'account.name', 'account.role'])
        .where('session.hash', '=', hash)
        .where('session.expires_at', '>', clock.now())
        .where('account.disabled', '=', false)
        .executeTakeFirst();
      if (row === undefined || !sameHash(row.hash, hash)) return undefined;
      return { name: row.name, role: row.role, session: { id: row.id, expiresAt: row.expires_at } };
    },
    async end(id) {
      await db.deleteFrom('session').where('id', '=', id).execute();
      changed();
    },
    async changePassword(caller, current, password, address) {
      const { id } = await prove(caller.name, current, address).catch((cause: unknown) => {
        // Not as who signs in: the session of whoever asks is good.
        if (!isSuperfluidityError(cause, 'SF-ACCESS-PASSWORD')) throw cause;
        const doing = `change the password of ${caller.name}`;
        throw new SuperfluidityError('SF-ACCESS-OLD-PASSWORD', { doing, reason: 'it does not match' });
      });
      checkPassword(password, caller.name);
      const hash = await passwords.hash(password);
      await db.updateTable('account').set({ password: hash, updated_at: clock.now() }).where('id', '=', id).execute();
      await endAll(caller.name, caller.session?.id);
    },
  };
}
