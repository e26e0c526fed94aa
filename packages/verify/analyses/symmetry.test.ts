import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assemble,
  assign,
  block,
  compare,
  constant,
  field,
  interpret,
  layouts,
  type Network,
  parseFilter,
  read,
  symmetry,
} from '../index.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const links =
  'a:eth0 -> b:x\na:eth1 -> c:x\nb:eth0 -> c:x\nb:eth1 -> d:x\nb:eth2 -> a:x\nc:eth0 -> d:x\nc:eth1 -> a:x\nd:eth0 -> b:x\nd:eth1 -> c:x\n';
const names = ['a', 'b', 'c', 'd'];
const ways = [['eth0'], ['eth1'], ['out'], ['eth0', 'eth1'], []];
const routes = fc.array(fc.tuple(...names.map(() => fc.constantFrom(...ways))), { minLength: 4, maxLength: 4 });

const text = (all: readonly (readonly string[])[]) =>
  all
    .map((through, i) => {
      const hops = through.map((name) => `\n\tnexthop via 192.0.2.1 dev ${name} weight 1`).join('');
      return through.length === 0 ? `blackhole 10.${i}.0.0/16\n` : `10.${i}.0.0/16${hops}\n`;
    })
    .join('');

/** One packet after the other, and its answer, by the interpreter. */
function send(network: Network, from: string, src: number, dst: number) {
  const values = { 'IPv4.src': src, 'IPv4.dst': dst, 'IPv4.ttl': 64 };
  const set = Object.entries(values).map(([name, value]) => assign(field(name), constant(value, field(name).width)));
  return interpret(network, from, block(tcp[0]!.setup, ...set), {
    fresh: (_n, _w, ranges) => ranges[0]?.[0] ?? 0n,
    hops: 14,
  });
}
const boxes = (hops: readonly { readonly port: string }[]) =>
  hops.map(({ port }) => port[0]!).filter((box, i, all) => box !== all[i - 1]);

describe('the way of answers', () => {
  it('is the one that single packets and their answers take', () => {
    const seen = { holds: 0, violated: 0 };
    fc.assert(
      fc.property(routes, fc.nat(3), fc.nat(3), (tables, s, d) => {
        const files = names.map((name, i) => ({
          path: `${name}.routes`,
          text: `192.0.2.0/24 dev up\n${text(tables[i]!)}`,
        }));
        const { network } = assemble('net', [...files, { path: 'l.links', text: links }]);
        const [src, dst] = [0x0a000001 + (s << 16), 0x0a000001 + (d << 16)];
        const asIs = [
          compare(read(field('IPv4.src')), '==', constant(src, 32)),
          compare(read(field('IPv4.dst')), '==', constant(dst, 32)),
          compare(read(field('IPv4.ttl')), '==', constant(64, 8)),
        ];
        const isBad = send(network, 'a:in', src, dst)
          .filter(({ outcome, hops }) => outcome === 'delivered' && new Set(boxes(hops)).size === boxes(hops).length)
          .some(({ hops, port }) =>
            send(network, `${port[0]}:in`, dst, src).some(
              (back) => back.outcome !== 'delivered' || boxes(back.hops).join('') !== boxes(hops).toReversed().join(''),
            ),
          );
        const verdict = symmetry(network, [{ port: 'a:in', layouts: tcp, assume: { kind: 'all', of: asIs } }]);
        expect(verdict.answer).toBe(isBad ? 'violated' : 'holds');
        seen[isBad ? 'violated' : 'holds'] += 1;
        const [forth, back] = verdict.paths;
        if (forth !== undefined)
          expect(back!.witness()!.sent.values.get('IPv4.dst')).toBe(forth.witness()!.arrived.values.get('IPv4.src'));
      }),
      { numRuns: 80 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
  });

  const firewall = (rules: readonly string[], name = 'fw') => [
    { path: `${name}.routes`, text: 'default via 192.0.2.1 dev eth0\n10.0.0.0/8 dev eth1 scope link\n' },
    {
      path: `${name}.addr`,
      text: '2: eth0    inet 192.0.2.2/24 scope global eth0\n3: eth1    inet 10.0.0.1/8 scope global eth1\n',
    },
    {
      path: `${name}.rules`,
      text: [
        '*filter',
        ':INPUT ACCEPT [0:0]',
        ':FORWARD DROP [0:0]',
        ':OUTPUT ACCEPT [0:0]',
        ...rules,
        'COMMIT',
        '*nat',
        ':PREROUTING ACCEPT [0:0]',
        ':POSTROUTING ACCEPT [0:0]',
        '-A POSTROUTING -o eth0 -j MASQUERADE',
        'COMMIT',
        '',
      ].join('\n'),
    },
  ];
  const out = '-A FORWARD -i eth1 -o eth0 -j ACCEPT';
  const start = {
    port: 'fw:eth1:in',
    layouts: tcp,
    assume: parseFilter('src net 10.1.0.0/16 && tcp[13] == 2 && dst 8.8.8.8 && ip[8] > 2'),
  };

  it('goes back through translation by what the box remembers', () => {
    const established = '-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT';
    const { network } = assemble('office', firewall([out, established]));
    expect(symmetry(network, [start])).toMatchObject({ answer: 'holds' });
  });

  it('is refused by a rule that knows no connections, with both paths', () => {
    const { network } = assemble('office', firewall([out]));
    const verdict = symmetry(network, [start]);
    expect(verdict).toMatchObject({ answer: 'violated', because: 'There are packets whose answers do not come back.' });
    const [forth, back] = verdict.paths;
    expect([forth!.port, back!.hops[0]!.port, back!.outcome]).toEqual(['fw:eth0:out', 'fw:eth0:in', 'dropped']);
    // The answer is for the address that the packet was translated to.
    expect(back!.witness()!.sent.values.get('IPv4.dst')).toBe(0xc0000202n);
  });

  it('is unknown where it is not followed, and asks where answers come in', () => {
    const { network } = assemble('office', firewall([out]));
    expect(symmetry(network, [start], { limits: { instructions: 5 } })).toMatchObject({
      answer: 'unknown',
      bound: 'instructions',
    });
    const click = assemble('net', [{ path: 'f.click', text: 'in :: FromDevice(eth0) -> out :: ToDevice(eth1);\n' }]);
    const from = [{ port: 'f:in:0', layouts: tcp }];
    expect(() => symmetry(click.network, from)).toThrow(/say it with --back/);
  });
});
