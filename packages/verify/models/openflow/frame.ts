import {
  all,
  compare,
  type Condition,
  constant,
  type Expr,
  fresh,
  type Location,
  meta,
  negation,
  read,
  within,
} from '../../ir/expression.ts';
import { etherTypes, field, fields, headerBits } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import { bits } from './places.ts';

const TAG_BITS = 32;
const ether = ['Ether.dst', 'Ether.src', 'Ether.type'] as const;
const vlan = ['Vlan.pcp', 'Vlan.dei', 'Vlan.id', 'Vlan.type'] as const;

const allocate = (name: string, value: Expr): Instruction =>
  block({ op: 'allocate', at: field(name), width: fields[name]!.width }, assign(field(name), value));
const release = (names: readonly string[]): Instruction =>
  block(...names.map((name): Instruction => ({ op: 'deallocate', at: field(name) })));
const move = (offset: number): Instruction => ({ op: 'createTag', tag: 'L2', relativeTo: 'L2', offset });

const kept = {
  'Ether.dst': meta('openflow.kept.dst'),
  'Ether.src': meta('openflow.kept.src'),
  'Ether.type': meta('openflow.kept.type'),
} as const;
const keep = (type: string): Instruction =>
  block(
    assign(kept['Ether.dst'], read(field('Ether.dst'))),
    assign(kept['Ether.src'], read(field('Ether.src'))),
    assign(kept['Ether.type'], read(field(type))),
  );
const forget = block(...Object.values(kept).map((at): Instruction => ({ op: 'deallocate', at })));

/** A packet that comes without a frame gets one: a bridge has nothing but frames. */
export const framed: Instruction = branch(
  { kind: 'exists', at: field('Ether.dst') },
  nothing,
  block(
    { op: 'createTag', tag: 'L2', relativeTo: 'L3', offset: -headerBits.ether },
    allocate('Ether.dst', fresh('Ether.dst', 48)),
    allocate('Ether.src', fresh('Ether.src', 48)),
    branch(
      compare(read(field('IPv4.version')), '==', constant(4, 4)),
      allocate('Ether.type', constant(etherTypes.ipv4, 16)),
      allocate('Ether.type', constant(etherTypes.ipv6, 16)),
    ),
  ),
);

/**
 * Inside a bridge the tag is in metadata, as OVS keeps it, and the frame has none. One behind it is payload, and its type that of
 * the frame (ovs-vswitchd.conf.db(5), vlan-limit).
 */
export function untagInto(tci: Location): Instruction {
  return branch(
    { kind: 'exists', at: field('Vlan.id') },
    block(
      assign(tci, { kind: 'concat', parts: [read(field('Vlan.pcp')), constant(1, 1), read(field('Vlan.id'))] }),
      keep('Vlan.type'),
      release([...ether, ...vlan]),
      move(TAG_BITS),
      ...ether.map((name) => allocate(name, read(kept[name]))),
      forget,
    ),
    assign(tci, constant(0, 16)),
  );
}

/** The tag stands in the frame again when it leaves; `type` is that of 802.1Q or 802.1ad. */
export function tagFrom(tci: Location, type: Expr = constant(etherTypes.vlan, 16)): Instruction {
  return branch(
    compare(bits(read(tci), 12, 12), '==', constant(1, 1)),
    block(
      keep('Ether.type'),
      release(ether),
      move(-TAG_BITS),
      allocate('Ether.dst', read(kept['Ether.dst'])),
      allocate('Ether.src', read(kept['Ether.src'])),
      allocate('Ether.type', type),
      allocate('Vlan.pcp', bits(read(tci), 15, 13)),
      allocate('Vlan.dei', constant(0, 1)),
      allocate('Vlan.id', bits(read(tci), 11, 0)),
      allocate('Vlan.type', read(kept['Ether.type'])),
      forget,
    ),
    nothing,
  );
}

const LABEL_BITS = 32;
const mpls = ['MPLS.label', 'MPLS.tc', 'MPLS.bottom', 'MPLS.ttl'] as const;
const hasLabel: Condition = { kind: 'exists', at: field('MPLS.label') };
const isMpls = within(read(field('Ether.type')), [[BigInt(etherTypes.mpls), BigInt(etherTypes.mplsMulticast)]]);
const labels = (relativeTo: string, offset: number): Instruction => ({
  op: 'createTag',
  tag: 'MPLS',
  relativeTo,
  offset,
});

