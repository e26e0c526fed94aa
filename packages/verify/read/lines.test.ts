import { expect, it } from 'vitest';
import fc from 'fast-check';
import { inputLimits } from '../limits.ts';
import { countLines, inputLines } from './lines.ts';
import { LineScanner } from './scan.ts';
import { wordsOf } from './words.ts';

it('a scanner finds the lines and words that there are', () => {
  const character = fc.constantFrom('a', 'b', '\u00e9', '\u{1f600}', ' ', '\t', '\r', '\n', '\n');
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 60 }), (text) => {
      const found: string[][] = [];
      const scanner = new LineScanner({ path: 'f', text });
      while (scanner.next()) {
        expect(wordsOf(scanner.whole()).length).toBe(scanner.words);
        found.push(Array.from({ length: scanner.words }, (_, i) => text.slice(scanner.begins[i], scanner.ends[i])));
      }
      expect(found).toEqual(text.split('\n').map(wordsOf));
      expect(scanner.line).toBe(countLines({ path: 'f', text }));
    }),
    { numRuns: 300 },
  );
});

it('more lines, or longer ones, than are read are refused with the line', () => {
  const many = { path: 'many', text: '\n'.repeat(inputLimits.lines) };
  expect(() => countLines(many)).toThrow(`many:${inputLimits.lines}: it has more than ${inputLimits.lines} lines`);
  const long = { path: 'long', text: `a\n${'b'.repeat(inputLimits.lineLength + 1)}` };
  expect(() => inputLines(long)).toThrow('long:2: the line is longer');
  const scanner = new LineScanner(long);
  expect(scanner.next()).toBe(true);
  expect(() => scanner.next()).toThrow('long:2: the line is longer');
});
