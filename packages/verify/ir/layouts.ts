import { compare, constant, fresh, read, type Expr, type Field } from './expression.ts';
import { etherTypes, field, fields, headerBits, protocols } from './fields.ts';
import { assign, block, constrain, type Instruction } from './instruction.ts';
import { negation, within } from './expression.ts';

/**
 * The headers with which a symbolic packet begins. A packet has one layout: a program that looks at a TCP port must have
 * tested the protocol first, and reading a header that is not there is an error of the path. A fully symbolic question
 * runs once for each layout.
 */
export interface Layout {
  /** `ether/ipv4/tcp` */
  readonly name: string;
  /** Allocates the fields and gives them symbols. */
  readonly setup: Instruction;
}

/** Values that a packet of this layout is born with; all other fields are symbols. */
type Fixed = Readonly<Record<string, bigint>>;

function header(prefix: string, fixed: Fixed): Instruction[] {
  return Object.values(fields)
    .filter((at) => at.name!.startsWith(`${prefix}.`))
    .flatMap((at) => {
      const known = fixed[at.name!];
      const value: Expr = known === undefined ? fresh(at.name!, at.width) : constant(known, at.width);
      return [{ op: 'allocate', at, width: at.width } as const, assign(at, value)];
    });
}

function tag(name: string, offset: number, relativeTo?: string): Instruction {
  return relativeTo === undefined
    ? { op: 'createTag', tag: name, offset }
    : { op: 'createTag', tag: name, relativeTo, offset };
}

function make(name: string, parts: readonly Instruction[]): Layout {
  return { name, setup: block(tag('START', 0), ...parts) };
}

const ether = (type: number) => [
  tag('L2', 0),
  ...header('Ether', { 'Ether.type': BigInt(type) }),
  tag('L3', headerBits.ether, 'L2'),
];

const ipv4 = (proto: number | undefined) => [
  ...header('IPv4', {
    'IPv4.version': 4n,
    'IPv4.ihl': 5n,
    ...(proto === undefined ? {} : { 'IPv4.proto': BigInt(proto) }),
  }),
  tag('L4', headerBits.ipv4, 'L3'),
];

const ipv6 = (next: number | undefined) => [
  ...header('IPv6', { 'IPv6.version': 6n, ...(next === undefined ? {} : { 'IPv6.nextHeader': BigInt(next) }) }),
  tag('L4', headerBits.ipv6, 'L3'),
];

/** Protocols with a layout of their own; `other` has all the rest. */
const transports = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP', sctp: 'SCTP' } as const;

function otherThan(at: Field, numbers: readonly number[]): Instruction {
  return constrain(
    negation(
      within(
        read(at),
        numbers.toSorted((a, b) => a - b).map((n) => [BigInt(n), BigInt(n)] as const),
      ),
    ),
  );
}

function ipv4Layouts(prefix: string, before: readonly Instruction[]): Layout[] {
  const known = Object.entries(transports).map(([name, headerName]) =>
    make(`${prefix}ipv4/${name}`, [
      ...before,
      ...ipv4(protocols[name as keyof typeof transports]),
      ...header(headerName, {}),
    ]),
  );
  const numbers = Object.keys(transports).map((name) => protocols[name as keyof typeof transports]);
  return [
    ...known,
    make(`${prefix}ipv4/other`, [...before, ...ipv4(undefined), otherThan(field('IPv4.proto'), numbers)]),
  ];
}

function ipv6Layouts(prefix: string, before: readonly Instruction[]): Layout[] {
  const known = [
    ['tcp', 'TCP', protocols.tcp],
    ['udp', 'UDP', protocols.udp],
    ['icmpv6', 'ICMPv6', protocols.icmpv6],
  ] as const;
  return [
    ...known.map(([name, headerName, number]) =>
      make(`${prefix}ipv6/${name}`, [...before, ...ipv6(number), ...header(headerName, {})]),
    ),
    make(`${prefix}ipv6/other`, [
      ...before,
      ...ipv6(undefined),
      otherThan(
        field('IPv6.nextHeader'),
        known.map(([, , number]) => number),
      ),
    ]),
  ];
}

const noFrame = [tag('L3', 0)];

/** With an Ethernet header, and without (`ipv4/tcp`: routers and hosts that are modelled from layer 3 upwards). */
export const layouts: readonly Layout[] = [
  ...ipv4Layouts('ether/', ether(etherTypes.ipv4)),
  ...ipv6Layouts('ether/', ether(etherTypes.ipv6)),
  make('ether/arp', [...ether(etherTypes.arp), ...header('Arp', {})]),
  make('ether/other', [
    tag('L2', 0),
    ...header('Ether', {}),
    tag('L3', headerBits.ether, 'L2'),
    otherThan(field('Ether.type'), [etherTypes.ipv4, etherTypes.arp, etherTypes.ipv6, etherTypes.vlan]),
  ]),
  ...ipv4Layouts('', noFrame),
  ...ipv6Layouts('', noFrame),
];

export function layout(name: string): Layout | undefined {
  return layouts.find((candidate) => candidate.name === name);
}

/** `field == value`, for a field by its name. */
export function fieldIs(name: string, value: bigint | number) {
  const at = field(name);
  return compare(read(at), '==', constant(value, at.width));
}
