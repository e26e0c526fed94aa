import { append, SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';
import { block, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Chain, HookName, NfTable, Part, Value } from '../../readers/netfilter/ruleset.ts';
import { union, type Range } from '../../readers/netfilter/addresses.ts';
import { localRanges } from './addresses-of-box.ts';
import type { ActionContext } from './actions.ts';
import { applies } from './box.ts';
import { baseInstruction, chainInstruction } from './chains.ts';
import { applyEntry, confirm, ifFirst, track, type Tracking } from './conntrack.ts';
import type { Surroundings } from './cubes.ts';

/** Of include/uapi/linux/netfilter_ipv4.h. */
const CONNTRACK = -200;
const NAT_DESTINATION = -100;
const NAT_SOURCE = 100;

export interface Rules {
  readonly routines: ReadonlyMap<string, Instruction>;
  /** What packets of the family go through at a hook, in the kernel's order. */
  hook(name: HookName): Instruction;
  readonly tracking: Tracking;
  readonly looksAt: ReadonlySet<string>;
}

/** The chains of one family of packets. */
export function compileRules(name: string, around: Surroundings): Rules {
  const { family, box } = around;
  const tables = box.rulesets.flatMap(({ tables: all }) => all.filter((table) => applies(table.family, family)));
  const looksAt = keysOf(tables);
  const tracks = tracksConnections(tables, looksAt);
  const translates =
    tracks &&
    tables.some(({ chains }) =>
      [...chains.values()].some((chain) => chain.base?.type === 'nat' && chain.rules.length > 0),
    );
  const translations = translationsOf(tables, around);
  const tracking: Tracking = { name, family, flows: box.flows ?? 'any', translates, translations, looksAt };
  const routines = new Map<string, Instruction>();
  const contexts = new Map<NfTable, ActionContext>();
  for (const table of tables) {
    const routineName = (chain: string) => `${name}/${table.family} ${table.name}/${chain}/${family}`;
    const empty = emptyChains(table);
    const context: ActionContext = {
      ...around,
      name,
      looksAtStatus: looksAt.has('ct.status'),
      routine: (chain) => (table.chains.has(chain) && !empty.has(chain) ? routineName(chain) : undefined),
    };
    contexts.set(table, context);
    for (const chain of inOrder(table, name)) {
      if (!empty.has(chain.name)) routines.set(routineName(chain.name), chainInstruction(chain, context));
    }
  }
  const bases = tables.flatMap((table) =>
    [...table.chains.values()].flatMap((chain) =>
      chain.base === undefined ? [] : [{ chain, base: chain.base, context: contexts.get(table)! }],
    ),
  );
  return { routines, hook, tracking, looksAt };

  function hook(at: HookName): Instruction {
    const here = bases.filter(({ base }) => base.hook === at).toSorted((a, b) => a.base.priority - b.base.priority);
    const steps: (readonly [priority: number, step: Instruction])[] = [];
    for (const { chain, base, context } of here) {
      if (base.type !== 'nat')
        steps.push([base.priority, baseInstruction(chain, context.routine(chain.name), context)]);
    }
    if (tracks && (at === 'prerouting' || at === 'output')) steps.push([CONNTRACK, track(tracking)]);
    if (translates) {
      /** Chains of type nat are called from one place of the hook, and only for the first packet of a connection. */
      const side = at === 'prerouting' || at === 'output' ? 'destination' : 'source';
      const chains = here.filter(({ base }) => base.type === 'nat');
      const nat = block(
        ...chains.map(({ chain, context }) => baseInstruction(chain, context.routine(chain.name), context)),
      );
      if (at !== 'forward') {
        steps.push([
          side === 'destination' ? NAT_DESTINATION : NAT_SOURCE,
          ifFirst(tracking, nat, applyEntry(side, tracking)),
        ]);
      }
    }
    if (tracks && (at === 'postrouting' || at === 'input')) steps.push([Number.MAX_SAFE_INTEGER, confirm(tracking)]);
    const ordered = steps.toSorted(([a], [b]) => a - b).map(([, step]) => step);
    return ordered.length === 0 ? nothing : block(...ordered);
  }
}

/** The addresses that rules translate to. */
function translationsOf(tables: readonly NfTable[], { family, box }: Surroundings): Tracking['translations'] {
  const found: Record<'source' | 'destination', Range[]> = { source: [], destination: [] };
  const look = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (part.is === 'cases') for (const one of part.cases) look(one.parts);
      if (part.is !== 'nat' || (part.nat.family !== undefined && part.nat.family !== family)) continue;
      const { of, addresses, ownAddress, mask } = part.nat;
      const hosts = mask === undefined ? 0n : (1n << (family === 'ip' ? 32n : 128n)) - 1n - mask;
      if (addresses !== undefined) found[of].push([addresses[0], addresses[1] | hosts]);
      if (ownAddress) append(found[of], localRanges(box, family));
    }
  };
  for (const { chains } of tables) for (const { rules } of chains.values()) for (const { parts } of rules) look(parts);
  return { source: union(found.source), destination: union(found.destination) };
}

