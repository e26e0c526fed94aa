import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, VirtualClock } from '@superfluidity/core';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { adminTokenFile, createAccess, defaultStateFolder, looksLikeSecret } from './index.ts';

let store: Store;
let folder: string;
beforeAll(async () => {
  store = await openStore('pglite:memory');
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.deleteFrom('token').execute();
  folder = await mkdtemp(join(tmpdir(), 'sf-access-'));
  return () => rm(folder, { recursive: true });
});

describe('tokens', () => {
  test('open the door with their role until they are revoked, and only their hash is kept', async () => {
    const access = createAccess({ store, clock: systemClock });
    const boss = await access.create('boss', 'admin');
    const guest = await access.create('guest', 'reader');
    expect(looksLikeSecret(guest.secret)).toBe(true);
    expect(await access.authenticate(guest.secret)).toEqual({ name: 'admin', role: 'reader', token: 'guest' });
    expect(await access.authenticate(boss.secret)).toEqual({ name: 'admin', role: 'admin', token: 'boss' });
    expect(JSON.stringify(await store.db.selectFrom('token').selectAll().execute())).not.toContain(guest.secret);
    await access.revoke('guest');
    expect(await access.authenticate(guest.secret)).toBeUndefined();
    expect((await access.list({ limit: 9, sort: 'name' })).items.map((token) => token.name)).toEqual(['boss']);
  });

  test.each(['', 'x', 'Bearer', `sf_${'A'.repeat(43)}`, `sf_${'A'.repeat(100)}`, "' or 1=1 --"])(
    '%j opens nothing',
    async (secret) => {
      expect(await createAccess({ store, clock: systemClock }).authenticate(secret)).toBeUndefined();
    },
  );

  test('a revocation on another server takes effect within seconds', async () => {
    const clock = new VirtualClock(1_000);
    const [here, there] = [createAccess({ store, clock }), createAccess({ store, clock })];
    await here.create('boss', 'admin');
    const { secret } = await here.create('guest', 'reader');
    expect(await here.authenticate(secret)).toBeDefined();
    await there.revoke('guest');
    await clock.advance(5_000);
    expect(await here.authenticate(secret)).toBeUndefined();
  });

  test('names are unique, unknown ones and the last admin are refused', async () => {
    const access = createAccess({ store, clock: systemClock });
    await access.create('boss', 'admin');
    await expect(access.create('boss', 'reader')).rejects.toMatchObject({ code: 'SF-ACCESS-NAME-TAKEN' });
    await expect(access.revoke('nobody')).rejects.toMatchObject({ code: 'SF-ACCESS-UNKNOWN-TOKEN' });
    await expect(access.revoke('boss')).rejects.toMatchObject({ code: 'SF-ACCESS-LAST-ADMIN' });
  });
});

describe('the first admin token', () => {
  test('is written for the owner alone, and stays over restarts', async () => {
    const file = adminTokenFile(folder);
    const first = await createAccess({ store, clock: systemClock }).ensureAdmin(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, 'utf8')).trim()).toBe(first);
    expect(await createAccess({ store, clock: systemClock }).ensureAdmin(file)).toBe(first);
  });

  test('is replaced when it was revoked, or when the file says something else', async () => {
    const file = adminTokenFile(folder);
    const access = createAccess({ store, clock: systemClock });
    const first = await access.ensureAdmin(file);
    await access.create('boss', 'admin');
    await access.revoke('admin');
    const second = await access.ensureAdmin(file);
    expect(second).not.toBe(first);
    expect(await access.authenticate(first)).toBeUndefined();
    await writeFile(file, `sf_${'A'.repeat(43)}\n`);
    const third = await access.ensureAdmin(file);
    expect(await access.authenticate(third)).toMatchObject({ role: 'admin' });
    expect(await access.authenticate(`sf_${'A'.repeat(43)}`)).toBeUndefined();
  });
});

test('the state folder is the one that is named, else the one here, else the one of the user', () => {
  expect(defaultStateFolder({ SUPERFLUIDITY_STATE: 'x' }, '/srv')).toBe('/srv/x');
  expect(defaultStateFolder({ XDG_STATE_HOME: '/var/u' }, folder)).toBe('/var/u/superfluidity');
});
