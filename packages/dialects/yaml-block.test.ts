import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Document, parse } from 'yaml';
import { yamlBlock } from './yaml-block.ts';

const byYaml = (value: object) => new Document(value, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });

const word = fc.oneof(
  fc.constantFrom(
    'a',
    'virtual-link-desc',
    '4.0',
    '1',
    '',
    'true',
    'No',
    'etsi-nfv-descriptors:ipv4',
    'two words',
    '10.0.0.0/8',
    'x: y',
    '- a',
    '#',
    'a #b',
    '0x1f',
    '1e3',
    '~',
    ' lead',
    'trail ',
    'a:',
    'two\nlines\n',
    'tab\t',
    '12:30:45',
    '=',
    '<<',
    'e1',
    '.5',
    '+1',
    'a  b',
  ),
  fc.string({ maxLength: 6 }),
);
const key = word.filter((name) => name !== '__proto__' && name.length < 100);
const value: fc.Memo<unknown> = fc.memo((depth) =>
  depth <= 1
    ? fc.oneof(
        word,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1e6 }),
      )
    : fc.oneof(
        value(1),
        fc.array(value(depth - 1), { maxLength: 3 }),
        fc.dictionary(key, value(depth - 1), { maxKeys: 4, noNullPrototype: true }),
      ),
);

test('what was written is read as the same value', () => {
  fc.assert(
    fc.property(fc.dictionary(key, value(4), { maxKeys: 4, noNullPrototype: true }), (any) => {
      expect(parse(yamlBlock(any))).toEqual(parse(byYaml(any)));
    }),
    { numRuns: 60 },
  );
});

test('descriptors are written as `yaml` writes them', () => {
  const descriptor = {
    'etsi-nfv-descriptors:nfv': {
      vnfd: [
        {
          id: 'a',
          version: '1.0',
          list: ['x', '2', true, 3, null],
          none: [],
          group: {},
          deep: [[1, [2]], [{ a: { b: 'c d' } }]],
          text: 'one\ntwo\n',
          odd: 'a: b',
          'key: odd': ' x',
        },
      ],
    },
  };
  expect(yamlBlock(descriptor)).toBe(byYaml(descriptor));
});
