import {
  all,
  any,
  compare,
  type Condition,
  constant,
  type Expr,
  fresh,
  type Location,
  meta,
  negation,
  read,
} from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import type { FieldName, Part, Subfield } from '../../readers/openflow/flow.ts';
import { widthOf } from '../../readers/openflow/fields.ts';

const ofPacket: Readonly<Record<FieldName, string>> = {
  eth_src: 'Ether.src',
  eth_dst: 'Ether.dst',
  eth_type: 'Ether.type',
  ip_src: 'IPv4.src',
  ip_dst: 'IPv4.dst',
  ip_proto: 'IPv4.proto',
  ip_dscp: 'IPv4.dscp',
  ip_ecn: 'IPv4.ecn',
  ip_ttl: 'IPv4.ttl',
  ipv6_src: 'IPv6.src',
  ipv6_dst: 'IPv6.dst',
  ipv6_label: 'IPv6.flowLabel',
  ipv6_proto: 'IPv6.nextHeader',
  ipv6_ttl: 'IPv6.hopLimit',
  /** The ports of UDP and SCTP are at the same place. */
  tp_src: 'TCP.sport',
  tp_dst: 'TCP.dport',
  icmp_type: 'ICMP.type',
  icmp_code: 'ICMP.code',
  icmpv6_type: 'ICMPv6.type',
  icmpv6_code: 'ICMPv6.code',
  mpls_label: 'MPLS.label',
  mpls_tc: 'MPLS.tc',
  mpls_bos: 'MPLS.bottom',
  mpls_ttl: 'MPLS.ttl',
  arp_op: 'Arp.op',
  arp_spa: 'Arp.spa',
  arp_tpa: 'Arp.tpa',
  arp_sha: 'Arp.sha',
  arp_tha: 'Arp.tha',
};

/** Not of OVS: anything but zero is a fragment. Its offset, and whether more follow. */
export const PIECE = 'piece';
export const PIECE_BITS = 14;

/** Not of OVS: of which kinds and lengths the addresses of ARP are. */
export const ARP_SHAPE = 'arp shape';
export const ARP_SHAPE_BITS = 48;

/** Of the packet, but not in the headers of a layout: symbols that stay with the packet from bridge to bridge. */
const carried = new Set(['nd_target', 'nd_sll', 'nd_tll', 'pkt_mark']);

/** Not of OVS: of a frame with two tags the second one, and the types of both. */
export const SECOND_TAG = 'second tag';
export const TAG_TYPE = 'tag type';
export const SECOND_TAG_TYPE = 'second tag type';

/** Fields that OVS does not let be written. */
const fixed = new Set([
  'ip_frag',
  'tcp_flags',
  'ct_state',
  'ct_zone',
  'eth_type',
  'ip_proto',
  'ipv6_proto',
  'mpls_bos',
]);

const offset = field('IPv4.fragment');
/** Fragments but the first have none. */
const hasPorts = any(negation({ kind: 'exists', at: offset }), compare(read(offset), '==', constant(0, 13)));

/** Where the fields of a bridge are: in the packet without its VLAN tag, and in metadata of the bridge. */
export class Places {
  readonly #box: string;

  constructor(box: string) {
    this.#box = box;
  }

