import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { simulated } from '@superfluidity/driver-simulated';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simulatedSite, type TestLifecycle, testLifecycle } from './testing.ts';

const example = fileURLToPath(new URL('../../examples/mobile-edge/', import.meta.url));
const base64 = (text: string) => Buffer.from(text).toString('base64');

let store: Store;
let test: TestLifecycle;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, 60_000);
afterAll(() => store.close());
beforeEach(async () => {
  test = await testLifecycle({ store, kinds: [simulated] });
  await test.lifecycle.sites.add(simulatedSite('edge'));
  await test.lifecycle.sites.add(simulatedSite('core'));
  await test.lifecycle.sites.setLink({
    a: 'edge',
    b: 'core',
    latencyMs: 12,
    jitterMs: 0,
    loss: 0,
    bandwidthMbps: 1_000,
  });
});
afterEach(() => test.close());

async function files(folder: string) {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(ya?ml|json)$/.test(name));
  return Promise.all(
    names.map(async (path) => ({ path, base64: (await readFile(`${folder}/${path}`)).toString('base64') })),
  );
}

async function done(accepted: Promise<{ operation: string }>) {
  return test.lifecycle.operations.settled((await accepted).operation);
}

const mobileEdge = async () => ({
  files: [{ path: 'service.yaml', base64: (await readFile(`${example}service.yaml`)).toString('base64') }],
});

const byName = { limit: 10, sort: 'name' } as const;

