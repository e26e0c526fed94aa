import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readUpdates } from '../../incremental/updates.ts';
import type { AccessRule, MaskedAddress, Range } from '../../incremental/rules.ts';
import { assemble, assign, block, constant, field, interpret, layout } from '../../index.ts';

/** A packet, by hand: nothing of the engine. */
interface Packet {
  readonly proto: 'tcp' | 'udp' | 'icmp';
  readonly src: number;
  readonly dst: number;
  readonly sport: number;
  readonly dport: number;
  readonly flags: number;
}

const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
const numbers = { icmp: 1, tcp: 6, udp: 17 } as const;

function passes(config: string, packet: Packet): boolean {
  const { network, readings } = assemble('net', [{ path: 'r_config.txt', text: config }]);
  expect(readings[0]!.remarks.filter(({ fate }) => fate === 'not understood')).toEqual([]);
  return sent(network, packet);
}

function sent(network: ReturnType<typeof assemble>['network'], packet: Packet): boolean {
  const values: Readonly<Record<string, number>> = {
    'IPv4.src': packet.src,
    'IPv4.dst': packet.dst,
    'IPv4.ttl': 64,
    ...(packet.proto === 'icmp'
      ? { 'ICMP.type': packet.sport & 255, 'ICMP.code': packet.dport & 255 }
      : {
          [`${packet.proto.toUpperCase()}.sport`]: packet.sport,
          [`${packet.proto.toUpperCase()}.dport`]: packet.dport,
        }),
    ...(packet.proto === 'tcp' ? { 'TCP.flags': packet.flags } : {}),
  };
  const setup = block(
    layout(`ipv4/${packet.proto}`)!.setup,
    ...Object.entries(values).map(([name, value]) => assign(field(name), constant(value, field(name).width))),
  );
  const [end, ...more] = interpret(network, 'r:Gi0/1:in', setup);
  expect(more).toEqual([]);
  return end!.outcome === 'delivered';
}

const around = (list: string, applied: string) =>
  `interface Gi0/1\n ip address 10.0.0.1 255.0.0.0\n ip access-group ${applied} in\n!\ninterface Gi0/2\n ip address 192.0.2.1 255.255.255.0\n!\n${list}\nip route 0.0.0.0 0.0.0.0 192.0.2.9\n`;

/** One rule, as text and as what it means. */
interface Written {
  readonly text: string;
  readonly permits: boolean;
  readonly fits: (packet: Packet) => boolean;
}

const address = fc.oneof(
  fc.constant({ text: 'any', fits: () => true }),
  fc.nat(15).map((value) => ({ text: `host 10.0.0.${value}`, fits: (at: number) => at === 0x0a00_0000 + value })),
  fc.tuple(fc.nat(15), fc.nat(15)).map(([value, wildcard]) => ({
    text: `10.0.0.${value} 0.0.0.${wildcard}`,
    fits: (at: number) => (at & ~wildcard) === ((0x0a00_0000 + value) & ~wildcard),
  })),
);
const port = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ text: '', fits: () => true }) },
  fc.nat(4).map((value) => ({ text: ` eq ${80 + value}`, fits: (at: number) => at === 80 + value })),
  fc.nat(4).map((value) => ({ text: ` neq ${80 + value}`, fits: (at: number) => at !== 80 + value })),
  fc.nat(4).map((value) => ({ text: ` lt ${80 + value}`, fits: (at: number) => at < 80 + value })),
  fc.nat(4).map((value) => ({ text: ` gt ${80 + value}`, fits: (at: number) => at > 80 + value })),
  fc.tuple(fc.nat(4), fc.nat(4)).map(([a, b]) => ({
    text: ` range ${80 + a} ${80 + a + b}`,
    fits: (at: number) => at >= 80 + a && at <= 80 + a + b,
  })),
  fc.constant({ text: ' eq www 81 83', fits: (at: number) => [80, 81, 83].includes(at) }),
);
const rule: fc.Arbitrary<Written> = fc
  .record({
    permits: fc.boolean(),
    proto: fc.constantFrom('ip', 'tcp', 'udp', 'icmp'),
    from: address,
    to: address,
    sport: port,
    dport: port,
    ending: fc.constantFrom('', '', ' log', ' established', ' log-input', ' echo', ' 3 1'),
  })
  .map(({ permits, proto, from, to, sport, dport, ending }) => {
    const hasPorts = proto === 'tcp' || proto === 'udp';
    const isPart =
      (ending === ' established' && proto === 'tcp') || ([' echo', ' 3 1'].includes(ending) && proto === 'icmp');
    const end = isPart || ending.startsWith(' log') ? ending : '';
    return {
      permits,
      text: `${permits ? 'permit' : 'deny'} ${proto} ${from.text}${hasPorts ? sport.text : ''} ${to.text}${hasPorts ? dport.text : ''}${end}`,
      fits: (packet) =>
        (proto === 'ip' || proto === packet.proto) &&
        from.fits(packet.src) &&
        to.fits(packet.dst) &&
        (!hasPorts || (sport.fits(packet.sport) && dport.fits(packet.dport))) &&
        (end !== ' established' || (packet.flags & 0b1_0100) !== 0) &&
        (end !== ' echo' || packet.sport === 8) &&
        (end !== ' 3 1' || (packet.sport === 3 && packet.dport === 1)),
    };
  });
