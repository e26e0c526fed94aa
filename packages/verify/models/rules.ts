import { compare, constant, type Expr, meta, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction } from '../ir/instruction.ts';
import type { SourceRef } from '../ir/source.ts';
import type { Match, Rule, Table, TableKey } from '../ir/table.ts';
import type { AccessRule, ForwardingRule, Range } from '../incremental/rules.ts';
import type { RuleUpdate } from '../incremental/updates.ts';
import type { Wiring } from '../incremental/verifier.ts';
import type { Box, Network, PortId } from '../network.ts';
import { addressMatch } from './address-match.ts';

/** In `cameBy`: from outside, by no port that is wired. */
const FROM_OUTSIDE = 0;
const PORT_BITS = 16;

interface Sourced<Kind> {
  readonly rule: Kind;
  readonly source: SourceRef;
}

/**
 * A backbone as its routes, access lists and wires say (the Stanford backbone, as APKeep has it). `rules` are those in force,
 * of `file`. Packets come in at `box:in` from outside and at `box:<port>:in` from a wire; a box does not send them back by the
 * port by which they came. A list is a box of its own, entered at `node:in` and left at `node:permit`. A route into a VLAN
 * leads to one of the ports of the VLAN; which one depends on MAC addresses, so nobody knows. The rules say nothing of the
 * time to live, and it is left as it is.
 */
export function networkOfRules(name: string, rules: readonly RuleUpdate[], file: string, wiring: Wiring): Network {
  const routes = new Map<string, Sourced<ForwardingRule>[]>();
  const lists = new Map<string, Sourced<AccessRule>[]>();
  for (const { rule, line } of rules) {
    const source = { file, line };
    if (rule.kind === 'forward') append(routes, rule.box, { rule, source });
    else append(lists, rule.list, { rule, source });
  }
  const boxes = new Map<string, Box>();
  const programs = new Map<PortId, Instruction>();
  const links = new Map<PortId, PortId[]>();
  const entries = new Map<string, Set<string>>();
  for (const { from, to } of wiring.links) {
    const isList = wiring.lists.has(to.node);
    const begin = `${from.node}:${from.port}`;
    append(links, begin, isList ? `${to.node}:in` : `${to.node}:${to.port}:in`);
    if (!isList) entries.set(to.node, (entries.get(to.node) ?? new Set()).add(to.port));
  }
  for (const [node, list] of wiring.lists) {
    const applied = lists.get(list) ?? [];
    boxes.set(node, { name: node, kind: 'access list', ...sourceOf(applied) });
    programs.set(`${node}:in`, { op: 'table', table: accessTable(node, applied) });
  }
  for (const box of new Set([...routes.keys(), ...entries.keys()])) {
    const own = routes.get(box) ?? [];
    const wired = [...(entries.get(box) ?? [])];
    boxes.set(box, { name: box, kind: 'router', ...sourceOf(own) });
    const lookup: Instruction = { op: 'table', table: routeTable(box, own, wired, wiring) };
    const enter = (port: number) => block(assign(cameBy(box), constant(port, PORT_BITS)), lookup);
    programs.set(`${box}:in`, enter(FROM_OUTSIDE));
    for (const [i, port] of wired.entries()) programs.set(`${box}:${port}:in`, enter(i + 1));
  }
  return { name, boxes, programs, links, routines: new Map() };
}

function append<T>(to: Map<string, T[]>, key: string, value: T): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [value]);
  else known.push(value);
}

const sourceOf = ([first]: readonly Sourced<unknown>[]) => (first === undefined ? {} : { source: first.source });
const cameBy = (box: string) => meta('came by', box);

function routeTable(
  box: string,
  routes: readonly Sourced<ForwardingRule>[],
  wired: readonly string[],
  wiring: Wiring,
): Table {
  const numbers = new Map<string, number>();
  const behaviours: Instruction[] = [];
  const behaviour = routes.map(({ rule }) => {
    const wires = wiring.vlans.get(`${box} ${rule.port}`) ?? [rule.port];
    const key = wires.join(' ');
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const ways = wires.map((wire): Instruction => {
      const out = forward(`${box}:${wire}`);
      const number = wired.indexOf(wire) + 1;
      if (number === FROM_OUTSIDE) return out;
      const isBack = compare(read(cameBy(box)), '==', constant(number, PORT_BITS));
      return branch(isBack, drop('not sent back by the port by which it came'), out);
    });
    numbers.set(key, behaviours.length);
    behaviours.push(ways.length === 1 ? ways[0]! : { op: 'choose', branches: ways });
    return behaviours.length - 1;
  });
  return {
    name: `${box} routes`,
    keys: [{ of: read(field('IPv4.dst')), width: 32, absent: 'fail' }],
    entries: {
      kind: 'prefixes',
      addresses: Uint32Array.from(routes, ({ rule }) => rule.address),
      lengths: Uint8Array.from(routes, ({ rule }) => rule.length),
      behaviour: Uint32Array.from(behaviour),
      lines: Uint32Array.from(routes, ({ source }) => source.line),
      ...(routes[0] === undefined ? {} : { file: routes[0].source.file }),
    },
    behaviours,
    miss: drop('no route'),
  };
}

export const key = (of: Expr, width: number, absent: TableKey['absent'] = 'fail'): TableKey => ({ of, width, absent });

/** Ports of TCP and UDP, and of SCTP, are at the same place; packets without match only rules that look at no port. */
export const accessKeys: readonly TableKey[] = [
  key(read(field('IPv4.proto')), 8),
  key(read(field('IPv4.src')), 32),
  key(read(field('TCP.sport')), 16, 'unmatched'),
  key(read(field('IPv4.dst')), 32),
  key(read(field('TCP.dport')), 16, 'unmatched'),
];

const PERMIT = 0;
const DENY = 1;

function accessTable(node: string, list: readonly Sourced<AccessRule>[]): Table {
  const denied = drop('denied by the access list');
  const rules = list
    .toSorted((a, b) => b.rule.priority - a.rule.priority)
    .map(({ rule, source }): Rule => {
      const match = [
        rangeMatch(rule.protocol),
        addressMatch(rule.source),
        rangeMatch(rule.sourcePort),
        addressMatch(rule.destination),
        rangeMatch(rule.destinationPort),
      ];
      return { match, behaviour: rule.action === 'permit' ? PERMIT : DENY, source };
    });
  return {
    name: node,
    keys: accessKeys,
    entries: { kind: 'rules', rules },
    behaviours: [forward(`${node}:permit`), denied],
    miss: drop('the access list permits nothing else'),
  };
}

const rangeMatch = (range: Range | undefined): Match | undefined =>
  range === undefined ? undefined : { kind: 'range', low: BigInt(range.low), high: BigInt(range.high) };
