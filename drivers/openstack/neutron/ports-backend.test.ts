import { systemClock } from '@superfluidity/core';
import { StandIn } from '@superfluidity/openstack/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import '../errors.ts';
import { NeutronPorts, nodeIn, type PortBinding } from './ports-backend.ts';

interface ModelPort {
  id: string;
  network_id: string;
  status: string;
  mac_address: string;
  description: string;
  device_id: string;
  'binding:host_id': string;
  'binding:vif_type': string;
}

const never = new AbortController().signal;
const at = (place: string) => ({ project: 'p', at: place, network: 'net' });

/** Ports of a Neutron, as much as is asked for here, that are plugged on nodes while they lie in a pool. */
describe('ports of nodes of bare metal', () => {
  let neutron: StandIn;
  let all: Map<string, ModelPort>;
  let queries: URLSearchParams[];
  let methods: string[];
  let onQuery: (count: number) => void;

  beforeEach(async () => {
    all = new Map();
    queries = [];
    methods = [];
    onQuery = () => {};
    neutron = await new StandIn().start();
    neutron.answers(({ method, path, body }, response) => {
      const url = new URL(path, neutron.url);
      const say = (status: number, answer: unknown) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer));
      };
      methods.push(method);
      if (method === 'POST') {
        const asked = (JSON.parse(body) as { readonly ports: readonly Partial<ModelPort>[] }).ports;
        const ports = asked.map((fields, i) => {
          const id = `port-${all.size + 1}`;
          const plain = { id, network_id: 'net', status: 'DOWN', mac_address: `02:00:00:00:00:0${i}` };
          const port = { ...plain, description: '', device_id: '', 'binding:host_id': '', 'binding:vif_type': 'ovs' };
          all.set(id, { ...port, ...fields });
          return all.get(id);
        });
        return say(201, { ports });
      }
      queries.push(url.searchParams);
      onQuery(queries.length);
      const wanted = (name: 'description' | 'status') => url.searchParams.get(name);
      const found = [...all.values()].filter(
        (one) =>
          (wanted('description') ?? one.description) === one.description &&
          (wanted('status') ?? one.status) === one.status,
      );
      const fields = url.searchParams.getAll('fields');
      const shown = (port: ModelPort) =>
        Object.fromEntries(Object.entries(port).filter(([name]) => fields.length === 0 || fields.includes(name)));
      return say(200, { ports: found.map(shown) });
    });
  });
  afterEach(() => neutron.stop());

  const open = (binding: PortBinding = 'host') =>
    new NeutronPorts({
      cloud: neutron.cloud(),
      clock: systemClock,
      siteTags: ['ours', 'ours:cluster=c'],
      pool: 'kuryr-neutron-vif',
      binding,
      pollMs: 20,
    });

  test('are made by one call for all of them, and marked by no other', async () => {
    const backend = open();
    await backend.createMany(at('metal'), ['g'], 10, never);
    expect((await backend.list(never)).map(({ owner }) => owner)).toEqual(Array.from({ length: 10 }, () => ''));
    expect(methods).toEqual(['POST', 'GET']);
  });

  test('are waited for by looks that all who wait have in common', async () => {
    const backend = open('bound');
    const made = await backend.createMany(at('metal'), ['g'], 3, never);
    const told: string[] = [];
    const watch = (index: number, signal = never) =>
      backend.watch(new Set([made[index]!.id]), ({ id, ready }) => void (ready && told.push(id)), signal);
    const others: Promise<void>[] = [];
    const leaves = new AbortController();
    const left = backend.watch(new Set(['another']), () => {}, leaves.signal);
    left.catch(() => {});
    onQuery = (count) => {
      if (count === 2) others.push(watch(1));
      if (count === 3) leaves.abort();
      if (count === 4) others.push(watch(2));
      if (count === 7) for (const port of all.values()) port.status = 'ACTIVE';
    };
    await watch(0);
    await Promise.all(others);
    await expect(left).rejects.toThrow(/abort/i);
    expect(told.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
    expect(queries.map((query) => [query.get('status'), query.get('fields')])).toEqual(
      Array.from({ length: 7 }, () => ['ACTIVE', 'id']),
    );
  });

  test('belong to their node, also where several nodes are on one host, and are found there after a restart', async () => {
    const backend = open();
    const [own] = await backend.createMany(at('metal'), ['g'], 1, never);
    const [first] = await backend.createMany(at('n1@metal'), ['g'], 1, never);
    const [second] = await backend.createMany(at('n2@metal'), ['g'], 1, never);
    expect([...all.values()].map((port) => port['binding:host_id'])).toEqual(['metal', 'metal', 'metal']);
    expect(all.get(own!.id)!.device_id).toBe('');
    const places = (await open().list(never)).map(({ id, place, used }) => [id, place.at, nodeIn(place.at), used]);
    expect(places).toEqual([
      [own!.id, 'metal', 'metal', false],
      [first!.id, 'n1@metal', 'n1', false],
      [second!.id, 'n2@metal', 'n2', false],
    ]);
    // Somebody else gave it to a server.
    all.get(first!.id)!.device_id = '0f0c2c37-6f0a-4b6a-9a57-2f5f4f1b7c11';
    expect((await open().list(never)).find(({ id }) => id === first!.id)).toMatchObject({ used: true });
  });

  test('may be handed out before they are ACTIVE, and which are is asked for in one call that answers ids', async () => {
    const backend = open();
    const made = await backend.createMany(at('metal'), ['g'], 3, never);
    expect(made.map(({ ready, active }) => [ready, active])).toEqual([
      [true, false],
      [true, false],
      [true, false],
    ]);
    all.get(made[1]!.id)!.status = 'ACTIVE';
    queries.length = 0;
    expect(await backend.active(never)).toEqual(new Set([made[1]!.id]));
    expect(queries).toHaveLength(1);
    expect(queries[0]!.getAll('fields')).toEqual(['id']);
    expect((await backend.list(never)).map(({ active }) => active)).toEqual([false, true, false]);
  });
});
