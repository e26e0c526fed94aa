import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@superfluidity/core';
import { openStore, type Store, toJson } from '@superfluidity/store';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { keyRingOfFile, keyRingOfText, newKey, parseKeys } from './key-ring.ts';
import { createVault } from './vault.ts';

const VALUE = 'hunter2-hunter2\nsecond line of it\n';
let store: Store;
let folder: string;
let file: string;
beforeAll(async () => {
  store = await openStore('pglite:memory');
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.deleteFrom('secret').execute();
  await store.db.deleteFrom('site').execute();
  folder = await mkdtemp(join(tmpdir(), 'sf-vault-'));
  file = join(folder, 'secrets.key');
  return () => rm(folder, { recursive: true });
});
const vaultOf = (keys = keyRingOfFile(file)) => createVault({ store, clock: systemClock, keys });

test('a secret is sealed, comes out for drivers, and everything that is told of it is not the value', async () => {
  const vault = vaultOf();
  const told = await vault.set('db', 'other', VALUE, 'ada');
  expect(await vault.read('db')).toBe(VALUE);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const rows = await store.db.selectFrom('secret').selectAll().execute();
  for (const text of [JSON.stringify([told, await vault.list({ limit: 9, sort: 'name' }), rows])]) {
    for (const form of [VALUE, 'hunter2', 'second line', Buffer.from(VALUE).toString('base64')])
      expect(text).not.toContain(form);
  }
  const again = await vault.set('db', 'other', VALUE, 'bob');
  expect(again).toMatchObject({ version: 2, setBy: 'bob', fingerprint: told.fingerprint });
  // Another nonce each time.
  expect((await store.db.selectFrom('secret').selectAll().execute())[0]!.sealed).not.toBe(rows[0]!.sealed);
  expect((await vault.set('db', 'other', 'another value', 'bob')).fingerprint).not.toBe(told.fingerprint);
  await expect(vault.read('nothing')).rejects.toMatchObject({ code: 'SF-SECRET-UNKNOWN' });
});

test('a row that was changed, or put in the place of another, does not open', async () => {
  const vault = vaultOf();
  await vault.set('one', 'other', 'the first value', 'ada');
  await vault.set('two', 'other', 'the second value', 'ada');
  const [one] = await store.db.selectFrom('secret').selectAll().where('name', '=', 'one').execute();
  const { sealed, nonce } = one!;
  await store.db.updateTable('secret').set({ sealed, nonce }).where('name', '=', 'two').execute();
  await expect(vault.read('two')).rejects.toMatchObject({ code: 'SF-SECRET-BROKEN' });
  const flipped = Buffer.from(sealed, 'base64');
  flipped[0]! ^= 1;
  await store.db
    .updateTable('secret')
    .set({ sealed: flipped.toString('base64') })
    .where('name', '=', 'one')
    .execute();
  await expect(vault.read('one')).rejects.toMatchObject({ code: 'SF-SECRET-BROKEN' });
});

test('rotation seals everything with a new key, which another server finds, and the old key opens nothing', async () => {
  const [here, there] = [vaultOf(), vaultOf()];
  await here.set('db', 'other', VALUE, 'ada');
  await here.set('key', 'ssh-key', 'another value', 'ada');
  expect(await there.read('db')).toBe(VALUE);
  const old = await readFile(file, 'utf8');
  const { keyId, secrets } = await here.rotate();
  expect([secrets, parseKeys(await readFile(file, 'utf8'), file).map(({ id }) => id)]).toEqual([2, [keyId]]);
  expect([await here.read('db'), await there.read('db'), await there.read('key')]).toEqual([
    VALUE,
    VALUE,
    'another value',
  ]);
  await expect(vaultOf(keyRingOfText(old)).read('db')).rejects.toMatchObject({ code: 'SF-SECRET-KEY' });
});

test('a rotation that was cut short loses nothing, and is done again', async () => {
  const vault = vaultOf();
  await vault.set('db', 'other', VALUE, 'ada');
  // As it is after the new key is written, and before anything is sealed with it.
  const fresh = newKey().bytes.toString('base64');
  await writeFile(file, `${fresh}\n${await readFile(file, 'utf8')}`, { mode: 0o600 });
  const after = vaultOf();
  expect(await after.read('db')).toBe(VALUE);
  await after.rotate();
  expect(await vaultOf().read('db')).toBe(VALUE);
});

test('keys of the environment are changed there: the first one seals', async () => {
  const [old, fresh] = [newKey(), newKey()].map(({ bytes }) => bytes.toString('base64'));
  await vaultOf(keyRingOfText(old!)).set('db', 'other', VALUE, 'ada');
  const both = vaultOf(keyRingOfText(`${fresh},${old}`));
  expect(await both.read('db')).toBe(VALUE);
  await both.rotate();
  expect(await vaultOf(keyRingOfText(fresh!)).read('db')).toBe(VALUE);
  expect(() => keyRingOfText('c2hvcnQ=')).toThrow('32 bytes');
});

test('a key that others can read is not used', async () => {
  await vaultOf().set('db', 'other', VALUE, 'ada');
  await chmod(file, 0o644);
  await expect(vaultOf().read('db')).rejects.toMatchObject({ code: 'SF-SECRET-KEY' });
});

test('says who refers to it, and is not removed meanwhile', async () => {
  const vault = vaultOf();
  await vault.set('db', 'other', VALUE, 'ada');
  const row = { id: 'site-1', kind: 'x', config: toJson({}), created_at: 1, updated_at: 1 };
  const declaration = toJson({ config: { auth: { password: 'secret:db' }, other: 'secret:dbx' } });
  await store.db
    .insertInto('site')
    .values({ name: 'edge', ...row, declaration })
    .execute();
  expect((await vault.show('db')).usedBy).toEqual([{ kind: 'site', name: 'edge' }]);
  await expect(vault.remove('db')).rejects.toMatchObject({ code: 'SF-SECRET-IN-USE' });
  await store.db.deleteFrom('site').execute();
  await vault.remove('db');
  await expect(vault.show('db')).rejects.toMatchObject({ code: 'SF-SECRET-UNKNOWN' });
});
