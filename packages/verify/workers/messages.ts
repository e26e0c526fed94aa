import type { ErrorCode } from '@superfluidity/core';
import type { Path, ShownPath, Witness } from '../engine/path.ts';
import type { Verdict } from '../verdict.ts';
import type { SweepOf } from './sweep.ts';

/** What a thread is started with. */
export interface Work extends SweepOf {
  /** How many starts have been taken, shared by all threads. */
  readonly taken: Int32Array;
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

function sentPath({ witness, ranges: _ranges, changed: _changed, ...plain }: Path): SentPath {
  return { ...plain, packet: witness() };
}

export function received(verdict: SentVerdict): Verdict<ShownPath> {
  return {
    ...verdict,
    paths: verdict.paths.map(({ packet, ...plain }) => ({ ...plain, witness: () => packet })),
  };
}