/**
 * The kernel tracks the connections of a namespace only if a rule there needs them (nf_ct_netns_get): one that translates,
 * or that looks at connections. Chains of type nat alone do not, and no packet comes to them then. What was not understood
 * may need them.
 */
function tracksConnections(tables: readonly NfTable[], looksAt: ReadonlySet<string>): boolean {
  const needs = (parts: readonly Part[]): boolean =>
    parts.some((part) => {
      if (part.is === 'cases') return part.cases.some((one) => needs(one.tests) || needs(one.parts));
      if (part.is === 'either') return part.of.some(needs);
      return ['nat', 'untrack', 'unknown', 'doubt'].includes(part.is);
    });
  if ([...looksAt].some((key) => key.startsWith('ct.'))) return true;
  return tables.some(({ chains }) => [...chains.values()].some(({ rules }) => rules.some(({ parts }) => needs(parts))));
}

function emptyChains(table: NfTable): ReadonlySet<string> {
  return new Set([...table.chains.values()].filter(({ rules }) => rules.length === 0).map(({ name }) => name));
}

/** Chains that packets can come to, before those that jump to them. The kernel refuses cycles, files may still have some. */
function inOrder(table: NfTable, box: string): readonly Chain[] {
  const done = new Set<string>();
  const open = new Set<string>();
  const ordered: Chain[] = [];
  const starts = [...table.chains.values()].filter(({ base }) => base !== undefined).map(({ name }) => name);
  for (const start of starts) {
    /** By hand and not by recursion: files may chain ten thousand chains. */
    const stack: { name: string; targets: string[] }[] = [];
    const enter = (name: string) => {
      const chain = table.chains.get(name);
      if (chain === undefined || done.has(name)) return;
      if (open.has(name)) {
        throw new SuperfluidityError('SF-VERIFY-INPUT', {
          reason: `${chain.source.file}:${chain.source.line}: chain ${name} of ${box} jumps to itself over ${[...open].slice(0, 10).join(', ')}`,
          data: { file: chain.source.file, line: chain.source.line },
        });
      }
      open.add(name);
      stack.push({ name, targets: [...new Set(chain.rules.flatMap(({ parts }) => jumpsOf(parts)))] });
    };
    enter(start);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const next = top.targets.pop();
      if (next !== undefined) enter(next);
      else {
        stack.pop();
        open.delete(top.name);
        done.add(top.name);
        ordered.push(table.chains.get(top.name)!);
      }
    }
  }
  return ordered;
}

function jumpsOf(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => {
    if (part.is === 'jump') return [part.chain];
    return part.is === 'cases' ? part.cases.flatMap((one) => jumpsOf(one.parts)) : [];
  });
}

/** All keys that rules look at or write. */
function keysOf(tables: readonly NfTable[]): ReadonlySet<string> {
  const found = new Set<string>();
  const value = (of: Value): void => {
    if (of.is === 'key') found.add(of.key);
    else if (of.is === 'and' || of.is === 'or' || of.is === 'xor') {
      value(of.left);
      value(of.right);
    }
  };
  const look = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (part.is === 'match' || part.is === 'interface') found.add(part.key);
      else if (part.is === 'either') for (const row of part.of) look(row);
      else if (part.is === 'member')
        for (const key of ['ether.saddr', 'ether.daddr', 'physin', 'physout']) found.add(key);
      else if (part.is === 'assign') {
        found.add(part.key);
        value(part.value);
      } else if (part.is === 'cases') {
        for (const one of part.cases) {
          look(one.tests);
          look(one.parts);
        }
      }
    }
  };
  for (const { chains } of tables) for (const { rules } of chains.values()) for (const { parts } of rules) look(parts);
  return found;
}
