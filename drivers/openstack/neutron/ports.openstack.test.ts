import { silentLogger, systemClock } from '@superfluidity/core';
import { type Keep, KURYR, type PoolPort, PortsPool } from '@superfluidity/fabric';
import {
  agents,
  type Cloud,
  networks,
  ports,
  securityGroups,
  setNetworkQuotas,
  subnets,
  trunks,
} from '@superfluidity/openstack';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { labCloud, laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import { NeutronPorts } from './ports-backend.ts';
import { TrunkPorts } from './trunk-ports.ts';

const lab = laboratory();
const never = new AbortController().signal;
const keep: Keep = { ...KURYR, minimum: 2, batch: 4, foresees: false };

/** Scenarios of the ports pool in Kuryr's tempest plugin (PortPool.*), on a Neutron with a real agent. */
describe.skipIf(lab === undefined)(
  'pools of Neutron ports (needs an OpenStack: OS_* variables or the laboratory)',
  () => {
    let own: OwnProject;
    let cloud: Cloud;
    let host: string;
    let networkId: string;
    let group: string;
    let creations = 0;
    const opened = new Set<PortsPool>();

    const backend = () =>
      new NeutronPorts({
        cloud,
        clock: systemClock,
        siteTags: ['superfluidity', 'superfluidity:site=pools-test'],
        pool: 'test',
        binding: 'bound',
      });
    const open = async (kept: Keep = keep, inUse: readonly PoolPort[] = []) => {
      const pool = new PortsPool({
        backend: backend(),
        clock: systemClock,
        log: silentLogger,
        keep: kept,
        updateEveryMs: 20_000,
        orderMost: 50,
        readyTimeoutMs: 240_000,
      });
      opened.add(pool);
      await pool.recover(new Set(inUse.map(({ id }) => id)));
      return pool;
    };
    const ask = (pool: PortsPool, groups: readonly string[] = [group], owner?: string) =>
      pool.acquire(
        { project: own.id, at: host, network: networkId, groups, ...(owner === undefined ? {} : { owner }) },
        AbortSignal.timeout(300_000),
      );
    /** Also what a run before this one left. */
    const clear = async () => {
      for (const { id, port_id } of await trunks.list(cloud, { project_id: own.id }, never)) {
        await ports.update(cloud, port_id, { 'binding:host_id': '' }, never);
        await trunks.delete(cloud, id, never);
      }
      for (const { id } of await ports.list(cloud, { project_id: own.id }, never)) await ports.delete(cloud, id, never);
    };
    const there = () => ports.list(cloud, { network_id: networkId }, never);
    const quiet = async (pool: PortsPool) => {
      await pool.settled();
      return pool.stats()[0]!;
    };
    const end = async (pool: PortsPool) => {
      await pool.drain();
      await pool.close();
    };

    beforeAll(async () => {
      own = await ownProject(lab!, 'sf-pools-test', OPERATOR);
      cloud = labCloud(own.config, { onRequest: ({ method }) => void (creations += method === 'POST' ? 1 : 0) });
      host = (await agents.find(cloud, { agent_type: 'Open vSwitch agent' }, never))!.host;
      await clear();
      for (const one of await networks.list(cloud, { project_id: own.id }, never))
        await networks.delete(cloud, one.id, never);
      networkId = (await networks.create(cloud, { name: 'pools-test' }, never)).id;
      const subnet = { network_id: networkId, ip_version: 4, cidr: '10.73.0.0/24', enable_dhcp: false } as const;
      await subnets.create(cloud, subnet, never);
      group = (await securityGroups.create(cloud, { name: 'pools-test' }, never)).id;
    }, 600_000);

    afterAll(async () => {
      for (const pool of opened) await pool.close();
      for (const one of await there()) await ports.delete(cloud, one.id, never);
      await networks.delete(cloud, networkId, never);
      await securityGroups.delete(cloud, group, never);
      await setNetworkQuotas(cloud, own.id, { port: -1 }, never);
      await cloud.close();
      await own.remove();
    }, 600_000);

    afterEach(async () => {
      for (const pool of opened) await pool.close();
      opened.clear();
      await clear();
    }, 600_000);

    test('the first adds one and a batch, the second none and asks Neutron nothing; a restart changes nothing', async () => {
      const pool = await open();
      const first = await ask(pool);
      await quiet(pool);
      expect(await there()).toHaveLength(1 + keep.batch);
      const before = creations;
      const second = await ask(pool, [group], 'svc.web-1');
      expect(creations).toBe(before);
      const shown = await ports.show(cloud, second.id, never);
      expect(shown).toMatchObject({ status: 'ACTIVE', security_groups: [group], 'binding:host_id': host });
      await quiet(pool);
      expect(await ports.show(cloud, second.id, never)).toMatchObject({
        name: 'svc.web-1',
        description: 'superfluidity:site=pools-test pool test',
      });
      expect(await there()).toHaveLength(1 + keep.batch);
      await pool.close();

      const next = await open(keep, [first, second]);
      expect(next.stats()[0]).toMatchObject({ ready: 3, inUse: 2 });
      expect(await there()).toHaveLength(1 + keep.batch);
      const taken = [await ask(next), await ask(next)];
      expect(new Set([first, second, ...taken].map(({ id }) => id)).size).toBe(4);
      await quiet(next);
      expect(await there()).toHaveLength(1 + 2 * keep.batch);

      // Released: as they were before.
      const requests = creations;
      for (const { id } of [first, second]) expect(next.release(id)).toBe(true);
      await quiet(next);
      expect(creations).toBe(requests);
      expect(await ports.show(cloud, second.id, never)).toMatchObject({ name: 'superfluidity-pool' });
      expect(next.stats()[0]).toMatchObject({ ready: 7, inUse: 2, recycled: expect.any(Number) });
      for (const { id } of taken) next.release(id);
      await quiet(next);
      await end(next);
      expect(await there()).toEqual([]);
    }, 600_000);

    test('other options take effect after a restart; a pool that keeps nothing adds one for each', async () => {
      const nothing = { minimum: 0, maximum: 0, batch: 0, foresees: false };
      const noop = await open(nothing);
      const held = [await ask(noop), await ask(noop)];
      await quiet(noop);
      expect(await there()).toHaveLength(2);
      await noop.close();
      const pool = await open({ ...keep, minimum: 1, batch: 3, maximum: 4 }, held);
      const third = await ask(pool);
      await quiet(pool);
      expect(await there()).toHaveLength(3 + 3);
      for (const { id } of [...held, third]) pool.release(id);
      await quiet(pool);
      expect(await there()).toHaveLength(4);
      await end(pool);
    }, 600_000);

    test('a group that goes is taken from what lies ready; another is given at hand-out; a network that goes takes its ports', async () => {
      const pool = await open();
      const old = await securityGroups.create(cloud, { name: 'pools-test-old' }, never);
      const port = await ask(pool, [old.id]);
      await quiet(pool);
      await ports.update(cloud, port.id, { security_groups: [group] }, never);
      await expect(securityGroups.delete(cloud, old.id, never)).rejects.toThrow(/in use/i);
      await pool.releaseGroup(old.id);
      await securityGroups.delete(cloud, old.id, never);
      const other = await ask(pool, [group]);
      expect((await ports.show(cloud, other.id, never)).security_groups).toEqual([group]);
      await quiet(pool);
      await pool.releaseNetwork(networkId);
      expect((await there()).map(({ id }) => id).toSorted()).toEqual([port.id, other.id].toSorted());
      await pool.close();
      for (const { id } of [port, other]) await ports.delete(cloud, id, never);
    }, 600_000);

    test('a quota is used to its end, and told; 12 who ask at once get one each out of few requests', async () => {
      const pool = await open();
      await setNetworkQuotas(cloud, own.id, { port: 14 }, never);
      const got = await Promise.all(Array.from({ length: 12 }, () => ask(pool)));
      expect(new Set(got.map(({ id }) => id)).size).toBe(12);
      await quiet(pool);
      const all = await there();
      expect(all.length).toBeLessThanOrEqual(14);
      const ready = pool.stats()[0]!.ready;
      expect(ready).toBe(all.length - 12);
      // The last may be made for the asker: a refill that was refused rests.
      while (got.length < 14) got.push(await ask(pool));
      await expect(ask(pool)).rejects.toThrow(expect.objectContaining({ code: 'SF-OPENSTACK-QUOTA' }));
      expect(await there()).toHaveLength(14);
      expect(pool.stats()[0]!.waiting).toBe(0);
      for (const { id } of got) pool.release(id);
      await quiet(pool);
      await end(pool);
      expect(await there()).toEqual([]);
    }, 600_000);

    test('subports of a trunk: added many at a time, each with a VLAN of its own, ACTIVE before they are asked for', async () => {
      const parent = await ports.create(
        cloud,
        { network_id: networkId, device_owner: 'compute:test', name: 'parent' },
        never,
      );
      const trunk = await trunks.create(cloud, { port_id: parent.id, name: 'pools-test' }, never);
      // A port that is bound is no parent of a trunk that is made after it.
      await ports.update(cloud, parent.id, { 'binding:host_id': host }, never);
      const options = { cloud, clock: systemClock, siteTags: ['superfluidity', 'superfluidity:site=trunk-test'] };
      const openTrunk = () =>
        new PortsPool({
          backend: new TrunkPorts({ ...options, pool: 'test', log: silentLogger }),
          clock: systemClock,
          log: silentLogger,
          keep,
          updateEveryMs: 20_000,
          orderMost: 50,
          readyTimeoutMs: 240_000,
        });
      const pool = openTrunk();
      await pool.recover(new Set());
      const wish = { project: own.id, at: trunk.id, network: networkId, groups: [group] };
      const got = await Promise.all([1, 2, 3].map(() => pool.acquire(wish, AbortSignal.timeout(300_000))));
      await quiet(pool);
      const { sub_ports } = await trunks.show(cloud, trunk.id, never);
      expect(new Set(sub_ports.map(({ segmentation_id }) => segmentation_id)).size).toBe(sub_ports.length);
      for (const port of got) {
        expect(sub_ports).toContainEqual(expect.objectContaining({ port_id: port.id, segmentation_id: port.vlan }));
        expect(await ports.show(cloud, port.id, never)).toMatchObject({ status: 'ACTIVE' });
      }
      await pool.close();
      const next = openTrunk();
      await next.recover(new Set(got.map(({ id }) => id)));
      expect(next.stats()[0]).toMatchObject({ ready: sub_ports.length - 3, inUse: 3 });
      for (const { id } of got) next.release(id);
      await quiet(next);
      await end(next);
      expect((await trunks.show(cloud, trunk.id, never)).sub_ports).toEqual([]);
      await ports.update(cloud, parent.id, { 'binding:host_id': '' }, never);
      await trunks.delete(cloud, trunk.id, never);
      await ports.delete(cloud, parent.id, never);
    }, 600_000);
  },
);
