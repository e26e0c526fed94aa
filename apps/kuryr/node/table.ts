import { LIMITS } from './limits.ts';
import type { TableNames } from './nft.ts';

/** Elements of a set by key; of a map, with what they lead to: `goto port_1`. */
export interface SetContent {
  /** As nft(8) declares it, where the table does not have it from its beginning: `type ipv4_addr; flags interval;`. */
  readonly declaration?: string;
  readonly elements: ReadonlyMap<string, string>;
}

/** What is in a table beside its skeleton, which has the chains with hooks and the sets that are always there. */
export interface TableContent {
  /** Rules by chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly sets: ReadonlyMap<string, SetContent>;
}

/** By which nft(8) knows a table. */
export interface TableName {
  readonly family: 'ip' | 'bridge';
  readonly table: string;
}

export interface Skeleton extends TableName {
  readonly text: string;
}

export const EMPTY: TableContent = { chains: new Map(), sets: new Map() };
const NONE: ReadonlyMap<string, string> = new Map();

/** One transaction that makes `after` of `before`; empty where they say the same. What stays is not touched. */
export function difference({ family, table }: TableName, before: TableContent, after: TableContent): string {
  const commands: string[] = [];
  const say = (verb: string, ...words: readonly string[]) => commands.push(`${verb} ${words.join(' ')}`);
  const all = new Set([...before.sets.keys(), ...after.sets.keys()]);
  for (const [name, { declaration }] of after.sets)
    if (declaration !== undefined && !before.sets.has(name)) say('add set', family, table, name, `{ ${declaration} }`);
  const added = new Map<string, string[]>();
  for (const name of all) {
    const [was, is] = [before.sets.get(name), after.sets.get(name)];
    if (was === is) continue;
    // A set that goes takes its elements with it.
    const isGoing = is === undefined && was?.declaration !== undefined;
    const [old, now] = [was?.elements ?? NONE, is?.elements ?? NONE];
    const removed = isGoing ? [] : [...old].filter(([key, value]) => now.get(key) !== value).map(([key]) => key);
    for (const some of parts(removed)) say('delete element', family, table, name, `{ ${some.join(', ')} }`);
    const fresh = [...now].filter(([key, value]) => old.get(key) !== value);
    added.set(
      name,
      fresh.map(([key, value]) => (value === '' ? key : `${key} : ${value}`)),
    );
  }
  const isSame = (one: readonly string[] | undefined, other: readonly string[] | undefined) =>
    one === other || (one !== undefined && other?.length === one.length && one.every((rule, at) => rule === other[at]));
  const changed = [...after.chains].filter(([name, rules]) => !isSame(before.chains.get(name), rules));
  const gone = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  for (const name of [...gone, ...changed.map(([one]) => one).filter((one) => before.chains.has(one))])
    say('flush chain', family, table, name);
  for (const [name] of changed) if (!before.chains.has(name)) say('add chain', family, table, name);
  for (const [name, rules] of changed) for (const rule of rules) say('add rule', family, table, name, rule);
  for (const name of gone) say('delete chain', family, table, name);
  for (const [name, { declaration }] of before.sets)
    if (declaration !== undefined && !after.sets.has(name)) say('delete set', family, table, name);
  for (const [name, elements] of added)
    for (const some of parts(elements)) say('add element', family, table, name, `{ ${some.join(', ')} }`);
  return commands.map((command) => `${command}\n`).join('');
}

/** One transaction, after which the table has this and nothing else, whatever was there. */
export function replacement(skeleton: Skeleton, after: TableContent): string {
  return `${removal(skeleton)}${skeleton.text}${difference(skeleton, EMPTY, after)}`;
}

/** There is none afterwards, and it is no error where there was none. */
export const removal = ({ family, table }: TableName): string =>
  `add table ${family} ${table}\ndelete table ${family} ${table}\n`;

/** As `replacement`, but sets in `kept` keep what the kernel wrote into them. `left` is what is there. */
export function takeover(skeleton: Skeleton, after: TableContent, left: TableNames, kept: readonly string[]): string {
  const { family, table, text } = skeleton;
  const own = new Set(text.match(/(?<=^ {2}(?:chain|set|map) )\w+/gm));
  const isExtra = (name: string) => !own.has(name);
  const isEmptied = (name: string) => !kept.includes(name);
  return [
    `flush table ${family} ${table}`,
    // An element leads to a chain: first these, then those.
    ...left.maps.filter(isEmptied).map((name) => `flush map ${family} ${table} ${name}`),
    ...left.sets.filter(isEmptied).map((name) => `flush set ${family} ${table} ${name}`),
    ...left.chains.filter(isExtra).map((name) => `delete chain ${family} ${table} ${name}`),
    ...left.maps.filter(isExtra).map((name) => `delete map ${family} ${table} ${name}`),
    ...left.sets.filter(isExtra).map((name) => `delete set ${family} ${table} ${name}`),
    `${text}${difference(skeleton, EMPTY, after)}`,
  ].join('\n');
}

function parts(list: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(list.length / LIMITS.elements) }, (_, i) =>
    list.slice(i * LIMITS.elements, (i + 1) * LIMITS.elements),
  );
}
