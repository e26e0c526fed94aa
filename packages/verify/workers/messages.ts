import type { ErrorCode } from '@superfluidity/core';
import type { Path, ShownPath, Witness } from '../engine/path.ts';
import type { Verdict } from '../verdict.ts';
import type { SweepOf } from './sweep.ts';

/** What a thread is started with. */
export interface Work extends SweepOf {
  /** How many starts have been taken, shared by all threads. */
  readonly taken: Int32Array;
}

/** The number of a start that no thread has taken. */
export function take({ starts, taken }: Work): number | undefined {
  const i = Atomics.add(taken, 0, 1);
  return i < starts.length ? i : undefined;
}

/** A path without its state: that stays in the thread, with all symbols and diagrams. */
type SentPath = Omit<ShownPath, 'witness'> & { readonly packet: Witness | undefined };

export type SentVerdict = Omit<Verdict, 'paths'> & { readonly paths: readonly SentPath[] };

export type Reply =
  | { readonly verdict: SentVerdict | undefined }
  | { readonly refused: { readonly code: ErrorCode; readonly reason: string } };

export function sent(verdict: Verdict): SentVerdict {
  return { ...verdict, paths: verdict.paths.map(sentPath) };
}

function sentPath({ witness, ranges: _ranges, changed: _changed, sight: _sight, ...plain }: Path): SentPath {
  return { ...plain, packet: witness() };
}

export function received(verdict: SentVerdict): Verdict<ShownPath> {
  return {
    ...verdict,
    paths: verdict.paths.map(({ packet, ...plain }) => ({ ...plain, witness: () => packet })),
  };
}
