import {
  compare,
  constant,
  fresh,
  meta,
  read,
  all,
  negation,
  within,
  type Condition,
  type Expr,
  type Location,
  type Meta,
  type Ranges,
} from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Match, Rule } from '../../ir/table.ts';
import { setOf } from '../../readers/netfilter/addresses.ts';
import { ctState, ctStatus } from '../../readers/netfilter/ruleset.ts';
import { ifThere } from './actions.ts';
import type { IpFamily } from './box.ts';
import { connectionMeta, flowState, keyExpr, place, tableKey } from './keys.ts';

/**
 * Connection tracking. Every packet carries the entry of its own connection in metadata of the box, written when the first
 * packet leaves the box, and found again when the packet, or an answer made of it, comes back. A packet that another box
 * translates comes by again as another connection: a few entries are kept, the latest first. Connections do not disturb
 * each other: ports are never changed because another connection holds them.
 */
export interface Tracking {
  readonly name: string;
  readonly family: IpFamily;
  readonly flows: 'first' | 'any';
  /** Rules translate addresses. */
  readonly translates: boolean;
  /** To which, as source and as destination. */
  readonly translations: { readonly source: Ranges; readonly destination: Ranges };
  /** Keys that rules look at, beyond the state. */
  readonly looksAt: ReadonlySet<string>;
}

const sport = field('TCP.sport');
const dport = field('TCP.dport');

const is = (at: Location, value: bigint, width: number): Condition => compare(read(at), '==', constant(value, width));

class Names {
  readonly state;
  readonly status;
  readonly direction;
  readonly mark;
  readonly entry;
  readonly answered;
  readonly saddr;
  readonly daddr;
  readonly #box: string;
  readonly #family: IpFamily;
  readonly width: number;

  constructor({ name, family }: Tracking) {
    this.#box = name;
    this.#family = family;
    this.width = family === 'ip' ? 32 : 128;
    this.state = meta('ct.state', name);
    this.status = connectionMeta('ct.status', family, name);
    this.direction = meta('ct.direction', name);
    this.mark = connectionMeta('ct.mark', family, name);
    this.entry = meta(`ct.entry.${family}`, name);
    this.answered = connectionMeta('ct.answered', family, name);
    this.saddr = place(`${family}.saddr`, family, name)!.at;
    this.daddr = place(`${family}.daddr`, family, name)!.at;
  }

