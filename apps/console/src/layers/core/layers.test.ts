import type { HostLoad, Overlay, ServiceDetail } from '@superfluidity/api';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAmount } from '../../view-model/format.ts';
import { aService, aSite, aUnit } from '../../view-model/fixtures.ts';
import { chooseSites, largeSite } from '../../view-model/drawn-sites.ts';
import { layerGraph, type LayerGraph, type LayerInput, layers } from './layer-graph.ts';
import { layoutLayers, neighbour } from './layer-layout.ts';
import { relatedTo } from './related.ts';
import { wayOver } from './way-over.ts';

const link = (a: string, b: string, latencyMs = 5) => ({ a, b, latencyMs, jitterMs: 0, loss: 0, bandwidthMbps: 100 });
const port = (network: string, n: number) => ({
  name: 'eth0',
  network: `shop.${network}`,
  address: `10.0.0.${n}`,
  mac: '',
  sid: `fd::${n}`,
});

const client = aUnit('ue/client', 0, 'edge/e1', { ports: [port('users', 1)] });
const wall = aUnit('wall/filter', 0, 'edge/e2', { ports: [port('servers', 2)] });
const web = aUnit('web/server', 0, 'core/c1', { ports: [port('servers', 3)] });
const other = aUnit('db/server', 0, 'core/c1', { ports: [port('data', 4)] });

const service: ServiceDetail = {
  ...aService([client, wall, web, other], [client, wall, web]),
  networks: ['users', 'servers', 'data'].map((name, i) => ({
    name,
    prefix: `10.${i}.0.0/16`,
    mtu: 1_500,
    parts: ['edge', 'core'].map((site, k) => ({ site, prefix: `10.${i}.${k}.0/24` })),
    ports: [],
  })),
  balancers: [{ name: 'front', unit: 'web/server', address: '10.9.0.1', port: 80, layer: 'tcp' }],
};
const overlay: Overlay = {
  service: 'shop',
  routers: [
    { site: 'edge', sid: 'fd:e::1', locator: 'fd:e::/48' },
    { site: 'core', sid: 'fd:c::1', locator: 'fd:c::/48' },
  ],
  segments: [client, wall, web].map((unit) => ({
    sid: unit.ports[0]!.sid,
    unit: unit.id,
    port: 'eth0',
    site: unit.site,
  })),
  routes: [[client, wall, ['fd::2']] as const, [wall, web, ['fd:c::1', 'fd::3']] as const].map(([from, , via]) => ({
    chain: 'uplink',
    version: 1,
    direction: 'forward',
    site: from.site,
    from: from.id,
    destination: '10.0.0.1/32',
    via: [...via],
  })),
};
const sites = [aSite('edge', ['e1', 'e2', 'e3']), aSite('metro', ['m1']), aSite('core', ['c1'])];
const links = [link('edge', 'metro'), link('metro', 'core'), link('edge', 'core', 50)];
const input: LayerInput = { sites, links, service, overlay };
const graph = layerGraph(input);
const related = (id: string) => [...relatedTo(graph, id)!].sort();

