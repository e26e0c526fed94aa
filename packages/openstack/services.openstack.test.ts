import { randomBytes } from 'node:crypto';
import { isSuperfluidityError, silentLogger, systemClock } from '@superfluidity/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Cloud } from './cloud.ts';
import { createOnce } from './once.ts';
import * as compute from './services/compute.ts';
import * as identity from './services/identity.ts';
import * as image from './services/image.ts';
import * as placement from './services/placement.ts';
import * as servers from './services/servers.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { laboratory } from './testing/lab.ts';
import { type OwnProject, ownProject } from './testing/own-project.ts';

const lab = laboratory();
const why = lab === undefined ? ' (skipped: no OpenStack: OS_* variables or the laboratory)' : '';
const PATIENCE_MS = 180_000;

describe.skipIf(lab === undefined)(`the client of OpenStack against its services${why}`, () => {
  let own: OwnProject;
  let cloud: Cloud;
  let proxy: FaultProxy;
  const signal = AbortSignal.timeout(PATIENCE_MS * 3);
  const name = `sf-client-${process.pid}`;
  const open = (config: OwnProject['config']) => new Cloud({ config, clock: systemClock, log: silentLogger });

  beforeAll(async () => {
    if (lab === undefined) return;
    own = await ownProject(lab, name);
    cloud = open(own.config);
    proxy = await FaultProxy.start(own.config.authUrl);
  }, PATIENCE_MS);

  afterAll(async () => {
    await proxy?.stop();
    await cloud?.close();
    await own?.remove();
  }, PATIENCE_MS);

  it(
    'has application credentials, with which it works without a password',
    async () => {
      const made = await identity.createApplicationCredential(cloud, { name, roles: ['member'] }, signal);
      const robot = open({ ...own.config, credentials: { kind: 'application', id: made.id, secret: made.secret } });
      try {
        expect((await robot.session()).projectId).toBe(own.id);
        expect(await identity.listOwnProjects(robot, signal)).toMatchObject([{ id: own.id, name }]);
        expect(await identity.listApplicationCredentials(cloud, signal)).toMatchObject([{ id: made.id, name }]);
        await identity.deleteApplicationCredential(cloud, made.id, signal);
        const late = open({ ...own.config, credentials: { kind: 'application', id: made.id, secret: made.secret } });
        await expect(late.session()).rejects.toThrow(/Could not find Application Credential.*\(req-/);
        await late.close();
      } finally {
        await robot.close();
      }
    },
    PATIENCE_MS,
  );

  it(
    'goes on with another token when its own was revoked',
    async () => {
      const { token } = await cloud.session();
      expect(await identity.validateToken(own.admin, token, signal)).toMatchObject({ project: { id: own.id } });
      await identity.revokeToken(own.admin, token, signal);
      await expect(identity.validateToken(own.admin, token, signal)).rejects.toThrow(
        /Failed to validate token.*\(req-/,
      );
      expect(await compute.listKeypairs(cloud, signal)).toEqual([]);
      expect((await cloud.session()).token).not.toBe(token);
    },
    PATIENCE_MS,
  );

  it(
    'names what is refused, with the id of the request',
    async () => {
      for (const [work, code] of [
        [() => servers.getServer(cloud, 'nowhere', signal), 'SF-OPENSTACK-NOT-FOUND'],
        [() => image.getImage(cloud, 'nowhere', signal), 'SF-OPENSTACK-NOT-FOUND'],
        [() => compute.listHypervisors(cloud, signal), 'SF-OPENSTACK-FORBIDDEN'],
        [() => placement.listResourceProviders(cloud, {}, signal), 'SF-OPENSTACK-FORBIDDEN'],
        [() => compute.createServerGroup(cloud, { name: '', policy: 'affinity' }, signal), 'SF-OPENSTACK-REFUSED'],
      ] as const) {
        const error: unknown = await work().catch((thrown: unknown) => thrown);
        if (!isSuperfluidityError(error)) throw error;
        expect([error.code, error.details.data]).toEqual([
          code,
          expect.objectContaining({
            requestId: expect.stringMatching(/^req-/),
            globalRequestId: expect.stringMatching(/^req-/),
          }),
        ]);
      }
    },
    PATIENCE_MS,
  );

  it(
    'makes servers, looks at them and takes them away',
    async () => {
      const { id: flavorId } = (await compute.listFlavors(cloud, signal)).toSorted((a, b) => a.ram - b.ram)[0]!;
      const [ready] = await image.listImages(cloud, { status: 'active' }, signal);
      const group = await compute.createServerGroup(cloud, { name, policy: 'soft-anti-affinity' }, signal);
      expect((await compute.listServerGroups(cloud, signal)).map((one) => one.id)).toEqual([group.id]);
      const before = await compute.computeLimits(cloud, signal);
      const wanted = {
        name,
        flavorRef: flavorId,
        imageRef: ready!.id,
        networks: 'none',
        metadata: { superfluidity: 'yes' },
        tags: ['superfluidity', `superfluidity:id=${name}`],
      } as const;
      const { id } = await servers.createServer(cloud, wanted, { group: group.id }, signal);
      await expect
        .poll(async () => (await servers.getServer(cloud, id, signal)).status, { timeout: 120_000, interval: 500 })
        .toBe('ACTIVE');
      const [found] = await servers.listServers(cloud, { tags: `superfluidity:id=${name}` }, signal);
      expect(found).toMatchObject({
        id,
        name,
        metadata: wanted.metadata,
        tags: wanted.tags,
        flavor: { ram: expect.any(Number) },
      });
      // Where Nova counts no quotas, all is -1.
      const { totalInstancesUsed: used } = await compute.computeLimits(cloud, signal);
      expect(used).toBe(before.totalInstancesUsed < 0 ? -1 : before.totalInstancesUsed + 1);
      await servers.actOnServer(cloud, id, 'stop', signal);
      await expect
        .poll(async () => (await servers.getServer(cloud, id, signal)).status, { timeout: 60_000, interval: 500 })
        .toBe('SHUTOFF');
      expect(await servers.listInterfaces(cloud, id, signal)).toEqual([]);
      expect(typeof (await servers.consoleOutput(cloud, id, 10, signal))).toBe('string');
      await servers.deleteServer(cloud, id, signal);
      await expect.poll(() => servers.listServers(cloud, {}, signal), { timeout: 60_000, interval: 500 }).toEqual([]);
      await servers.deleteServer(cloud, id, signal);
      await compute.deleteServerGroup(cloud, group.id, signal);
    },
    PATIENCE_MS,
  );

  it(
    'has keys, flavors, quotas, zones and services',
    async () => {
      const publicKey = `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), randomBytes(32)]).toString('base64')} test`;
      await compute.importKeypair(cloud, { name, public_key: publicKey }, signal);
      expect(await compute.listKeypairs(cloud, signal)).toMatchObject([{ name, public_key: publicKey }]);
      await compute.deleteKeypair(cloud, name, signal);
      const flavor = await compute.createFlavor(own.admin, { name, vcpus: 1, ram: 64, disk: 0 }, signal);
      await compute.deleteFlavor(own.admin, flavor.id, signal);
      await compute.setComputeQuotas(own.admin, own.id, { instances: 3 }, signal);
      expect([3, -1]).toContain((await compute.computeLimits(cloud, signal)).maxTotalInstances);
      expect(await compute.listAvailabilityZones(cloud, signal)).not.toEqual([]);
      expect((await compute.listComputeServices(own.admin, signal)).map(({ binary }) => binary)).toContain(
        'nova-compute',
      );
      expect((await compute.listHypervisors(own.admin, signal))[0]).toMatchObject({ state: 'up' });
    },
    PATIENCE_MS,
  );

  it(
    'knows from Placement how much room there is',
    async () => {
      const [provider] = await placement.listResourceProviders(own.admin, {}, signal);
      const inventories = await placement.inventoriesOf(own.admin, provider!.uuid, signal);
      expect(inventories).toMatchObject({ VCPU: { total: expect.any(Number) }, MEMORY_MB: { min_unit: 1 } });
      expect(Object.keys(await placement.usagesOf(own.admin, provider!.uuid, signal))).toContain('VCPU');
      expect(await placement.traitsOf(own.admin, provider!.uuid, signal)).not.toEqual([]);
      const candidates = await placement.allocationCandidates(own.admin, { resources: { VCPU: 1 }, limit: 1 }, signal);
      expect(candidates.allocation_requests).toHaveLength(1);
      const none = await placement.allocationCandidates(own.admin, { resources: { VCPU: 1_000_000 } }, signal);
      expect(none.allocation_requests).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'uploads an image in pieces, with a checksum, also past a token that was revoked',
    async () => {
      const pieces = Array.from({ length: 8 }, () => randomBytes(100_000));
      const source = {
        bytes: 800_000,
        async *open() {
          yield* pieces;
        },
      };
      const wanted = { name, disk_format: 'raw', container_format: 'bare', tags: ['superfluidity'] } as const;
      const made = await image.createImage(cloud, { ...wanted, properties: { hw_disk_bus: 'virtio' } }, signal);
      const told: number[] = [];
      await identity.revokeToken(own.admin, (await cloud.session()).token, signal);
      const stored = await image.uploadImage(cloud, made.id, source, (bytes) => told.push(bytes), signal);
      expect(stored).toMatchObject({ status: 'active', size: 800_000, tags: ['superfluidity'] });
      expect(told.at(-1)).toBe(800_000);
      expect((await image.listImages(cloud, { name, tag: ['superfluidity'] }, signal)).map(({ id }) => id)).toEqual([
        made.id,
      ]);
      await image.deleteImage(cloud, made.id, signal);
      expect(await image.listImages(cloud, { name }, signal)).toEqual([]);
    },
    PATIENCE_MS,
  );

  it.each(['nothing', 'done'] as const)(
    'makes one network of a request that was lost after Neutron did %s',
    async (after) => {
      const shaky = open({ ...own.config, authUrl: proxy.authUrl });
      const called = `${name}-${after}`;
      const doing = `create network ${called}`;
      const one = z.object({ id: z.string(), name: z.string() });
      const call = { service: 'network', path: '/v2.0/networks', signal } as const;
      const find = async (through: Cloud) =>
        (
          await through.json(
            { ...call, method: 'GET', query: { name: called }, doing: 'find it' },
            z.object({ networks: z.array(one) }),
          )
        ).networks;
      try {
        proxy.strike({ service: 'network', method: 'POST', fault: { kind: 'drop', after }, times: 1 });
        const made = await createOnce(shaky, {
          find: () => find(shaky),
          create: async () =>
            (
              await shaky.json(
                { ...call, method: 'POST', body: { network: { name: called } }, doing },
                z.object({ network: one }),
              )
            ).network,
          remove: async () => {},
          signal,
        });
        expect(await find(cloud)).toEqual([made]);
        await cloud.remove({ ...call, method: 'DELETE', path: `/v2.0/networks/${made.id}`, doing: 'remove it' });
      } finally {
        await shaky.close();
      }
    },
    PATIENCE_MS,
  );
});
