import { append } from '@superfluidity/core';
import type { ExploreOptions, Start } from '../engine/explore.ts';
import { Coverage } from '../engine/coverage.ts';
import { fresh } from '../ir/expression.ts';
import { assign, block, childrenOf, type Instruction, nothing } from '../ir/instruction.ts';
import { layouts } from '../ir/layouts.ts';
import type { SourceRef } from '../ir/source.ts';
import { flowState } from '../models/netfilter/keys.ts';
import { ctState } from '../readers/netfilter/ruleset.ts';
import { boxOf, type Network, type PortId } from '../network.ts';
import { portsOf } from '../ports.ts';
import type { Verdict } from '../verdict.ts';
import { verdictOf } from './exploration-verdict.ts';
import { run } from './questions.ts';

/** The rules of one file, and which of them did something with some packet. */
export interface FileCoverage {
  readonly file: string;
  /** Lines, ascending. */
  readonly exercised: readonly number[];
  readonly idle: readonly SourceRef[];
}

/** What the questions that were asked with `coverage` exercised of a network; files by their names. */
export function coverageOf(network: Network, coverage: Coverage): readonly FileCoverage[] {
  return [...rulesOf(network)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, rules]) => {
      const sorted = [...rules.values()].toSorted((a, b) => a.line - b.line);
      return {
        file,
        exercised: sorted.flatMap(({ line }) => (coverage.has(file, line) ? [line] : [])),
        idle: sorted.filter(({ line }) => !coverage.has(file, line)),
      };
    });
}

/**
 * Where packets come in from outside: entries to which no link leads, and those that a box has for all its ports when one of
 * these leads nowhere. When there are none, all.
 */
export function outerEntries(network: Network, entries: readonly PortId[]): readonly PortId[] {
  const { links } = network;
  const inner = new Set([...links.values()].flat());
  const open = new Set([...portsOf(network)].filter((port) => !links.has(port) && isWire(port)).map(boxOf));
  const outer = entries.filter((port) => !inner.has(port) || (port === `${boxOf(port)}:in` && open.has(boxOf(port))));
  return outer.length > 0 ? outer : entries;
}

const isWire = (port: PortId) => !port.endsWith(':in') && !port.endsWith(':local');

const states = Object.values(ctState).map((state) => [state, state] as const);
const anyState = assign(
  flowState,
  fresh(
    'state of the connection',
    8,
    states.toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ),
);

export interface CoverageReport {
  readonly verdict: Verdict;
  readonly files: readonly FileCoverage[];
}

/**
 * Is there for every rule a packet from the starts that gets to it through the whole network, and that no rule before takes?
 * Packets have all headers that there are, unless a start says otherwise, and belong to connections in any state.
 */
export function unreachableRules(
  network: Network,
  starts: readonly Start[],
  options: ExploreOptions = {},
): CoverageReport {
  const coverage = new Coverage();
  const explorations = starts.map((start) => {
    const setup = block(anyState, start.setup ?? nothing);
    return run(network, { layouts, ...start, setup }, { ...options, keepDropped: false, coverage });
  });
  const files = coverageOf(network, coverage);
  const idle = files.flatMap((file) => file.idle);
  const rules = idle.length + files.reduce((sum, { exercised }) => sum + exercised.length, 0);
  const [found, absent] = ['Packets get to every rule.', `No packet gets to ${idle.length} of ${rules} rules.`];
  const verdict = verdictOf(
    { question: 'coverage', evidence: [], found: 'holds', because: { found, absent } },
    explorations,
  );
  if (idle.length > 0) return { verdict: { ...verdict, rules: idle }, files };
  // What was not followed could only have got to more.
  const all: Verdict = { question: 'coverage', answer: 'holds', because: found, paths: [], dependsOn: [], rules: [] };
  return { verdict: all, files };
}

/** Everything in the network that has a line, by file and line. */
function rulesOf({ programs, routines }: Network): ReadonlyMap<string, ReadonlyMap<number, SourceRef>> {
  const found = new Map<string, Map<number, SourceRef>>();
  const add = (source: SourceRef) => {
    const lines = found.get(source.file) ?? new Map<number, SourceRef>();
    found.set(source.file, lines);
    if (lines.get(source.line)?.text === undefined) lines.set(source.line, source);
  };
  const waiting: Instruction[] = [...programs.values(), ...routines.values()];
  const seen = new Set<Instruction>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.source !== undefined) add(next.source);
    if (next.op === 'table') {
      const { entries } = next.table;
      if (entries.kind === 'rules') for (const { source } of entries.rules) if (source !== undefined) add(source);
      if (entries.kind !== 'rules' && entries.lines !== undefined && entries.file !== undefined)
        for (const line of entries.lines) add({ file: entries.file, line });
    }
    append(waiting, childrenOf(next));
  }
  return found;
}
