import type { Match } from '../../ir/table.ts';
import { address, exactly, mac, negate, network, setOf, type Range } from './addresses.ts';
import { decimal, dscpClass, icmpType, number, portNumber, protocolNumber, tcpFlag } from './names.ts';
import type { Words } from './iptables-words.ts';
import { ctState, ctStatus, type AddressType, type Key, type Test } from './ruleset.ts';

/** What an option of a match means, or why it could not be read. */
export type Meaning = readonly Test[] | { readonly problem: string };

/** Of a match: `args` stands behind the option. */
export type MatchOption = (args: Words, negated: boolean, family: 'ip' | 'ip6') => Meaning;

const TCP_FLAGS_WIDTH_MASK = 0x1ffn;
const MARK_MAX = 0xffff_ffffn;

export function test(key: Key, match: Match, negated = false): Test {
  return { is: 'match', key, match: negate(match, negated) };
}

function bad(what: string): { problem: string } {
  return { problem: what };
}

/** `a`, `a:b`, `:b`, `a:`. */
function range(text: string, max: bigint, value: (text: string) => bigint | undefined): Range | undefined {
  const [low, high, ...rest] = text.split(':');
  if (rest.length > 0) return undefined;
  const from = low === '' ? 0n : value(low!);
  const to = high === undefined ? from : high === '' ? max : value(high);
  return from === undefined || to === undefined || from > to ? undefined : [from, to];
}

function ports(text: string): Match | undefined {
  const ranges = text.split(',').map((part) => range(part, 65_535n, portNumber));
  return ranges.length > 64 || ranges.includes(undefined) ? undefined : setOf(ranges as Range[]);
}

function port(key: 'sport' | 'dport'): MatchOption {
  return (args, negated) => {
    const inverted = args.bang() !== negated;
    const text = args.next();
    const match = ports(text);
    return match === undefined ? bad(`port ${text}`) : [test(key, match, inverted)];
  };
}

const eitherPort: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  const text = args.next();
  const match = ports(text);
  if (match === undefined) return bad(`ports ${text}`);
  return [{ is: 'either', of: [[test('sport', match)], [test('dport', match)]], negated: inverted }];
};

function numeric(key: (family: 'ip' | 'ip6') => Key, max: bigint, bounds: (value: bigint) => Range): MatchOption {
  return (args, negated, family) => {
    const inverted = args.bang() !== negated;
    const text = args.next();
    const value = number(text, max);
    if (value === undefined) return bad(text);
    const [low, high] = bounds(value);
    return [low > high ? { is: 'never' } : test(key(family), { kind: 'range', low, high }, inverted)];
  };
}

const ttlKey = (family: 'ip' | 'ip6'): Key => (family === 'ip' ? 'ip.ttl' : 'ip6.hoplimit');
const timeToLive = {
  eq: numeric(ttlKey, 255n, (value) => [value, value]),
  lt: numeric(ttlKey, 255n, (value) => [0n, value - 1n]),
  gt: numeric(ttlKey, 255n, (value) => [value + 1n, 255n]),
};

const tcpFlags: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  const mask = flagBits(args.next());
  const value = flagBits(args.next());
  if (mask === undefined || value === undefined) return bad('TCP flags');
  if ((value & ~mask) !== 0n) return inverted ? [] : [{ is: 'never' }];
  return [test('tcp.flags', { kind: 'mask', value, mask: mask & TCP_FLAGS_WIDTH_MASK }, inverted)];
};

function flagBits(text: string): bigint | undefined {
  let bits = 0n;
  for (const name of text.split(',')) {
    const bit = tcpFlag(name);
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits;
}

/** SYN set; ACK, RST and FIN not: a connection begins. */
const syn: MatchOption = (_args, negated) => [test('tcp.flags', { kind: 'mask', value: 2n, mask: 0x17n }, negated)];

const states: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  const names = args.next().toLowerCase().split(',');
  let bits = 0n;
  let nat = 0n;
  for (const name of names) {
    if (Object.hasOwn(ctState, name)) bits |= ctState[name as keyof typeof ctState];
    else if (name === 'snat' || name === 'dnat') nat |= ctStatus[name];
    else return bad(`state ${name}`);
  }
  const state = test('ct.state', oneOf(bits));
  const status: Test = test('ct.status', { kind: 'other', of: { kind: 'mask', value: 0n, mask: nat } });
  if (nat === 0n) return [test('ct.state', oneOf(bits), inverted)];
  if (bits === 0n) return [test('ct.status', { kind: 'mask', value: 0n, mask: nat }, !inverted)];
  return [{ is: 'either', of: [[state], [status]], negated: inverted }];
};

