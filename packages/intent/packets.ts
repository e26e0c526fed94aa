import {
  all,
  any,
  assign,
  block,
  branch,
  compare,
  type Condition,
  constant,
  type Expr,
  type Field,
  field,
  fieldIs,
  forward,
  type Instruction,
  meta,
  negation,
  type Network,
  nothing,
  type PortId,
  protocols,
  read,
} from '@superfluidity/verify';
import { numberOf } from './addresses.ts';
import type { UnitPlaces } from './subject.ts';

/** As Linux sends it. */
const TTL = 64n;
const SYN = 0x02n;
const SYN_ACK = 0x12n;
/** What every host takes (RFC 791): larger ones may be refused on the way, and the sender told. */
const BYTES_MAX = 576n;
const ECHO = 8n;
const ECHO_REPLY = 0n;

const source = field('IPv4.src');
const isTcp = fieldIs('IPv4.proto', 6);
const isIcmp = fieldIs('IPv4.proto', 1);
const set = (name: string, value: bigint): Instruction => assign(field(name), constant(value, field(name).width));

/** First packets of connections that are opened from an address, as an assumption and as what they are known to be. */
export function opening(from: string, to?: string): { readonly assume: Condition; readonly setup: Instruction } {
  const known: (readonly [name: string, value: bigint, of?: Condition])[] = [
    ['IPv4.src', numberOf(from)],
    ['IPv4.ttl', TTL],
    ['IPv4.fragment', 0n],
    ['TCP.flags', SYN, isTcp],
    ['ICMP.type', ECHO, isIcmp],
    ...(to === undefined ? [] : [['IPv4.dst', numberOf(to)] as const]),
  ];
  return {
    assume: all(
      compare(read(field('IPv4.length')), '<=', constant(BYTES_MAX, 16)),
      ...known.map(([name, value, of]) =>
        of === undefined ? fieldIs(name, value) : any(negation(of), fieldIs(name, value)),
      ),
    ),
    // The values are the same: as constants they cost the engine nothing on the way.
    setup: block(
      ...known.map(([name, value, of]) =>
        of === undefined ? set(name, value) : branch(of, set(name, value), nothing),
      ),
    ),
  };
}

const answered = meta('answered');

/** The network in which these units answer each packet that is for them, once; with `kept`, packets also stay there. */
export function answering(network: Network, units: readonly UnitPlaces[], { kept = false } = {}): Network {
  const programs = new Map(network.programs);
  for (const { ends, starts } of units) {
    for (const [i, port] of ends.entries()) programs.set(port, answer(starts[i] ?? starts[0]!, kept));
  }
  return { ...network, programs };
}

function answer(back: PortId, kept: boolean): Instruction {
  const swap = (a: Field, b: Field): Instruction => {
    const kept = meta('answer');
    const put = (to: Field, value: Expr) => assign(to, value);
    return block(assign(kept, read(a)), put(a, read(b)), put(b, read(kept)), { op: 'deallocate', at: kept });
  };
  /** Those of UDP and SCTP are at the same place. */
  const ports = swap(field('TCP.sport'), field('TCP.dport'));
  const reply = block(
    assign(answered, constant(1, 1)),
    swap(source, field('IPv4.dst')),
    set('IPv4.ttl', TTL),
    branch(isTcp, block(ports, set('TCP.flags', SYN_ACK)), nothing),
    branch(any(fieldIs('IPv4.proto', protocols.udp), fieldIs('IPv4.proto', protocols.sctp)), ports, nothing),
    branch(isIcmp, set('ICMP.type', ECHO_REPLY), nothing),
    forward(back),
  );
  const once: Instruction = kept ? { op: 'fork', branches: [nothing, reply] } : reply;
  return branch({ kind: 'exists', at: answered }, nothing, once);
}