const keptLabel = { label: meta('openflow.kept.label'), tc: meta('openflow.kept.tc'), ttl: meta('openflow.kept.ttl') };
const noteLabel = (label: Expr, tc: Expr, ttl: Expr): Instruction =>
  block(assign(keptLabel.label, label), assign(keptLabel.tc, tc), assign(keptLabel.ttl, ttl));

/** What the first label of a packet is (flow_push_mpls of OVS): explicit null, with the class and the hops of the packet. */
function firstLabel(): Instruction {
  const of = (name: string, nullLabel: number, tc: Expr, ttl: string, otherwise: Instruction) =>
    branch(
      all(
        { kind: 'exists', at: field(ttl) },
        compare(read(field('Ether.type')), '==', constant(name === 'IPv6' ? etherTypes.ipv6 : etherTypes.ipv4, 16)),
      ),
      branch(
        compare(read(field(ttl)), '==', constant(0, 8)),
        noteLabel(constant(nullLabel, 20), tc, constant(64, 8)),
        noteLabel(constant(nullLabel, 20), tc, read(field(ttl))),
      ),
      otherwise,
    );
  const none = noteLabel(constant(0, 20), constant(0, 3), constant(64, 8));
  const six = of('IPv6', 2, bits(read(field('IPv6.trafficClass')), 4, 2), 'IPv6.hopLimit', none);
  return of('IPv4', 0, bits(read(field('IPv4.dscp')), 2, 0), 'IPv4.ttl', six);
}

/** A label in front of what the frame carries, of the type that says so. A further one is like the one behind it. */
export function pushLabel(type: number, doubt: Instruction): Instruction {
  const third: Condition = { kind: 'exists', at: { ...field('MPLS.label'), offset: 2 * LABEL_BITS } };
  const push = (bottom: number) =>
    block(
      keep('Ether.type'),
      release(ether),
      move(-LABEL_BITS),
      allocate('Ether.dst', read(kept['Ether.dst'])),
      allocate('Ether.src', read(kept['Ether.src'])),
      allocate('Ether.type', constant(type, 16)),
      labels('L2', headerBits.ether),
      allocate('MPLS.label', read(keptLabel.label)),
      allocate('MPLS.tc', read(keptLabel.tc)),
      allocate('MPLS.bottom', constant(bottom, 1)),
      allocate('MPLS.ttl', read(keptLabel.ttl)),
      forget,
      ...Object.values(keptLabel).map((at): Instruction => ({ op: 'deallocate', at })),
    );
  const again = noteLabel(read(field('MPLS.label')), read(field('MPLS.tc')), read(field('MPLS.ttl')));
  // OVS knows three labels of a packet.
  return branch(all(isMpls, hasLabel), branch(third, doubt, block(again, push(0))), block(firstLabel(), push(1)));
}

/** A field that frames of a type have: what flows say of a frame is not known where it has not been looked into. */
const contentOf: Readonly<Record<number, string>> = {
  [etherTypes.mpls]: 'MPLS.label',
  [etherTypes.mplsMulticast]: 'MPLS.label',
  [etherTypes.ipv4]: 'IPv4.ttl',
  [etherTypes.ipv6]: 'IPv6.hopLimit',
  [etherTypes.arp]: 'Arp.op',
};

/** The first label goes, and the frame is of that type; frames without a label stay as they are. */
export function popLabel(type: number, doubt: Instruction): Instruction {
  const content = contentOf[type];
  return branch(
    all(isMpls, hasLabel),
    block(
      keep('Ether.type'),
      release([...ether, ...mpls]),
      move(LABEL_BITS),
      allocate('Ether.dst', read(kept['Ether.dst'])),
      allocate('Ether.src', read(kept['Ether.src'])),
      allocate('Ether.type', constant(type, 16)),
      forget,
      labels('MPLS', LABEL_BITS),
      content === undefined ? nothing : branch({ kind: 'exists', at: field(content) }, nothing, doubt),
    ),
    nothing,
  );
}

/** A packet whose first label a question does not name has any. */
export const unnamedLabel: Instruction = branch(
  all(isMpls, negation(hasLabel)),
  block(labels('L2', headerBits.ether), ...mpls.map((name) => allocate(name, fresh(name, fields[name]!.width)))),
  nothing,
);