/** The state of a packet is one bit. */
export function oneOf(bits: bigint): Match {
  const values = Object.values(ctState).filter((bit) => (bits & bit) !== 0n);
  return setOf(values.map((bit) => [bit, bit]));
}

const statuses: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  let bits = 0n;
  let none = false;
  for (const name of args.next().toLowerCase().split(',')) {
    const known = { expected: 1n, seen_reply: 2n, assured: 4n, confirmed: 8n }[name];
    if (name === 'none') none = true;
    else if (known === undefined) return bad(`ctstatus ${name}`);
    else bits |= known;
  }
  const nothing: Match = { kind: 'mask', value: 0n, mask: 0xfn };
  if (none) return bits === 0n ? [test('ct.status', nothing, inverted)] : bad('ctstatus NONE with others');
  return [test('ct.status', { kind: 'mask', value: 0n, mask: bits }, !inverted)];
};

function connectionAddress(key: Key): MatchOption {
  return (args, negated, family) => {
    const inverted = args.bang() !== negated;
    const text = args.next();
    const match = network(text, family);
    return match === undefined ? bad(text) : [test(key, match, inverted)];
  };
}

function connectionPort(key: Key): MatchOption {
  return (args, negated) => {
    const inverted = args.bang() !== negated;
    const text = args.next();
    const match = ports(text);
    return match === undefined ? bad(text) : [test(key, match, inverted)];
  };
}

function marked(key: 'mark' | 'ct.mark'): MatchOption {
  return (args, negated) => {
    const inverted = args.bang() !== negated;
    const text = args.next();
    const [value, mask] = valueAndMask(text, MARK_MAX);
    if (value === undefined || mask === undefined) return bad(`mark ${text}`);
    if ((value & ~mask) !== 0n) return inverted ? [] : [{ is: 'never' }];
    return [test(key, { kind: 'mask', value, mask }, inverted)];
  };
}

export function valueAndMask(text: string, max: bigint): [value: bigint | undefined, mask: bigint | undefined] {
  const slash = text.indexOf('/');
  if (slash < 0) return [number(text, max), max];
  return [number(text.slice(0, slash), max), number(text.slice(slash + 1), max)];
}

function addressRange(side: 'saddr' | 'daddr'): MatchOption {
  return (args, negated, family) => {
    const inverted = args.bang() !== negated;
    const text = args.next();
    const [low, high] = text.split('-');
    const from = address(low ?? '', family);
    const to = high === undefined ? from : address(high, family);
    if (from === undefined || to === undefined) return bad(`range ${text}`);
    return [test(`${family}.${side}`, { kind: 'range', low: from, high: to }, inverted)];
  };
}

const macSource: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  const text = args.next();
  /** Published dumps have their addresses blotted out: the test is known, its value is not. */
  if (/^XX(?::XX){5}$/.test(text)) return [{ is: 'unknown', what: 'a MAC address that is masked in the file' }];
  const value = mac(text);
  return value === undefined ? bad(`MAC ${text}`) : [test('ether.saddr', exactly(value), inverted)];
};

function addressType(side: 'source' | 'destination'): MatchOption {
  return (args, negated) => {
    const inverted = args.bang() !== negated;
    const types = args.next().toLowerCase().split(',');
    const known = [
      'unspec',
      'unicast',
      'local',
      'broadcast',
      'anycast',
      'multicast',
      'blackhole',
      'unreachable',
      'prohibit',
    ];
    return types.every((type) => known.includes(type))
      ? [{ is: 'address type', side, types: types as AddressType[], negated: inverted }]
      : bad(`address type ${types.join(',')}`);
  };
}

