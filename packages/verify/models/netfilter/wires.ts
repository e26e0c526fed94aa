import { any, compare, constant, fresh, masked, meta, read, type Condition } from '../../ir/expression.ts';
import { etherTypes, field } from '../../ir/fields.ts';
import { block, branch, constrain, drop, forward, nothing, type Instruction } from '../../ir/instruction.ts';
import { frame, unframed } from '../frame.ts';
import type { NetfilterBox, NetfilterInterface } from './box.ts';
import type { Surroundings } from './cubes.ts';
import { type Hop, hopOf } from './route-tables.ts';
import { intoVxlan } from './vxlan.ts';

/** A bit of addresses that are for several stations (IEEE 802, 8.2.2). */
const GROUP = 1n << 40n;

/** The frame of a packet that comes in: for this interface, and gone. Where neighbours are not known, frames are left alone. */
export function takeFrame(box: NetfilterBox, each: NetfilterInterface | undefined): Instruction {
  if (each?.up === false) return drop(`${each.name} is down`);
  if (box.neighbours === undefined || each?.mac === undefined) return nothing;
  const dst = read(field('Ether.dst'));
  const isOurs = any(compare(dst, '==', constant(each.mac, 48)), masked(dst, GROUP, GROUP));
  return unframed(constrain(isOurs, 'the frame is for another address'));
}

/** Stands for the bridges of a box, which are not modelled. */
export const bridgesOf = (name: string): string => `${name} bridges`;
export const intoBridge = (name: string, bridge: string): Instruction => forward(`${bridgesOf(name)}:${bridge}`);

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
  if (by.kind === 'bridge') return intoBridge(name, by.name);
  const out =
    by.vxlan === undefined
      ? forward(`${name}:${by.name}:out`)
      : block(frameForTunnel(around, by), intoVxlan(name, around, by.vxlan));
  return block(fits(around, by), putFrame(name, around, hops, by), out);
}

/** Too large a packet is not forwarded when it must not be taken apart (RFC 1191, RFC 8200 section 5); pieces are not modelled. */
export function fits({ family }: Pick<Surroundings, 'family'>, { name, mtu }: NetfilterInterface): Instruction {
  if (mtu === undefined || mtu >= 65_535) return nothing;
  const why = `larger than the MTU of ${name}, ${mtu} bytes`;
  if (family === 'ip6') return constrain(compare(read(field('IPv6.length')), '<=', constant(mtu - 40, 16)), why);
  const DONT_FRAGMENT = 2n;
  const small = compare(read(field('IPv4.length')), '<=', constant(mtu, 16));
  const mayBeCut: Condition = { kind: 'masked', of: read(field('IPv4.flags')), value: 0n, mask: DONT_FRAGMENT };
  return constrain(any(small, mayBeCut), why);
}

const etherTypeOf = ({ family }: Surroundings) => (family === 'ip' ? etherTypes.ipv4 : etherTypes.ipv6);

/** The frame for the neighbour that the route names, where its address is known. Who answers to the others is not asked. */
function putFrame(name: string, around: Surroundings, hops: readonly Hop[], { name: device, mac }: NetfilterInterface) {
  if (around.box.neighbours === undefined || mac === undefined) return nothing;
  const framed = hops.reduce<Instruction>((otherwise, { neighbour }, i) => {
    if (neighbour?.device !== device) return otherwise;
    const isIt = compare(read(hopOf(name)), '==', constant(i, 16));
    return branch(isIt, frame(constant(neighbour.mac, 48), constant(mac, 48), etherTypeOf(around)), otherwise);
  }, nothing);
  return block(unframed(), framed);
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
