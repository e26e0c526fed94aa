import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activationOrder, type ChainHop, type ChainRequest, renderChain, type SitePath } from './index.ts';

const SERVICE = '10.99.0.1';

function hop(site: string, number: number, translates?: string): ChainHop {
  return {
    site,
    routerSid: `fd00:${site.length}:${site.charCodeAt(0).toString(16)}::1`,
    port: {
      id: `port${number}`,
      name: 'eth0',
      network: 'net',
      host: `${site}-h1`,
      address: `10.60.${number >> 8}.${(number & 255) + 1}`,
      mac: '02:00:00:00:00:01',
      sid: `fd00:${site.length}:${site.charCodeAt(0).toString(16)}::${(number + 256).toString(16)}`,
    },
    ...(translates === undefined ? {} : { translates }),
  };
}

function request(hops: readonly ChainHop[], version = 1): ChainRequest {
  return { chainId: 'chain', version, chain: { address: SERVICE, protocol: 'tcp', ports: [80] }, hops };
}

/**
 * A little network that knows nothing of chains: routers that run End for their own SID, hosts that run End.DX4, steers
 * that match on what is in the packet, functions that forward (and translate, with a table for the way back).
 */
class Network {
  readonly visited: string[] = [];
  readonly paths: readonly SitePath[];
  readonly hops: readonly ChainHop[];
  readonly #translations = new Map<string, string>();

  constructor(paths: readonly SitePath[], hops: readonly ChainHop[]) {
    this.paths = paths;
    this.hops = hops;
  }

  send(
    from: ChainHop,
    packet: { source: string; destination: string },
    direction: 'forward' | 'reverse',
  ): typeof packet {
    let at = from;
    let inner = packet;
    this.visited.push(at.port.id);
    for (let steps = 0; steps < 100; steps += 1) {
      const next = this.#carry(at, inner, direction);
      if (next === undefined) return inner;
      at = next;
      this.visited.push(at.port.id);
      inner = this.#function(at, inner);
    }
    throw new Error('the packet goes round in circles');
  }

  #carry(at: ChainHop, packet: { destination: string }, direction: string): ChainHop | undefined {
    const here = this.paths.find((path) => path.site === at.site)!;
    const rules = [...here.classifiers, ...here.steers].filter(
      ({ match }) =>
        match.fromPort === at.port.id &&
        match.destination === `${packet.destination}/32` &&
        match.direction === direction,
    );
    expect(rules.length).toBeLessThanOrEqual(1);
    if (rules[0] === undefined) return undefined;
    let site = at.site;
    const segments = [...rules[0].segments];
    for (;;) {
      const segment = segments.shift()!;
      const router = this.hops.find((other) => other.routerSid === segment);
      if (router === undefined) {
        // Only the hosts of the site know the SIDs of its ports.
        const end = this.paths.find((path) => path.site === site)!.endpoints.find((one) => one.sid === segment)!;
        return this.hops.find((other) => other.port.id === end.portId)!;
      }
      site = router.site;
    }
  }

  #function(at: ChainHop, packet: { source: string; destination: string }): typeof packet {
    if (at.translates === undefined) return packet;
    if (packet.destination === at.port.address) return { ...packet, destination: this.#translations.get(at.port.id)! };
    if (packet.destination !== SERVICE) return packet;
    this.#translations.set(at.port.id, packet.source);
    return { ...packet, source: at.port.address };
  }
}

const chains = fc
  .array(fc.record({ site: fc.constantFrom('edge', 'core', 'aggregation'), nat: fc.boolean() }), {
    minLength: 2,
    maxLength: 9,
  })
  .map((shape) =>
    shape.map(({ site, nat }, index) =>
      hop(site, index, nat && index > 0 && index < shape.length - 1 ? '10.60.0.0/16' : undefined),
    ),
  );

