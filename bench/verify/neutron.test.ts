import { assemble, equivalence, field, interpret, layouts, type Network, type Start } from '@superfluidity/verify';
import { describe, expect, it } from 'vitest';
import { draw } from './networks.ts';
import { deployment, type Deployment } from './neutron.ts';
import { type Faults, portMap, realised } from './neutron-nodes.ts';

const frames = layouts.filter(({ name }) => /^ether.ipv4.(?:tcp|udp|icmp)$/.test(name));
const intent = ({ dump }: Deployment): Network => assemble('tenants', [{ path: 'neutron.json', text: dump }]).network;

const startsOf = ({ servers }: Deployment): readonly Start[] =>
  servers.map(({ name }) => ({ port: `${name}:in`, layouts: frames }));

const compared = (made: Deployment, starts: readonly Start[], faults?: Faults) =>
  equivalence(intent(made), realised(made, faults), starts, { ports: portMap(made) });

describe('a deployment of Neutron and what its nodes have', () => {
  it('is read to the last line', () => {
    const { readings } = assemble('tenants', [{ path: 'neutron.json', text: deployment(16, 6).dump }]);
    expect(readings.map(({ lines }) => lines['not understood'])).toEqual([0]);
  });

  it('do the same with packets that are sent by hand', () => {
    const made = deployment(8, 3, 7);
    const [a, b] = [intent(made), realised(made)];
    const ports = portMap(made);
    const next = draw(11);
    const nics = [...made.servers, ...made.routers.flatMap((router) => [...router.ports, router.gateway])];
    const addresses = [
      ...nics.map(({ address }) => address),
      '198.51.100.1',
      ...made.routers.flatMap(({ floating }) => floating.map(({ address }) => address)),
    ];
    const number = (text: string) => text.split('.').reduce((all, part) => all * 256n + BigInt(part), 0n);
    const pick = <T>(from: readonly T[]) => from[next(from.length)]!;
    let delivered = 0;
    for (let i = 0; i < 600; i += 1) {
      const from = pick(made.servers);
      const near = nics.filter(({ network }) => network === from.network);
      const values: Readonly<Record<string, bigint>> = {
        'Ether.dst': BigInt(pick(next(10) < 9 ? near : nics).mac),
        'Ether.src': BigInt(from.mac),
        'IPv4.src': number(next(10) < 9 ? from.address : pick(addresses)),
        'IPv4.dst': number(pick(addresses)),
        'IPv4.ttl': 64n,
        'TCP.dport': BigInt(pick([22, 80, 443])),
        'TCP.flags': 2n,
      };
      const run = (network: Network, port: string) => {
        const [path, ...others] = interpret(network, port, frames[0]!.setup, { fresh: (name) => values[name] ?? 9n });
        expect(others).toEqual([]);
        if (path!.outcome !== 'delivered') return 'dropped';
        delivered += 1;
        const seen = ['Ether.src', 'Ether.dst', 'IPv4.src', 'IPv4.dst', 'IPv4.ttl'].map((name) =>
          path!.read(field(name)),
        );
        return [ports.get(path!.port) ?? path!.port, ...seen].join(' ');
      };
      const expected = run(a, `${from.name}:in`);
      expect(
        run(b, ports.get(`${from.name}:in`)!),
        JSON.stringify(values, (_, value: unknown) => String(value)),
      ).toBe(expected.replace(/^\S+/, (port) => ports.get(port) ?? port));
    }
    expect(delivered).toBeGreaterThan(100);
  });

  it('are equivalent, and stop being so with each thing that an agent gets wrong', () => {
    const made = deployment(4, 2, 3);
    const all = startsOf(made);
    const verdict = compared(made, all);
    expect(verdict.because).toMatch(/^Both send out the same/);
    expect(verdict.answer).toBe('holds');
    const [first] = made.servers;
    const wrong: readonly Faults[] = [
      { rules: (lines, node) => (node === first!.node ? withoutWebRule(lines) : lines) },
      { tag: (tag, { id }) => (id === first!.id ? tag + 7 : tag) },
      { routes: (lines, router) => (router === 'router0' ? lines.slice(1) : lines) },
    ];
    for (const faults of wrong) {
      const { answer, differences } = compared(made, all.slice(0, 2), faults);
      expect(answer).toBe('violated');
      expect(differences[0]!.because).toBe('One packet comes out of tenants, no packet comes out of nodes.');
    }
  });
});

/** The rule that lets anybody ask for web pages. */
function withoutWebRule(lines: readonly string[]): readonly string[] {
  const left = lines.filter((line) => !line.includes('--dport 80:80'));
  expect(left.length).toBeLessThan(lines.length);
  return left;
}
