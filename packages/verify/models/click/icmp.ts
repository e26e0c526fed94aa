import { all, any, compare, constant, fresh, read } from '../../ir/expression.ts';
import { field, protocols } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import { icmpTypes } from '../../filter/names.ts';
import { PAINT } from '../../filter/condition.ts';
import { DST_IP, setDestination } from './annotations.ts';
import {
  dropAt,
  type ElementContext,
  type ElementModel,
  inner,
  ipArgument,
  ipList,
  numberArgument,
  readArguments,
  sourceOf,
} from './element.ts';
import { allocate, clearTransport, dataToNetwork, hasHeader, is, set, swap } from './headers.ts';
import { FIX_IP_SRC, oneOf } from './ip.ts';

const codes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  3: { net: 0, host: 1, protocol: 2, port: 3, needfrag: 4 },
  5: { net: 0, host: 1 },
  11: { transit: 0, reassembly: 1 },
  12: { erroratptr: 0, missingopt: 1, length: 2 },
};

/** RFC 1122, 3.2.2: errors of ICMP itself, of later fragments and of broadcasts are not answered. */
const errorTypes = [3n, 4n, 5n, 11n, 12n];

function error(context: ElementContext): Instruction {
  const given = readArguments(context, ['SRC', 'TYPE', 'CODE'], ['BADADDRS', 'MTU', 'PMTU', 'SET_FIX_IP_SRC'], 2);
  const named = icmpTypes.get(given.get('TYPE')!.text);
  const type = named ?? numberArgument(context, given, 'TYPE', { most: 255 });
  const code =
    codes[type]?.[given.get('CODE')?.text ?? ''] ?? numberArgument(context, given, 'CODE', { most: 255, otherwise: 0 });
  const mtu = numberArgument(context, given, 'MTU', { least: 56, most: 65_535, otherwise: 576 });
  const bad = ipList(context, given, 'BADADDRS');
  const never = any(
    all(is('IPv4.proto', protocols.icmp), is('IPv4.fragment', 0), oneOf(read(field('ICMP.type')), errorTypes)),
    compare(read(field('IPv4.fragment')), '!=', constant(0, 13)),
    all(hasHeader('Ether', 'L2'), { kind: 'masked', of: read(field('Ether.dst')), value: 1n << 40n, mask: 1n << 40n }),
    ...(bad.length === 0 ? [] : [oneOf(read(field('IPv4.src')), bad), oneOf(read(field('IPv4.dst')), bad)]),
  );
  const made = block(
    dataToNetwork(),
    clearTransport,
    allocate('ICMP', 'L4', { 'ICMP.type': constant(type, 8), 'ICMP.code': constant(code, 8) }),
    assign(field('IPv4.dst'), read(field('IPv4.src'))),
    set('IPv4.src', ipArgument(context, given, 'SRC')),
    set('IPv4.proto', protocols.icmp),
    set('IPv4.ttl', 255),
    set('IPv4.flags', 0),
    set('IPv4.dscp', 0),
    assign(field('IPv4.id'), fresh('IPv4.id', 16)),
    assign(field('IPv4.length'), fresh('length of the error', 16, [[56n, BigInt(mtu)]])),
    setDestination(context, read(field('IPv4.dst'))),
    assign(context.annotation(FIX_IP_SRC), constant(1, 1)),
    context.to(0),
  );
  return branch(never, dropAt(context, 'no error is sent about such packets'), made, sourceOf(context));
}

/** RFC 792: the answer to an echo request goes back where it came from. Click answers later fragments too. */
function responder(context: ElementContext): Instruction {
  readArguments(context, []);
  const request = all(is('IPv4.proto', protocols.icmp), is('ICMP.type', 8));
  const paint = context.annotation(PAINT);
  const answer = block(
    swap(field('IPv4.src'), field('IPv4.dst')),
    set('ICMP.type', 0),
    set('ICMP.code', 0),
    set('IPv4.flags', 0),
    set('IPv4.fragment', 0),
    set('IPv4.ttl', 255),
    setDestination(context, read(field('IPv4.dst'))),
    branch({ kind: 'exists', at: paint }, assign(paint, constant(0, 8)), nothing),
    context.to(0),
  );
  return branch(request, answer, context.toOrDrop(1, 'not an echo request'), sourceOf(context));
}

/** Sends echo requests: a question begins here with a packet of ICMP, which gets these addresses. */
function pings(context: ElementContext): Instruction {
  const keywords = ['INTERVAL', 'IDENTIFIER', 'DATA', 'LIMIT', 'ACTIVE', 'VERBOSE', 'STOP'];
  const given = readArguments(context, ['SRC', 'DST'], keywords, 2);
  const [src, dst] = [ipArgument(context, given, 'SRC'), ipArgument(context, given, 'DST')];
  const sent = block(
    set('IPv4.src', src),
    set('IPv4.dst', dst),
    set('ICMP.type', 8),
    set('ICMP.code', 0),
    assign(context.annotation(DST_IP), constant(dst, 32)),
    context.to(0),
  );
  return branch(
    all(hasHeader('IPv4', 'L3'), is('IPv4.proto', protocols.icmp)),
    sent,
    dropAt(context, 'sends ICMP only'),
    sourceOf(context),
  );
}

export const icmpElements: Readonly<Record<string, ElementModel>> = {
  ICMPError: inner('answers a packet with an ICMP error', error),
  ICMPPingResponder: inner('answers echo requests; others to output 1, or drops them', responder),
  ICMPPingSource: { kind: 'entry', does: 'sends echo requests', program: (context) => [pings(context)] },
  ICMPSendPings: { kind: 'entry', does: 'sends echo requests', program: (context) => [pings(context)] },
};
