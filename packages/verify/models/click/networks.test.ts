import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSuperfluidityError } from '@superfluidity/core';
import { interpret } from '../../engine/interpret.ts';
import { explore } from '../../engine/explore.ts';
import { readFilter } from '../../filter/parse.ts';
import { printFilter } from '../../filter/print.ts';
import { filters, matches, packets } from '../../filter/random.ts';
import type { Filter } from '../../filter/ast.ts';
import { constant } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block } from '../../ir/instruction.ts';
import { layout } from '../../ir/layouts.ts';
import type { Network } from '../../network.ts';
import { wireBytes } from '../../report/wire.ts';
import { readClick } from '../../readers/click/click.ts';
import { clickModel } from './model.ts';
import { clickNetwork, ip, packet, send } from './testing.ts';

const reason = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    if (isSuperfluidityError(error, 'SF-VERIFY-INPUT')) return error.message;
    throw error;
  }
  return 'nothing was wrong';
};

describe('a Click configuration as a box', () => {
  it('sends copies, and leaves choices open', () => {
    const ends = (element: string, setup = packet('ipv4/tcp')) => {
      const network = clickNetwork(
        `in :: FromDevice -> x :: ${element}; x[0] -> a :: ToDevice; x[1] -> b :: ToDevice;`,
      );
      return send(network, 'in:0', setup).map(({ port, path }) => `${port} ${path.copies} ${path.choices}`);
    };
    expect(ends('Tee').toSorted()).toEqual(['a:0 1 0', 'b:0 1 0']);
    expect(ends('RoundRobinSwitch').toSorted()).toEqual(['a:0 0 1', 'b:0 0 1']);
    expect(ends('HashSwitch(12, 4)')).toHaveLength(2);
    const fragments = clickNetwork('in :: FromDevice -> IPFragmenter(576) -> out :: ToDevice');
    const pieces = send(fragments, 'in:0', packet('ipv4/tcp', { 'IPv4.length': 1500 }), 21n);
    expect(pieces.map((piece) => [piece.port, piece.read('IPv4.length')])).toEqual([
      ['out:0', 21n],
      ['out:0', 21n],
    ]);
  });

  it('gives copies of painted packets to the second output', () => {
    const network = clickNetwork(
      'in :: FromDevice -> Paint(3) -> t :: PaintTee(3); t[0] -> a :: ToDevice; t[1] -> b :: ToDevice',
    );
    expect(
      send(network, 'in:0', packet('ipv4/tcp'))
        .map(({ port }) => port)
        .toSorted(),
    ).toEqual(['a:0', 'b:0']);
  });

  it('translates the answers of a flow back, and nothing else', () => {
    const nat = clickModel(
      'nat',
      readClick({
        path: 'nat.click',
        text: 'in :: FromDevice -> rw :: IPRewriter(pattern 1.0.0.1 5000-6000 - - 0 1, drop); rw[0] -> out :: ToDevice; back :: FromDevice -> [1] rw; rw[1] -> home :: ToDevice',
      }).value,
    );
    const server = clickModel(
      'server',
      readClick({
        path: 's.click',
        text: 'in :: FromDevice -> c :: IPClassifier(dst port 80, -) -> IPMirror -> out :: ToDevice; c[1] -> Discard',
      }).value,
    );
    const network: Network = {
      name: 'n',
      boxes: new Map([
        ['nat', nat.box],
        ['server', server.box],
      ]),
      programs: new Map([...nat.programs, ...server.programs]),
      routines: nat.routines!,
      links: new Map([
        ['nat:out:0', ['server:in:0']],
        ['server:out:0', ['nat:back:0']],
      ]),
    };
    const go = (port: bigint) =>
      interpret(network, 'nat:in:0', packet('ipv4/tcp', { 'TCP.sport': 1234, 'TCP.dport': port }));
    const [home] = go(80n);
    expect([home!.port, home!.outcome]).toEqual(['nat:home:0', 'delivered']);
    const end = (name: string) => home!.read(field(name));
    expect([end('IPv4.src'), end('IPv4.dst'), end('TCP.sport'), end('TCP.dport')]).toEqual([
      ip('10.0.0.2'),
      ip('10.0.0.1'),
      80n,
      1234n,
    ]);
    expect(go(81n)[0]!.outcome).toBe('dropped');
    // Symbolically too, for every port of the range at once.
    const found = explore(network, { port: 'nat:in:0', layouts: [layout('ipv4/tcp')!] });
    const delivered = found.paths.filter(({ outcome }) => outcome === 'delivered');
    expect(delivered.map(({ port }) => port)).toEqual(['nat:home:0']);
    expect(delivered[0]!.ranges(field('TCP.sport'))).toEqual([[80n, 80n]]);
    // What comes from outside without a mapping is not let in.
    expect(interpret(network, 'nat:back:0', packet('ipv4/tcp'))[0]!.why).toContain('drops new flows');
  });

  it('takes its annotations from packets that leave, so that they come back as new', () => {
    const network = clickNetwork(
      'in :: FromDevice -> c :: CheckPaint(0) -> Paint(5) -> Strip(14) -> EtherEncap(2048, 1:1:1:1:1:1, 2:2:2:2:2:2) -> out :: ToDevice; c[1] -> Discard',
    );
    const twice: Network = { ...network, links: new Map([['box:out:0', ['box:in:0']]]) };
    const [path] = interpret(twice, 'box:in:0', packet('ether/ipv4/tcp'), { hops: 12 });
    expect(path!.outcome).toBe('loop');
  });

  it('removes what was stripped from packets that leave', () => {
    const network = clickNetwork('in :: FromDevice -> Strip(14) -> out :: ToDevice');
    const [end] = send(network, 'in:0', packet('ether/ipv4/tcp'));
    expect([end!.read('Ether.dst'), end!.read('IPv4.ttl')]).toEqual([undefined, 64n]);
  });

  it('keeps outputs that lead nowhere, to be seen or linked', () => {
    const model = clickModel(
      'b',
      readClick({
        path: 'b',
        text: 'in :: FromDevice -> c :: IPClassifier(tcp, udp); c -> out :: ToDevice; t :: KernelTun(1.1.1.1/24) -> in2 :: Discard; x :: Null -> t',
      }).value,
    );
    expect(model.openOutputs).toEqual(['b:c:out1']);
    expect(model.entries).toEqual(['b:in:0', 'b:t:in', 'b:x:0']);
    expect(model.exits).toEqual(['b:out:0', 'b:t:0']);
  });

  it('does not know what bytes without a name are, and says so', () => {
    const network = clickNetwork(
      'in :: FromDevice -> c :: Classifier(60/00, -); c[0] -> a :: ToDevice; c[1] -> b :: ToDevice',
    );
    const ends = send(network, 'in:0', packet('ether/ipv4/tcp'));
    expect(ends.map(({ port }) => port).toSorted()).toEqual(['a:0', 'b:0']);
    for (const { path } of ends) expect(path.doubts[0]).toContain('60/00');
    expect(
      send(clickNetwork('in :: FromDevice -> IPClassifier(tcp) -> a :: ToDevice'), 'in:0', packet('ether/arp'))[0]!
        .outcome,
    ).toBe('failed');
  });

  it.each([
    ['a :: Paintt(1)', 'test.click:1: a: there is no model of the element class Paintt; did you mean Paint?'],
    ['a :: Paint(256)', 'test.click:1: a :: Paint: COLOR is a number from 0 to 255, not "256"'],
    ['a :: Paint', 'the argument COLOR is missing'],
    ['a :: DecIPTTL(1)', 'takes no argument "1"'],
    [
      'a :: IPFilter(\nallow tcp,\nnonsense udp)',
      'test.click:3: a :: IPFilter: the action is allow, deny, drop or an output, not "nonsense"',
    ],
    [
      'a :: IPClassifier(tcp,\n\n dst hosst 1.2.3.4)',
      'test.click:3: a :: IPClassifier: "dst hosst 1.2.3.4": column 5: expected an address, found "hosst"',
    ],
    ['a :: StaticIPLookup(10.0.0.0/33 1)', 'a route is ADDR/MASK [GW] OUT, not "10.0.0.0/33 1"'],
    ['a :: IPRewriter(pattern 1.2.3.4 5-2 - - 0 1)', '"5-2" is no value'],
    ['a :: Classifier(12/080)', 'a pattern is OFFSET/VALUE'],
    ['a :: EtherEncap(0x0800, 1:2, -)', 'SRC is an Ethernet address, not "1:2"'],
    ['Null -> dist; dest :: Discard', 'there is no model of the element class dist; did you mean dest?'],
  ])('refuses %j', (text, expected) => {
    expect(reason(() => clickNetwork(text))).toContain(expected);
  });
});

