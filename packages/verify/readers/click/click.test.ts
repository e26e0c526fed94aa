import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSuperfluidityError } from '@superfluidity/core';
import { explore } from '../../engine/explore.ts';
import { interpret } from '../../engine/interpret.ts';
import { constant } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block } from '../../ir/instruction.ts';
import { layout } from '../../ir/layouts.ts';
import { clickModel } from '../../models/click/model.ts';
import type { Network } from '../../network.ts';
import type { InputFile } from '../../read/reader.ts';
import { readClick } from './click.ts';

const read = (text: string) => readClick({ path: 'test.click', text });
const connections = (text: string) =>
  read(text).value.connections.map(({ from, fromPort, to, toPort }) => `${from}[${fromPort}] -> [${toPort}]${to}`);
const elements = (text: string) =>
  read(text).value.elements.map(
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

  it('knows the line of every argument, of included text too', () => {
    const { value, reading } = read('a :: A(1,\n\n  2,\n3);\nrequire(package x);\n#line 90 "other.click"\nb :: B\n');
    expect(value.elements[0]!.arguments.map(({ line }) => line)).toEqual([1, 3, 4]);
    expect(value.elements[1]!.source).toEqual({ file: 'other.click', line: 90 });
    expect(reading.lines).toEqual({ blank: 2, used: 5, 'without effect': 1, 'not understood': 0 });
  });

  it('reads libraries that are required, once around', () => {
    const files: Record<string, InputFile> = {
      'lib.click': { path: 'lib.click', text: 'elementclass L { A };' },
      'loop.click': { path: 'loop.click', text: 'require(library loop.click)' },
    };
    const options = { library: (name: string) => files[name] };
    const found = readClick({ path: 'main.click', text: 'require(library lib.click); l :: L' }, options);
    expect(found.value.elements.map(({ name }) => name)).toEqual(['l/A@1']);
    expect(() => readClick({ path: 'main.click', text: 'require(library loop.click)' }, options)).toThrow(
      'requires itself',
    );
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
    expect(isSuperfluidityError(thrown, 'SF-VERIFY-INPUT')).toBe(true);
    expect(String(thrown)).toContain(expected);
    expect((thrown as { details: { data: unknown } }).details.data).toMatchObject({ file: 'test.click' });
  });

  it('does not drown in nesting, nor in compounds that multiply', () => {
    expect(() => read('{'.repeat(10_000))).toThrow('levels of nesting');
    const doubling = Array.from({ length: 30 }, (_, i) => `elementclass C${i + 1} { x :: C${i}; y :: C${i} }`);
    expect(() => read(`elementclass C0 { }; ${doubling.join(';')}; C30`)).toThrow('more than');
  });

  it('answers any text with a configuration or with a coded error', () => {
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
        try {
          const { value } = read(text);
          const names = new Set(value.elements.map(({ name }) => name));
          for (const { from, to } of value.connections) expect([names.has(from), names.has(to)]).toEqual([true, true]);
        } catch (error) {
          if (!isSuperfluidityError(error)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

const data = join(import.meta.dirname, '../../../../../shared/data/verification');
const missing = existsSync(data) ? '' : ` (skipped: there is no ${data})`;
const files = (): InputFile[] =>
  readdirSync(data, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.click'))
    .map((path) => ({ path, text: readFileSync(join(data, path), 'utf8') }));

describe.skipIf(missing !== '')(`configurations of Symnet and of Vera${missing}`, () => {
  it('are all read and modelled, without a line that is not understood', () => {
    const all = files();
    expect(all.length).toBeGreaterThan(40);
    for (const file of all) {
      const { value, reading } = readClick(file);
      expect(reading.lines['not understood']).toBe(0);
      const model = clickModel('box', value);
      expect(model.programs.size, file.path).toBeGreaterThan(0);
    }
  });

  it('do with a packet of each symbolic path what the path says', () => {
    let checked = 0;
    let unknown = 0;
    for (const file of files()) {
      const model = clickModel('box', readClick(file).value);
      const network: Network = {
        name: 'n',
        boxes: new Map([['box', model.box]]),
        programs: model.programs,
        links: new Map(),
        routines: model.routines!,
        edges: new Set([...model.exits, ...model.openOutputs]),
      };
      for (const port of model.entries.slice(0, 3)) {
        for (const name of ['ether/ipv4/tcp', 'ipv4/udp']) {
          const { paths, bound } = explore(
            network,
            { port, layouts: [layout(name)!] },
            { limits: { milliseconds: 2_000 } },
          );
          expect(bound, file.path).toBeUndefined();
          for (const path of paths.slice(0, 10)) {
            const witness = path.witness();
            // Where symbols are compared with each other, it takes the solver of formulas to find one.
            if (witness === undefined) {
              unknown += 1;
              continue;
            }
            const sent = [...witness.sent.values]
              .filter(([key]) => key in known(name))
              .map(([key, value]) => assign(field(key), constant(value, field(key).width)));
            const ends = interpret(network, port, block(layout(name)!.setup, ...sent));
            expect(
              ends.map(({ outcome, port: end }) => `${outcome} ${end}`),
              file.path,
            ).toContain(`${path.outcome} ${path.port}`);
            checked += 1;
          }
        }
      }
    }
    expect(checked).toBeGreaterThan(200);
    expect(unknown).toBeLessThan(20);
  });

  it('never make the reader fail when they are damaged', () => {
    const originals = files().filter(({ text }) => text.length < 12_000);
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.nat(12_000),
        fc.nat(40),
        fc.string({ maxLength: 6 }),
        ({ path, text }, at, cut, put) => {
          const place = at % (text.length + 1);
          try {
            clickModel('box', readClick({ path, text: text.slice(0, place) + put + text.slice(place + cut) }).value);
          } catch (error) {
            if (!isSuperfluidityError(error)) throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function known(layoutName: string): Readonly<Record<string, true>> {
  const prefixes = layoutName === 'ipv4/udp' ? ['IPv4', 'UDP'] : ['Ether', 'IPv4', 'TCP'];
  return new Proxy({}, { has: (_target, key) => prefixes.includes(String(key).split('.')[0]!) });
}
