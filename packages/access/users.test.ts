import { systemClock, VirtualClock } from '@superfluidity/core';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAccess, createAttempts, createPasswords, defaultCost, type PasswordCost } from './index.ts';

/** Enough to be scrypt, and quick. */
const cost: PasswordCost = { ln: 4, r: 8, p: 1 };
const PASSWORD = 'four words make it';
const OTHER = 'another four words';

let store: Store;
beforeAll(async () => {
  store = await openStore('pglite:memory');
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.deleteFrom('account').where('name', '!=', 'admin').execute();
  await store.db.deleteFrom('token').execute();
  await store.db.updateTable('account').set({ password: null, role: 'admin', disabled: false }).execute();
});

const accessAt = (clock = new VirtualClock(1_000_000), locked: string[] = []) =>
  createAccess({ store, clock, cost, onLocked: (name) => locked.push(name) });
const from = (name: string, password: string, address = '192.0.2.1') => ({ name, password, address, agent: 'test' });

describe('passwords', () => {
  test('are kept with their parameters and a salt of their own, and are told right from wrong', async () => {
    const { hash, verify, isOld } = createPasswords(cost);
    const [one, two] = [await hash(PASSWORD), await hash(PASSWORD)];
    expect(one).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$/);
    expect(one).not.toBe(two);
    expect([await verify(PASSWORD, one), await verify(OTHER, one), await verify(PASSWORD, null)]).toEqual([
      true,
      false,
      false,
    ]);
    // The same letters, composed otherwise.
    expect(await verify('cafe\u0301 au lait ici', await hash('caf\u00e9 au lait ici'))).toBe(true);
    expect([isOld(one), createPasswords({ ...cost, p: 2 }).isOld(one)]).toEqual([false, true]);
  });

  test('are hashed with scrypt as RFC 7914 has it, by parameters that OWASP takes', () => {
    expect(defaultCost).toEqual({ ln: 15, r: 8, p: 3 });
  });

  test('more than wait for their turn are refused', async () => {
    const { hash } = createPasswords(cost);
    const all = await Promise.allSettled(Array.from({ length: 30 }, () => hash(PASSWORD)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(18);
    expect(all.find((one) => one.status === 'rejected')?.reason).toMatchObject({ code: 'SF-ACCESS-BUSY' });
    expect(await hash(PASSWORD)).toContain('scrypt');
  });

  test.each(['short', 'aaaaaaaaaaaaaaaaaaa', 'adaadaada123', 'x'.repeat(257)])('%j is refused', async (password) => {
    await expect(accessAt().users.add('ada', 'reader', password)).rejects.toMatchObject({ code: 'SF-ACCESS-WEAK' });
  });
});

describe('signing in', () => {
  test('opens a session that ends by itself, by signing out, and everywhere', async () => {
    const clock = new VirtualClock(1_000_000);
    const access = accessAt(clock);
    await access.users.add('ada', 'reader', PASSWORD);
    const { secret, principal } = await access.sessions.signIn(from('ada', PASSWORD));
    expect(await access.authenticateSession(secret)).toEqual(principal);
    expect(principal).toMatchObject({ name: 'ada', role: 'reader' });
    // A session is no token, and the database knows its hash alone.
    expect(await access.authenticate(secret)).toBeUndefined();
    expect(JSON.stringify(await store.db.selectFrom('session').selectAll().execute())).not.toContain(secret);
    expect((await access.users.show('ada')).sessions).toMatchObject([{ address: '192.0.2.1', agent: 'test' }]);

    const second = await access.sessions.signIn(from('ada', PASSWORD));
    await access.sessions.end(principal.session.id);
    expect(await access.authenticateSession(secret)).toBeUndefined();
    expect(await access.authenticateSession(second.secret)).toBeDefined();
    await access.sessions.endAll('ada');
    expect(await access.authenticateSession(second.secret)).toBeUndefined();

    const third = await access.sessions.signIn(from('ada', PASSWORD));
    await clock.advance(12 * 3_600_000 - 1);
    expect(await access.authenticateSession(third.secret)).toBeDefined();
    await clock.advance(1);
    expect(await access.authenticateSession(third.secret)).toBeUndefined();
  });

  test('a user has so many sessions, and the oldest goes', async () => {
    const clock = new VirtualClock(1_000_000);
    const access = accessAt(clock);
    await access.users.add('ada', 'reader', PASSWORD);
    const secrets: string[] = [];
    for (let i = 0; i < 22; i += 1) {
      secrets.push((await access.sessions.signIn(from('ada', PASSWORD))).secret);
      await clock.advance(1);
    }
    expect((await access.users.show('ada')).sessions).toHaveLength(20);
    expect(await access.authenticateSession(secrets[1]!)).toBeUndefined();
    expect(await access.authenticateSession(secrets[2]!)).toBeDefined();
  });

  test('says the same to whoever has no password, a wrong one, another name, or is disabled', async () => {
    const access = accessAt();
    await access.users.add('ada', 'reader', PASSWORD);
    await access.users.add('bob', 'reader');
    await access.users.add('eve', 'reader', PASSWORD);
    await access.users.change('eve', { disabled: true });
    const messages = await Promise.all(
      [from('ada', OTHER), from('bob', ''), from('nobody', PASSWORD), from('eve', PASSWORD)].map((one) =>
        access.sessions.signIn(one).catch((error: Error) => error.message.replace(one.name, '')),
      ),
    );
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).toContain('they do not match');
  });

  test('a password that was hashed with other parameters is hashed anew', async () => {
    await createAccess({ store, clock: systemClock, cost: { ln: 3, r: 8, p: 1 } }).users.add('ada', 'reader', PASSWORD);
    await accessAt().sessions.signIn(from('ada', PASSWORD));
    const row = await store.db.selectFrom('account').selectAll().where('name', '=', 'ada').executeTakeFirstOrThrow();
    expect(row.password).toContain('ln=4');
  });

  test('takes few wrong passwords of a name at an address, and then none for a while', async () => {
    const clock = new VirtualClock(1_000_000);
    const locked: string[] = [];
    const access = accessAt(clock, locked);
    await access.users.add('ada', 'reader', PASSWORD);
    // At once: what is under way counts.
    const wrong = await Promise.allSettled(Array.from({ length: 9 }, () => access.sessions.signIn(from('ada', OTHER))));
    const codes = wrong.map((one) => (one.status === 'rejected' ? one.reason.code : ''));
    expect(codes.filter((code) => code === 'SF-ACCESS-PASSWORD')).toHaveLength(5);
    expect(codes.filter((code) => code === 'SF-ACCESS-TOO-MANY')).toHaveLength(4);
    expect(locked).toEqual(['ada']);
    await expect(access.sessions.signIn(from('ada', PASSWORD))).rejects.toMatchObject({ code: 'SF-ACCESS-TOO-MANY' });
    // The real one is not shut out elsewhere.
    await access.sessions.signIn(from('ada', PASSWORD, '192.0.2.2'));
    await clock.advance(5 * 60_000);
    await access.sessions.signIn(from('ada', PASSWORD));
  });

  test('an address has a bound of its own, with all its IPv6 addresses, and so has a name', () => {
    const clock = new VirtualClock(0);
    const attempts = createAttempts({ clock });
    for (let i = 0; i < 30; i += 1) attempts.begin(`user-${i}`, `2001:db8:1:2::${i.toString(16)}`);
    expect(() => attempts.begin('one-more', '2001:db8:1:2:ffff::1')).toThrow('too many');
    expect(() => attempts.begin('one-more', '2001:db8:1:3::1')).not.toThrow();
    for (let i = 0; i < 100; i += 1) attempts.begin('ada', `198.51.${i}.1`);
    expect(() => attempts.begin('ada', '203.0.113.9')).toThrow('too many');
    expect(() => attempts.begin('bob', '203.0.113.9')).not.toThrow();
  });
});

