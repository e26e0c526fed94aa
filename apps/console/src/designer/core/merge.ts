import { append } from '@superfluidity/core';
import { applyChanges, type LineChange, lineChanges } from './lines.ts';

/** Lines that stand around what both have changed, as Git writes them. */
export const markers = { mine: '<<<<<<< yours', between: '=======', theirs: '>>>>>>> theirs' } as const;

export interface Merged {
  readonly text: string;
  /** Places that both have changed, each in another way. */
  readonly conflicts: number;
}

/**
 * Both changes of a text at once (S. Khanna, K. Kunal, B. C. Pierce, A formal investigation of diff3, 2007): what one side
 * changed is taken from it. Where both did, in different ways or line by line next to each other, the text has both between
 * markers; or what `theirs` says, when that is preferred.
 */
export function mergeTexts(base: string, mine: string, theirs: string, prefer?: 'theirs'): Merged {
  if (mine === theirs || theirs === base) return { text: mine, conflicts: 0 };
  if (mine === base) return { text: theirs, conflicts: 0 };
  const lines = base.split('\n');
  const left = lineChanges(lines, mine.split('\n'));
  const right = lineChanges(lines, theirs.split('\n'));
  const result: string[] = [];
  let conflicts = 0;
  let at = 0;
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const region = { from: Math.min(left[i]?.from ?? Infinity, right[j]?.from ?? Infinity), to: -1 };
    region.to = region.from;
    const [firstI, firstJ] = [i, j];
    // Changes that touch are one place: nobody knows in which order they would stand.
    for (let grown = true; grown; ) {
      grown = false;
      for (; i < left.length && left[i]!.from <= region.to; i += 1) {
        region.to = Math.max(region.to, left[i]!.to);
        grown = true;
      }
      for (; j < right.length && right[j]!.from <= region.to; j += 1) {
        region.to = Math.max(region.to, right[j]!.to);
        grown = true;
      }
    }
    append(result, lines.slice(at, region.from));
    at = region.to;
    const inside = (changes: readonly LineChange[]) =>
      applyChanges(
        lines.slice(region.from, region.to),
        changes.map(({ from, to, put }) => ({ from: from - region.from, to: to - region.from, put })),
      );
    const [ours, others] = [left.slice(firstI, i), right.slice(firstJ, j)];
    const [one, other] = [inside(ours), inside(others)];
    if (others.length === 0 || one.join('\n') === other.join('\n')) append(result, one);
    else if (ours.length === 0 || prefer === 'theirs') append(result, other);
    else {
      conflicts += 1;
      result.push(markers.mine, ...one, markers.between, ...other, markers.theirs);
    }
  }
  return { text: [...result, ...lines.slice(at)].join('\n'), conflicts };
}

/** Whether somebody still has to decide something. */
export function hasMarkers(text: string): boolean {
  return text.split('\n').some((line) => line === markers.mine || line === markers.theirs);
}