describe('the layers of a service', () => {
  it('lead from a unit to its host, site, ports, networks and chains, and not to its neighbours', () => {
    expect(related(`unit:${client.id}`)).toEqual(
      [
        `unit:${client.id}`,
        'host:edge/e1',
        'site:edge',
        `port:${client.id}.eth0`,
        'network:users',
        'part:users@edge',
        'segment:fd::1',
        'router:edge',
        'chain:uplink',
      ].sort(),
    );
    expect(related(`unit:${other.id}`)).not.toContain(`unit:${web.id}`);
    expect(related(`unit:${web.id}`)).toContain('balancer:front');
  });

  it('lead from a link to what goes over it: tunnels by the quickest way, chains, the units at their ends', () => {
    for (const id of ['link:edge~metro', 'link:core~metro'])
      expect(related(id)).toEqual(
        expect.arrayContaining(['tunnel:core~edge', 'chain:uplink', `unit:${wall.id}`, `unit:${web.id}`]),
      );
    expect(related('link:edge~metro')).not.toContain(`unit:${client.id}`);
    expect(related('link:core~edge')).toEqual(['link:core~edge', 'site:core', 'site:edge']);
    expect(related('network:data')).toContain(`unit:${other.id}`);
  });

  it('relate both ways: what is highlighted with one thing highlights that', () => {
    for (const { id } of graph.nodes)
      for (const one of relatedTo(graph, id)!) expect(relatedTo(graph, one)!.has(id), `${one} to ${id}`).toBe(true);
    expect(relatedTo(graph, 'unit:gone')).toBeUndefined();
  });

  it('draw the chain over its segments in the order of the hops', () => {
    const lines = graph.edges.filter(({ colour, from }) => colour === 0 && from.startsWith('segment:'));
    expect(lines).toEqual([{ from: 'segment:fd::2', to: 'segment:fd::3', colour: 0 }]);
  });

  it('count the units of large services, and keep their chains and networks', () => {
    const many = Array.from({ length: 500 }, (_, i) => aUnit('web/server', i, `core/h${i % 3}`));
    const large = layerGraph({
      ...input,
      sites: [aSite('core', ['h0', 'h1', 'h2'])],
      links: [],
      overlay: undefined,
      service: {
        ...service,
        ...aService(many, [many[0]!, many[1]!]),
        networks: [{ ...service.networks![0]!, ports: [{ unit: 'web/server', port: 'eth0' }] }],
      },
    });
    expect(large.counted).toBe(true);
    expect(large.nodes.filter(({ kind }) => kind === 'unit')).toHaveLength(3);
    expect([...relatedTo(large, 'network:users')!].filter((id) => id.startsWith('unit:'))).toHaveLength(3);
    expect(relatedTo(large, 'chain:uplink')!.has('host:core/h1')).toBe(true);
  });

  it('draw of 10,000 hosts those with units, and the others by rack or, where racks are many, by site', () => {
    const site = { ...aSite('big', []), hostCount: 10_000 };
    const graphOf = (perRack: number) => {
      const load: HostLoad = {
        site: 'big',
        hosts: Array.from({ length: 10_000 }, (_, i) => `h${i}`),
        cpu: Array.from({ length: 10_000 }, (_, i) => (i === 9 ? -1 : 40)),
        memory: Array.from({ length: 10_000 }, () => 10),
        ...(perRack === 0 ? {} : { racks: Array.from({ length: 10_000 }, (_, i) => `r${Math.floor(i / perRack)}`) }),
      };
      const units = [aUnit('web/server', 0, 'big/h7'), aUnit('web/server', 1, 'big/h9999')];
      return layerGraph({ sites: [largeSite(site, load)], links: [], service: { ...service, ...aService(units) } });
    };
    const nodesOf = (drawn: LayerGraph, kind: string) =>
      drawn.nodes.filter((node) => node.kind === kind).map(({ name, about }) => `${name}: ${about}`);
    const byRack = graphOf(1_000);
    expect(nodesOf(byRack, 'host')).toEqual(['h7: CPU 40 %', 'h9999: CPU 40 %']);
    expect(nodesOf(byRack, 'rack')).toHaveLength(10);
    expect(nodesOf(byRack, 'rack').slice(0, 2)).toEqual([
      'r0: 999 hosts, CPU 40 %',
      `r1: ${formatAmount(1_000, 'host')}, CPU 40 %`,
    ]);
    expect(relatedTo(byRack, 'rack:big/r3')).toEqual(new Set(['rack:big/r3', 'site:big']));
    for (const perRack of [42, 0])
      expect(nodesOf(graphOf(perRack), 'host')).toEqual([
        'h7: CPU 40 %',
        'h9999: CPU 40 %',
        `${formatAmount(9_998, 'more host')}: CPU 40 %`,
      ]);
  });

  it('choose among very many sites those of the service, then their neighbours, and by name', () => {
    const all = Array.from({ length: 2_000 }, (_, i) => aSite(`s${i}`, ['h0'], { tier: i < 1_000 ? 'core' : 'edge' }));
    const own = aService([aUnit('a/b', 0, 's1500/h0')]);
    const around = Array.from({ length: 90 }, (_, i) => link(`s${i}`, 's1500'));
    const names = (of: ServiceDetail | undefined, text: string) => {
      const found = chooseSites(all, around, of, text);
      return { of: found.of, chosen: found.chosen.map(({ name }) => name) };
    };
    const first = names(own, '');
    expect([first.of, first.chosen.length, first.chosen[0]]).toEqual([91, 24, 's1500']);
    expect(names(own, 'S8')).toEqual({
      of: 11,
      chosen: ['s8', ...Array.from({ length: 10 }, (_, i) => `s${80 + i}`)],
    });
    expect(names(undefined, '')).toMatchObject({ of: 2_000 });
    expect(names(undefined, '').chosen[0]).toBe('s1000');
    expect(names(undefined, 's1999').chosen).toEqual(['s1999']);
    expect(names(undefined, 'mars')).toEqual({ of: 0, chosen: [] });
  });
});

