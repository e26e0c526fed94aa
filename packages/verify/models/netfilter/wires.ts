import {
  any,
  compare,
  constant,
  fresh,
  masked,
  meta,
  read,
  type Condition,
  type Expr,
  type Ranges,
} from '../../ir/expression.ts';
import { etherTypes, field } from '../../ir/fields.ts';
import { assign, block, branch, constrain, drop, forward, nothing, type Instruction } from '../../ir/instruction.ts';
import { exactly, type Range, subtract, union, widthOf } from '../../readers/netfilter/addresses.ts';
import { frame, unframed } from '../frame.ts';
import { stationAddresses } from '../group-addresses.ts';
import { tooLong } from '../too-long.ts';
import type { NetfilterBox, NetfilterInterface } from './box.ts';
import { intoBridge } from './bridges.ts';
import type { Surroundings } from './cubes.ts';
import { type Hop, hopOf, soughtAddress } from './route-tables.ts';
import { intoVxlan } from './vxlan.ts';

/** A bit of addresses that are for several stations (IEEE 802, 8.2.2). */
const GROUP = 1n << 40n;

/** The frame of a packet that comes in: for this interface, and gone. Where neighbours are not known, frames are left alone. */
export function takeFrame(name: string, box: NetfilterBox, each: NetfilterInterface | undefined): Instruction {
  if (each?.up === false) return drop(`${each.name} is down`);
  if (box.neighbours === undefined || each?.mac === undefined) return nothing;
  const dst = read(field('Ether.dst'));
  const isOurs = any(compare(dst, '==', constant(each.mac, 48)), masked(dst, GROUP, GROUP));
  const note = (value: number) => assign(forSeveral(name), constant(value, 1));
  return block(
    note(0),
    unframed(
      block(constrain(isOurs, 'the frame is for another address'), branch(masked(dst, GROUP, GROUP), note(1), nothing)),
    ),
  );
}

const forSeveral = (name: string) => meta('frame for several', name);

/** Whatever its IP address is, what came in a frame for several stations is not sent on (ip_forward, ip6_forward). */
export function ofOneStation(name: string, { neighbours }: NetfilterBox): Instruction {
  if (neighbours === undefined) return nothing;
  const at = forSeveral(name);
  const only = constrain(compare(read(at), '==', constant(0, 1)), 'the frame was for several stations');
  return branch({ kind: 'exists', at }, only, nothing);
}

/** Sends the packet out by the interface in `oif`. */
export function leave(name: string, around: Surroundings, hops: readonly Hop[]): Instruction {
  const { interfaces, box } = around;
  return interfaces.names.reduceRight((otherwise: Instruction, each) => {
    const known = box.interfaces.find((one) => one.name === each);
    const isIt = compare(read(meta('oif', name)), '==', constant(interfaces.number(each), 16));
    return branch(isIt, leaveBy(name, around, hops, known ?? { name: each, addresses: [] }), otherwise);
  }, drop('no interface leads there'));
}

function leaveBy(name: string, around: Surroundings, hops: readonly Hop[], by: NetfilterInterface): Instruction {
  if (by.name === 'lo') return forward(`${name}:lo:in`);
  if (by.up === false) return drop(`${by.name} is down`);
  const out =
    by.kind === 'bridge'
      ? intoBridge(name, by, around.box)
      : by.vxlan === undefined
        ? forward(`${name}:${by.name}:out`)
        : block(frameForTunnel(around, by), intoVxlan(name, around, by.vxlan));
  return block(fits(around, by), putFrame(name, around, hops, by), out);
}

/** Too large a packet is not forwarded when it must not be taken apart (RFC 1191, RFC 8200 section 5); pieces are not modelled. */
export function fits({ family }: Pick<Surroundings, 'family'>, { name, mtu }: NetfilterInterface): Instruction {
  if (mtu === undefined || mtu.bytes >= 65_535) return nothing;
  const why = tooLong(`the MTU of ${name}, ${mtu.bytes} bytes`);
  const source = mtu.source === undefined ? {} : { source: mtu.source };
  if (family === 'ip6') {
    return { ...constrain(compare(read(field('IPv6.length')), '<=', constant(mtu.bytes - 40, 16)), why), ...source };
  }
  const DONT_FRAGMENT = 2n;
  const small = compare(read(field('IPv4.length')), '<=', constant(mtu.bytes, 16));
  const mayBeCut: Condition = { kind: 'masked', of: read(field('IPv4.flags')), value: 0n, mask: DONT_FRAGMENT };
  return { ...constrain(any(small, mayBeCut), why), ...source };
}

const etherTypeOf = ({ family }: Surroundings) => (family === 'ip' ? etherTypes.ipv4 : etherTypes.ipv6);

/**
 * The frame for the neighbour that the route names, or for the one that has the packet's destination. Who is not listed may
 * answer, with an address that none of the others has. At a wire of which no neighbours are listed, frames are not looked at.
 */
function putFrame(name: string, around: Surroundings, hops: readonly Hop[], { name: device, mac }: NetfilterInterface) {
  if (around.box.neighbours === undefined || mac === undefined) return nothing;
  const frameTo = (dst: Expr) => frame(dst, constant(mac, 48), etherTypeOf(around));
  const { family } = around;
  const listed = around.box.neighbours.filter((each) => each.device === device && each.family === family);
  const stranger: Instruction =
    listed.length === 0
      ? nothing
      : block(
          { op: 'doubt', what: `who answers ${name} at ${device} for an address that is not listed` },
          frameTo(fresh('MAC address of a neighbour', 48, othersThan([mac, ...listed.map((each) => each.mac)]))),
        );
  const onLink: Instruction =
    listed.length === 0
      ? nothing
      : {
          op: 'table',
          table: {
            name: `${name} neighbours of ${device}`,
            keys: [{ of: read(soughtAddress(around, name)), width: widthOf(family), absent: 'fail' }],
            entries: {
              kind: 'rules',
              rules: listed.map(({ address }, behaviour) => ({ match: [exactly(address)], behaviour })),
            },
            behaviours: listed.map((each) => frameTo(constant(each.mac, 48))),
            miss: stranger,
          },
        };
  const framed = hops.reduce<Instruction>((otherwise, { neighbour, isStranger }, i) => {
    if (neighbour?.device !== device && isStranger !== true) return otherwise;
    const isIt = compare(read(hopOf(name)), '==', constant(i, 16));
    const known = neighbour === undefined ? stranger : frameTo(constant(neighbour.mac, 48));
    return branch(isIt, known, otherwise);
  }, onLink);
  return block(unframed(), framed);
}

/** Addresses of single stations but these. */
function othersThan(taken: readonly bigint[]): Ranges {
  return subtract(stationAddresses, union(taken.map((mac): Range => [mac, mac])));
}

/** A tunnel of layer 2 carries frames. */
function frameForTunnel(around: Surroundings, { mac }: NetfilterInterface): Instruction {
  const src = mac === undefined ? fresh('own MAC address', 48) : constant(mac, 48);
  return branch(
    { kind: 'exists', at: field('Ether.dst') },
    nothing,
    frame(fresh('neighbour', 48), src, etherTypeOf(around)),
  );
}
