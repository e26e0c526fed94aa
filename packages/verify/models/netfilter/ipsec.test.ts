import { describe, expect, it } from 'vitest';
import { hidden } from '../../analyses/visibility.ts';
import { assemble } from '../../assemble/assemble.ts';
import { interpret } from '../../engine/interpret.ts';
import { explore } from '../../engine/explore.ts';
import { all, compare, constant, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { layout } from '../../ir/layouts.ts';

/** Two gateways with a network behind each; what goes from one to the other is in a tunnel of ESP between them. */
const KEYS = '\tauth-trunc hmac(sha256) 0x00112233 128\n\tenc cbc(aes) 0x44556677\n';
const state = (from: number, keys = KEYS) =>
  `src 192.0.2.${from} dst 192.0.2.${3 - from}\n\tproto esp spi 0x0000001${from} reqid 7 mode tunnel\n\treplay-window 0 flag af-unspec\n${keys}\tsel src 0.0.0.0/0 dst 0.0.0.0/0 \n`;
const policy = (dir: string, from: number, more = '') =>
  `src 10.${from}.0.0/16 dst 10.${3 - from}.0.0/16 ${more}\n\tdir ${dir} priority 100 ptype main \n\ttmpl src 192.0.2.${from} dst 192.0.2.${3 - from}\n\t\tproto esp reqid 7 mode tunnel\n`;

function gateway(me: number, xfrm: Xfrm | null) {
  const name = `g${me}`;
  return [
    {
      path: `${name}.addr`,
      text: `2: wan    inet 192.0.2.${me}/24 scope global wan\n3: lan    inet 10.${me}.0.1/16 scope global lan\n`,
    },
    { path: `${name}.routes`, text: `default dev wan\n10.${me}.0.0/16 dev lan\n192.0.2.0/24 dev wan\n` },
    { path: `${name}.nft`, text: 'table ip t {\n}\n' },
    ...(xfrm === null
      ? []
      : [
          { path: `${name}.policy`, text: xfrm.policy },
          { path: `${name}.state`, text: xfrm.state },
        ]),
  ];
}

const full = (me: number) => ({
  policy: policy('out', me) + policy('in', 3 - me) + policy('fwd', 3 - me),
  state: state(1) + state(2),
});
type Xfrm = ReturnType<typeof full>;

function network(one: Xfrm | null = full(1), two: Xfrm | null = full(2)) {
  const links = 'g1:wan -> g2:wan\ng2:wan -> g1:wan\n';
  const files = [...gateway(1, one), ...gateway(2, two), { path: 'wires.links', text: links }];
  const { network: made, readings } = assemble('tunnel', files);
  expect(readings.flatMap(({ remarks }) => remarks.filter(({ fate }) => fate === 'not understood'))).toEqual([]);
  return made;
}

const is = (name: string, value: number) =>
  compare(read(field(name)), '==', constant(BigInt(value), field(name).width));
const start = {
  port: 'g1:lan:in',
  layouts: [layout('ipv4/tcp')!],
  assume: all(is('IPv4.src', 0x0a01_0005), is('IPv4.dst', 0x0a02_0005), is('IPv4.ttl', 9), is('IPv4.length', 100)),
};
const ends = (made: ReturnType<typeof network>, from = start) =>
  explore(made, from).paths.map(({ outcome, port, why, doubts }) => [outcome, port, why, ...doubts].join(' ').trim());

describe('IPsec of Linux', () => {
  it('carries packets through the tunnel that a policy asks for, and takes them out unchanged', () => {
    expect(ends(network())).toEqual(['delivered g2:lan:out']);
    const [path] = explore(network(), start).paths;
    expect(path!.hops.map(({ port }) => port)).toContain('g2:tunnel:received');
    const values: Readonly<Record<string, bigint>> = {
      'IPv4.src': 0x0a01_0005n,
      'IPv4.dst': 0x0a02_0005n,
      'IPv4.ttl': 9n,
      'IPv4.length': 100n,
      'TCP.dport': 80n,
    };
    // By an interpreter that shares no code with the engine: two hops less, and nothing else is another.
    const [walked] = interpret(network(), start.port, start.layouts[0]!.setup, { fresh: (name) => values[name] ?? 0n });
    expect([walked!.outcome, walked!.port]).toEqual(['delivered', 'g2:lan:out']);
    for (const [name, value] of Object.entries(values)) {
      expect(walked!.read(field(name))).toBe(name === 'IPv4.ttl' ? 7n : value);
    }
  });

  it('shows nobody on the way what is inside', () => {
    const seen = hidden(network(), [start], 'g2:wan:in', [field('IPv4.dst'), field('TCP.dport')]);
    expect(seen.answer).toBe('holds');
    const { policy: _policy, ...open } = full(1);
    const plain = hidden(network({ policy: '', ...open }, full(2)), [start], 'g2:wan:in', [field('TCP.dport')]);
    expect(plain.answer).toBe('violated');
  });

  it.each<[string, Xfrm | null, Xfrm | null, string]>([
    ['without an association', { ...full(1), state: state(2) }, full(2), 'there is no association for the tunnel'],
    [
      'with another key',
      full(1),
      { ...full(2), state: state(1, KEYS.replace('4455', '4466')) + state(2) },
      'not encrypted with the key',
    ],
    [
      'that nobody expects',
      full(1),
      { ...full(2), policy: policy('out', 2) },
      'no policy asks for what comes by a tunnel',
    ],
    [
      'that the other end does not know',
      full(1),
      { ...full(2), state: state(2) },
      'no association of the box has that number',
    ],
    [
      'that a policy blocks',
      { ...full(1), policy: 'src 10.1.0.0/16 dst 0.0.0.0/0 \n\tdir out action block priority 1 \n' + full(1).policy },
      full(2),
      'a policy of IPsec blocks it',
    ],
    ['that did not go into the tunnel', null, full(2), 'it did not come by its tunnel'],
  ])('drops a packet %s', (_name, one, two, why) => {
    const [end, ...others] = ends(network(one, two));
    expect(others).toEqual([]);
    expect(end).toContain(`dropped`);
    expect(end).toContain(why);
  });

  it('leaves alone what no policy fits, and takes the first that does', () => {
    const elsewhere = {
      ...start,
      assume: all(is('IPv4.src', 0x0a01_0005), is('IPv4.dst', 0xc000_0202), is('IPv4.ttl', 9), is('IPv4.length', 100)),
    };
    expect(ends(network(), elsewhere)).toEqual(['delivered g2:local:out']);
    const udpOnly = {
      ...full(1),
      policy: policy('out', 1, 'proto udp ') + full(1).policy.replace(policy('out', 1), ''),
    };
    expect(ends(network(udpOnly, full(2)))[0]).toContain('it did not come by its tunnel');
  });

  it.each([
    ['transport mode', (text: string) => text.replaceAll('mode tunnel', 'mode transport')],
    ['AH', (text: string) => text.replaceAll('proto esp', 'proto ah')],
    [
      'what it has never heard of',
      (text: string) => text.replaceAll('\tenc ', '\tfoo ').replaceAll('dir out', 'dir out quux'),
    ],
  ])('does not understand %s, and says so', (_name, change) => {
    const xfrm = { policy: change(full(1).policy), state: change(full(1).state) };
    const { readings } = assemble('x', gateway(1, xfrm));
    expect(readings.some(({ lines }) => lines['not understood'] > 0)).toBe(true);
  });
});
