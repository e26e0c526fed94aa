import { read } from '../../ir/expression.ts';
import { drop, type Instruction } from '../../ir/instruction.ts';
import type { Match, Rule, TableKey } from '../../ir/table.ts';
import type { PolicyRule } from '../../readers/linux/rules.ts';
import { exactly, setOf } from '../../readers/netfilter/addresses.ts';
import { NO_INTERFACE } from './box.ts';
import type { Surroundings } from './cubes.ts';
import { type ModelKey, tableKey } from './keys.ts';
import { type Hop, soughtAddress, Tables } from './route-tables.ts';

/** What is found is written into `oif` (or `THIS_HOST`) and `hop`, a number among `hops`; else the packet is dropped. */
export interface Routes {
  /** By the rules of the box, for the address that is sought. */
  readonly lookup: Instruction;
  /** In one table only. */
  inTable(table: string): Instruction;
  readonly routines: ReadonlyMap<string, Instruction>;
  /** Number 0 is a next hop of which nothing is to be known but the interface. */
  readonly hops: readonly Hop[];
}

export function compileRoutes(name: string, around: Surroundings): Routes {
  const tables = new Tables(name, around);
  const { lookup, routines } = compilePolicies(name, around, tables);
  return { lookup, routines, hops: tables.hops, inTable: (table) => tables.lookup([table], tables.nowhere) };
}

/** What a kernel begins with (fib_default_rules_init). */
const DEFAULT_TABLES = ['local', 'main', 'default'] as const;

interface Step {
  readonly rule: PolicyRule;
  /** No packet is exempt. */
  readonly always: boolean;
}

/** The database of routing policies (ip-rule(8)): the first rule whose table has a route decides. */
function compilePolicies(
  name: string,
  around: Surroundings,
  tables: Tables,
): { readonly lookup: Instruction; readonly routines: ReadonlyMap<string, Instruction> } {
  const routines = new Map<string, Instruction>();
  const rules = (around.box.policies ?? []).filter(({ family }) => family === around.family);
  if (rules.length === 0) return { lookup: tables.lookup(DEFAULT_TABLES, tables.nowhere), routines };
  const steps = rules.map((rule): Step => ({ rule, always: isAlways(rule) }));
  return { lookup: from(0), routines };

  /** The rules from there on, as a routine that several may come to. */
  function go(to: number): Instruction {
    if (to >= steps.length) return tables.nowhere;
    const routine = `${name}/rules/${around.family}/${to}`;
    if (!routines.has(routine)) routines.set(routine, from(to));
    return { op: 'call', routine };
  }

  function from(begin: number): Instruction {
    const first = steps[begin];
    if (first === undefined) return tables.nowhere;
    let end = begin + 1;
    if (first.always && first.rule.action.is === 'lookup') {
      // Tables that are asked one after the other, whatever the packet is, are one table.
      while (isPlain(steps[end - 1]!) && isPlain(steps[end])) end += 1;
      const names = steps.slice(begin, end).map(({ rule }) => tableOf(rule));
      return tables.lookup(names, go(end), first.rule.action.unlessShorter);
    }
    while (steps[end]?.always === false) end += 1;
    return choice(begin, end);
  }

  function isPlain(step: Step | undefined): boolean {
    if (step === undefined || !step.always || step.rule.action.is !== 'lookup') return false;
    return step.rule.action.unlessShorter === undefined && !tables.throws(step.rule.action.table);
  }

  /** Rules that look at the packet: one table, in which the first that matches decides which routes are asked. */
  function choice(begin: number, end: number): Instruction {
    const rows: { readonly matches: ReadonlyMap<ModelKey | 'to', Match>; readonly rule: Omit<Rule, 'match'> }[] = [];
    const behaviours: Instruction[] = [];
    for (let i = begin; i < end; i += 1) {
      const { rule } = steps[i]!;
      const matches = testsOf(rule, around);
      if (matches === undefined && !rule.not) continue;
      const { source } = rule;
      const add = (match: ReadonlyMap<ModelKey | 'to', Match>, behaviour: Instruction) => {
        behaviours.push(behaviour);
        rows.push({ matches: match, rule: { behaviour: behaviours.length - 1, source } });
      };
      if (rule.not) {
        if (matches !== undefined) add(matches, go(i + 1));
        add(new Map(), act(i));
      } else add(matches!, act(i));
    }
    const keys = [...new Set(rows.flatMap(({ matches }) => [...matches.keys()]))];
    if (keys.length === 0) return rows.length === 0 ? go(end) : behaviours[0]!;
    return {
      op: 'table',
      table: {
        name: `${name} rules`,
        keys: keys.map((key) => keyOf(key, name, around)),
        entries: {
          kind: 'rules',
          rules: rows.map(({ matches, rule }) => ({ ...rule, match: keys.map((key) => matches.get(key)) })),
        },
        behaviours,
        miss: go(end),
      },
    };
  }

  function act(i: number): Instruction {
    const { action, source } = steps[i]!.rule;
    switch (action.is) {
      case 'lookup':
        return tables.lookup([action.table], go(i + 1), action.unlessShorter);
      case 'refuse':
        return drop(action.why, source);
      case 'nothing':
        return go(i + 1);
      case 'goto': {
        const to = steps.findIndex(({ rule }) => rule.priority >= action.priority);
        return to > i ? go(to) : drop('the rule goes back', source);
      }
    }
  }
}