function icmp(family: 'ip' | 'ip6'): MatchOption {
  return (args, negated) => {
    const inverted = args.bang() !== negated;
    const text = args.next();
    if (text === 'any') return inverted ? [{ is: 'never' }] : [];
    const found = icmpType(text, family);
    if (found === undefined) return bad(`ICMP type ${text}`);
    const prefix = family === 'ip' ? 'icmp' : 'icmpv6';
    const type = test(`${prefix}.type`, exactly(found[0]));
    if (found[1] === undefined) return [test(`${prefix}.type`, exactly(found[0]), inverted)];
    const both = [type, test(`${prefix}.code`, exactly(found[1]))];
    return inverted ? [{ is: 'either', of: [both], negated: true }] : both;
  };
}

const length: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  const text = args.next();
  const found = range(text, 65_535n, (part) => decimal(part, 65_535));
  return found === undefined
    ? bad(`length ${text}`)
    : [test('length', { kind: 'range', low: found[0], high: found[1] }, inverted)];
};

const tos: MatchOption = (args, negated, family) => {
  const inverted = args.bang() !== negated;
  const text = args.next();
  const [value, mask] = valueAndMask(text, 0xffn);
  if (value === undefined || mask === undefined) return bad(`TOS ${text}`);
  const tests = [
    test(`${family}.dscp`, { kind: 'mask', value: value >> 2n, mask: mask >> 2n }),
    test(`${family}.ecn`, { kind: 'mask', value: value & 3n, mask: mask & 3n }),
  ];
  return inverted ? [{ is: 'either', of: [tests], negated: true }] : tests;
};

const dscp: MatchOption = (args, negated, family) => {
  const inverted = args.bang() !== negated;
  const text = args.next();
  const value = dscpClass(text);
  return value === undefined ? bad(`DSCP ${text}`) : [test(`${family}.dscp`, exactly(value), inverted)];
};

const setMember: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  const set = args.next();
  const directions = args.next().split(',');
  return directions.every((way) => way === 'src' || way === 'dst') && directions.length <= 6
    ? [{ is: 'member', set, directions: directions as ('src' | 'dst')[], negated: inverted }]
    : bad(`set ${set}`);
};

function physical(key: 'physin' | 'physout'): MatchOption {
  return (args, negated) => {
    const inverted = args.bang() !== negated;
    return [interfaceTest(key, args.next(), inverted)];
  };
}

export function interfaceTest(key: 'iif' | 'oif' | 'physin' | 'physout', name: string, negated: boolean): Test {
  return { is: 'interface', key, names: [name.endsWith('+') ? `${name.slice(0, -1)}*` : name], negated };
}

const isPhysical =
  (key: 'physin' | 'physout'): MatchOption =>
  (_args, negated) => [{ is: 'interface', key, names: ['*'], negated }];

const spi: MatchOption = (args, negated) => {
  const inverted = args.bang() !== negated;
  const text = args.next();
  const found = range(text, MARK_MAX, (part) => number(part, MARK_MAX));
  return found === undefined
    ? bad(`SPI ${text}`)
    : [test('esp.spi', { kind: 'range', low: found[0], high: found[1] }, inverted)];
};

const portOptions = {
  '--sport': port('sport'),
  '--sports': port('sport'),
  '--source-port': port('sport'),
  '--source-ports': port('sport'),
  '--dport': port('dport'),
  '--dports': port('dport'),
  '--destination-port': port('dport'),
  '--destination-ports': port('dport'),
};

const stateOptions = { '--state': states, '--ctstate': states };

