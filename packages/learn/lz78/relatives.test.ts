import { seeded } from '@superfluidity/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CrossParser, Lz78Ensemble, Lz78Scorer, trainLz78Ensemble } from '../index.ts';

const text = (maxLength: number) =>
  fc.array(fc.nat(2), { minLength: 1, maxLength }).map((list) => Uint8Array.from(list));

test('cross parsing cuts into the longest phrases that occur in the other', () => {
  // Ziv and Merhav 1993, section II: z = abbbbaaabba by x = baababaabba is abb, bba, aabba.
  const coded = (word: string) => Uint8Array.from(word, (letter) => 'ab'.indexOf(letter));
  expect(new CrossParser(coded('baababaabba'), 2).phrases(coded('abbbbaaabba'))).toBe(3);
  fc.assert(
    fc.property(text(40), text(40), (learned, asked) => {
      const known = learned.join('');
      const rest = [...asked].map((symbol) => (symbol === 2 ? 3 : symbol));
      let count = 0;
      for (let i = 0; i < rest.length; count += 1) {
        let length = 1;
        while (i + length < rest.length && known.includes(rest.slice(i, i + length + 1).join(''))) length += 1;
        i += length;
      }
      expect(new CrossParser(learned, 4).phrases(Uint8Array.from(rest))).toBe(count);
    }),
    { numRuns: 60 },
  );
});

test('cross parsing tells a source that it knows from another', () => {
  const random = seeded(5);
  const source = (stay: number) => {
    let state = 0;
    return Uint8Array.from({ length: 20_000 }, () => (state = random() < stay ? state : Math.floor(random() * 4)));
  };
  const parser = new CrossParser(source(0.9), 4);
  expect(parser.score(source(0.9))).toBeLessThan(0.75 * parser.score(source(0.3)));
});

test('an ensemble assigns probabilities that add up to 1, and is little worse than the best of its trees', () => {
  fc.assert(
    fc.property(text(120), text(30), fc.integer({ min: 1, max: 4 }), (learned, asked, trees) => {
      const models = trainLz78Ensemble([learned], { alphabet: 3, trees });
      const ensemble = new Lz78Ensemble(models);
      const bits = models.map((model) => new Lz78Scorer(model).bits(asked)).reduce((a, b) => Math.min(a, b));
      expect(ensemble.bits(asked)).toBeLessThanOrEqual(bits + Math.log2(trees) + 1e-9);
      const total = [0, 1, 2].reduce((sum, symbol) => {
        const stream = ensemble.stream();
        for (const each of asked) stream.push(each);
        return sum + 2 ** -stream.push(symbol);
      }, 0);
      expect(total).toBeCloseTo(1, 9);
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['nothing to parse by', () => new CrossParser(new Uint8Array(0), 2), 'SF-LEARN-DATA'],
  ['a symbol that is none', () => new CrossParser(Uint8Array.of(2), 2), 'SF-LEARN-DATA'],
  ['no trees', () => new Lz78Ensemble([]), 'SF-LEARN-DATA'],
  ['trees without end', () => trainLz78Ensemble([Uint8Array.of(1)], { alphabet: 2, trees: 1e6 }), 'SF-LEARN-LIMIT'],
])('%s is refused', (_, act, code) => {
  expect(act).toThrow(expect.objectContaining({ code }));
});
