import type { Language } from '@superfluidity/language';
import { designLimits } from './limits.ts';
import { isSame } from './tree.ts';

/** A design as it stands: its text is the only truth. */
export interface Version {
  readonly text: string;
  readonly language: Language;
  /** The name of its file: of texts that do not say how the service is called, as NEMO, Click and Heat, it is called so. */
  readonly name?: string;
  /** Of a tree of files: the path of the text, and what lies beside it. */
  readonly path?: string;
  readonly others?: readonly TreeFile[];
}

/** A file of a tree that is not the first. */
export interface TreeFile {
  readonly path: string;
  /** Base64 where it is no text. */
  readonly text: string;
  readonly isBinary?: true;
}

/** What was before and after, to go back to. */
export interface History {
  readonly past: readonly Version[];
  readonly now: Version;
  readonly future: readonly Version[];
  /** What the last step was; typing that goes on is one step. */
  readonly typedAtMs?: number;
}

const TYPING_MS = 1_000;

export const begun = (now: Version): History => ({ past: [], now, future: [] });

export function changed(history: History, now: Version): History {
  if (isSame(now, history.now)) return history;
  return { past: bounded([...history.past, history.now]), now, future: [] };
}

/** What is typed without a pause is undone at once. */
export function typed(history: History, now: Version, atMs: number): History {
  if (isSame(now, history.now)) return history;
  const goesOn = history.typedAtMs !== undefined && atMs - history.typedAtMs < TYPING_MS;
  return goesOn ? { ...history, now, future: [], typedAtMs: atMs } : { ...changed(history, now), typedAtMs: atMs };
}

export function undone({ past, now, future }: History): History {
  const before = past.at(-1);
  return before === undefined
    ? { past, now, future }
    : { past: past.slice(0, -1), now: before, future: [now, ...future] };
}

export function redone({ past, now, future }: History): History {
  const [next, ...rest] = future;
  return next === undefined ? { past, now, future } : { past: [...past, now], now: next, future: rest };
}

function bounded(versions: readonly Version[]): readonly Version[] {
  let room = designLimits.historyText;
  let from = versions.length;
  while (from > 0 && versions.length - from < designLimits.history && room >= lengthOf(versions[from - 1]!)) {
    from -= 1;
    room -= lengthOf(versions[from]!);
  }
  return versions.slice(from);
}

/** Files of a tree that did not change are kept once, whatever number of versions has them. */
const lengthOf = ({ text, others = [] }: Version): number => text.length + others.length;
