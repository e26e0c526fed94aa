import { all, compare, meta, read } from '../../ir/expression.ts';
import { field, protocols } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import { fits, tooLong } from '../too-long.ts';
import { setDestination } from './annotations.ts';
import {
  dropAt,
  type ElementContext,
  type ElementModel,
  inner,
  numberArgument,
  readArguments,
  sourceOf,
} from './element.ts';
import { hasHeader, is, swap } from './headers.ts';
import { mirror } from './ip.ts';

/** Elements that Click does not have: those with which Symnet describes middleboxes (Stoenescu et al., SIGCOMM 2016). */

const swapPackets = (context: ElementContext): Instruction =>
  block(mirror(), setDestination(context, read(field('IPv4.dst'))));

/** The addresses of a host that got its lease here; `DHCPCheckState` lets packets of that host pass only. */
function remember(context: ElementContext): Instruction {
  return block(assign(leased.ip, read(field('IPv4.src'))), assign(leased.mac, read(field('Ether.src'))), context.to(0));
}

/** Between boxes too: the server and its relay are two. */
const leased = { ip: meta('dhcp.ip'), mac: meta('dhcp.mac') } as const;

function checkLease(context: ElementContext): Instruction {
  const { ip, mac } = leased;
  const same = all(
    { kind: 'exists', at: ip },
    compare(read(ip), '==', read(field('IPv4.src'))),
    { kind: 'exists', at: field('Ether.src') },
    compare(read(mac), '==', read(field('Ether.src'))),
  );
  return branch(same, context.to(0), dropAt(context, 'no lease for these addresses'), sourceOf(context));
}

/** Options of TCP have no place in the model of packets; what an element does with named ones is not known. */
function options(context: ElementContext): Instruction {
  const [first] = context.element.arguments;
  if (first === undefined) return context.to(0);
  const changes: Instruction = { op: 'doubt', what: `${context.element.name} changes TCP options: ${first.text}` };
  return block(branch(all(hasHeader('IPv4', 'L3'), is('IPv4.proto', protocols.tcp)), changes, nothing), context.to(0));
}

export const symnetElements: Readonly<Record<string, ElementModel>> = {
  TcpIpMirror: inner('swaps source and destination, as IPMirror does', (context) =>
    block(swapPackets(context), context.to(0)),
  ),
  AllMirror: inner('swaps source and destination of IP, ports and Ethernet', (context) =>
    block(
      swapPackets(context),
      branch(hasHeader('Ether', 'L2'), swap(field('Ether.src'), field('Ether.dst')), nothing),
      context.to(0),
    ),
  ),
  ClampMTU: inner('drops packets whose IP length is over MTU', (context) => {
    const mtu = numberArgument(context, readArguments(context, ['MTU'], [], 1), 'MTU', { most: 65_535 });
    return branch(fits(mtu), context.to(0), dropAt(context, tooLong(`${mtu} bytes`)), sourceOf(context));
  }),
  DHCPSetState: inner('remembers the addresses of a host', remember),
  DHCPCheckState: inner('passes packets of the host that was remembered', checkLease),
  TCPOptions: inner('filters TCP options', options),
  AddTCPOptions: inner('adds TCP options', options),
};