const anyGraph = fc
  .record({
    hosts: fc.integer({ min: 1, max: 12 }),
    units: fc.array(fc.tuple(fc.constantFrom('edge', 'metro', 'core'), fc.nat(11)), { maxLength: 30 }),
  })
  .map(({ hosts, units }) => {
    const names = Array.from({ length: hosts }, (_, i) => `h${i}`);
    const made = units.map(([site, host], i) =>
      aUnit('f/u', i, `${site}/h${host % hosts}`, { ports: [port('users', i)] }),
    );
    return layerGraph({
      ...input,
      overlay: undefined,
      sites: ['edge', 'metro', 'core'].map((site) => aSite(site, names)),
      service: { ...service, ...aService(made, made.slice(0, 4)) },
    });
  });

describe('their layout', () => {
  it('puts nothing over something else, whatever is shown', () => {
    fc.assert(
      fc.property(anyGraph, fc.subarray([...layers], { minLength: 1 }), (any, shown) => {
        const { boxes, width, height, bands } = layoutLayers(any, shown);
        const all = [...boxes.values()];
        for (const [i, a] of all.entries()) {
          expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height).toBe(true);
          for (const b of all.slice(i + 1))
            expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(
              true,
            );
        }
        expect(bands.map(({ layer }) => layer)).toEqual(layers.filter((layer) => shown.includes(layer)));
      }),
      { numRuns: 20 },
    );
  });

  it('has the sites in one order, whatever is shown of them', () => {
    const told = layerGraph({ ...input, sites: sites.toReversed() });
    for (const layer of layers) {
      const { boxes } = layoutLayers(told, [layer]);
      const middle = (site: string) => {
        const own = told.nodes.filter((node) => node.site === site && boxes.has(node.id));
        return own.reduce((sum, { id }) => sum + boxes.get(id)!.x, 0) / own.length;
      };
      expect(middle('edge')).toBeLessThan(middle('core'));
    }
  });

  it('is gone through by arrow keys', () => {
    const { boxes } = layoutLayers(graph, layers);
    expect(neighbour(boxes, 'host:edge/e1', 'right')).toBe('host:edge/e2');
    expect(neighbour(boxes, 'host:edge/e2', 'left')).toBe('host:edge/e1');
    expect(neighbour(boxes, 'chain:uplink', 'down')).toMatch(/^(unit|balancer):/);
    expect(neighbour(boxes, 'gone', 'up')).toBeUndefined();
  });
});

describe('the way over links', () => {
  it('is the quickest, and none where there is none', () => {
    expect(wayOver(links, 'edge', 'core')).toEqual([links[0], links[1]]);
    expect(wayOver([link('a', 'b')], 'a', 'c')).toEqual([]);
    expect(wayOver(links, 'edge', 'edge')).toEqual([]);
  });
});
