import type { SuperfluidityError } from '@superfluidity/core';
import { path, revokeToken, setNetworkQuotas } from '@superfluidity/openstack';
import { laboratory, overQuota } from '@superfluidity/openstack/testing';
import type { SiteDriver } from '@superfluidity/site';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FaultWorld, refusalOf } from './testing/fault-world.ts';

/** Clouds that refuse, break and hang: what a user is told, and that nothing is left over. */

const lab = laboratory();
const why = lab === undefined ? ' (skipped: no OpenStack laboratory runs here)' : '';
const PATIENCE_MS = 400_000;
/** Of ports: the 37th of 50 is refused. */
const COUNT = { asked: 50, allowed: 36 } as const;
const noServers = { forbidden: { code: 403, message: 'no servers here' } };
const REQUEST_ID = /\(req-[0-9a-f-]{36}\)/;

describe.skipIf(lab === undefined)(`a site of OpenStack when things go wrong${why}`, { timeout: PATIENCE_MS }, () => {
  let world: FaultWorld;
  let site: SiteDriver;
  let host: string;
  const network = () => site.fabric.ensureNetwork(world.network(), world.call());
  const ensure = (id: string, signal?: AbortSignal) => site.ensureUnit(world.unit(id, host), world.call(signal));

  beforeAll(async () => {
    world = await FaultWorld.make(lab!, `sf-faults-${process.pid}`);
  }, PATIENCE_MS);
  afterEach(async () => {
    await world.closeSites();
    expect(await world.ours()).toEqual([]);
    expect(await world.foreignIsThere()).toBe(true);
  }, PATIENCE_MS);
  afterAll(async () => {
    await world.end();
  }, PATIENCE_MS);

  const begin = async (config: Readonly<Record<string, unknown>> = {}) => {
    site = await world.open(config);
    host = (await site.fingerprint()).hosts[0]!.name;
    await network();
  };

  it('says who was refused when the credentials are wrong', async () => {
    const site = await world.open({ auth: { ...world.auth, password: 'wrong' } });
    for (const work of [() => site.fingerprint(), () => site.listUnits()]) {
      const error = await refusalOf(work());
      expect(error.code).toBe('SF-OPENSTACK-CREDENTIALS');
      expect(error.message).toMatch(/log in at .*: The request you have made requires authentication/);
      expect(error.message).toMatch(REQUEST_ID);
      expect(JSON.stringify(error.details)).not.toContain('wrong');
    }
  });

  it('says what the catalogue lacks, and what it has', async () => {
    await begin();
    world.proxy.hidden = ['image'];
    const poor = await world.open();
    const error = await refusalOf(poor.ensureUnit(world.unit('image', host), world.call()));
    expect(error.code).toBe('SF-OPENSTACK-NO-SERVICE');
    expect(error.message).toMatch(/the catalogue has no public endpoint of image.*it has compute, identity/);
  });

  it('goes on with another token when its own is revoked in mid-operation', async () => {
    await begin();
    const done = Promise.all(['a', 'b'].map((id) => ensure(id)));
    await expect
      .poll(() => world.proxy.seen.some(({ method, path: to }) => method === 'POST' && /ports/.test(to)), {
        timeout: 300_000,
      })
      .toBe(true);
    await revokeToken(world.own.admin, world.proxy.tokens.at(-1)!, AbortSignal.timeout(30_000));
    world.proxy.strike({ service: 'compute', fault: { kind: 'answer', status: 401 }, times: 1 });
    expect((await done).map(({ state }) => state)).toEqual(['running', 'running']);
  });

  it('names the quota that is exhausted, and leaves nothing of what it refused', async () => {
    await begin();
    // One after the other: of requests at the same moment, Neutron lets more through than the quota says.
    const used = (await world.inventory()).filter((name) => name.startsWith('port ')).length;
    await setNetworkQuotas(world.own.admin, world.own.id, { port: used + 1 }, AbortSignal.timeout(30_000));
    try {
      expect((await ensure('a')).state).toBe('running');
      const error = await refusalOf(ensure('b'));
      expect(error.code).toBe('SF-OPENSTACK-QUOTA');
      expect(error.message).toMatch(/Quota exceeded for resources: \['port'\]\./);
      expect(error.message).toMatch(REQUEST_ID);
      expect((await world.ours()).filter((name) => /^(?:port|server) /.test(name))).toHaveLength(2);
    } finally {
      await setNetworkQuotas(world.own.admin, world.own.id, { port: 500 }, AbortSignal.timeout(30_000));
    }
  });

  it('makes 36 of 50 units when the 37th port is refused, and leaves nothing of the others', async () => {
    await begin();
    world.proxy.strike(
      { service: 'network', method: 'POST', path: /ports$/, after: COUNT.allowed, fault: overQuota('port') },
      // Servers are not what is tried here, and take seconds each.
      { service: 'compute', method: 'POST', path: /servers$/, fault: { kind: 'answer', status: 403, body: noServers } },
    );
    const units = Array.from({ length: COUNT.asked }, (_, at) => world.unit(String(at), host));
    const outcomes = await site.ensureUnits(units, world.call());
    const codes = outcomes.map((outcome) => (outcome.ok ? 'ok' : (outcome.error as SuperfluidityError).code));
    expect(codes.filter((code) => code === 'SF-OPENSTACK-FORBIDDEN')).toHaveLength(COUNT.allowed);
    expect(codes.filter((code) => code === 'SF-OPENSTACK-QUOTA')).toHaveLength(COUNT.asked - COUNT.allowed);
    expect((await world.ours()).filter((name) => /^(?:port|server) /.test(name))).toEqual([]);
  });

  it('makes none of 50 ports of one unit when the quota ends at the 37th', async () => {
    await begin();
    const used = (await world.inventory()).filter((name) => name.startsWith('port ')).length;
    await setNetworkQuotas(world.own.admin, world.own.id, { port: used + COUNT.allowed }, AbortSignal.timeout(30_000));
    try {
      const many = Array.from({ length: COUNT.asked }, (_, at) => ({
        id: `port-many-${at}`,
        name: `eth${at}`,
        network: world.network().id,
        serviceAddresses: [],
      }));
      const error = await refusalOf(site.ensureUnit(world.unit('many', host, { ports: many }), world.call()));
      expect(error.code).toBe('SF-OPENSTACK-QUOTA');
      expect(error.message).toMatch(REQUEST_ID);
      expect((await world.ours()).filter((name) => /^(?:port|server) /.test(name))).toEqual([]);
    } finally {
      await setNetworkQuotas(world.own.admin, world.own.id, { port: 500 }, AbortSignal.timeout(30_000));
    }
  });

  it.each([
    ['a fault of Nova', { kind: 'answer', status: 500, body: { computeFault: { message: 'Unexpected API Error.' } } }],
    ['a page of a proxy', { kind: 'answer', status: 502, body: '<html><h1>502 Bad Gateway</h1></html>' }],
  ] as const)('tells of %s in the words of the one who answered, and leaves nothing', async (_, fault) => {
    await begin();
    world.proxy.strike({ service: 'compute', method: 'POST', path: /servers$/, fault });
    const error = await refusalOf(ensure('a'));
    expect(error.code).toBe('SF-OPENSTACK-UNAVAILABLE');
    expect(error.message).toMatch(/create server .*(?:Unexpected API Error|502 Bad Gateway)/);
    expect(error.details.data).toMatchObject({ globalRequestId: expect.stringMatching(/^req-/) });
    expect((await world.ours()).filter((name) => /^(?:port|server) /.test(name))).toEqual([]);
  });

  it.each([
    ['server', 'compute', /servers$/, 'drop'],
    ['server', 'compute', /servers$/, 'hang'],
    ['port', 'network', /ports$/, 'drop'],
    ['port', 'network', /ports$/, 'hang'],
  ] as const)('has one %s when the answer to its creation got lost (%s, %s, %s)', async (_, service, to, kind) => {
    await begin({ requestMs: 20_000 });
    world.proxy.strike({ service, method: 'POST', path: to, fault: { kind, after: 'done' }, times: 1 });
    expect((await ensure('a')).state).toBe('running');
    expect((await world.ours()).filter((name) => /^(?:port|server) /.test(name))).toHaveLength(2);
  });

  it.each([
    ['drop', 'nothing'],
    ['drop', 'done'],
  ] as const)('has one network when the connection was lost (%s after %s)', async (kind, after) => {
    site = await world.open();
    world.proxy.strike({
      service: 'network',
      method: 'POST',
      path: /networks$/,
      fault: { kind, after },
      times: 1,
    });
    await network();
    expect((await world.ours()).filter((name) => name.startsWith('network '))).toEqual(['network svc-faults.data']);
  });

  it('tells of a silent service that it is silent, and of what was sent', async () => {
    await begin({ requestMs: 2_000 });
    world.proxy.strike({ service: 'image', fault: { kind: 'hang', after: 'nothing' } });
    const error = await refusalOf(ensure('a', AbortSignal.timeout(120_000)));
    expect(error.code).toBe('SF-OPENSTACK-UNAVAILABLE');
    expect(error.message).toMatch(/image: no answer within 2 s \(sent as req-/);
  });

  it('gives up when the caller does, also while a service is silent', async () => {
    await begin();
    world.proxy.strike({ service: 'image', fault: { kind: 'hang', after: 'nothing' } });
    const startedMs = Date.now();
    await expect(ensure('a', AbortSignal.timeout(1_000))).rejects.toThrow();
    expect(Date.now() - startedMs).toBeLessThan(30_000);
  });

  it('waits for a service that says when it is back', async () => {
    await begin();
    world.proxy.strike(
      { service: 'network', fault: { kind: 'answer', status: 503, headers: { 'retry-after': '1' } }, times: 4 },
      { service: 'compute', method: 'GET', fault: { kind: 'drop', after: 'nothing' }, times: 3 },
    );
    expect((await ensure('a')).state).toBe('running');
  });

  it('names an image that is not there, before anything is made', async () => {
    await begin();
    const execution = { environment: 'vm', image: 'name:no-such-image' } as const;
    const error = await refusalOf(site.ensureUnit(world.unit('a', host, { execution }), world.call()));
    expect(error.message).toContain('no-such-image');
    expect((await world.ours()).filter((name) => /^(?:port|server) /.test(name))).toEqual([]);
  });

  it('sees a server in ERROR as failed, makes it anew when asked, and removes it', async () => {
    await begin();
    await ensure('a');
    const before = await site.getUnit('unit-a');
    const [id] = Object.values(before!.handles).filter((handle) => /^[0-9a-f-]{36}$/.test(handle));
    await world.own.admin.send({
      service: 'compute',
      method: 'POST',
      path: path`/servers/${id!}/action`,
      body: { 'os-resetState': { state: 'error' } },
      doing: 'plant an error',
      signal: AbortSignal.timeout(30_000),
    });
    const failed = await site.getUnit('unit-a');
    expect(failed).toMatchObject({ state: 'failed', error: { message: expect.stringMatching(/ERROR/) } });
    expect((await ensure('a')).state).toBe('running');
    expect((await world.ours()).filter((name) => /^(?:port|server) /.test(name))).toHaveLength(2);
  });

  it('is one of two orchestrators in a project: each removes what is its own', async () => {
    await begin();
    await ensure('a');
    const other = await world.open();
    await other.fabric.ensureNetwork({ ...world.network(), prefix: '10.61.2.0/24' }, world.call());
    await other.ensureUnit(world.unit('a', host), world.call());
    expect((await world.ours()).filter((name) => name.startsWith('server '))).toHaveLength(2);
    await other.purge();
    expect((await site.getUnit('unit-a'))?.state).toBe('running');
    expect(await other.listUnits()).toEqual([]);
    expect((await world.ours()).filter((name) => /^(?:port|server|network) /.test(name))).toHaveLength(3);
  });
});