  /** Location of a field that has one of its own. */
  at(name: FieldName): Location {
    if (name === 'ipv6_dscp' || name === 'ipv6_ecn') return field('IPv6.trafficClass');
    const packet = ofPacket[name];
    if (packet !== undefined) return field(packet);
    return carried.has(name) ? meta(`openflow.${name}`) : meta(`openflow.${name}`, this.#box);
  }

  value(name: FieldName): Expr {
    if (name === 'ipv6_dscp') return { kind: 'slice', of: read(this.at(name)), high: 7, low: 2 };
    if (name === 'ipv6_ecn') return { kind: 'slice', of: read(this.at(name)), high: 1, low: 0 };
    if (name === PIECE) {
      return { kind: 'concat', parts: [read(field('IPv4.fragment')), bits(read(field('IPv4.flags')), 0, 0)] };
    }
    if (name === ARP_SHAPE) {
      return { kind: 'concat', parts: ['htype', 'ptype', 'hlen', 'plen'].map((part) => read(field(`Arp.${part}`))) };
    }
    if (name === 'tcp_flags') {
      return { kind: 'concat', parts: [read(field('TCP.reserved')), read(field('TCP.flags'))] };
    }
    return read(this.at(name));
  }

  width(name: FieldName): number {
    if (name === PIECE) return PIECE_BITS;
    return name === ARP_SHAPE ? ARP_SHAPE_BITS : widthOf(name);
  }

  isFixed(parts: Subfield): boolean {
    return parts.some((part) => fixed.has(part.field));
  }

  /** The bits of a subfield as one number. */
  valueOf(parts: Subfield): Expr {
    const each = parts.map(({ field: name, low, width }): Expr => {
      const of = this.value(name);
      return low === 0 && width === this.width(name) ? of : { kind: 'slice', of, high: low + width - 1, low };
    });
    return each.length === 1 ? each[0]! : { kind: 'concat', parts: each };
  }

  /** Frames that have no such header stay as they are. */
  assignPart(part: Part, value: Expr): Instruction {
    const { at, low, whole } = this.#bits(part);
    const made =
      part.width === whole
        ? assign(at, value)
        : assign(at, {
            kind: 'concat',
            parts: [
              ...(low + part.width < whole ? [bits(read(at), whole - 1, low + part.width)] : []),
              value,
              ...(low > 0 ? [bits(read(at), low - 1, 0)] : []),
            ],
          });
    if (at.kind === 'meta') return made;
    const there: Condition = { kind: 'exists', at };
    return branch(part.field === 'tp_src' || part.field === 'tp_dst' ? all(there, hasPorts) : there, made, nothing);
  }

  #bits({ field: name, low }: Part): { at: Location; low: number; whole: number } {
    if (name === 'ipv6_dscp') return { at: this.at(name), low: low + 2, whole: 8 };
    if (name === 'ipv6_ecn') return { at: this.at(name), low, whole: 8 };
    return { at: this.at(name), low, whole: this.width(name) };
  }

  /** What a packet begins with in a bridge: registers are zero (ovs-fields(7)). */
  initial(name: FieldName): Instruction {
    const at = this.at(name);
    if (at.kind === 'field') return nothing;
    const width = this.width(name);
    if (!carried.has(name)) return assign(at, constant(0, width));
    const unknown = name === 'pkt_mark' ? constant(0, width) : fresh(name, width);
    return branch({ kind: 'exists', at }, nothing, assign(at, unknown));
  }
}

export function bits(of: Expr, high: number, low: number): Expr {
  return { kind: 'slice', of, high, low };
}

/** Value into subfield, part by part; the most significant part first. */
export function assignParts(places: Places, to: Subfield, value: Expr, mask?: bigint): Instruction {
  let base = to.reduce((sum, { width }) => sum + width, 0);
  const width = base;
  return block(
    ...to.map((part): Instruction => {
      base -= part.width;
      const piece = part.width === width ? value : bits(value, base + part.width - 1, base);
      const kept = mask === undefined ? undefined : BigInt.asUintN(part.width, mask >> BigInt(base));
      const all = (1n << BigInt(part.width)) - 1n;
      if (kept === 0n) return nothing;
      if (kept === undefined || kept === all) return places.assignPart(part, piece);
      const old = places.valueOf([part]);
      const outside: Expr = { kind: 'binary', op: 'and', left: old, right: constant(all ^ kept, part.width) };
      const both: Expr = { kind: 'binary', op: 'or', left: outside, right: piece };
      const at = places.at(part.field);
      const made = places.assignPart(part, both);
      return at.kind === 'meta' ? made : branch({ kind: 'exists', at }, made, nothing);
    }),
  );
}
