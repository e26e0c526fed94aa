import { assemble, equivalence, field, interpret, layouts, type Network } from '@superfluidity/verify';
import { describe, expect, it } from 'vitest';
import { draw } from './networks.ts';
import { deployment, EXTERNAL, tenantOf } from './neutron.ts';
import { compared, type Faults, intended, portMap, realised, startsOf } from './neutron-nodes.ts';

const frames = layouts.filter(({ name }) => /^ether.ipv4.(?:tcp|udp)$/.test(name));
const [tcp] = [frames.slice(0, 1)];
const number = (text: string) => text.split('.').reduce((all, part) => all * 256n + BigInt(part), 0n);

describe('a deployment of Neutron and what its nodes have', () => {
  it('is read to the last line', () => {
    const made = deployment(16, 6);
    const tenants = assemble('tenants', [{ path: 'neutron.json', text: made.dump }]);
    const readings = [...tenants.readings, ...realised(made).readings];
    expect(readings.filter(({ lines }) => lines['not understood'] > 0)).toEqual([]);
  });

  it('do the same with packets that are sent by hand', () => {
    const made = deployment(8, 3, 7);
    const [a, b] = [intended(made), realised(made).network];
    const ports = portMap(made);
    const next = draw(11);
    const nics = [...made.servers, ...made.routers.flatMap((router) => [...router.ports, router.gateway])];
    const floating = made.routers.flatMap((router) => router.floating.map(({ address }) => address));
    const pick = <T>(from: readonly T[]) => from[next(from.length)]!;
    let delivered = 0;
    for (let i = 0; i < 300; i += 1) {
      const from = pick(made.servers);
      const reachable = nics.filter(
        ({ network }) => network === EXTERNAL || tenantOf(network) === tenantOf(from.network),
      );
      const addresses = [...reachable.map(({ address }) => address), '198.51.100.1', ...floating];
      const near = nics.filter(({ network }) => network === from.network);
      const values: Readonly<Record<string, bigint>> = {
        'Ether.dst': BigInt(pick(near).mac),
        'Ether.src': BigInt(from.mac),
        'IPv4.src': number(next(10) < 9 ? from.address : pick(addresses)),
        'IPv4.dst': number(pick(addresses)),
        'IPv4.ttl': 64n,
        'TCP.dport': BigInt(pick([22, 80, 443])),
        'TCP.flags': 2n,
      };
      const run = (network: Network, port: string) => {
        const paths = interpret(network, port, tcp[0]!.setup, { fresh: (name) => values[name] ?? 9n });
        const arrived = paths.filter(({ outcome }) => outcome === 'delivered');
        expect(arrived.length).toBeLessThan(2);
        const [path] = arrived;
        if (path === undefined) return 'dropped';
        delivered += 1;
        const seen = ['Ether.src', 'IPv4.src', 'IPv4.dst', 'IPv4.ttl'].map((name) => path.read(field(name)));
        return [ports.get(path.port) ?? path.port, ...seen].join(' ');
      };
      const expected = run(a, `${from.name}:in`);
      const text = JSON.stringify(values, (_, value: unknown) => String(value));
      expect(run(b, ports.get(`${from.name}:in`)!), text).toBe(expected);
    }
    expect(delivered).toBeGreaterThan(100);
  });

  it('are equivalent', () => {
    const made = deployment(4, 2, 3);
    const verdict = compared(made, startsOf(made, frames));
    expect(verdict).toMatchObject({ answer: 'holds', because: expect.stringMatching(/^Both send out the same/) });
  });

  describe('stop being so with what an agent gets wrong, and both sides say by which rule', () => {
    const made = deployment(4, 2, 3);
    const [first] = made.servers;
    const lost = (lines: readonly string[], isIt: (line: string) => boolean) => {
      const left = lines.filter((line) => !isIt(line));
      expect(left.length).toBeLessThan(lines.length);
      return left;
    };
    const wrong: Readonly<Record<string, { readonly faults: Faults; readonly file: RegExp }>> = {
      'the rule that lets anybody ask for web pages is missing': {
        faults: {
          rules: (lines, node) => (node === first!.node ? lost(lines, (l) => l.includes('--dport 80:80')) : lines),
        },
        file: /^compute\d\.rules$/,
      },
      'a port is in a VLAN of nobody': {
        faults: { tag: (tag, { id }) => (id === first!.id ? tag + 70 : tag) },
        file: /^(?:fdb|flows)-br-int-compute/,
      },
      'a network has another key of the tunnel on one node': {
        faults: {
          flows: (lines, bridge) =>
            bridge === `br-tun-${first!.node}`
              ? lines.map((line) => line.replace(/set_tunnel:0x6[4-6]\b/, 'set_tunnel:0x7f'))
              : lines,
        },
        file: /^flows-br-tun-network1/,
      },
      'the namespace of a router has lost its way out': {
        faults: {
          routes: (lines, router) => (router === 'router0' ? lost(lines, (l) => l.startsWith('default')) : lines),
        },
        file: /^qrouter-router0\./,
      },
      'a router translates to the address of another': {
        faults: {
          nat: (lines, router) =>
            router === 'router0'
              ? lines.map((l) => l.replace('--to-source 203.0.113.10', '--to-source 203.0.113.11'))
              : lines,
        },
        file: /^qrouter-router0\.rules/,
      },
      'requests for metadata are not redirected': {
        faults: {
          nat: (lines, router) => (router === 'router0' ? lost(lines, (l) => l.includes('REDIRECT')) : lines),
        },
        file: /^qrouter-router0\./,
      },
    };
    it.each(Object.entries(wrong))('%s', (_, { faults, file }) => {
      const { answer, differences } = compared(made, startsOf(made, tcp).slice(0, 2), faults);
      expect(answer).toBe('violated');
      const rules = (paths: (typeof differences)[number]['inA']) =>
        paths.flatMap(({ hops, source }) => [...hops.flatMap(({ because }) => because), ...(source ? [source] : [])]);
      const told = differences.filter(({ inA, inB }) => {
        const [asked, found] = [rules(inA), rules(inB)];
        return asked.some((rule) => rule.file === 'neutron.json') && found.some((rule) => file.test(rule.file));
      });
      expect(told.length).toBeGreaterThan(0);
      const [witness] = [...told[0]!.inA, ...told[0]!.inB].flatMap((path) => path.witness() ?? []);
      expect(witness).toBeDefined();
    });

    it('a server is in the VLAN of another tenant', () => {
      const shared = deployment(4, 3, 3);
      const [mine] = shared.servers;
      const other = shared.servers.find((server) => server.node === mine!.node && server !== mine)!;
      const leak: Faults = {
        tag: (tag, { id }, vlans) => (id === other.id ? vlans.get(mine!.network)! : tag),
      };
      const [start] = startsOf(shared, tcp, [other.mac]);
      expect(compared(shared, [start!]).differences).toEqual([]);
      const { answer, differences } = compared(shared, [start!], leak);
      expect(answer).toBe('violated');
      const arrivals = differences.flatMap(({ inB }) => inB.map(({ port }) => port));
      expect(arrivals).toContain(`${other.name}:card:out`);
    });
  });

  it('are so whichever is asked first', () => {
    const made = deployment(3, 2, 5);
    const back = new Map([...portMap(made)].map(([tenants, nodes]) => [nodes, tenants]));
    const starts = startsOf(made, tcp)
      .slice(0, 1)
      .map((start) => ({ ...start, port: portMap(made).get(start.port)! }));
    const ignored = ['IPv4.checksum', 'TCP.checksum', 'Ether.dst'];
    const { answer } = equivalence(realised(made).network, intended(made), starts, { ports: back, ignored });
    expect(answer).toBe('holds');
  });
});