/** Options of the matches that are understood, by the name after `-m`. */
export const matchOptions: Readonly<Record<string, Readonly<Record<string, MatchOption>>>> = {
  tcp: { ...portOptions, '--tcp-flags': tcpFlags, '--syn': syn },
  udp: portOptions,
  udplite: portOptions,
  sctp: portOptions,
  dccp: portOptions,
  multiport: { ...portOptions, '--ports': eitherPort, '--port': eitherPort },
  state: stateOptions,
  conntrack: {
    ...stateOptions,
    '--ctstatus': statuses,
    '--ctproto': (args, negated) => {
      const inverted = args.bang() !== negated;
      const text = args.next();
      const value = protocolNumber(text);
      return value === undefined ? bad(`protocol ${text}`) : [test('ct.l4proto', exactly(value), inverted)];
    },
    '--ctorigsrc': connectionAddress('ct.original.saddr'),
    '--ctorigdst': connectionAddress('ct.original.daddr'),
    '--ctreplsrc': connectionAddress('ct.reply.saddr'),
    '--ctrepldst': connectionAddress('ct.reply.daddr'),
    '--ctorigsrcport': connectionPort('ct.original.sport'),
    '--ctorigdstport': connectionPort('ct.original.dport'),
    '--ctreplsrcport': connectionPort('ct.reply.sport'),
    '--ctrepldstport': connectionPort('ct.reply.dport'),
    '--ctdir': (args, negated) => {
      const way = args.next();
      if (way !== 'ORIGINAL' && way !== 'REPLY') return bad(`direction ${way}`);
      return [test('ct.direction', exactly(way === 'ORIGINAL' ? 0n : 1n), negated)];
    },
  },
  mark: { '--mark': marked('mark') },
  connmark: { '--mark': marked('ct.mark') },
  iprange: { '--src-range': addressRange('saddr'), '--dst-range': addressRange('daddr') },
  mac: { '--mac-source': macSource },
  set: { '--match-set': setMember, '--set': setMember },
  addrtype: { '--src-type': addressType('source'), '--dst-type': addressType('destination') },
  comment: { '--comment': (args) => (args.next(), []) },
  icmp: { '--icmp-type': icmp('ip') },
  icmp6: { '--icmpv6-type': icmp('ip6') },
  icmpv6: { '--icmpv6-type': icmp('ip6') },
  length: { '--length': length },
  ttl: { '--ttl-eq': timeToLive.eq, '--ttl': timeToLive.eq, '--ttl-lt': timeToLive.lt, '--ttl-gt': timeToLive.gt },
  hl: { '--hl-eq': timeToLive.eq, '--hl': timeToLive.eq, '--hl-lt': timeToLive.lt, '--hl-gt': timeToLive.gt },
  tos: { '--tos': tos },
  dscp: { '--dscp': dscp, '--dscp-class': dscp },
  ecn: {
    '--ecn-ip-ect': numeric(
      (family) => `${family}.ecn`,
      3n,
      (value) => [value, value],
    ),
    '--ecn-tcp-ece': (_args, negated) => [test('tcp.flags', { kind: 'mask', value: 64n, mask: 64n }, negated)],
    '--ecn-tcp-cwr': (_args, negated) => [test('tcp.flags', { kind: 'mask', value: 128n, mask: 128n }, negated)],
  },
  esp: { '--espspi': spi },
  physdev: {
    '--physdev-in': physical('physin'),
    '--physdev-out': physical('physout'),
    '--physdev-is-in': isPhysical('physin'),
    '--physdev-is-out': isPhysical('physout'),
    '--physdev-is-bridged': isPhysical('physout'),
  },
  nfacct: { '--nfacct-name': (args) => (args.next(), []) },
};

/** Matches on what the packet does not show: rates, clocks, history, sockets, content. What they say is a matter of doubt. */
export const circumstances: ReadonlySet<string> = new Set([
  'bpf',
  'cgroup',
  'cluster',
  'connbytes',
  'connlabel',
  'connlimit',
  'cpu',
  'devgroup',
  'hashlimit',
  'helper',
  'ipvs',
  'limit',
  'osf',
  'owner',
  'pkttype',
  'policy',
  'quota',
  'rateest',
  'realm',
  'recent',
  'socket',
  'statistic',
  'string',
  'tcpmss',
  'time',
  'u32',
  'ah',
  'ipcomp',
  'frag',
  'hbh',
  'dst',
  'rt',
  'srh',
  'mh',
  'ipv6header',
  'eui64',
  'l2tp',
]);