const packet: fc.Arbitrary<Packet> = fc.record({
  proto: fc.constantFrom('tcp', 'udp', 'icmp'),
  src: fc.nat(15).map((low) => 0x0a00_0000 + low),
  dst: fc.nat(15).map((low) => 0x0a00_0000 + low),
  sport: fc.oneof(fc.integer({ min: 79, max: 86 }), fc.constantFrom(3, 8)),
  dport: fc.oneof(fc.integer({ min: 79, max: 86 }), fc.constantFrom(0, 1)),
  flags: fc.nat(31),
});

describe('an access list of Cisco', () => {
  it('lets through what its first rule that fits permits', () => {
    const check = (rules: readonly Written[], list: string, name: string, packets: readonly Packet[]) => {
      const { network } = assemble('net', [{ path: 'r_config.txt', text: around(list, name) }]);
      for (const each of packets) {
        const first = rules.find(({ fits }) => fits(each));
        expect([sent(network, each), list, each]).toEqual([first?.permits === true, list, each]);
      }
    };
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 8 }),
        fc.array(packet, { minLength: 5, maxLength: 20 }),
        fc.boolean(),
        (rules, packets, isNamed) => {
          if (isNamed) {
            // Out of order: sequence numbers say which is first.
            const numbered = rules.map(({ text }, i) => ` ${10 * (i + 1)} ${text}`);
            const list = ['ip access-list extended EDGE', ' remark first', ...numbered.toReversed()].join('\n');
            check(rules, list, 'EDGE', packets);
          } else check(rules, rules.map(({ text }) => `access-list 101 ${text}`).join('\n'), '101', packets);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has groups of objects, in each other', () => {
    const groups = [
      'object-group network INNER',
      ' host 10.0.0.7',
      ' 10.0.1.0 255.255.255.0',
      'object-group network SERVERS',
      ' range 10.0.0.8 10.0.0.10',
      ' group-object INNER',
      'object-group service WEB',
      ' tcp eq www',
      ' udp range 5000 5001',
      'ip access-list extended G',
      ' permit object-group WEB any object-group SERVERS',
    ].join('\n');
    const asked = (proto: 'tcp' | 'udp', dst: number, dport: number) =>
      passes(around(groups, 'G'), { proto, src: 0x0a00_0005, dst, sport: 1, dport, flags: 0 });
    expect([
      asked('tcp', 0x0a00_0007, 80),
      asked('udp', 0x0a00_0109, 5_001),
      asked('tcp', 0x0a00_000a, 80),
      asked('tcp', 0x0a00_000b, 80),
      asked('tcp', 0x0a00_0007, 5_000),
    ]).toEqual([true, true, true, false, false]);
    const circle = around(
      'object-group network A\n group-object B\nobject-group network B\n group-object A\naccess-list 101 permit ip object-group A any',
      '101',
    );
    expect(() => assemble('net', [{ path: 'r.txt', text: circle }])).toThrow(/r\.txt:11: the group A contains itself/);
  });

  it('says of a rule that it does not know that it may fit or not', () => {
    const config = around(
      'access-list 101 deny tcp any any time-range nights\naccess-list 101 permit ip any any',
      '101',
    );
    const { network } = assemble('net', [{ path: 'r.txt', text: config }]);
    const ends = interpret(network, 'r:Gi0/1:in', layout('ipv4/tcp')!.setup, { fresh: () => 100n });
    expect(ends.map(({ doubts }) => doubts.length)).toEqual(ends.map(() => 1));
    expect(ends[0]!.doubts[0]).toContain("the test 'time-range nights'");
  });
});

