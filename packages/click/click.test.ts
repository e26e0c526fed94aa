import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClickMistake, ClickNames, type ClickOptions, expand, parseClick } from './index.ts';

function firstOf(text: string): ClickMistake | undefined {
  try {
    parseClick('test.click', text);
    return undefined;
  } catch (error) {
    if (error instanceof ClickMistake) return error;
    throw error;
  }
}
const read = (text: string, options: ClickOptions = {}) => expand(parseClick('test.click', text, options).scope);
const connections = (text: string) =>
  read(text).connections.map(({ from, fromPort, to, toPort }) => `${from}[${fromPort}] -> [${toPort}]${to}`);
const elements = (text: string) =>
  read(text).elements.map(
    (element) =>
      `${element.name} :: ${element.className}(${element.arguments.map(({ text: each }) => each).join(', ')})`,
  );

describe('the Click language', () => {
  it.each([
    ['a :: A; b :: B; a -> b', ['a[0] -> [0]b']],
    ['a :: A -> b :: B -> C(1) -> b', ['a[0] -> [0]b', 'b[0] -> [0]C@1', 'C@1[0] -> [0]b']],
    ['a, b, c :: A; a [1] -> [2] b [3] -> c', ['a[1] -> [2]b', 'b[3] -> [0]c']],
    // Statements need no semicolon between them.
    ['a :: A\nb :: B\na -> b\na[1] -> b', ['a[0] -> [0]b', 'a[1] -> [0]b']],
    ['a, b, c :: A; a, b -> c', ['a[0] -> [0]c', 'b[0] -> [0]c']],
    ['a, b, c :: A; a => b, c', ['a[0] -> [0]b', 'a[1] -> [0]c']],
    ['a, b :: A; a [0-2] => [3, 4, 5] b', ['a[0] -> [3]b', 'a[1] -> [4]b', 'a[2] -> [5]b']],
    ['a, b, c :: A; a, b => [2] c [3], c', ['a[0] -> [2]c', 'b[0] -> [0]c']],
    ['a, b :: A; a [] => [1, 2] b', ['a[0] -> [1]b', 'a[1] -> [2]b']],
    ['a :: A; c :: { input -> B -> output }; a -> c -> a', ['a[0] -> [0]c/B@1', 'c/B@1[0] -> [0]a']],
    ['a :: A; a -> { -> B -> } -> a', ['a[0] -> [0]@2/B@1', '@2/B@1[0] -> [0]a']],
    [
      'a :: A; c :: { [0] -> B -> [1]; [1] -> [0] }; a -> c; a[1] -> [1]c; c -> a; c[1] -> a',
      ['a[0] -> [0]c/B@1', 'a[1] -> [0]a', 'c/B@1[0] -> [0]a'],
    ],
    ['a, b :: A; a -> ( -> b -> ) -> a', ['b[0] -> [0]a', 'a[0] -> [0]b']],
    // Used before it is declared, which Click itself refuses.
    ['a :: A -> late; late :: B', ['a[0] -> [0]late']],
    ['in :: F; to-core-2 :: T; in -> to-core-2', ['in[0] -> [0]to-core-2']],
  ])('connects in %j', (text, expected) => {
    expect(connections(text).toSorted()).toEqual([...expected].toSorted());
  });

  it.each([
    ['a :: A(1, "x, y", b c ) // comment', ['a :: A(1, x, y, b c)']],
    ['a :: A(/* no */ 1,\n // none\n 2)', ['a :: A(1, 2)']],
    ['a, b :: A(7)', ['a :: A(7)', 'b :: A(7)']],
    ['A(1) -> B', ['A@1 :: A(1)', 'B@2 :: B()']],
    ["define($n 5, $m x); a :: A($n $m${n} '$n')", ['a :: A(5 x5 $n)']],
    [
      'elementclass C { $a, KEY $b | input -> A($a, $b) -> output }; C(1, KEY 2) -> D',
      ['C@2/A@1 :: A(1, 2)', 'D@3 :: D()'],
    ],
    ['elementclass C { $a, __REST__ $r | A($a, $r) }; c :: C(1, 2, 3)', ['c/A@1 :: A(1, 2, 3)']],
    ['elementclass C { A || $x | B($x) || ... }; C(3); C', ['C@3/B@2 :: B(3)', 'C@4/A@1 :: A()']],
    ['elementclass C { A }; elementclass C { $x | B($x) || ... }; C(1); C', ['C@3/B@2 :: B(1)', 'C@4/A@1 :: A()']],
    ['elementclass D E; D -> D', ['D@1 :: E()', 'D@2 :: E()']],
    ['elementclass O { elementclass I { X }; i :: I }; o :: O', ['o/i/X@1 :: X()']],
    ['a :: A(f(1, 2))', ['a :: A(f(1, 2))']],
  ])('declares in %j', (text, expected) => {
    expect(elements(text).toSorted()).toEqual([...expected].toSorted());
  });

  it.each([
    ['a ::', 'test.click:1: expected the class of the element, found the end'],
    ['a :: A(1', 'test.click:1: the configuration in parentheses has no end'],
    ['\n/* x', 'test.click:2: the comment has no end'],
    ['a :: A("x)', 'test.click:1: the text in " has no end'],
    ['a :: A; a :: B', 'test.click:1: there is an element a already'],
    ['a :: A -> ->', 'test.click:1: expected an element, found "->"'],
    ['a, b :: A; a, b -> a, b', 'many to many are written with =>'],
    ['a, b :: A; a [0, 1] => [1, 2, 3] b', '2 outputs are connected to 3 inputs'],
    ['a :: A [x] -> b', 'expected the number of a port, found "x"'],
    ['elementclass C { $x | A }; C(1, 2)', 'no form of C has 0 inputs, 0 outputs and takes 2 arguments'],
    ['elementclass C { A', 'expected "}"'],
    ['a % b', '"%" means nothing here'],
    ['# 3 4 x\n#pragma', 'test.click:3: a line that begins with # says'],
  ])('refuses %j', (text, expected) => {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ClickMistake);
    const { place, message } = thrown as ClickMistake;
    expect(`${place.file}:${place.line}: ${message}`).toContain(expected);
  });

  it('knows what each statement declares, and where comments are', () => {
    const text = '// a; b\nrequire(x); a, b :: A; /* c */ elementclass C { x :: X }\nC -> (D -> d :: D)';
    const { statements, comments, requirements } = parseClick('test.click', text);
    expect(statements.map(({ kind, from, to, elements: own }) => [kind, text.slice(from, to), own])).toEqual([
      ['require', 'require(x);', []],
      ['chain', 'a, b :: A;', ['b', 'a']],
      ['class', 'elementclass C { x :: X }', []],
      ['chain', 'C -> (D -> d :: D)', ['C@1', 'D@3', 'd', '()@2']],
    ]);
    expect(comments.map(([from, to]) => text.slice(from, to))).toEqual(['// a; b', '/* c */']);
    expect(requirements.map((one) => one.text)).toEqual(['require(x)']);
  });

  it('does not drown in nesting, nor in compounds that multiply', () => {
    expect(() => read('{'.repeat(10_000))).toThrow('levels of nesting');
    const doubling = Array.from({ length: 30 }, (_, i) => `elementclass C${i + 1} { x :: C${i}; y :: C${i} }`);
    expect(() => read(`elementclass C0 { }; ${doubling.join(';')}; C30`)).toThrow('more than');
  });

  const times = (count: number, text: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => text(i)).join(';');
  const long = 'x'.repeat(20_000);
  it.each([
    ['forms that double', `elementclass C { A || B }; ${times(20, () => 'elementclass C { A || ... || ... }')}; C`],
    ['depth', `elementclass C0 { A }; ${times(5_000, (i) => `elementclass C${i + 1} { C${i} }`)}; C5000`],
    ['long arguments', `elementclass C { A(${long}) }; ${times(1_000, () => 'C')}`],
    ['long values', `elementclass C { define($x ${long}) }; ${times(1_000, () => 'C')}`],
    ['long names', `elementclass C { A }; ${long} :: { ${times(1_000, () => 'C')} }`],
    [
      'parameters',
      `elementclass C { ${times(2_000, (i) => `K $k${i}`).replaceAll(';', ',')} | A }; ${times(1_000, () => 'C')}`,
    ],
    [
      'variables',
      `define(${times(2_000, (i) => `$k${i} 1`).replaceAll(';', ',')}); elementclass C { $x | A }; ${times(1_000, () => 'C(1)')}`,
    ],
  ])('refuses %s of compounds that are used many times', (_, text) => {
    expect(() => read(text)).toThrow(/more than \d+/);
  });

  it('answers any text with a configuration or with a mistake', () => {
    const word = fc.constantFrom(
      ...'a b A elementclass define require :: -> => [ ] ( ) { } , ; | || ... $x "x" \' 0 1-2 // /* */ # \n input output'.split(
        ' ',
      ),
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 25 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const first = firstOf(text);
        const told: ClickMistake[] = [];
        const names = new ClickNames('test.click');
        try {
          parseClick('test.click', text, { mistake: (mistake) => told.push(mistake), names });
        } catch (error) {
          told.push(error as ClickMistake);
        }
        // Going on behind a mistake begins with the mistake at which the other way ends.
        expect(told[0]?.message).toBe(first?.message);
        expect(told[0]?.place).toEqual(first?.place);
        for (const { name, offset } of names.occurrences) expect(text.startsWith(name, offset)).toBe(true);
        try {
          const value = read(text);
          const names = new Set(value.elements.map(({ name }) => name));
          for (const { from, to } of value.connections) expect([names.has(from), names.has(to)]).toEqual([true, true]);
        } catch (error) {
          if (!(error instanceof ClickMistake)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
