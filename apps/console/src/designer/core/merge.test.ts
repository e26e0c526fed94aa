import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyChanges, lineChanges } from './lines.ts';
import { hasMarkers, mergeTexts } from './merge.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 14 });

/** Length of the longest common subsequence, by the table that everybody knows. */
function common(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let i = 1; i <= a.length; i += 1)
    for (let j = 1; j <= b.length; j += 1)
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
  return table[a.length]![b.length]!;
}

describe('differences of texts', () => {
  it('make one of the other, and are the fewest', () => {
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const changes = lineChanges(a, b);
        expect(applyChanges(a, changes)).toEqual(b);
        const removed = changes.reduce((sum, { from, to }) => sum + to - from, 0);
        expect(a.length - removed).toBe(common(a, b));
      }),
    );
  });

  it('of texts that have little in common are told as one', () => {
    const a = Array.from({ length: 3_000 }, (_, i) => `a${i}`);
    const b = Array.from({ length: 3_000 }, (_, i) => `b${i}`);
    expect(applyChanges(a, lineChanges(a, b))).toEqual(b);
  });
});

describe('merging', () => {
  it('takes what one side alone changed, whichever it is', () => {
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const [base, other] = [a.join('\n'), b.join('\n')];
        expect(mergeTexts(base, other, base)).toEqual({ text: other, conflicts: 0 });
        expect(mergeTexts(base, base, other)).toEqual({ text: other, conflicts: 0 });
        expect(mergeTexts(base, other, other)).toEqual({ text: other, conflicts: 0 });
      }),
    );
  });

  it('takes both where they do not touch', () => {
    const base = Array.from({ length: 12 }, (_, i) => `line ${i}`);
    fc.assert(
      fc.property(fc.nat(4), fc.nat(4), lines, lines, (i, j, mine, theirs) => {
        const [upper, lower] = [base.with(i, mine.join('\n')), base.with(7 + j, theirs.join('\n'))];
        const both = base.with(i, mine.join('\n')).with(7 + j, theirs.join('\n'));
        const merged = mergeTexts(base.join('\n'), upper.join('\n'), lower.join('\n'));
        expect(merged).toEqual({ text: both.join('\n'), conflicts: 0 });
      }),
    );
  });

  it('leaves both to whoever decides where they do, or takes what is preferred', () => {
    expect(mergeTexts('a\nb\nc', 'a\nx\nc', 'a\ny\nc')).toEqual({
      text: 'a\n<<<<<<< yours\nx\n=======\ny\n>>>>>>> theirs\nc',
      conflicts: 1,
    });
    expect(hasMarkers('a\n<<<<<<< yours\nx')).toBe(true);
    expect(hasMarkers('a: "<<<<<<< yours"')).toBe(false);
    expect(mergeTexts('a\nb\nc', 'a\nx\nc', 'a\ny\nc', 'theirs').text).toBe('a\ny\nc');
  });
});