const data = fileURLToPath(new URL('../../../../../shared/data/verification/', import.meta.url));
const configs = `${data}diekmann+net-network/hassell-public_Stanford/Stanford_backbone/`;
const rules = `${data}XJTU-NetVerify+apkeep/networks/stanford/updates`;
const absent = existsSync(configs) && existsSync(rules) ? '' : ' (skipped: the data is not there)';

describe.skipIf(absent !== '')(`the access lists of the Stanford backbone${absent}`, () => {
  const inRange = (value: number, range: Range | undefined) =>
    range === undefined || (value >= range.low && value <= range.high);
  const inMask = (value: number, of: MaskedAddress | undefined) =>
    of === undefined || ((value ^ of.value) & ~of.wildcard) === 0;

  it('decide as the rules that APKeep made of them', () => {
    const lists = Map.groupBy(
      readUpdates({ path: 'updates', text: readFileSync(rules, 'utf8') })
        .filter(({ insert, rule: each }) => insert && each.kind === 'access')
        .map(({ rule: each }) => each as AccessRule),
      ({ list }) => list,
    );
    let compared = 0;
    for (const [list, unsorted] of lists) {
      const [, router, name] = /^(\w+?_rtr)_(\w+)$/.exec(list)!;
      const text = readFileSync(`${configs}${router}_config.txt`, 'utf8');
      const ordered = unsorted.toSorted((a, b) => b.priority - a.priority);
      const own = text.split('\n').filter((line) => line.startsWith(`access-list ${name} `));
      if (own.length === 0) continue;
      const { network } = assemble('net', [{ path: 'r.txt', text: around(own.join('\n'), name!) }]);
      for (const [i, { protocol, source, destination, sourcePort, destinationPort }] of ordered.entries()) {
        const proto = protocol === undefined || protocol.low === 6 ? 'tcp' : protocol.low === 17 ? 'udp' : undefined;
        if (proto === undefined) continue;
        const one: Packet = {
          proto,
          src: ((source?.value ?? 0x0b00_0000 + i) | (i & (source?.wildcard ?? 0))) >>> 0,
          dst: ((destination?.value ?? 0x0c00_0000 + i) | (i & (destination?.wildcard ?? 0))) >>> 0,
          sport: sourcePort?.low ?? 1_024 + i,
          dport: destinationPort?.high ?? 2_000 + i,
          // Their rules do not say `established`.
          flags: 16,
        };
        const first = ordered.find(
          (each) =>
            inRange(numbers[proto], each.protocol) &&
            inMask(one.src, each.source) &&
            inMask(one.dst, each.destination) &&
            inRange(one.sport, each.sourcePort) &&
            inRange(one.dport, each.destinationPort),
        );
        compared += 1;
        expect([list, sent(network, one), dotted(one.src), dotted(one.dst), one]).toEqual([
          list,
          first?.action === 'permit',
          dotted(one.src),
          dotted(one.dst),
          one,
        ]);
      }
    }
    expect(compared).toBeGreaterThan(400);
  });
});
