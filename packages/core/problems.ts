/** What a check found in a text that somebody wrote: a descriptor, a policy, a plan. */
export interface Position {
  readonly file?: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface Problem {
  readonly severity: 'error' | 'warning';
  /** An error code of the catalogue. */
  readonly code: `SF-${string}`;
  readonly message: string;
  /** Where in the document: `functions[2].units[0].image`. */
  readonly path: string;
  readonly position?: Position;
  /** `did you mean 'firewall'?` */
  readonly suggestion?: string;
}

/** Names come from others, and may be as long and as many as they like: of these, slips are not looked for. */
const COMPARED = { letters: 256, pairs: 2_000_000 } as const;

/** The candidate nearest to `word` (Damerau-Levenshtein), if it is near enough to be a slip of the keyboard. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  if (word.length > COMPARED.letters) return undefined;
  let pairs = 0;
  for (const candidate of candidates) {
    if (candidate.length > COMPARED.letters) continue;
    if (Math.abs(candidate.length - word.length) < bestDistance) pairs += candidate.length * word.length;
    if (pairs > COMPARED.pairs) break;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance; anything above `limit` is reported as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, before[j - 2]! + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return Math.min(previous[b.length]!, limit);
}