describe('users', () => {
  test('tokens are theirs, allow no more than they may, and end with them', async () => {
    const access = accessAt();
    await access.users.add('ada', 'admin', PASSWORD);
    await access.users.add('bob', 'reader');
    await access.create('boss', 'admin');
    const ada = await access.create('laptop', 'admin', 'ada');
    expect(await access.authenticate(ada.secret)).toEqual({ name: 'ada', role: 'admin', token: 'laptop' });
    await expect(access.create('x', 'admin', 'bob')).rejects.toMatchObject({ code: 'SF-ACCESS-ROLE' });
    await expect(access.create('x', 'reader', 'eve')).rejects.toMatchObject({ code: 'SF-ACCESS-UNKNOWN-USER' });
    await access.users.change('ada', { role: 'reader' });
    expect(await access.authenticate(ada.secret)).toMatchObject({ role: 'reader' });
    const { secret } = await access.sessions.signIn(from('ada', PASSWORD));
    await access.users.change('ada', { disabled: true });
    expect([await access.authenticate(ada.secret), await access.authenticateSession(secret)]).toEqual([
      undefined,
      undefined,
    ]);
    await access.users.change('ada', { disabled: false });
    expect(await access.authenticate(ada.secret)).toBeDefined();
    expect(await access.authenticateSession(secret)).toBeUndefined();
    await access.users.remove('ada');
    expect(await access.authenticate(ada.secret)).toBeUndefined();
    expect((await access.list({ limit: 9, sort: 'name', user: ['ada'] })).total).toBe(0);
  });

  test('a new password ends the sessions; changing the own one spares the session that does it', async () => {
    const access = accessAt();
    await access.users.add('ada', 'reader', PASSWORD);
    const [one, two] = [
      await access.sessions.signIn(from('ada', PASSWORD)),
      await access.sessions.signIn(from('ada', PASSWORD)),
    ];
    await expect(access.sessions.changePassword(one.principal, OTHER, OTHER, 'a')).rejects.toMatchObject({
      code: 'SF-ACCESS-OLD-PASSWORD',
    });
    await access.sessions.changePassword(one.principal, PASSWORD, OTHER, 'a');
    expect(await access.authenticateSession(one.secret)).toBeDefined();
    expect(await access.authenticateSession(two.secret)).toBeUndefined();
    await access.users.setPassword('ada', PASSWORD);
    expect(await access.authenticateSession(one.secret)).toBeUndefined();
    await access.sessions.signIn(from('ada', PASSWORD));
  });

  test('somebody who may change things is always left, with a way in', async () => {
    const access = accessAt();
    const refused = { code: 'SF-ACCESS-LAST-USER' };
    await access.users.add('ada', 'admin');
    for (const change of [{ disabled: true }, { role: 'reader' as const }])
      await expect(access.users.change('admin', change)).rejects.toMatchObject(refused);
    await expect(access.users.remove('admin')).rejects.toMatchObject(refused);
    await access.users.setPassword('ada', PASSWORD);
    await access.users.change('admin', { disabled: true });
    await expect(access.users.remove('ada')).rejects.toMatchObject(refused);
    await expect(access.users.remove('nobody')).rejects.toMatchObject({ code: 'SF-ACCESS-UNKNOWN-USER' });
    await expect(access.users.add('ada', 'reader')).rejects.toMatchObject({ code: 'SF-ACCESS-USER-TAKEN' });
  });

  test('the first password is made once', async () => {
    const access = accessAt();
    const first = await access.firstPassword();
    expect(first?.name).toBe('admin');
    await access.sessions.signIn(from('admin', first!.password));
    expect(await access.firstPassword()).toBeUndefined();
  });

  test('are listed page by page', async () => {
    const access = accessAt();
    for (const name of ['ada', 'bob', 'eve']) await access.users.add(name, 'reader');
    const page = await access.users.list({ limit: 2, sort: '-name', role: ['reader'] });
    expect([page.items.map(({ name }) => name), page.total]).toEqual([['eve', 'bob'], 3]);
    const next = await access.users.list({ limit: 2, sort: '-name', role: ['reader'], after: page.next });
    expect(next.items).toMatchObject([{ name: 'ada', hasPassword: false, tokenCount: 0, sessionCount: 0 }]);
    expect((await access.users.list({ limit: 9, sort: 'name', disabled: ['true'] })).total).toBe(0);
  });
});
