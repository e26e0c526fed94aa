import {
  all,
  compare,
  constant,
  type Condition,
  type Expr,
  type Field,
  fresh,
  meta,
  read,
} from '../../ir/expression.ts';
import { field, fields, headerBits } from '../../ir/fields.ts';
import { assign, block, branch, fail, type Instruction, nothing } from '../../ir/instruction.ts';

/**
 * Where a packet begins for Click. Its data pointer is the tag `CLICK`, moved by Strip and Unstrip; its MAC, network and
 * transport header annotations are the tags L2, L3 and L4. What was stripped stays in the packet, as it does in Click, until
 * something is written over it or the packet leaves the box. Which headers there are is asked by their shape, since no two of
 * them have fields of the same widths at the same places.
 */
export const DATA = 'CLICK';
const EDGE = 'CLICK.edge';

const MPLS_TAG = 'MPLS';

export type HeaderName = 'Ether' | 'Vlan' | 'IPv4' | 'IPv6' | 'UDP' | 'TCP' | 'ICMP' | 'SCTP' | 'ESP' | 'Arp' | 'MPLS';

function fieldsOf(header: HeaderName): readonly Field[] {
  return Object.values(fields).filter(({ name }) => name!.startsWith(`${header}.`));
}

/** A field of a header that begins `base` bits after the tag. */
export function placed(name: string, tag: string, base = 0): Field {
  const at = field(name);
  return { ...at, tag, offset: at.offset + base };
}

export function exists(at: Field): Condition {
  return { kind: 'exists', at };
}

/** A field by which a header is told from all others that could be at that place. */
const signs = {
  Ether: ['Ether.dst'],
  Vlan: ['Ether.dst', 'Vlan.id'],
  IPv4: ['IPv4.version', 'IPv4.src'],
  IPv6: ['IPv6.version', 'IPv6.flowLabel'],
  Arp: ['Arp.htype', 'Arp.op'],
  UDP: ['UDP.sport', 'UDP.length', 'UDP.checksum'],
  TCP: ['TCP.seq', 'TCP.window'],
  ICMP: ['ICMP.type', 'ICMP.id'],
  SCTP: ['SCTP.tag', 'SCTP.checksum'],
  ESP: ['ESP.spi', 'ESP.seq'],
  MPLS: ['MPLS.label'],
} as const;

export function hasHeader(header: HeaderName, tag: string, base = 0): Condition {
  return all(...signs[header].map((name) => exists(placed(name, tag, base))));
}

/** Says that `CLICK` is where the packet begins. */
const entered = meta('click.entered');

function tagTo(tag: string, relativeTo: string, offset = 0): Instruction {
  return { op: 'createTag', tag, relativeTo, offset };
}

/** Names of the routines below, which all boxes share. */
export const ENTER = 'click.enter';
const CLEAR = 'click.clear';
const LEAVE = 'click.leave';

export const enter: Instruction = { op: 'call', routine: ENTER };
export const leave: Instruction = { op: 'call', routine: LEAVE };
const clear: Instruction = { op: 'call', routine: CLEAR };

function deallocate(header: HeaderName, tag: string, base: number): Instruction[] {
  return fieldsOf(header).map((at) => ({
    op: 'deallocate',
    at: { ...at, tag, offset: at.offset + base },
    width: at.width,
  }));
}

/** The last header before the edge, if there is one, goes, and the edge moves to where it began. */
function clearOne(after: Instruction): Instruction {
  const candidates: readonly (readonly [headers: readonly HeaderName[], bits: number])[] = [
    [['Ether', 'Vlan'], headerBits.tagged],
    [['Ether'], headerBits.ether],
    [['IPv4'], headerBits.ipv4],
    [['UDP'], 64],
    [['ESP'], 64],
    [['MPLS'], 32],
  ];
  return candidates.reduceRight<Instruction>((otherwise, [headers, bits]) => {
    const last = headers.at(-1)!;
    const found =
      last === 'Ether'
        ? all(hasHeader('Ether', EDGE, -bits), exists(placed('Ether.type', EDGE, -bits)))
        : hasHeader(last, EDGE, -bits);
    const gone = block(
      ...headers.flatMap((header) => deallocate(header, EDGE, -bits)),
      tagTo(EDGE, EDGE, -bits),
      after,
    );
    return branch(found, gone, otherwise);
  }, nothing);
}

/** At most so many headers are stripped before something else is put in front. */
const CLEARED_MAX = 4;