describe('the catalogue', () => {
  it('gives one plan for the native descriptor and for the SOL006 package', async () => {
    const { catalogue, services } = test.lifecycle;
    const native = await services.plan(await catalogue.resolve(await mobileEdge()));
    const sol006 = await services.plan(await catalogue.resolve({ files: await files(`${example}sol006`) }));
    expect(sol006.digest).toBe(native.digest);
    expect(native.assignments.filter(({ site }) => site === 'core').map(({ unit }) => unit)).toEqual(['video/video#0']);
  });

  it('keeps a text once, and a changed one beside it', async () => {
    const { catalogue } = test.lifecycle;
    const first = await catalogue.onboard(await catalogue.resolve(await mobileEdge()));
    const again = await catalogue.onboard(await catalogue.resolve(await mobileEdge()));
    expect(again).toEqual(first);
    const text = await readFile(`${example}service.yaml`, 'utf8');
    const changed = base64(text.replace('version: "1.0"', 'version: "1.1"'));
    const other = await catalogue.onboard(
      await catalogue.resolve({ files: [{ path: 'service.yaml', base64: changed }] }),
    );
    expect(other.id).not.toBe(first.id);
    expect((await test.lifecycle.lists.descriptors(byName)).total).toBe(2);
  });

  it('takes a version after the newest that the writer knows, and no other', async () => {
    const { catalogue } = test.lifecycle;
    const text = await readFile(`${example}service.yaml`, 'utf8');
    const version = (number: string) =>
      catalogue.resolve({
        files: [{ path: 's.yaml', base64: base64(text.replace('version: "1.0"', `version: "${number}"`)) }],
      });
    await expect(catalogue.onboard(await version('1.0'), 'desc-gone')).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-CHANGED',
    });
    const first = await catalogue.onboard(await version('1.0'), 'none');
    // Two who both know the first version: one of them is refused, and told of the other's.
    const both = await Promise.allSettled([
      catalogue.onboard(await version('1.1'), first.id),
      catalogue.onboard(await version('1.2'), first.id),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const saved = both.find((one) => one.status === 'fulfilled')!.value;
    expect(both.find((one) => one.status === 'rejected')!.reason).toMatchObject({
      code: 'SF-LIFECYCLE-CHANGED',
      details: { data: { newest: saved.id } },
    });
    expect((await catalogue.show('mobile-edge')).id).toBe(saved.id);
    // What is there already is the same entry, whatever one knows.
    expect((await catalogue.onboard(await version('1.0'), first.id)).id).toBe(first.id);
    await catalogue.onboard(await version('1.3'), saved.id);
    await expect(catalogue.onboard(await version('1.4'), 'none')).rejects.toThrow('the newest is 1.3');
  });

  it('deletes only what is disabled and not in use', async () => {
    const { catalogue, services } = test.lifecycle;
    const { id } = await catalogue.onboard(await catalogue.resolve(await mobileEdge()));
    await expect(catalogue.remove(id)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-IN-USE' });
    expect((await done(services.deploy(await catalogue.resolve({ descriptor: id })))).state).toBe('COMPLETED');
    expect(await catalogue.show(id)).toMatchObject({ usageState: 'IN_USE', operationalState: 'ENABLED' });
    await catalogue.setState(id, 'DISABLED');
    await expect(catalogue.remove(id)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-IN-USE' });
    await expect(services.deploy(await catalogue.resolve({ descriptor: id }), 'second')).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-STATE',
    });
    expect((await done(services.terminate('mobile-edge'))).state).toBe('COMPLETED');
    expect((await catalogue.show(id)).usageState).toBe('NOT_IN_USE');
    await catalogue.remove(id);
    await expect(catalogue.show(id)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-UNKNOWN' });
  });

  it('keeps a tree of files as it was given', async () => {
    const { catalogue } = test.lifecycle;
    const folder = new URL('../dialects/tosca/golden/Definitions/', import.meta.url);
    const names = ['delivery.yaml', 'cache.yaml', 'cache_large.yaml', 'cache_type.yaml'];
    const files = await Promise.all(
      names.map(async (path) => ({ path, base64: base64(await readFile(new URL(path, folder), 'utf8')) })),
    );
    const { id, format } = await catalogue.onboard(await catalogue.resolve({ files }));
    expect(format).toBe('tosca');
    expect((await catalogue.show(id)).files).toEqual(files);
    // Inputs are read of all files, and so is what they are put into.
    expect((await catalogue.inputs({ descriptor: id })).map(({ name }) => name)).toContain('public_prefix');
    const { service } = await catalogue.resolve({ descriptor: id }, { public_prefix: '10.33.0.0/16' });
    for (const source of [{ descriptor: id }, { files }]) {
      const { declared } = await catalogue.resolve(source);
      expect(declared!().map(({ name }) => name)).toContain('public_prefix');
    }
    expect(service.networks.map(({ prefix }) => prefix)).toContain('10.33.0.0/16');
    const [one] = files;
    await expect(catalogue.resolve({ files: [one!] })).rejects.toMatchObject({ code: 'SF-LIFECYCLE-DESCRIPTOR' });
  });

  it('names line and column of what is wrong, and keeps nothing', async () => {
    const { catalogue } = test.lifecycle;
    const text = (await readFile(`${example}service.yaml`, 'utf8')).replace('forwards: true', 'forward: true');
    const source = { files: [{ path: 'service.yaml', base64: base64(text) }] };
    const line = text.split('\n').findIndex((each) => each.includes('forward: true')) + 1;
    const { ok, problems } = await catalogue.check(source);
    expect(ok).toBe(false);
    expect(problems[0]).toMatchObject({ position: { line }, suggestion: expect.stringContaining('forwards') });
    await expect(catalogue.resolve(source)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-DESCRIPTOR' });
    expect((await test.lifecycle.lists.descriptors(byName)).items).toEqual([]);
  });
});

describe('a grant', () => {
  it('that is refused says why of every site', async () => {
    const { catalogue, services } = test.lifecycle;
    const text = (await readFile(`${example}service.yaml`, 'utf8')).replaceAll('tier: edge', 'tier: moon');
    const asked = services.plan(await catalogue.resolve({ files: [{ path: 'service.yaml', base64: base64(text) }] }));
    await expect(asked).rejects.toMatchObject({
      code: 'SF-PLACE-NO-CANDIDATE',
      message: expect.stringMatching(/edge: .*moon.*core: .*moon/s),
    });
  });

  it('is asked before anything is recorded', async () => {
    const { catalogue, services } = test.lifecycle;
    const text = (await readFile(`${example}service.yaml`, 'utf8')).replaceAll('tier: edge', 'tier: moon');
    await expect(
      services.deploy(await catalogue.resolve({ files: [{ path: 's.yaml', base64: base64(text) }] })),
    ).rejects.toThrow();
    expect((await test.lifecycle.lists.services(byName)).items).toEqual([]);
    expect((await test.lifecycle.lists.operations({ limit: 10, sort: 'startedAt' })).items).toEqual([]);
  });
});
