import type { ExactEntries, PrefixEntries } from '../../ir/table.ts';
import type { Fault } from './superfluous.ts';

/**
 * The same question as `superfluous` for a table of prefixes, where the longest wins: a tree, in time that grows like sorting.
 * A prefix is shadowed when longer ones are all of it, or an equal one came first; it is redundant when the next shorter one
 * that is kept does the same. `miss` is the behaviour of packets without an entry; -1 when no entry has it.
 */
export function superfluousPrefixes(entries: PrefixEntries, width: number, miss: number): ReadonlyMap<number, Fault> {
  const { addresses, lengths, behaviour } = entries;
  const faults = new Map<number, Fault>();
  const order = [...addresses.keys()].sort(
    (a, b) => addresses[a]! - addresses[b]! || lengths[a]! - lengths[b]! || a - b,
  );
  const parents = new Int32Array(addresses.length).fill(-1);
  const covered = new Float64Array(addresses.length);
  const children = new Map<number, number[]>();
  const open: number[] = [];
  const end = (i: number) => addresses[i]! + 2 ** (width - lengths[i]!);
  const sizeOf = (i: number) => 2 ** (width - lengths[i]!);
  for (const i of order) {
    while (open.length > 0 && end(open.at(-1)!) <= addresses[i]!) open.pop();
    const parent = open.at(-1);
    if (parent !== undefined && addresses[parent] === addresses[i] && lengths[parent] === lengths[i]) {
      faults.set(i, { kind: 'shadowed', by: [parent] });
      continue;
    }
    if (parent !== undefined) {
      parents[i] = parent;
      covered[parent]! += sizeOf(i);
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [i]);
      else siblings.push(i);
    }
    open.push(i);
  }
  /** The prefix itself when it is kept, or the one that gets its packets. */
  const keeper = new Int32Array(addresses.length).fill(-1);
  for (const i of order) {
    if (faults.has(i)) continue;
    const parent = parents[i]! < 0 ? -1 : keeper[parents[i]!]!;
    keeper[i] = parent;
    if (covered[i] === sizeOf(i)) faults.set(i, { kind: 'shadowed', by: children.get(i)! });
    else if ((parent < 0 ? miss : behaviour[parent]) === behaviour[i])
      faults.set(i, { kind: 'redundant', by: parent < 0 ? [] : [parent] });
    else keeper[i] = i;
  }
  return faults;
}

/** Of equal entries the first counts. */
export function superfluousValues({ values, behaviour }: ExactEntries, miss: number): ReadonlyMap<number, Fault> {
  const faults = new Map<number, Fault>();
  const first = new Map<number, number>();
  for (let i = 0; i < values.length; i += 1) {
    const known = first.get(values[i]!);
    if (known !== undefined) faults.set(i, { kind: 'shadowed', by: [known] });
    else if (behaviour[i] === miss) faults.set(i, { kind: 'redundant', by: [] });
    first.set(values[i]!, known ?? i);
  }
  return faults;
}
