import { seeded } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lz78Scorer, Lz78Trainer, readLz78, trainLz78 } from '../index.ts';

const coded = (text: string, letters: string) => Uint8Array.from([...text].map((letter) => letters.indexOf(letter)));

/** The tree as it is described: with its leaves, each internal node knowing how many are below it. */
class CountedTree {
  readonly children: (CountedTree | undefined)[] = [];
  leaves = 1;

  expand(alphabet: number): void {
    for (let symbol = 0; symbol < alphabet; symbol += 1) this.children.push(new CountedTree());
    this.leaves = alphabet;
  }

  static learn(sequence: ArrayLike<number>, alphabet: number): CountedTree {
    const root = new CountedTree();
    root.expand(alphabet);
    let path = [root];
    for (let i = 0; i < sequence.length; i += 1) {
      const child = path.at(-1)!.children[sequence[i]!]!;
      if (child.children.length > 0) {
        path.push(child);
        continue;
      }
      for (const above of path) above.leaves += alphabet - 1;
      child.expand(alphabet);
      path = [root];
    }
    return root;
  }

  probability(sequence: ArrayLike<number>): number {
    let [node, product]: [CountedTree, number] = [this, 1];
    for (let i = 0; i < sequence.length; i += 1) {
      const child: CountedTree = node.children[sequence[i]!]!;
      product *= child.leaves / node.leaves;
      node = child.children.length > 0 ? child : this;
    }
    return product;
  }
}

describe('worked by hand', () => {
  const four = trainLz78([coded('aabdbbacbbda', 'abcd')], { alphabet: 4 });
  test.each([
    ['bdca', 1 / 784, 2.4037],
    ['aabd', 1 / 784, 2.4037],
    ['bbac', 1 / 196, 1.9037],
    ['dddd', 1 / 784, 2.4037],
  ])('of four letters, %s', (text, probability, score) => {
    const scorer = new Lz78Scorer(four);
    expect(2 ** -scorer.bits(coded(text, 'abcd'))).toBeCloseTo(probability, 12);
    expect(scorer.score(coded(text, 'abcd'))).toBeCloseTo(score, 4);
  });

  test('of four letters, letter by letter: 28 leaves, 10 of them behind b', () => {
    const stream = new Lz78Scorer(four).stream();
    expect([...coded('bdca', 'abcd')].map((symbol) => 2 ** -stream.push(symbol))).toEqual(
      [10 / 28, 1 / 10, 4 / 28, 1 / 4].map((value) => expect.closeTo(value, 12)),
    );
    expect(four.parents).toHaveLength(8);
  });

  test.each([
    ['0101', 1 / 25],
    ['0000', 1 / 10],
    ['1111', 1 / 25],
  ])('of two letters, %s', (text, probability) => {
    const two = trainLz78([coded('0100011011000001', '01')], { alphabet: 2 });
    expect(2 ** -new Lz78Scorer(two).bits(coded(text, '01'))).toBeCloseTo(probability, 12);
  });
});

const alphabets = fc.integer({ min: 2, max: 5 });
const sequences = (alphabet: number, maxLength = 60) =>
  fc.array(fc.nat(alphabet - 1), { minLength: 1, maxLength }).map((list) => Uint16Array.from(list));

