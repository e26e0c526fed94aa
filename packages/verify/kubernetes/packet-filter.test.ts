import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Diagrams } from '../diagram/diagrams.ts';
import { ipv4 } from '../readers/netfilter/addresses.ts';
import { readNftText } from '../readers/netfilter/nft-text.ts';
import { Connections, NUMBERS } from './connections.ts';
import { PacketFilter } from './packet-filter.ts';

/** Rules as values, so that they can be written as nft(8) has them and carried out without reading that text. */
interface TestRule {
  readonly saddr?: readonly string[];
  readonly port?: readonly [protocol: 'tcp' | 'udp', low: number, high: number];
  readonly established?: true;
  /** Of an interface: nobody knows. */
  readonly eth?: true;
  readonly verdict: 'accept' | 'drop' | 'return' | 'jump one' | 'goto one' | 'jump two' | 'counter';
}
interface TestTable {
  readonly policy: 'accept' | 'drop';
  readonly base: readonly TestRule[];
  readonly one: readonly TestRule[];
  readonly two: readonly TestRule[];
  /** By destination. */
  readonly map: ReadonlyMap<string, 'accept' | 'drop' | 'goto one' | 'jump two'>;
}

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.7', '192.0.2.1'];
const verdict = fc.constantFrom('accept', 'drop', 'return', 'jump two', 'counter') as fc.Arbitrary<TestRule['verdict']>;
const rule = (verdicts: fc.Arbitrary<TestRule['verdict']>): fc.Arbitrary<TestRule> =>
  fc.record(
    {
      saddr: fc.subarray([...ADDRESSES], { minLength: 1 }),
      port: fc.constantFrom(['tcp', 80, 80] as const, ['tcp', 80, 90] as const, ['udp', 1, 65_535] as const),
      established: fc.constant(true as const),
      eth: fc.constant(true as const),
      verdict: verdicts,
    },
    { requiredKeys: ['verdict'] },
  );
const chain = (verdicts: fc.Arbitrary<TestRule['verdict']>) => fc.array(rule(verdicts), { maxLength: 4 });
const table: fc.Arbitrary<TestTable> = fc.record({
  policy: fc.constantFrom('accept', 'drop'),
  base: chain(fc.oneof(verdict, fc.constantFrom('jump one', 'goto one'))),
  one: chain(verdict),
  two: chain(fc.constantFrom('accept', 'drop', 'return', 'counter')),
  map: fc
    .uniqueArray(
      fc.tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom('accept', 'drop', 'goto one', 'jump two' as const)),
      { selector: ([address]) => address, maxLength: 4 },
    )
    .map((entries) => new Map(entries)),
});

function written({ policy, base, one, two, map }: TestTable): string {
  const line = ({ saddr, port, established, eth, verdict: end }: TestRule) =>
    [
      established && 'ct state established,related',
      eth && 'iifname "eth0"',
      saddr && `ip saddr { ${saddr.join(', ')} }`,
      port && `meta l4proto ${port[0]} th dport ${port[1]}-${port[2]}`.replace(/ (\d+)-\1$/, ' $1'),
      end,
    ]
      .filter((word) => typeof word === 'string')
      .join(' ');
  const lines = (rules: readonly TestRule[]) => rules.map((each) => `    ${line(each)}\n`).join('');
  const elements = [...map].map(([address, end]) => `${address} : ${end}`).join(', ');
  return `table ip t {
  map ends {
    type ipv4_addr : verdict
    ${elements === '' ? '' : `elements = { ${elements} }`}
  }
  chain base {
    type filter hook forward priority filter; policy ${policy};
${lines(base)}    ip daddr vmap @ends
  }
  chain one {
${lines(one)}  }
  chain two {
${lines(two)}  }
}
`;
}

interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly established: boolean;
  readonly eth: boolean;
}

