/** Neighbours first, then their results: what lies together stays small, and no part is gone through more than log n times. */
export function balanced<T>(parts: readonly T[], join: (left: T, right: T) => T): T | undefined {
  let level = parts;
  while (level.length > 1) {
    const next: T[] = [];
    for (let i = 0; i < level.length; i += 2) {
      next.push(i + 1 < level.length ? join(level[i]!, level[i + 1]!) : level[i]!);
    }
    level = next;
  }
  return level[0];
}
