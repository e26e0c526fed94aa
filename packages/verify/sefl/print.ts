import type { Condition, Expr, Location, Ranges } from '../ir/expression.ts';
import { fields } from '../ir/fields.ts';
import type { Instruction } from '../ir/instruction.ts';
import type { SourceRef } from '../ir/source.ts';
import type { Entries, Match, Table } from '../ir/table.ts';
import type { Network } from '../network.ts';

/** A network as textual SEFL; reads back as the same network. */
export function printNetwork(network: Network): string {
  const out: string[] = [call('network', text(network.name))];
  for (const { name, kind, source } of network.boxes.values())
    out.push(call('box', text(name), text(kind), ...at(source)));
  for (const [from, to] of network.links) out.push(call('link', text(from), ...to.map(text)));
  if (network.edges !== undefined) out.push(call('edges', ...[...network.edges].map(text)));
  for (const [port, { bytes, source }] of network.mtus ?? [])
    out.push(call('mtu', text(port), String(bytes), ...at(source)));
  for (const [box, why] of network.unknown ?? []) out.push(call('unknown', text(box), text(why)));
  for (const [name, body] of network.routines) out.push(call('routine', text(name), printInstruction(body)));
  for (const [port, body] of network.programs) out.push(call('program', text(port), printInstruction(body)));
  return `${out.join('\n')}\n`;
}

/** One instruction; blocks are set in lines. */
export function printInstruction(instruction: Instruction): string {
  const printed = body(instruction);
  return instruction.source === undefined ? printed : call('from', ...at(instruction.source), printed);
}

function body(instruction: Instruction): string {
  switch (instruction.op) {
    case 'block':
    case 'fork':
    case 'choose': {
      const parts = instruction.op === 'block' ? instruction.body : instruction.branches;
      return call(instruction.op, ...parts.map(printInstruction));
    }
    case 'allocate':
      return call('allocate', location(instruction.at), String(instruction.width));
    case 'deallocate':
      return call('deallocate', location(instruction.at), ...optional(instruction.width));
    case 'assign':
      return call('assign', location(instruction.to), printExpr(instruction.value));
    case 'createTag':
      return call(
        'tag',
        text(instruction.tag),
        ...(instruction.relativeTo === undefined ? [] : [text(instruction.relativeTo)]),
        signed(instruction.offset),
      );
    case 'destroyTag':
      return call('untag', text(instruction.tag));
    case 'constrain':
      return call(
        'constrain',
        printCondition(instruction.condition),
        ...(instruction.why === undefined ? [] : [text(instruction.why)]),
      );
    case 'if':
      return call(
        'if',
        printCondition(instruction.condition),
        printInstruction(instruction.yes),
        printInstruction(instruction.no),
      );
    case 'for':
      return call('for', text(instruction.pattern), printInstruction(instruction.body));
    case 'forward':
      return call('forward', text(instruction.to));
    case 'fail':
    case 'drop':
      return call(instruction.op, text(instruction.why));
    case 'destroyPacket':
      return call('destroy');
    case 'save':
    case 'load':
      return call(instruction.op, text(instruction.name));
    case 'call':
      return call('call', text(instruction.routine));
    case 'doubt':
      return call('doubt', text(instruction.what), ...(instruction.covered ? [text('covered')] : []));
    case 'table':
      return printTable(instruction.table);
  }
}

function printTable({ name, keys, entries, behaviours, miss }: Table): string {
  return call(
    'table',
    text(name),
    call('keys', ...keys.map(({ of, width, absent }) => call(absent, printExpr(of), String(width)))),
    printEntries(entries),
    call('behaviours', ...behaviours.map(printInstruction)),
    printInstruction(miss),
  );
}

function printEntries(entries: Entries): string {
  if (entries.kind === 'rules') {
    const rules = entries.rules.map(({ match, behaviour, source }) =>
      call('rule', call('match', ...match.map(printMatch)), String(behaviour), ...at(source)),
    );
    return call('rules', ...rules);
  }
  const values = entries.kind === 'prefixes' ? entries.addresses : entries.values;
  const rows = Array.from(values, (value, i) =>
    call(
      'entry',
      String(value),
      ...(entries.kind === 'prefixes' ? [String(entries.lengths[i])] : []),
      String(entries.behaviour[i]),
      ...(entries.lines === undefined ? [] : [String(entries.lines[i])]),
    ),
  );
  return call(entries.kind, ...(entries.file === undefined ? [] : [call('file', text(entries.file))]), ...rows);
}

function printMatch(match: Match | undefined): string {
  if (match === undefined) return 'any';
  switch (match.kind) {
    case 'range':
      return call('range', String(match.low), String(match.high));
    case 'prefix':
      return call('prefix', String(match.value), String(match.length));
    case 'mask':
      return call('mask', String(match.value), String(match.mask));
    case 'set':
      return call('set', ...ranges(match.ranges));
    case 'other':
      return call('other', printMatch(match.of));
  }
}

function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'const':
      return `${expr.value}:${expr.width}`;
    case 'read':
      return location(expr.from);
    case 'fresh':
      return call('fresh', text(expr.name), String(expr.width), ...ranges(expr.ranges ?? []));
    case 'binary':
      return call(expr.op, printExpr(expr.left), printExpr(expr.right));
    case 'not':
      return call('not', printExpr(expr.of));
    case 'shift':
      return call(expr.op, printExpr(expr.of), String(expr.by));
    case 'slice':
      return call('slice', printExpr(expr.of), String(expr.high), String(expr.low));
    case 'extend':
      return call('extend', printExpr(expr.of), String(expr.width));
    case 'concat':
      return call('concat', ...expr.parts.map(printExpr));
  }
}

export const comparisons = { eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;

function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'always':
    case 'never':
      return condition.kind;
    case 'compare': {
      const name = Object.entries(comparisons).find(([, op]) => op === condition.op)![0];
      return call(name, printExpr(condition.left), printExpr(condition.right));
    }
    case 'within':
      return call('within', printExpr(condition.of), ...ranges(condition.ranges));
    case 'masked':
      return call('masked', printExpr(condition.of), String(condition.value), String(condition.mask));
    case 'exists':
      return call('exists', location(condition.at));
    case 'at':
      return call('at', ...condition.ports.map(text));
    case 'all':
    case 'any':
      return call(condition.kind, ...condition.of.map(printCondition));
    case 'negation':
      return call('unless', printCondition(condition.of));
  }
}

/** Well-known fields by their names, others by where they are. */
function location(at_: Location): string {
  if (at_.kind === 'meta') return call('meta', text(at_.name), ...(at_.box === undefined ? [] : [text(at_.box)]));
  const { tag, offset, width, name } = at_;
  const known = name === undefined || !Object.hasOwn(fields, name) ? undefined : fields[name];
  if (known !== undefined && known.tag === tag && known.offset === offset && known.width === width) return name!;
  return call('bits', text(tag), signed(offset), String(width), ...(name === undefined ? [] : [text(name)]));
}

const call = (name: string, ...of: readonly string[]) => `${name}(${of.join(', ')})`;
const text = (value: string) => JSON.stringify(value);
const signed = (value: number) => (value < 0 ? call('minus', String(-value)) : String(value));
const optional = (value: number | undefined) => (value === undefined ? [] : [String(value)]);
const ranges = (list: Ranges) => list.map(([low, high]) => call('range', String(low), String(high)));

function at(source: SourceRef | undefined): string[] {
  if (source === undefined) return [];
  const written = source.text === undefined ? [] : [text(source.text)];
  return [call('line', text(source.file), String(source.line), ...written)];
}