describe('properties', () => {
  test('probabilities are those of the counted leaves, whole or letter by letter', () => {
    fc.assert(
      fc.property(
        alphabets.chain((alphabet) => fc.tuple(fc.constant(alphabet), sequences(alphabet, 200), sequences(alphabet))),
        ([alphabet, learned, asked]) => {
          const counted = CountedTree.learn(learned, alphabet);
          const model = trainLz78([learned], { alphabet });
          expect(counted.leaves).toBe((model.parents.length + 1) * (alphabet - 1) + 1);
          const scorer = new Lz78Scorer(readLz78(JSON.parse(JSON.stringify(model))));
          const stream = scorer.stream();
          const bits = -Math.log2(counted.probability(asked));
          expect(scorer.bits(asked)).toBeCloseTo(bits, 8);
          expect(asked.reduce((sum, symbol) => sum + stream.push(symbol), 0)).toBeCloseTo(bits, 8);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('with any smoothing, contexts and shifts, the probabilities of all continuations add up to 1', () => {
    fc.assert(
      fc.property(
        alphabets.chain((alphabet) => fc.tuple(fc.constant(alphabet), sequences(alphabet), sequences(alphabet, 20))),
        fc.record({ shifts: fc.integer({ min: 1, max: 3 }), backShift: fc.nat(3) }),
        fc.constantFrom(undefined, 0.01, 0.5, 3),
        ([alphabet, learned, before], options, gamma) => {
          const model = trainLz78([learned, before], { alphabet, ...options });
          const scorer = new Lz78Scorer(model, gamma === undefined ? {} : { gamma });
          const total = Array.from({ length: alphabet }, (_, symbol) => {
            const stream = scorer.stream();
            for (const each of before) stream.push(each);
            return 2 ** -stream.push(symbol);
          }).reduce((a, b) => a + b);
          expect(total).toBeCloseTo(1, 9);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('in pieces of any size the parse is the same', () => {
    fc.assert(
      fc.property(sequences(3, 80), fc.nat(80), fc.nat(2), (sequence, cut, backShift) => {
        const trainer = new Lz78Trainer({ alphabet: 3, backShift });
        trainer.push(sequence.subarray(0, cut));
        trainer.push(sequence.subarray(cut));
        expect(trainer.model()).toEqual(trainLz78([sequence], { alphabet: 3, backShift }));
      }),
      { numRuns: 60 },
    );
  });
});

test('bits a symbol come near to the entropy of the source, and a full tree grows no more', () => {
  const random = seeded(3);
  // Of three letters with 0.7, 0.2 and 0.1: 1.157 bits.
  const source = Uint8Array.from({ length: 400_000 }, () => {
    const draw = random();
    return draw < 0.7 ? 0 : draw < 0.9 ? 1 : 2;
  });
  const scorer = new Lz78Scorer(trainLz78([source.subarray(0, 300_000)], { alphabet: 3 }));
  const score = scorer.score(source.subarray(300_000));
  expect(score).toBeGreaterThan(1.157);
  expect(score).toBeLessThan(1.25);
  const trainer = new Lz78Trainer({ alphabet: 3, nodes: 1_000 });
  trainer.push(source);
  expect([trainer.full, trainer.nodes]).toEqual([true, 1_000]);
  expect(new Lz78Scorer(trainer.model()).score(source)).toBeLessThan(1.5);
});

test.each([
  ['a symbol that is none', () => trainLz78([Uint8Array.of(0, 2)], { alphabet: 2 }), 'SF-LEARN-SYMBOL'],
  [
    'a symbol of another alphabet',
    () => new Lz78Scorer(trainLz78([Uint8Array.of(1)], { alphabet: 2 })).bits(Uint8Array.of(9)),
    'SF-LEARN-SYMBOL',
  ],
  ['nothing', () => trainLz78([], { alphabet: 2 }), 'SF-LEARN-DATA'],
  ['an alphabet without end', () => trainLz78([], { alphabet: 1e9 }), 'SF-LEARN-LIMIT'],
  [
    'two children by one symbol',
    () => readLz78({ format: 'lz78', version: 1, alphabet: 2, backShift: 0, parents: [0, 0], symbols: [1, 1] }),
    'SF-LEARN-MODEL',
  ],
  [
    'a parent that comes later',
    () => readLz78({ format: 'lz78', version: 1, alphabet: 2, backShift: 0, parents: [1], symbols: [1] }),
    'SF-LEARN-MODEL',
  ],
])('%s is refused', (_, act, code) => {
  expect(act).toThrow(expect.objectContaining({ code }));
});

test('a long sequence has the bits of its symbols one by one, whether or not the walks from its beginning and its middle meet', () => {
  const draw = seeded(5);
  const drawn = Uint8Array.from({ length: 60_001 }, () => Math.min(3, Math.floor(draw() ** 2 * 5)));
  // Phrases of one length, out of step with the middle: they never end at the same symbol.
  const same = new Uint8Array(60_000);
  for (const sequence of [drawn, same]) {
    const scorer = new Lz78Scorer(trainLz78([sequence.subarray(0, 20_000)], { alphabet: 4 }));
    const stream = scorer.stream();
    let bits = 0;
    for (const symbol of sequence) bits += stream.push(symbol);
    expect(scorer.bits(sequence) / bits).toBeCloseTo(1, 9);
  }
  expect(() => new Lz78Scorer(trainLz78([drawn], { alphabet: 4 })).bits(drawn.with(59_999, 4))).toThrow(
    /4 is not from 0/,
  );
});
