import { type Diagrams, FALSE, type Node, TRUE } from '../../diagram/diagrams.ts';
import { applies, families, type IpFamily, type NetfilterBox, numberInterfaces } from '../../models/netfilter/box.ts';
import { type Cube, cubesOf, type Surroundings } from '../../models/netfilter/cubes.ts';
import { widthOfKey } from '../../models/netfilter/keys.ts';
import {
  type Action,
  type Chain,
  ctState,
  type NfRule,
  type NfTable,
  type Part,
  type Test,
} from '../../readers/netfilter/ruleset.ts';
import { balanced } from '../../solve/balanced.ts';
import { Columns } from './columns.ts';
import { type ListedRule, superfluous } from './superfluous.ts';
import type { Examined, RuleFault } from './tables.ts';

const IPV6 = 'is IPv6';

/**
 * The rules of one chain of netfilter, for packets of both families at once. Exact for what stands in the chain itself: a jump
 * is taken to come back with all its packets, and marks that any rule of the table sets to be anything after a rule that
 * goes on. What depends on addresses and routes of the box, on time or on rates, may hold or not.
 */
export function examineChain(box: NetfilterBox, table: NfTable, chain: Chain, diagrams: Diagrams): Examined {
  const columns = new Columns(diagrams);
  const v6 = columns.isThere(IPV6);
  const named = withNames(box, chain);
  const seen = families.filter((family) => applies(table.family, family));
  const sides = seen.map((family): Side => {
    const around = {
      family,
      box: named,
      interfaces: numberInterfaces(named.interfaces),
      ipsets: box.ipsets ?? new Map(),
    };
    return { around, packets: family === 'ip6' ? v6 : diagrams.not(v6) };
  });
  const volatile = assigned(table);
  const names = new Set([...volatile].flatMap((key) => families.map((family) => `${family} ${key}`)));
  const rules = chain.rules.map((rule) => listed(rule, sides, chain, columns));
  const faults = superfluous({
    diagrams,
    rules,
    packets: sides.reduce(
      (all, { packets, around }) => diagrams.or(all, diagrams.and(packets, real(around.family))),
      FALSE,
    ),
    miss: chain.base === undefined ? 'return' : chain.base.policy,
    changed: (packets) => diagrams.exists(packets, columns.marked(names)),
  });
  const found = [...faults].map(
    ([i, { kind, by }]): RuleFault => ({
      kind,
      place: `${table.family} ${table.name} ${chain.name}`,
      rule: chain.rules[i]!.source,
      by: by.map((j) => chain.rules[j]!.source),
    }),
  );
  return { rules: rules.length, faults: found };

  /** A connection has one state. */
  function real(family: IpFamily): Node {
    const ranges = Object.values(ctState).map((state) => [state, state] as const);
    return columns.matches(`${family} ct.state`, 8, {
      kind: 'set',
      ranges: ranges.toSorted((a, b) => Number(a[0] - b[0])),
    });
  }
}

interface Side {
  readonly around: Surroundings;
  readonly packets: Node;
}

function listed({ parts }: NfRule, sides: readonly Side[], chain: Chain, columns: Columns): ListedRule {
  const end = parts.findIndex((part) => !isTest(part));
  const tests = (end < 0 ? parts : parts.slice(0, end)) as readonly Test[];
  const actions = end < 0 ? [] : parts.slice(end);
  const { diagrams } = columns;
  const ways = sides.flatMap(({ around, packets }) =>
    cubesOf(tests.map(knowable), around).map((cube) => ({
      node: diagrams.and(packets, nodeOf(cube, around.family, columns)),
      certain: cube.unknown.length === 0 && cube.rest.length === 0,
    })),
  );
  const any = (nodes: readonly Node[]) => balanced(nodes, (a, b) => diagrams.or(a, b)) ?? FALSE;
  return {
    upper: any(ways.map(({ node }) => node)),
    lower: any(ways.filter(({ certain }) => certain).map(({ node }) => node)),
    behaviour: behaviourOf(actions, chain),
    changes: actions.some(({ is }) => is !== 'doubt'),
  };
}

function nodeOf({ matches }: Cube, family: IpFamily, columns: Columns): Node {
  let node = TRUE;
  for (const [key, match] of matches) {
    node = columns.diagrams.and(node, columns.matches(`${family} ${key}`, widthOfKey(key, family)!, match));
  }
  return node;
}

/** What becomes of a packet in the end, with all that is done to it; undefined when the chain goes on. */
function behaviourOf(actions: readonly Part[], chain: Chain): string | undefined {
  const [first, ...rest] = actions as readonly Action[];
  switch (first?.is) {
    case 'accept':
      return 'accept';
    case 'drop':
      return first.why.toLowerCase();
    case 'return':
      return chain.base?.policy ?? 'return';
    case 'nat':
      return text(actions);
    case 'jump':
      return first.goto ? text(actions) : undefined;
    case 'assign':
    case 'untrack': {
      const end = behaviourOf(rest, chain);
      return end === undefined ? undefined : `${text([first])} ${end}`;
    }
    default:
      return undefined;
  }
}

const text = (parts: readonly Part[]) =>
  JSON.stringify(parts, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

const tests: ReadonlySet<string> = new Set<Test['is']>([
  'match',
  'interface',
  'family',
  'member',
  'either',
  'address type',
  'reverse path',
  'never',
  'unknown',
]);

const isTest = (part: Part): part is Test => tests.has(part.is);

/** Tests of what other files say, which may not be there. */
function knowable(test: Test): Test {
  if (test.is === 'address type' || test.is === 'reverse path') return { is: 'unknown', what: test.is };
  return test.is === 'either' ? { ...test, of: test.of.map((row) => row.map(knowable)) } : test;
}

/** Interfaces that rules name are there, and others too. */
function withNames(box: NetfilterBox, chain: Chain): NetfilterBox {
  const names = new Set([...box.interfaces.map(({ name }) => name), ' another']);
  const look = (part: Part): void => {
    if (part.is === 'interface') for (const name of part.names) names.add(name.replace(/\*$/, '0'));
    if (part.is === 'either') for (const row of part.of) row.forEach(look);
  };
  for (const { parts } of chain.rules) parts.forEach(look);
  return { ...box, interfaces: [...names].map((name) => ({ name, addresses: [] })) };
}

/** Keys that some rule of the table sets. */
function assigned(table: NfTable): ReadonlySet<string> {
  const keys = new Set<string>();
  const look = (part: Part): void => {
    if (part.is === 'assign') keys.add(part.key);
    if (part.is === 'untrack') keys.add('ct.state');
    if (part.is === 'cases') for (const each of part.cases) each.parts.forEach(look);
  };
  for (const chain of table.chains.values()) for (const { parts } of chain.rules) parts.forEach(look);
  return keys;
}