  of(tuple: 'original' | 'reply', part: 'saddr' | 'daddr' | 'sport' | 'dport' | 'type') {
    return connectionMeta(`ct.${tuple}.${part}`, this.#family, this.#box);
  }

  protocol() {
    return connectionMeta('ct.l4proto', this.#family, this.#box);
  }

  /** All that an entry consists of. */
  all(): readonly Meta[] {
    const tuples = (['original', 'reply'] as const).flatMap((which) =>
      (['saddr', 'daddr', 'sport', 'dport', 'type'] as const).map((part) => this.of(which, part)),
    );
    return [this.entry, this.answered, this.mark, this.status, this.protocol(), ...tuples];
  }
}

/** Entries of a box that are kept beside the one of the packet. */
const EARLIER_MAX = 3;

/** The entry of the packet, if there is one, changes places with an earlier one, if there is one. */
function exchange(names: Names, earlier: number): Instruction {
  return block(
    ...names.all().map((at) => {
      const other: Meta = { ...at, name: `${at.name} earlier ${earlier}` };
      const kept: Meta = { ...at, name: `${at.name} exchanged` };
      const there = (place_: Meta): Condition => ({ kind: 'exists', at: place_ });
      const move = (from: Meta, to: Meta) => block(assign(to, read(from)), { op: 'deallocate', at: from });
      return branch(
        there(at),
        branch(there(other), block(move(at, kept), move(other, at), move(kept, other)), move(at, other)),
        branch(there(other), move(other, at), nothing),
      );
    }),
  );
}

/** Before any table has run: what is known of the connection, at raw. */
export function untracked(tracking: Tracking): Instruction {
  const names = new Names(tracking);
  const status = assign(names.status, constant(0n, 16));
  return block(
    assign(names.state, constant(ctState.invalid, 8)),
    branch({ kind: 'exists', at: names.entry }, nothing, status),
  );
}

/** The hook at priority -200. */
export function track(tracking: Tracking): Instruction {
  const names = new Names(tracking);
  const protocol = keyExpr('l4proto', tracking.family, tracking.name)!;
  const sameProtocol = compare(read(names.protocol()), '==', protocol);
  const tuple = (which: 'original' | 'reply'): Condition =>
    all(
      sameProtocol,
      compare(read(names.saddr), '==', read(names.of(which, 'saddr'))),
      compare(read(names.daddr), '==', read(names.of(which, 'daddr'))),
      samePorts(names, which, tracking.family),
    );
  const reply = block(
    assign(names.state, constant(ctState.established, 8)),
    assign(names.direction, constant(1n, 1)),
    assign(names.answered, constant(1n, 1)),
  );
  const again = block(
    assign(names.direction, constant(0n, 1)),
    branch(
      is(names.answered, 1n, 1),
      assign(names.state, constant(ctState.established, 8)),
      assign(names.state, constant(ctState.new, 8)),
    ),
  );
  const isThere: Condition = { kind: 'exists', at: names.entry };
  const known = (otherwise: Instruction): Instruction =>
    branch(all(isThere, tuple('reply')), reply, branch(all(isThere, tuple('original')), again, otherwise));
  /** Another packet than that of any entry: the one that is kept longest makes room. */
  const unknown = block(branch(isThere, { op: 'deallocate', at: names.entry }, nothing), first(names, tracking));
  const search = (earlier: number): Instruction =>
    earlier > EARLIER_MAX ? unknown : block(exchange(names, earlier), known(search(earlier + 1)));
  const tracked = branch(isThere, known(search(1)), first(names, tracking));
  return branch(is(names.state, ctState.untracked, 8), nothing, tracked);
}

function samePorts(names: Names, which: 'original' | 'reply', family: IpFamily): Condition {
  const icmpType = field(family === 'ip' ? 'ICMP.type' : 'ICMPv6.type');
  const ports = all(
    { kind: 'exists', at: names.of(which, 'sport') },
    { kind: 'exists', at: sport },
    compare(read(sport), '==', read(names.of(which, 'sport'))),
    compare(read(dport), '==', read(names.of(which, 'dport'))),
  );
  const types = all(
    { kind: 'exists', at: names.of(which, 'type') },
    { kind: 'exists', at: icmpType },
    compare(read(icmpType), '==', read(names.of(which, 'type'))),
  );
  const neither = all(
    negation({ kind: 'exists', at: names.of(which, 'sport') }),
    negation({ kind: 'exists', at: names.of(which, 'type') }),
  );
  return { kind: 'any', of: [ports, types, neither] };
}

/** A packet whose connection did not begin in this exploration. */
function first(names: Names, tracking: Tracking): Instruction {
  const fromQuestion = block(assign(names.state, read(flowState)));
  const assumed = branch({ kind: 'exists', at: flowState }, fromQuestion, assumedState(names, tracking));
  const isNew = is(names.state, ctState.new, 8);
  const later: Instruction[] = [];
  const put = (key: string, at: Location, width: number) => {
    if (!tracking.looksAt.has(key)) return;
    /** A packet without a connection has no mark of one, and no direction. */
    later.push(branch(isNew, assign(at, constant(0n, width)), ifAlive(names, assign(at, fresh(key, width)))));
  };
  put('ct.direction', names.direction, 1);
  put('ct.mark', names.mark, 32);
  if (tracking.looksAt.has('ct.status')) {
    const bits = tracking.translates ? [[0n, 63n] as const] : [[0n, 15n] as const];
    later.push(assign(names.status, constant(0n, 16)), ifAlive(names, assign(names.status, fresh('status', 16, bits))));
  } else later.push(assign(names.status, constant(0n, 16)));
  return block(assumed, ...later, remember(names, tracking), repliesOfUnknown(names, tracking));
}

/** Rules may ask for the original and reply tuples of what is not new: then they are symbols. */
function repliesOfUnknown(names: Names, tracking: Tracking): Instruction {
  const asked = [...tracking.looksAt].filter((key) => key.startsWith('ct.reply.') || key.startsWith('ct.original.'));
  if (asked.length === 0) return nothing;
  const symbols = asked.map((key) => {
    const { at, width } = place(key as 'ct.reply.saddr', tracking.family, tracking.name)!;
    return assign(at, fresh(key, width));
  });
  const mirrored: Instruction[] = [
    assign(names.of('reply', 'saddr'), read(names.daddr)),
    assign(names.of('reply', 'daddr'), read(names.saddr)),
    ifThere(
      sport,
      block(assign(names.of('reply', 'sport'), read(dport)), assign(names.of('reply', 'dport'), read(sport))),
    ),
  ];
  return branch(is(names.state, ctState.new, 8), block(...mirrored), block(...symbols));
}

/** The tuple of the packet, before anything is translated. */
function remember(names: Names, tracking: Tracking): Instruction {
  return block(
    assign(names.protocol(), keyExpr('l4proto', tracking.family, tracking.name)!),
    assign(names.of('original', 'saddr'), read(names.saddr)),
    assign(names.of('original', 'daddr'), read(names.daddr)),
    ifThere(
      sport,
      block(assign(names.of('original', 'sport'), read(sport)), assign(names.of('original', 'dport'), read(dport))),
    ),
  );
}

/** TCP flags of a packet that may begin a connection, or be picked up in the middle of one (nf_conntrack_proto_tcp.c). */
const beginners = [2n, 2n | 32n, 16n, 16n | 32n];
/** Ignored by it: PSH, ECE, CWR, and NS. */
const IGNORED_FLAGS = 0x1c8n;

function beginnerFlags(): Match {
  const values: (readonly [bigint, bigint])[] = [];
  for (let flags = 0n; flags < 512n; flags += 1n) {
    if (beginners.includes(flags & ~IGNORED_FLAGS)) values.push([flags, flags]);
  }
  return setOf(values);
}

/** A table by protocol: what may be new, what cannot, and what is never tracked. */
function assumedState(names: Names, tracking: Tracking): Instruction {
  const { family, name } = tracking;
  const states = (values: readonly bigint[]) =>
    assign(
      names.state,
      values.length === 1 ? constant(values[0]!, 8) : fresh('state of the connection', 8, setRanges(values)),
    );
  const maybe = tracking.flows === 'any' ? [ctState.established, ctState.related] : [];
  const behaviours = [
    states(tracking.flows === 'any' ? [ctState.invalid, ...maybe, ctState.new] : [ctState.new]),
    states([ctState.invalid, ...maybe]),
    states([ctState.untracked]),
  ];
  const [NEW, NOT_NEW, UNTRACKED] = [0, 1, 2];
  const one = (value: bigint): Match => ({ kind: 'range', low: value, high: value });
  const keys = ['l4proto', 'tcp.flags', family === 'ip' ? 'icmp.type' : 'icmpv6.type'] as const;
  const rule = (protocol: bigint, flags: Match | undefined, type: Match | undefined, behaviour: number): Rule => ({
    match: [one(protocol), flags, type],
    behaviour,
  });
  const rules: Rule[] = [rule(6n, beginnerFlags(), undefined, NEW), rule(6n, undefined, undefined, NOT_NEW)];
  if (family === 'ip') {
    /** Echo, timestamp, information and address mask requests (nf_conntrack_proto_icmp.c). */
    const requests = setOf([8n, 13n, 15n, 17n].map((type) => [type, type]));
    rules.push(rule(1n, undefined, requests, NEW), rule(1n, undefined, undefined, NOT_NEW));
  } else {
    /** Multicast listeners and neighbour discovery are not tracked (nf_conntrack_proto_icmpv6.c). */
    rules.push(
      rule(
        58n,
        undefined,
        setOf([
          [130n, 137n],
          [143n, 143n],
        ]),
        UNTRACKED,
      ),
      rule(
        58n,
        undefined,
        setOf([
          [128n, 128n],
          [139n, 139n],
        ]),
        NEW,
      ),
      rule(58n, undefined, undefined, NOT_NEW),
    );
  }
  return {
    op: 'table',
    table: {
      name: 'connection tracking',
      keys: keys.map((key) => tableKey(key, family, name)),
      entries: { kind: 'rules', rules },
      behaviours,
      miss: behaviours[NEW]!,
    },
  };
}

function setRanges(values: readonly bigint[]) {
  const match = setOf(values.map((value) => [value, value] as const));
  return match.kind === 'set' ? match.ranges : match.kind === 'range' ? ([[match.low, match.high]] as const) : [];
}

/** What the entry of a connection does to a packet that is not its first, where addresses of this side are translated. */
export function applyEntry(side: 'source' | 'destination', tracking: Tracking): Instruction {
  const names = new Names(tracking);
  const has = (bit: bigint): Condition => ({ kind: 'masked', of: read(names.status), value: bit, mask: bit });
  const [address, port] = side === 'destination' ? ([names.daddr, dport] as const) : ([names.saddr, sport] as const);
  const put = (tuple: 'original' | 'reply', from: 'saddr' | 'daddr', fromPort: 'sport' | 'dport') =>
    block(assign(address, read(names.of(tuple, from))), ifThere(port, assign(port, read(names.of(tuple, fromPort)))));
  /** Towards the destination a packet gets what the reply comes from, and a reply what the connection began with. */
  const forth = side === 'destination' ? put('reply', 'saddr', 'sport') : put('reply', 'daddr', 'dport');
  const back = side === 'destination' ? put('original', 'saddr', 'sport') : put('original', 'daddr', 'dport');
  const [forthBit, backBit] = side === 'destination' ? [ctStatus.dnat, ctStatus.snat] : [ctStatus.snat, ctStatus.dnat];
  const known = branch(
    is(names.direction, 1n, 1),
    branch(has(backBit), back, nothing),
    branch(has(forthBit), forth, nothing),
  );
  const unknownFlow = tracking.flows === 'any' ? ifAlive(names, translatedBefore(side, address, tracking)) : nothing;
  return branch({ kind: 'exists', at: names.entry }, known, unknownFlow);
}

/**
 * A packet of a connection that began before may be translated as rules translate (any of their addresses), or back: then it
 * has an address that they translate to, and gets any.
 */
function translatedBefore(side: 'source' | 'destination', at: Location, tracking: Tracking): Instruction {
  const width = tracking.family === 'ip' ? 32 : 128;
  const [forth, back] =
    side === 'destination'
      ? [tracking.translations.destination, tracking.translations.source]
      : [tracking.translations.source, tracking.translations.destination];
  const doubt: Instruction = {
    op: 'doubt',
    what: `${tracking.name}: the connection began before, and may be translated`,
    covered: true,
  };
  const any = block(doubt, assign(at, fresh('address of a connection that began before', width)));
  const forward: Instruction[] =
    forth.length === 0 ? [] : [block(doubt, assign(at, fresh(`${side} address`, width, forth)))];
  const choice = (...more: Instruction[]): Instruction => {
    const branches = [nothing, ...forward, ...more];
    return branches.length === 1 ? nothing : { op: 'choose', branches };
  };
  return back.length === 0 ? choice() : branch(within(read(at), back), choice(any), choice());
}

/** For packets of established connections; those of no connection are not translated. */
function ifAlive(names: Names, then: Instruction): Instruction {
  const alive: Condition = {
    kind: 'within',
    of: read(names.state),
    ranges: [
      [ctState.established, ctState.established],
      [ctState.related, ctState.related],
    ],
  };
  return branch(alive, then, nothing);
}

/** Where a first packet leaves: the entry is made, with the reply as it will come. */
export function confirm(tracking: Tracking): Instruction {
  const names = new Names(tracking);
  const icmpType = field(tracking.family === 'ip' ? 'ICMP.type' : 'ICMPv6.type');
  const replyType: Expr =
    tracking.family === 'ip'
      ? constant(0n, 8)
      : { kind: 'binary', op: 'add', left: read(icmpType), right: constant(1n, 8) };
  const plusOne: Expr = { kind: 'binary', op: 'add', left: read(icmpType), right: constant(1n, 8) };
  const type = block(
    assign(names.of('original', 'type'), read(icmpType)),
    tracking.family === 'ip'
      ? branch(
          compare(read(icmpType), '==', constant(8n, 8)),
          assign(names.of('reply', 'type'), replyType),
          assign(names.of('reply', 'type'), plusOne),
        )
      : assign(names.of('reply', 'type'), replyType),
  );
  const entry = block(
    assign(names.entry, constant(1n, 1)),
    assign(names.answered, constant(0n, 1)),
    assign(names.direction, constant(0n, 1)),
    assign(names.of('reply', 'saddr'), read(names.daddr)),
    assign(names.of('reply', 'daddr'), read(names.saddr)),
    ifThere(
      sport,
      block(assign(names.of('reply', 'sport'), read(dport)), assign(names.of('reply', 'dport'), read(sport))),
    ),
    ifThere(icmpType, type),
  );
  const fresh1 = all(is(names.state, ctState.new, 8), negation({ kind: 'exists', at: names.entry }));
  return branch(fresh1, entry, nothing);
}

/** Runs only for packets whose connection may still be translated: the first ones. */
export function ifFirst(tracking: Tracking, then: Instruction, otherwise: Instruction): Instruction {
  const names = new Names(tracking);
  const first1 = all(is(names.state, ctState.new, 8), negation({ kind: 'exists', at: names.entry }));
  return branch(first1, then, otherwise);
}