describe('renderChain', () => {
  test('leads through all hops in order and back in reverse order, through any number of translations', () => {
    fc.assert(
      fc.property(chains, (hops) => {
        const network = new Network(renderChain(request(hops)), hops);
        const ids = hops.map((one) => one.port.id);
        const client = hops[0]!.port.address;
        const arrived = network.send(hops[0]!, { source: client, destination: SERVICE }, 'forward');
        expect(network.visited.splice(0)).toEqual(ids);
        const reply = { source: SERVICE, destination: arrived.source };
        expect(network.send(hops.at(-1)!, reply, 'reverse')).toEqual({ source: SERVICE, destination: client });
        expect(network.visited).toEqual(ids.toReversed());
      }),
    );
  });

  test('has one classifier, at the first hop, and endpoints for every hop', () => {
    fc.assert(
      fc.property(chains, (hops) => {
        const paths = renderChain(request(hops));
        expect(paths.flatMap((path) => path.classifiers).map((rule) => rule.match.fromPort)).toEqual(['port0']);
        expect(
          paths
            .flatMap((path) => path.endpoints)
            .map((end) => end.portId)
            .toSorted(),
        ).toEqual(hops.map((one) => one.port.id).toSorted());
        const ids = paths.flatMap((path) => [...path.classifiers, ...path.steers]).map((rule) => rule.id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  test('renders the two-site example as documented', () => {
    const hops = [hop('edge', 0), hop('edge', 1, '10.60.0.0/16'), hop('core', 2)];
    const [edge, core] = renderChain(request(hops));
    expect(edge?.classifiers.map((rule) => rule.segments)).toEqual([[hops[1]!.port.sid]]);
    expect(edge?.steers.map((rule) => [rule.match.direction, rule.match.destination, rule.segments])).toEqual([
      ['forward', '10.99.0.1/32', [hops[2]!.routerSid, hops[2]!.port.sid]],
      ['reverse', '10.60.0.1/32', [hops[0]!.port.sid]],
    ]);
    expect(edge?.steers.map((rule) => rule.match.source)).toEqual([undefined, '10.99.0.1/32']);
    expect(core?.steers.map((rule) => [rule.match.source, rule.match.destination, rule.segments])).toEqual([
      ['10.99.0.1/32', '10.60.0.2/32', [hops[1]!.routerSid, hops[1]!.port.sid]],
    ]);
  });

  test('a translation applies to sources in its prefix only', () => {
    const hops = [hop('edge', 0), hop('edge', 1, '192.168.0.0/16'), hop('core', 2)];
    expect(renderChain(request(hops))[1]?.steers[0]?.match.destination).toBe('10.60.0.1/32');
  });

  test.each([
    ['too short', [hop('edge', 0)], 'SF-FABRIC-CHAIN'],
    ['a port twice', [hop('edge', 0), hop('edge', 1), hop('edge', 0)], 'SF-FABRIC-CHAIN'],
    ['a SID that is none', [hop('edge', 0), { ...hop('edge', 1), routerSid: '' }], 'SF-FABRIC-SID'],
    ['two routers', [hop('edge', 0), { ...hop('edge', 1), routerSid: 'fd00::9' }], 'SF-FABRIC-SID'],
    [
      'the service address on the way',
      [{ ...hop('edge', 0), port: { ...hop('edge', 0).port, address: SERVICE } }, hop('edge', 1)],
      'SF-FABRIC-CHAIN',
    ],
    ['a prefix that is none', [hop('edge', 0), hop('edge', 1, '10.0.0.1/8'), hop('edge', 2)], 'SF-FABRIC-PREFIX'],
  ])('refuses %s', (_what, hops, code) => {
    expect(() => renderChain(request(hops))).toThrow(expect.objectContaining({ code }));
  });

  test('refuses ports and versions that are none', () => {
    const good = request([hop('edge', 0), hop('core', 1)]);
    expect(() => renderChain({ ...good, version: 0 })).toThrow(expect.objectContaining({ code: 'SF-FABRIC-CHAIN' }));
    expect(() => renderChain({ ...good, chain: { ...good.chain, ports: [65_536] } })).toThrow(
      expect.objectContaining({ code: 'SF-FABRIC-CHAIN' }),
    );
    expect(() => renderChain({ ...good, chain: { ...good.chain, address: '10.0.0.300' } })).toThrow(
      expect.objectContaining({ code: 'SF-FABRIC-ADDRESS' }),
    );
  });
});

describe('activationOrder', () => {
  test('puts the far end first and the classifier last', () => {
    const names = (sites: readonly string[]) =>
      activationOrder(renderChain(request(sites.map((site, index) => hop(site, index))))).map((path) => path.site);
    expect(names(['edge', 'edge', 'core'])).toEqual(['core', 'edge']);
    expect(names(['edge', 'aggregation', 'core'])).toEqual(['core', 'aggregation', 'edge']);
    expect(names(['edge', 'core', 'edge'])).toEqual(['core', 'edge']);
    expect(names(['edge', 'core', 'aggregation', 'core'])).toEqual(['core', 'aggregation', 'edge']);
  });

  test('no flow that is new at the classifier is old further on, whenever it begins', () => {
    fc.assert(
      fc.property(chains, fc.nat(8), (hops, begun) => {
        const order = activationOrder(renderChain(request(hops, 2))).map((path) => path.site);
        const active = new Set(order.slice(0, begun));
        const versions = hops.map((one) => (active.has(one.site) ? 2 : 1));
        if (versions[0] === 2) expect(new Set(versions)).toEqual(new Set([2]));
      }),
    );
  });
});
