import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Diagrams, TRUE } from '../../diagram/diagrams.ts';
import { drop, forward } from '../../ir/instruction.ts';
import type { Match, Rule, Table } from '../../ir/table.ts';
import { superfluousPrefixes } from './prefixes.ts';
import { examineRules } from './rules.ts';
import { superfluous } from './superfluous.ts';
import { examineTable } from './tables.ts';

/** Two keys of three bits, of which the second may not be there: each packet is tried. */
const packets = Array.from({ length: 8 }, (_, a) =>
  [undefined, 0, 1, 2, 3, 4, 5, 6, 7].map((b) => [a, b] as const),
).flat();

const match: fc.Arbitrary<Match | undefined> = fc.oneof(
  fc.constant(undefined),
  fc
    .tuple(fc.nat(7), fc.nat(7))
    .map(([a, b]): Match => ({ kind: 'range', low: BigInt(Math.min(a, b)), high: BigInt(Math.max(a, b)) })),
  fc
    .tuple(fc.nat(7), fc.nat(7))
    .map(([value, mask]): Match => ({ kind: 'mask', value: BigInt(value & mask), mask: BigInt(mask) })),
  fc.tuple(fc.nat(7), fc.nat(3)).map(([value, length]): Match => ({ kind: 'prefix', value: BigInt(value), length })),
  fc.constant<Match>({ kind: 'other', of: { kind: 'prefix', value: 0n, length: 0 } }),
  fc.nat(7).map((value): Match => ({ kind: 'other', of: { kind: 'set', ranges: [[BigInt(value), BigInt(value)]] } })),
);

function holds(of: Match, value: number): boolean {
  switch (of.kind) {
    case 'range':
      return value >= of.low && value <= of.high;
    case 'mask':
      return (BigInt(value) & of.mask) === of.value;
    case 'prefix':
      return value >> (3 - of.length) === Number(of.value) >> (3 - of.length);
    case 'set':
      return of.ranges.some(([low, high]) => value >= low && value <= high);
    case 'other':
      return !holds(of.of, value);
  }
}

const matches = ({ match: [a, b] }: Rule, [x, y]: (typeof packets)[number]) =>
  (a === undefined || holds(a, x)) && (b === undefined || (y !== undefined && holds(b, y)));

const MISS = 2;
const treat = (rules: readonly Rule[]) =>
  packets.map((packet) => rules.find((rule) => matches(rule, packet))?.behaviour ?? MISS);

describe('superfluous rules', () => {
  it('of a table can go all together, and none of the others can', () => {
    const seen = { impossible: 0, shadowed: 0, redundant: 0 };
    const rule = fc.record({ match: fc.tuple(match, match), behaviour: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 10 }), fc.nat(30), (list, stays) => {
        const rules = list.map((each, i): Rule => ({ ...each, source: { file: 'f', line: i } }));
        const table: Table = {
          name: 't',
          keys: ['fail', 'unmatched'].map(
            (absent) => ({ of: { kind: 'const', value: 0n, width: 3 }, width: 3, absent }) as never,
          ),
          entries: { kind: 'rules', rules },
          behaviours: [forward('a:1'), forward('a:2'), drop('x')],
          miss: drop('x'),
        };
        const { faults } = examineTable(table, new Diagrams(100_000), ({ line }) => line === stays);
        const out = new Map(faults.map((fault) => [fault.rule.line, fault]));
        const kept = rules.filter((_, i) => !out.has(i));
        expect(out.has(stays)).toBe(false);
        expect(treat(kept)).toEqual(treat(rules));
        for (const each of kept) {
          if (each.source!.line !== stays)
            expect(treat(kept.filter((other) => other !== each))).not.toEqual(treat(kept));
        }
        for (const [i, { kind, by }] of out) {
          seen[kind] += 1;
          const own = packets.filter((packet) => matches(rules[i]!, packet));
          const met = own.filter((packet) => rules.findIndex((other) => matches(other, packet)) === i);
          expect(kind).toBe(own.length === 0 ? 'impossible' : met.length === 0 ? 'shadowed' : 'redundant');
          const others = by.map(({ line }) => rules[line]!);
          if (kind === 'shadowed')
            for (const packet of own) expect(others.some((other) => matches(other, packet))).toBe(true);
          for (const { line } of by) expect(line < i).toBe(kind === 'shadowed');
        }
      }),
      { numRuns: 200 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
  });

  it('of a routing table are those of the same rules from the longest prefix to the shortest', () => {
    const WIDTH = 4;
    const entry = fc.tuple(fc.nat(15), fc.nat(WIDTH), fc.nat(2));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (list) => {
        const addresses = Uint32Array.from(list, ([value, length]) => (value >> (WIDTH - length)) << (WIDTH - length));
        const lengths = Uint8Array.from(list, ([, length]) => length);
        const behaviour = Uint32Array.from(list, ([, , each]) => each);
        const faults = superfluousPrefixes({ kind: 'prefixes', addresses, lengths, behaviour }, WIDTH, MISS);
        const diagrams = new Diagrams(100_000);
        const order = [...list.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b);
        const bits = [0, 1, 2, 3];
        const rules = order.map((i) => {
          const mask = ((1n << BigInt(lengths[i]!)) - 1n) << BigInt(WIDTH - lengths[i]!);
          const node = diagrams.masked(bits, BigInt(addresses[i]!), mask);
          return { upper: node, lower: node, behaviour: String(behaviour[i]), changes: false };
        });
        const same = superfluous({ diagrams, rules, packets: TRUE, miss: String(MISS), changed: (all) => all });
        const kinds = (of: Iterable<readonly [number, { readonly kind: string }]>) =>
          [...of].map(([i, { kind }]) => `${i} ${kind}`).sort();
        expect(kinds(faults)).toEqual(kinds([...same].map(([place, fault]) => [order[place]!, fault] as const)));
      }),
      { numRuns: 500 },
    );
  });
});

