import { all, compare, type Condition, constant, type Expr, fresh, meta, read } from '../../ir/expression.ts';
import { field, headerBits, protocols } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { Vxlan } from '../../readers/linux/interface.ts';
import { moveTag, putHeader, takeHeader } from '../headers.ts';
import type { IpFamily, NetfilterInterface } from './box.ts';
import type { Surroundings } from './cubes.ts';
import { settle, withoutFrame } from './segments.ts';

/** RFC 7348: a frame in UDP. From the outer header on: IP, UDP, VXLAN, and the frame. */
const IP_BITS = { ip: headerBits.ipv4, ip6: headerBits.ipv6 } as const;
/** Of `ip_local_port_range`, in which the source port lies that stands for the flow inside (udp_flow_src_port). */
const SOURCE_PORTS = [[32_768n, 60_999n]] as const;
const HAS_VNI = 8;
const TTL = 64;
/** RFC 3168, section 5. */
const [ECT0, CE] = [2, 3];

/** Where a tunnel of the box sends what it made: as if a program of the box had sent it. */
export const sentAgain = (name: string): string => `${name}:tunnel:send`;

const LENGTH = meta('tunnel.length');
const ECN = meta('tunnel.ecn');

/** The packet, in its frame, to the other end of the tunnel. */
export function intoVxlan(name: string, { family }: Surroundings, { id, local, remote, port }: Vxlan): Instruction {
  if (remote === undefined) {
    return block(
      { op: 'doubt', what: `where the VXLAN ${id} of ${name} sends frames` },
      drop('the tunnel has no other end'),
    );
  }
  const outer = remote.family;
  const innerLength: Expr = read(field(family === 'ip' ? 'IPv4.length' : 'IPv6.length'));
  const inner = family === 'ip' ? 0 : 40;
  const ecn: Expr =
    family === 'ip'
      ? read(field('IPv4.ecn'))
      : { kind: 'slice', of: read(field('IPv6.trafficClass')), high: 1, low: 0 };
  const udpLength = (headerBits.udp + headerBits.vxlan + headerBits.ether) / 8;
  const plus = (more: number): Expr => ({
    kind: 'binary',
    op: 'add',
    left: read(LENGTH),
    right: constant(more, 16),
  });
  const from = local?.address ?? fresh('source of the tunnel', outer === 'ip' ? 32 : 128);
  return block(
    assign(LENGTH, { kind: 'binary', op: 'add', left: innerLength, right: constant(inner, 16) }),
    assign(ECN, ecn),
    // RFC 3168, section 9.1.1: that a packet met congestion is not copied to the outside.
    branch(compare(read(ECN), '==', constant(CE, 2)), assign(ECN, constant(ECT0, 2)), nothing),
    moveTag('VXLAN', 'L2', -headerBits.vxlan),
    moveTag('L4', 'VXLAN', -headerBits.udp),
    moveTag('L3', 'L4', -IP_BITS[outer]),
    putHeader('VXLAN', { flags: HAS_VNI, vni: id }),
    putHeader('UDP', {
      sport: fresh('source port of the tunnel', 16, SOURCE_PORTS),
      dport: port,
      length: plus(udpLength),
      checksum: fresh('UDP.checksum', 16),
    }),
    outer === 'ip'
      ? header4(plus(udpLength + 20), from, remote.address)
      : header6(plus(udpLength), from, remote.address),
    withoutFrame,
    { op: 'deallocate', at: LENGTH },
    { op: 'deallocate', at: ECN },
    forward(sentAgain(name)),
  );
}

function header4(length: Expr, src: Expr | bigint, dst: bigint): Instruction {
  return putHeader('IPv4', {
    version: 4,
    ihl: 5,
    dscp: 0,
    ecn: read(ECN),
    length,
    id: fresh('IPv4.id', 16),
    flags: 0,
    fragment: 0,
    ttl: TTL,
    proto: protocols.udp,
    checksum: fresh('IPv4.checksum', 16),
    src,
    dst,
  });
}

function header6(length: Expr, src: Expr | bigint, dst: bigint): Instruction {
  return putHeader('IPv6', {
    version: 6,
    trafficClass: { kind: 'extend', of: read(ECN), width: 8 },
    flowLabel: fresh('IPv6.flowLabel', 20),
    length,
    nextHeader: protocols.udp,
    hopLimit: TTL,
    src,
    dst,
  });
}

/** For packets that are for this box: those of its VXLANs come in once more, by the interface of the tunnel. */
export function outOfVxlan(
  { family, box }: Surroundings,
  otherwise: Instruction,
  comeBy: (device: NetfilterInterface) => Instruction,
): Instruction {
  return box.interfaces.reduceRight((rest, device) => {
    const { vxlan } = device;
    if (vxlan === undefined || (vxlan.remote ?? vxlan.local)?.family !== family) return rest;
    const is = (at: string, value: number): Condition =>
      compare(read(field(at)), '==', constant(value, field(at).width));
    const proto = family === 'ip' ? 'IPv4.proto' : 'IPv6.nextHeader';
    const known = branch(
      { kind: 'exists', at: field('VXLAN.vni') },
      branch(all(is('VXLAN.vni', vxlan.id), is('VXLAN.flags', HAS_VNI)), unwrap(family, comeBy(device)), rest),
      block({ op: 'doubt', what: 'what is in a tunnel that begins outside' }, rest),
    );
    const isUdp = all(is(proto, protocols.udp), { kind: 'exists', at: field('UDP.dport') });
    return branch(all(isUdp, is('UDP.dport', vxlan.port)), known, rest);
  }, otherwise);
}

function unwrap(family: IpFamily, then: Instruction): Instruction {
  return block(
    takeHeader('VXLAN'),
    takeHeader('UDP'),
    takeHeader(family === 'ip' ? 'IPv4' : 'IPv6'),
    moveTag('L2', 'VXLAN', headerBits.vxlan),
    moveTag('L3', 'L2', headerBits.ether),
    { op: 'destroyTag', tag: 'VXLAN' },
    settle,
    then,
  );
}