/** Values as they are in a packet of the intermediate representation, for the packets of the tests of filters. */
const setupOf = ({ layout: name, values }: { readonly layout: string; readonly values: ReadonlyMap<string, bigint> }) =>
  block(
    layout(name)!.setup,
    ...[...values].map(([key, value]) => assign(field(key), constant(value, field(key).width))),
  );

describe('classifiers', () => {
  it('of IP send packets where the first matching pattern says, as tables and as tests', () => {
    const simple = fc.constantFrom(
      'tcp',
      'udp',
      'src host 10.0.0.1',
      'dst net 10.0.0.0/8',
      'src port 80',
      'dst port 1-1023',
      'port 53',
      'tcp dst port 443',
      'ether dst 00:11:32:35:71:b3',
      'src port > 1000',
      'ip proto != 6',
      'src and dst net 10.0.0.0/24',
      'tcp and dst port 22',
      'host 10.0.0.255 and (udp or src port 1)',
      'false',
    );
    const pattern = fc.oneof(
      { weight: 3, arbitrary: simple },
      filters('click').map((filter: Filter) => printFilter(filter)),
    );
    const lists = fc.oneof(
      fc.array(simple, { minLength: 6, maxLength: 9 }),
      fc.array(pattern, { minLength: 1, maxLength: 6 }),
    );
    const ipv4 = packets.filter(({ layout: name }) => name.includes('ipv4'));
    let tables = 0;
    fc.assert(
      fc.property(lists, fc.array(ipv4, { minLength: 5, maxLength: 5 }), (patterns, sample) => {
        const network = clickNetwork(
          `in :: FromDevice -> c :: IPClassifier(${patterns.join(', ')}); ${patterns.map((_p, i) => `c[${i}] -> o${i} :: ToDevice;`).join('')}`,
        );
        if (
          JSON.stringify(network.programs.get('box:c:0'), (_k, v) => (typeof v === 'bigint' ? 0 : v)).includes(
            '"rules"',
          )
        )
          tables += 1;
        for (const each of sample) {
          const expected = patterns.findIndex((text) => matches(readFilter(text, 'click'), each, 'click'));
          const [end] = send(network, 'in:0', setupOf(each));
          expect(end!.outcome === 'dropped' ? -1 : Number(end!.port.slice(1, -2)), patterns.join(', ')).toBe(expected);
        }
      }),
      { numRuns: 60 },
    );
    expect(tables).toBeGreaterThan(15);
  });

  it('of bytes agree with the bytes of the packet', () => {
    const clause = fc.tuple(
      fc.boolean(),
      fc.nat(52),
      fc.constantFrom(1, 2, 4),
      fc.nat(0xffffffff),
      fc.constantFrom(0, 0xffffffff, 0x0f0f0f0f, 0xf0000001),
    );
    fc.assert(
      fc.property(fc.array(clause, { minLength: 1, maxLength: 3 }), packets, fc.boolean(), (clauses, each, similar) => {
        // Without a payload: what is behind the headers is not known to the model.
        const bytes = wireBytes(each);
        const known =
          { tcp: 54, udp: 42, icmp: 42, sctp: 46, other: 34, arp: 42 }[each.layout.split('/').at(-1)!]! +
          (each.layout.includes('ipv6') ? 20 : 0);
        const values = new Map(each.values);
        for (const [name, value] of each.values)
          if (/checksum|length|dataOffset/i.test(name))
            values.set(name, valueOnWire(bytes, name, each.layout) ?? value);
        const texts = clauses
          .filter(([, offset, length]) => offset + length <= known)
          .map(([negated, offset, length, value, mask]) => {
            const here = [...bytes.subarray(offset, offset + length)]
              .map((byte) => byte.toString(16).padStart(2, '0'))
              .join('');
            const hex = similar
              ? here
              : value
                  .toString(16)
                  .padStart(8, '0')
                  .slice(0, 2 * length);
            return {
              negated,
              offset,
              hex,
              mask: mask
                .toString(16)
                .padStart(8, '0')
                .slice(0, 2 * length),
            };
          });
        fc.pre(texts.length > 0);
        const pattern = texts
          .map(({ negated, offset, hex, mask }) => `${negated ? '!' : ''}${offset}/${hex}%${mask}`)
          .join(' ');
        const expected = texts.every(({ negated, offset, hex, mask }) => {
          const same = (hex.match(/../g) ?? []).every((pair, i) => {
            const bits = Number.parseInt(mask.slice(2 * i, 2 * i + 2), 16);
            return (bytes[offset + i]! & bits) === (Number.parseInt(pair, 16) & bits);
          });
          return same !== negated;
        });
        const network = clickNetwork(
          `in :: FromDevice -> c :: Classifier(${pattern}, -); c[0] -> a :: ToDevice; c[1] -> b :: ToDevice`,
        );
        const ends = send(network, 'in:0', setupOf({ ...each, values }));
        expect(
          ends.map(({ port }) => port),
          pattern,
        ).toEqual([expected ? 'a:0' : 'b:0']);
      }),
      { numRuns: 80 },
    );
  });
});

/** What a field has on the wire, where lengths and checksums have been made right. */
function valueOnWire(bytes: Uint8Array, name: string, layoutName: string): bigint | undefined {
  const at = field(name);
  const base = { L2: 0, L3: 14, L4: layoutName.includes('ipv6') ? 54 : 34 }[at.tag];
  if (base === undefined) return undefined;
  let value = 0n;
  for (let bit = 8 * base + at.offset; bit < 8 * base + at.offset + at.width; bit += 1)
    value = (value << 1n) | BigInt((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
  return value;
}
