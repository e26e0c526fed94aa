import type { Difference, EquivalenceVerdict } from '../equivalence/equivalence.ts';
import type { ShownPath } from '../engine/path.ts';
import { pathJson } from './json.ts';
import { pathLines, verdictText } from './text.ts';

/** What two networks do differently, for people. */
export function differencesText(
  verdict: EquivalenceVerdict<ShownPath>,
  names: readonly [string, string],
  most = 1,
): string {
  const lines = [verdictText({ ...verdict, paths: [] })];
  for (const difference of verdict.differences.slice(0, most)) {
    lines.push(`  ${difference.because}`);
    for (const [name, paths] of sides(difference, names)) {
      for (const path of paths) lines.push(`    in ${name}:`, ...pathLines(path).map((line) => `      ${line}`));
    }
  }
  const more = verdict.differences.length - most;
  if (more > 0) lines.push(`  ${more} more ${more === 1 ? 'difference' : 'differences'}`);
  return lines.join('\n');
}

function sides({ inA, inB }: Difference<ShownPath>, [a, b]: readonly [string, string]) {
  return [
    [a, inA],
    [b, inB],
  ] as const;
}

export function differenceJson({ kind, because, start, inA, inB }: Difference<ShownPath>): object {
  return { kind, because, start, inA: inA.map(pathJson), inB: inB.map(pathJson) };
}