function isAlways({ not, from, to, mark, iif, oif, protocol, sport, dport }: PolicyRule): boolean {
  return !not && [from, to, mark, iif, oif, protocol, sport, dport].every((test) => test === undefined);
}

const tableOf = ({ action }: PolicyRule): string => (action.is === 'lookup' ? action.table : '');

/** Undefined: no packet passes them. Sockets that are bound to a device are not modelled, hence `oif` never holds. */
function testsOf(rule: PolicyRule, around: Surroundings): ReadonlyMap<ModelKey | 'to', Match> | undefined {
  const { family, interfaces } = around;
  const matches = new Map<ModelKey | 'to', Match>();
  if (rule.oif !== undefined) return undefined;
  if (rule.from !== undefined)
    matches.set(`${family}.saddr`, { kind: 'prefix', value: rule.from.address, length: rule.from.length });
  if (rule.to !== undefined) matches.set('to', { kind: 'prefix', value: rule.to.address, length: rule.to.length });
  if (rule.mark !== undefined) {
    const { value, mask } = rule.mark;
    if ((value & ~mask) !== 0n) return undefined;
    matches.set('mark', mask === 0xffff_ffffn ? exactly(value) : { kind: 'mask', value, mask });
  }
  if (rule.iif !== undefined) {
    // What the box itself sends has the loopback as its input (flowi_iif).
    const own = rule.iif === 'lo' ? [NO_INTERFACE] : [];
    const numbers = [...own, interfaces.number(rule.iif)].filter((one) => one !== NO_INTERFACE || rule.iif === 'lo');
    if (numbers.length === 0) return undefined;
    matches.set('iif', setOf(numbers.map((one) => [one, one] as const)));
  }
  if (rule.protocol !== undefined) matches.set('l4proto', exactly(BigInt(rule.protocol)));
  for (const key of ['sport', 'dport'] as const) {
    const ports = rule[key];
    if (ports !== undefined) matches.set(key, { kind: 'range', low: BigInt(ports[0]), high: BigInt(ports[1]) });
  }
  return matches;
}

function keyOf(key: ModelKey | 'to', name: string, around: Surroundings): TableKey {
  if (key !== 'to') return tableKey(key, around.family, name);
  return { of: read(soughtAddress(around, name)), width: around.family === 'ip' ? 32 : 128, absent: 'fail' };
}

/** Keys of the packet that rules of the box look at, besides its addresses. */
export function policyKeys(policies: readonly PolicyRule[]): ReadonlySet<'mark'> {
  return policies.some(({ mark }) => mark !== undefined) ? new Set(['mark']) : new Set();
}