const named = (text: string, path = 'fw.rules') =>
  examineRules('net', [{ path, text }], 10_000).faults.map(({ kind, rule, by }) => [
    kind,
    rule.line,
    ...by.map(({ line }) => line),
  ]);

describe('rules of files', () => {
  it('of a chain, through rules that go on', () => {
    expect(
      named(`*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:web - [0:0]
-A FORWARD -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 1:1024 -j web
-A FORWARD -i eth0 -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j DROP
-A FORWARD -s 10.1.0.0/16 -j ACCEPT
-A FORWARD -s 10.0.0.0/8 -j ACCEPT
-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID,UNTRACKED -j DROP
-A FORWARD -s 192.0.2.0/24 -j ACCEPT
-A web -m limit --limit 1/sec -j ACCEPT
-A web -d 192.0.2.1/32 -j ACCEPT
-A web -j RETURN
COMMIT
`),
    ).toEqual([
      ['shadowed', 8, 6],
      ['redundant', 9, 10],
      ['redundant', 12],
      ['shadowed', 13, 11, 12],
      ['redundant', 16],
    ]);
  });

  it('are not shadowed by what may not match, nor by marks that were other ones', () => {
    expect(
      named(`*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m mark --mark 0x1 -j DROP
-A PREROUTING -m limit --limit 1/sec -j DROP
-A PREROUTING -p tcp -j MARK --set-xmark 0x1/0xffffffff
-A PREROUTING -m mark --mark 0x1 -j DROP
-A PREROUTING -m mark --mark 0x2 -j DROP
-A PREROUTING -m addrtype --dst-type LOCAL -j DROP
-A PREROUTING -d 192.0.2.1/32 -j DROP
-A PREROUTING -m mark --mark 0x2/0x3 -j DROP
-A PREROUTING -m mark --mark 0x2/0xffffffff -j DROP
COMMIT
`),
    ).toEqual([
      ['redundant', 7, 10],
      ['shadowed', 11, 10],
    ]);
  });

  it('of a routing table, and with their lines', () => {
    expect(
      named(
        '10.0.0.0/8 192.0.2.1 eth1\n10.1.0.0/16 192.0.2.1 eth1\n10.2.0.0/17 192.0.2.2 eth2\n10.2.128.0/17 192.0.2.3 eth3\n10.2.0.0/16 192.0.2.1 eth1\n',
        'r.rt',
      ),
    ).toEqual([
      ['redundant', 2, 1],
      ['shadowed', 5, 3, 4],
    ]);
  });
});

it('of a Click element are named, and stay where the element is there twice', () => {
  const allowed = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'net 10.0.0.0/8', '10.0.0.5'].map((each) => `allow src ${each}`);
  const filter = `IPFilter(${allowed.join(', ')}, deny all)`;
  const faults = (text: string) => {
    const report = examineRules('n', [{ path: 'c.click', text }], 10_000);
    return report.faults.map(({ kind, rule }) => `${kind} ${rule.text}`).sort();
  };
  expect(faults(`FromDevice(a) -> CheckIPHeader(14) -> ${filter} -> ToDevice(b);`)).toEqual([
    'redundant allow src 10.0.0.1',
    'redundant allow src 10.0.0.2',
    'redundant allow src 10.0.0.3',
    'shadowed allow src 10.0.0.5',
  ]);
  const twice = ['a', 'b'].map((port) => `FromDevice(${port}) -> CheckIPHeader(14) -> F -> ToDevice(${port}2);`);
  expect(faults(`elementclass F { input -> ${filter} -> output; }\n${twice.join('\n')}`)).toEqual([]);
});
