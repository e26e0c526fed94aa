import type { ErrorCode } from '@superfluidity/core';
import type { Path, ShownPath, Witness } from '../engine/path.ts';
import type { Difference } from '../equivalence/equivalence.ts';
import type { Verdict } from '../verdict.ts';
import { type Found, partsOf } from './job.ts';
import type { SweepOf } from './sweep.ts';

/** What a thread is started with. */
export interface Work extends SweepOf {
  /** How many parts have been taken, shared by all threads. */
  readonly taken: Int32Array;
}

/** The number of a part that no thread has taken. */
export function take({ job, taken }: Work): number | undefined {
  const part = Atomics.add(taken, 0, 1);
  return part < partsOf(job) ? part : undefined;
}

/** A path without its state: that stays in the thread, with all symbols and diagrams. */
type SentPath = Omit<ShownPath, 'witness'> & { readonly packet: Witness | undefined };

type SentDifference = Omit<Difference, 'inA' | 'inB'> & {
  readonly inA: readonly SentPath[];
  readonly inB: readonly SentPath[];
};

export interface SentFound {
  readonly part: number;
  readonly verdict: Omit<Verdict, 'paths'> & {
    readonly paths: readonly SentPath[];
    readonly differences?: readonly SentDifference[];
  };
}

export type Reply =
  | { readonly found: readonly SentFound[] }
  | { readonly refused: { readonly code: ErrorCode; readonly reason: string } };

export function sent({ part, verdict }: Found<Path>): SentFound {
  if (!('differences' in verdict)) return { part, verdict: { ...verdict, paths: verdict.paths.map(sentPath) } };
  const { differences: own, ...rest } = verdict;
  const differences = own.map(({ inA, inB, ...what }) => ({
    ...what,
    inA: inA.map(sentPath),
    inB: inB.map(sentPath),
  }));
  return { part, verdict: { ...rest, paths: verdict.paths.map(sentPath), differences } };
}

function sentPath({ witness, ranges: _ranges, changed: _changed, sight: _sight, ...plain }: Path): SentPath {
  return { ...plain, packet: witness() };
}

export function received({ part, verdict: { differences, ...verdict } }: SentFound): Found {
  const plain = { ...verdict, paths: verdict.paths.map(receivedPath) };
  if (differences === undefined) return { part, verdict: plain };
  const shown = differences.map(({ inA, inB, ...rest }) => ({
    ...rest,
    inA: inA.map(receivedPath),
    inB: inB.map(receivedPath),
  }));
  return { part, verdict: { ...plain, differences: shown } };
}

function receivedPath({ packet, ...plain }: SentPath): ShownPath {
  return { ...plain, witness: () => packet };
}
