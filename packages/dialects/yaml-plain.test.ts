import { canonicalJson } from '@superfluidity/core';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { yamlBlock } from './yaml-block.ts';
import { readYamlDocuments } from './yaml-text.ts';
import { readPlainYaml } from './yaml-plain.ts';

/** By `yaml`, which reads all of YAML. */
function inEarnest(text: string): unknown {
  const documents = readYamlDocuments(new TextEncoder().encode(text));
  expect(documents.flatMap(({ problems }) => problems)).toEqual([]);
  expect(documents).toHaveLength(1);
  return documents[0]!.value;
}

const line = fc
  .tuple(
    fc.constantFrom('', '  ', '    ', '      ', ' '),
    fc.constantFrom('', '', '- ', '- - ', '-   ', '-'),
    fc.constantFrom('', 'a: ', 'b: ', 'c:', 'nfv:vnfd: ', 'd:  ', 'a-b.c/d: ', 'a:b', '1: ', 'true: ', '"q": '),
    fc.constantFrom(
      '',
      '',
      '',
      'x',
      'two words',
      '1',
      '1.50',
      '0x1',
      '007',
      '1e3',
      '-3',
      '"q"',
      "'s'",
      '"a\\n"',
      'true',
      'No',
      'null',
      '~',
      '[]',
      '{}',
      '[1]',
      'a:b',
      'a: b',
      'x # y',
      'x #',
      '# y',
      '10.0.0.1',
      '10.0.0.0/8',
      '1.2.3',
      '1.2.',
      '9f86d0',
      '0b1',
      '0o7',
      '1_000',
      '0-a-b',
      '2026-11-28',
      '1e',
      '12e3f',
      '0xfg',
      '12:30',
      '&a x',
      '*a',
      '|',
      '>',
      '!!str x',
      'a,b',
      '%',
      '@',
      'x:',
      '- y',
      '.5',
      'e\t',
    ),
  )
  .map((parts) => parts.join(''));

const plain: fc.Memo<unknown> = fc.memo(
  (depth): fc.Arbitrary<unknown> =>
    depth <= 1
      ? fc.constantFrom('x', 'two words', 1, true, '1.0', 'a:b')
      : fc.oneof(
          fc.array(plain(depth - 1), { minLength: 1, maxLength: 3 }),
          fc.dictionary(fc.constantFrom('a', 'b', 'c'), plain(depth - 1), { minKeys: 1, noNullPrototype: true }),
        ),
);
const texts = fc
  .tuple(
    fc.dictionary(fc.constantFrom('a', 'b', 'd'), plain(3), { minKeys: 1, noNullPrototype: true }),
    fc.array(fc.tuple(fc.nat(12), fc.nat(1), line), { maxLength: 2 }),
  )
  .map(([value, changes]) => {
    const lines = yamlBlock(value).split('\n');
    for (const [at, removed, other] of changes) lines.splice(at % lines.length, removed, other);
    return lines.join('\n');
  });

test('what is read has the value that YAML gives it, and is YAML', () => {
  let read = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        texts,
        fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n')),
      ),
      (text) => {
        const value = readPlainYaml(text);
        if (value === undefined) return;
        read += 1;
        expect(canonicalJson(inEarnest(text))).toBe(canonicalJson(value));
      },
    ),
    { numRuns: 250 },
  );
  expect(read).toBeGreaterThan(20);
});

test('the descriptors of the example are that plain', () => {
  const folder = fileURLToPath(new URL('../../examples/mobile-edge/sol006/', import.meta.url));
  const names = readdirSync(join(folder, 'vnfd')).filter((name) => name.endsWith('.yaml'));
  const files = ['nsd.yaml', ...names.map((name) => join('vnfd', name))].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  );
  const read = files.flatMap((text) => {
    const value = readPlainYaml(text);
    return value === undefined ? [] : [[value, inEarnest(text)] as const];
  });
  expect(read.length).toBeGreaterThan(4);
  for (const [value, other] of read) expect(canonicalJson(value)).toBe(canonicalJson(other));
});
