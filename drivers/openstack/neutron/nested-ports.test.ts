import type { ServerResponse } from 'node:http';
import { silentLogger, systemClock } from '@superfluidity/core';
import type { PoolPort } from '@superfluidity/fabric';
import { StandIn } from '@superfluidity/openstack/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import '../errors.ts';
import { PairPorts } from './pair-ports.ts';
import { TrunkPorts } from './trunk-ports.ts';

/**
 * What a laboratory does not do on demand: somebody changes the parent between a look and a change, and a trunk is full. Of Neutron,
 * as much as is asked for here: ports with revisions, and one trunk.
 */

interface ModelPort {
  id: string;
  network_id: string;
  status: string;
  mac_address: string;
  revision_number: number;
  name: string;
  description: string;
  security_groups: readonly string[];
  fixed_ips: readonly { subnet_id: string; ip_address: string }[];
  allowed_address_pairs: readonly { ip_address: string; mac_address?: string }[];
}

const never = new AbortController().signal;
const PARENT = 'parent';
const place = { project: '', at: PARENT, network: 'net' };

describe('ports of what runs in a virtual machine', () => {
  let neutron: StandIn;
  let all: Map<string, ModelPort>;
  let subports: { port_id: string; segmentation_type: string; segmentation_id: number }[];
  /** Called before each change of the parent. */
  let meanwhile: () => void;
  /** Whether the answer to a change of the parent is lost. */
  let dropsAfter: () => boolean;
  let made = 0;
  /** Subports that were taken out of the trunk, and what becomes of those that are added. */
  let takenOut: string[];
  let onAdded: (id: string) => void;

  const say = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-openstack-request-id': 'req-7' });
    response.end(JSON.stringify(body));
  };
  const add = (fields: Partial<ModelPort>): ModelPort => {
    made += 1;
    const port: ModelPort = {
      id: `port-${made}`,
      network_id: 'net',
      status: 'DOWN',
      mac_address: `02:00:00:00:00:${made.toString(16).padStart(2, '0')}`,
      revision_number: 1,
      name: '',
      description: '',
      security_groups: [],
      fixed_ips: [{ subnet_id: 'sub', ip_address: `10.0.0.${made}` }],
      allowed_address_pairs: [],
      ...fields,
    };
    all.set(port.id, port);
    return port;
  };
  const change = (id: string, fields: Partial<ModelPort>) => {
    const before = all.get(id)!;
    const after = { ...before, ...fields, revision_number: before.revision_number + 1 };
    all.set(id, after);
    return after;
  };
  const pairs = () => all.get(PARENT)!.allowed_address_pairs.map(({ ip_address }) => ip_address);

  beforeEach(async () => {
    all = new Map();
    subports = [];
    made = 0;
    takenOut = [];
    onAdded = () => {};
    meanwhile = () => {};
    dropsAfter = () => false;
    add({ id: PARENT });
    neutron = await new StandIn().start();
    neutron.answers(({ method, path, body, headers }, response) => {
      const url = new URL(path, neutron.url);
      const [, , kind, id, verb] = url.pathname.split('/');
      const asked = body === '' ? {} : (JSON.parse(body) as Record<string, unknown>);
      if (kind === 'extensions') return say(response, 200, { extensions: [] });
      if (kind === 'trunks') {
        const trunk = { id, name: '', port_id: PARENT, status: 'ACTIVE', admin_state_up: true, project_id: 'p1' };
        const named = (asked['sub_ports'] ?? []) as typeof subports;
        if (verb === 'add_subports') {
          subports.push(...named);
          for (const { port_id } of named) onAdded(port_id);
        }
        if (verb === 'remove_subports') {
          const gone = named.map(({ port_id }) => port_id);
          takenOut.push(...gone);
          subports = subports.filter(({ port_id }) => !gone.includes(port_id));
        }
        const shown = { ...trunk, sub_ports: subports };
        if (id === undefined) return say(response, 200, { trunks: [{ ...shown, id: PARENT }] });
        return say(response, 200, verb === undefined ? { trunk: shown } : shown);
      }
      if (verb === 'tags') return say(response, 200, { tags: [] });
      if (id === undefined && method === 'POST') {
        const ports = (asked['ports'] as readonly Partial<ModelPort>[]).map((one) => add(one));
        return say(response, 201, { ports });
      }
      if (id === undefined) {
        const [description, network, status] = ['description', 'network_id', 'status'].map((name) =>
          url.searchParams.get(name),
        );
        const ports = [...all.values()].filter(
          (one) =>
            (description === null || one.description === description) &&
            (status === null || one.status === status) &&
            (network === null || one.network_id === network),
        );
        return say(response, 200, { ports });
      }
      const port = all.get(id);
      if (port === undefined)
        return say(response, 404, { NeutronError: { type: 'PortNotFound', message: `Port ${id} could not be found` } });
      if (method === 'DELETE') {
        all.delete(id);
        response.writeHead(204);
        return void response.end();
      }
      if (method === 'GET') return say(response, 200, { port });
      if (id === PARENT) meanwhile();
      const wanted = headers['if-match'];
      if (wanted !== undefined && wanted !== `revision_number=${all.get(id)!.revision_number}`)
        return say(response, 412, { NeutronError: { type: 'RevisionNumberConstraintFailed', message: 'changed' } });
      const changed = change(id, asked['port'] as Partial<ModelPort>);
      if (id === PARENT && dropsAfter()) return void response.destroy();
      return say(response, 200, { port: changed });
    });
  });
  afterEach(() => neutron.stop());

  const options = () => ({
    cloud: neutron.cloud(),
    clock: systemClock,
    log: silentLogger,
    siteTags: ['ours', 'ours:cluster=c'],
    pool: 'nested',
    pollMs: 5,
  });

  test('the parent allows the pair of each, and loses none of those that others allow meanwhile', async () => {
    const strangers = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const left = [...strangers];
    meanwhile = () => {
      const ip_address = left.shift();
      if (ip_address === undefined) return;
      change(PARENT, { allowed_address_pairs: [...all.get(PARENT)!.allowed_address_pairs, { ip_address }] });
    };
    const backend = new PairPorts(options());
    const orders = await Promise.all([1, 2, 3].map((count) => backend.createMany(place, ['g'], count, never)));
    const ports = orders.flat();
    const own = ports.flatMap(({ addresses }) => addresses);
    expect(own).toHaveLength(6);
    expect(new Set(pairs())).toEqual(new Set([...strangers, ...own]));
    for (const { mac, addresses } of ports)
      expect(all.get(PARENT)!.allowed_address_pairs).toContainEqual({ ip_address: addresses[0], mac_address: mac });

    // After a restart they are found where they are.
    const again = new PairPorts(options());
    expect((await again.list(never)).map(({ place: { at } }) => at)).toEqual(Array.from({ length: 6 }, () => PARENT));
    for (const port of await again.list(never)) await again.remove(port, never);
    expect(new Set(pairs())).toEqual(new Set(strangers));
    expect(all.size).toBe(1);
  });

  test('a lost answer is asked for again, on top of what was done', async () => {
    let lost = 2;
    dropsAfter = () => (lost -= 1) >= 0;
    const backend = new PairPorts(options());
    const ports = await backend.createMany(place, [], 2, never);
    expect(pairs()).toEqual(ports.flatMap(({ addresses }) => addresses));
    expect(all.size).toBe(3);
  });

  test('one that no parent allows was never given to anybody, and is removed', async () => {
    const backend = new PairPorts(options());
    await backend.createMany(place, [], 1, never);
    change(PARENT, { allowed_address_pairs: [] });
    expect(await backend.list(never)).toEqual([]);
    await expect.poll(() => all.size).toBe(1);
  });

  test('a parent that is gone is said in the words of Neutron, with the id of the request; nothing is left', async () => {
    const backend = new PairPorts(options());
    all.delete(PARENT);
    await expect(backend.createMany(place, [], 2, never)).rejects.toMatchObject({
      code: 'SF-OPENSTACK-NOT-FOUND',
      message: expect.stringMatching(/Port parent could not be found \(req-7\)/),
    });
    expect(all.size).toBe(0);
  });

  test.each([
    ['ACTIVE', 1],
    ['DOWN', 0],
  ])('subports that stay DOWN are added anew once, where the port of the server is %s: %i', async (status, times) => {
    change(PARENT, { status });
    const backend = new TrunkPorts({ ...options(), anewMs: 40 });
    const [lost, wired] = await backend.createMany(place, [], 2, never);
    change(wired!.id, { status: 'ACTIVE' });
    const added: string[] = [];
    onAdded = (id) => {
      added.push(id);
      change(id, { status: 'ACTIVE' });
    };
    const told: PoolPort[] = [];
    const ids = new Set([lost!.id, wired!.id]);
    const watching = backend.watch(
      ids,
      (port) => void told.push(port),
      AbortSignal.timeout(times === 0 ? 300 : 10_000),
    );
    if (times === 0) await expect(watching).rejects.toThrow(/timeout/i);
    else await watching;
    expect([takenOut, added]).toEqual(times === 0 ? [[], []] : [[lost!.id], [lost!.id]]);
    expect(told.map(({ id }) => id)).toEqual(times === 0 ? [wired!.id] : [wired!.id, lost!.id]);
    for (const { id, vlan, place: at } of told) {
      expect(subports).toContainEqual(expect.objectContaining({ port_id: id, segmentation_id: vlan }));
      expect(at).toEqual(expect.objectContaining({ at: PARENT }));
    }
  });

  test('VLAN ids of a trunk differ; when all 4,094 are in use that is said by name, and nothing is left', async () => {
    subports = Array.from({ length: 4_090 }, (_, at) => ({
      port_id: `other-${at}`,
      segmentation_type: 'vlan',
      segmentation_id: at + 1,
    }));
    const backend = new TrunkPorts(options());
    const ports = (await Promise.all([1, 2].map((count) => backend.createMany(place, [], count, never)))).flat();
    expect(new Set(ports.map(({ vlan }) => vlan))).toEqual(new Set([4_091, 4_092, 4_093]));
    const refused: unknown = await backend.createMany(place, [], 2, never).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'SF-FABRIC-VLAN',
      message: expect.stringMatching(/trunk parent: 4094 VLAN ids are all a trunk has, and 4093 are in use/),
    });
    expect(all.size).toBe(4);
    // So that who orders for many asks for fewer: there is room for one.
    expect(backend.isOverQuota(refused)).toBe(true);
    expect(await backend.createMany(place, [], 1, never)).toMatchObject([{ vlan: 4_094 }]);
  });

  test('VLAN ids are those of the range that the machine leaves to pods', async () => {
    subports = [{ port_id: 'other', segmentation_type: 'vlan', segmentation_id: 101 }];
    const backend = new TrunkPorts(options(), { first: 100, last: 102 });
    const ports = await backend.createMany(place, [], 2, never);
    expect(new Set(ports.map(({ vlan }) => vlan))).toEqual(new Set([100, 102]));
    await expect(backend.createMany(place, [], 1, never)).rejects.toThrow(/3 VLAN ids are all a trunk has, and 3 are/);
  });
});
