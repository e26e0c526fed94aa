import { all, compare, type Condition, constant, type Field, meta, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, branch, drop, type Instruction, nothing } from '../ir/instruction.ts';

const exists = (name: string): Condition => ({ kind: 'exists', at: field(name) });
const ifThere = (name: string, then: Instruction) => branch(exists(name), then, nothing);
const is = (name: string, value: number) => compare(read(field(name)), '==', constant(value, field(name).width));
const set = (name: string, value: number) => assign(field(name), constant(value, field(name).width));

function swap(a: Field, b: Field): Instruction {
  const kept = meta('answer.swap');
  return block(assign(kept, read(a)), assign(a, read(b)), assign(b, read(kept)), { op: 'deallocate', at: kept });
}
const swapped = (header: string, a: string, b: string) =>
  ifThere(`${header}.${a}`, swap(field(`${header}.${a}`), field(`${header}.${b}`)));

/** Time to live of most hosts (RFC 1700, and IANA's parameters of IP). */
const TTL = 64;
const ACK = 0x10;
const isIpv4 = all(exists('IPv4.version'), exists('IPv4.ttl'), is('IPv4.version', 4));
const isIpv6 = all(exists('IPv6.version'), exists('IPv6.flowLabel'), is('IPv6.version', 6));

/** An echo is answered; of other messages of ICMP there is no answer that goes through the network (RFC 792, RFC 4443). */
const echo = (name: string, request: number, reply: number) =>
  branch(exists(name), branch(is(name, request), set(name, reply), drop('it has no answer')), nothing);

/** Makes of a packet that arrived what its receiver sends back. */
export const answer: Instruction = block(
  swapped('Ether', 'dst', 'src'),
  branch(
    isIpv4,
    block(swap(field('IPv4.src'), field('IPv4.dst')), set('IPv4.ttl', TTL), echo('ICMP.type', 8, 0)),
    branch(
      isIpv6,
      block(swap(field('IPv6.src'), field('IPv6.dst')), set('IPv6.hopLimit', TTL), echo('ICMPv6.type', 128, 129)),
      nothing,
    ),
  ),
  // UDP and SCTP have their ports there, too.
  swapped('TCP', 'sport', 'dport'),
  ifThere(
    'TCP.flags',
    assign(field('TCP.flags'), { kind: 'binary', op: 'or', left: read(field('TCP.flags')), right: constant(ACK, 9) }),
  ),
);