export const routines: ReadonlyMap<string, Instruction> = new Map([
  [
    ENTER,
    branch(
      { kind: 'exists', at: entered },
      nothing,
      block(
        assign(entered, constant(1, 1)),
        branch(
          hasHeader('Ether', 'L2'),
          tagTo(DATA, 'L2'),
          branch(
            hasHeader('MPLS', MPLS_TAG),
            tagTo(DATA, MPLS_TAG),
            branch(
              { kind: 'any', of: [hasHeader('IPv4', 'L3'), hasHeader('IPv6', 'L3'), hasHeader('Arp', 'L3')] },
              tagTo(DATA, 'L3'),
              fail('the packet begins with no header that is known'),
            ),
          ),
        ),
      ),
    ),
  ],
  [
    CLEAR,
    block(
      tagTo(EDGE, DATA),
      Array.from({ length: CLEARED_MAX }).reduce<Instruction>((after) => clearOne(after), nothing),
      { op: 'destroyTag', tag: EDGE },
    ),
  ],
  [
    LEAVE,
    branch(
      { kind: 'exists', at: entered },
      block(
        clear,
        branch(hasHeader('Ether', DATA), tagTo('L2', DATA), nothing),
        { op: 'destroyTag', tag: DATA },
        { op: 'deallocate', at: entered },
      ),
      nothing,
    ),
  ],
]);

/** Puts headers in front of the packet, one after the other, and moves the data pointer to the first. */
export function push(
  bits: number,
  headers: readonly (readonly [HeaderName, base: number])[],
  values: Readonly<Record<string, Expr>>,
): Instruction {
  const parts = headers.flatMap(([header, base]) =>
    fieldsOf(header).flatMap((at): Instruction[] => {
      const to: Field = { ...at, tag: DATA, offset: at.offset + base };
      return [{ op: 'allocate', at: to, width: at.width }, assign(to, values[at.name!] ?? fresh(at.name!, at.width))];
    }),
  );
  return block(enter, clear, tagTo(DATA, DATA, -bits), ...parts);
}

/** Takes headers away for good, from the data pointer on. */
export function pop(bits: number, headers: readonly HeaderName[]): Instruction {
  return block(...headers.flatMap((header) => deallocate(header, DATA, 0)), tagTo(DATA, DATA, bits));
}

export function strip(bits: number): Instruction {
  return block(enter, tagTo(DATA, DATA, bits));
}

/** The MAC header annotation. */
export function markMac(base = 0): Instruction {
  return tagTo('L2', DATA, base);
}

export function markMpls(): Instruction {
  return tagTo(MPLS_TAG, DATA);
}

/** The network and transport header annotations, for a header of IPv4 without options. */
export function markIp(base = 0): Instruction {
  return block(tagTo('L3', DATA, base), tagTo('L4', DATA, base + headerBits.ipv4));
}

export function markIp6(base = 0): Instruction {
  return block(tagTo('L3', DATA, base), tagTo('L4', DATA, base + headerBits.ipv6));
}

/** After a tunnel's header is gone: the annotations are those of the header behind it, if it is one of IP. */
export const markInner: Instruction = branch(
  hasHeader('IPv4', DATA),
  markIp(),
  branch(hasHeader('IPv6', DATA), markIp6(), nothing),
);

export function dataToNetwork(): Instruction {
  return block(enter, tagTo(DATA, 'L3'));
}

/** The transport header goes, so that another can be in its place. */
export const clearTransport: Instruction = (['TCP', 'UDP', 'ICMP', 'SCTP', 'ESP'] as const).reduceRight<Instruction>(
  (otherwise, header) => branch(hasHeader(header, 'L4'), block(...deallocate(header, 'L4', 0)), otherwise),
  nothing,
);

export function allocate(header: HeaderName, tag: string, values: Readonly<Record<string, Expr>>): Instruction {
  return block(
    ...fieldsOf(header).flatMap((at): Instruction[] => {
      const to = { ...at, tag };
      return [{ op: 'allocate', at: to, width: at.width }, assign(to, values[at.name!] ?? fresh(at.name!, at.width))];
    }),
  );
}

export function is(name: string, value: bigint | number): Condition {
  const at = field(name);
  return compare(read(at), '==', constant(value, at.width));
}

export function set(name: string, value: bigint | number): Instruction {
  const at = field(name);
  return assign(at, constant(value, at.width));
}

export function swap(a: Field, b: Field): Instruction {
  const kept = meta('click.swap');
  return block(assign(kept, read(a)), assign(a, read(b)), assign(b, read(kept)), { op: 'deallocate', at: kept });
}