/** As nft(8) says: a jump comes back to the rule behind it, a goto to where its own chain would have gone. */
function passes(all: TestTable, packet: Packet): boolean {
  const matches = ({ saddr, port, established, eth }: TestRule) =>
    (saddr === undefined || saddr.includes(packet.source)) &&
    (port === undefined || (port[0] === packet.protocol && packet.port >= port[1] && packet.port <= port[2])) &&
    (established === undefined || packet.established) &&
    (eth === undefined || packet.eth);
  const run = (rules: readonly TestRule[]): boolean | undefined => {
    for (const each of rules) {
      if (!matches(each)) continue;
      if (each.verdict === 'return') return undefined;
      const end = carry(each.verdict);
      if (end !== undefined || each.verdict.startsWith('goto')) return end;
    }
    return undefined;
  };
  const carry = (what: string): boolean | undefined => {
    if (what === 'accept' || what === 'drop') return what === 'accept';
    if (what.endsWith('one')) return run(all.one);
    return what.endsWith('two') ? run(all.two) : undefined;
  };
  const base = (): boolean | undefined => {
    for (const each of all.base) {
      if (!matches(each)) continue;
      if (each.verdict === 'return') return undefined;
      const end = carry(each.verdict);
      if (end !== undefined || each.verdict.startsWith('goto')) return end;
    }
    return carry(all.map.get(packet.destination) ?? '');
  };
  return base() ?? all.policy === 'accept';
}

describe('a packet filter for all packets', () => {
  test('does with each what the rules say, and with unknown interfaces whatever they may say', () => {
    let open = 0;
    fc.assert(
      fc.property(table, fc.boolean(), (all, established) => {
        const { value, reading } = readNftText({ path: 'n1.nft', text: written(all) });
        expect(reading.lines['not understood']).toBe(0);
        const space = new Connections(new Diagrams(1_000_000));
        const filter = new PacketFilter([value], 'forward', established ? 'established' : 'new', space);
        const { passes: may, stopped } = filter.treatment();
        for (const source of ADDRESSES)
          for (const destination of ADDRESSES)
            for (const [protocol, port] of [
              ['tcp', 80],
              ['tcp', 90],
              ['tcp', 91],
              ['udp', 80],
            ] as const) {
              const outcomes = [true, false].map((eth) =>
                passes(all, { source, destination, protocol, port, established, eth }),
              );
              const one = {
                source: ipv4(source)!,
                destination: ipv4(destination)!,
                protocol: NUMBERS[protocol === 'tcp' ? 'TCP' : 'UDP'],
                port: BigInt(port),
                sourcePort: 50_000n,
              };
              const said = [space.has(may, one), space.has(stopped, one)];
              for (const outcome of outcomes)
                if (!said[outcome ? 0 : 1]) throw new Error(JSON.stringify({ source, destination, protocol, port }));
              const isOpen = said[0] && said[1];
              if (isOpen) open += 1;
              // Where no rule asks for an interface, it is known.
              if (isOpen && ![...all.base, ...all.one, ...all.two].some(({ eth }) => eth)) throw new Error('in doubt');
            }
      }),
      { numRuns: 150 },
    );
    expect(open).toBeGreaterThan(0);
  });

  test('chains that lead to themselves, and what changes packets, are in doubt', () => {
    const text = `table ip t {
  chain base {
    type filter hook forward priority 0; policy accept;
    ip saddr 10.0.0.1 jump ring
    ip saddr 10.0.0.2 ip daddr set 10.0.0.9
  }
  chain ring { jump ring; }
}`;
    const space = new Connections(new Diagrams(10_000));
    const filter = new PacketFilter([readNftText({ path: 'n1.nft', text }).value], 'forward', 'new', space);
    const { passes: may, stopped, doubts } = filter.treatment();
    const from = (last: bigint) => ({
      source: 0x0a00_0000n + last,
      destination: 1n,
      protocol: 6n,
      port: 1n,
      sourcePort: 1n,
    });
    expect([1n, 2n, 3n].map((last) => [space.has(may, from(last)), space.has(stopped, from(last))])).toEqual([
      [true, true],
      [true, true],
      [true, false],
    ]);
    expect(doubts.join('; ')).toMatch(/leads to itself.*changes ip.daddr/);
  });
});
