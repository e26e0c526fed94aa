import { errorCatalogue } from '@superfluidity/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dialectLimits } from './errors.ts';
import { readXmlText, type XmlElement } from './xml-text.ts';

const read = (text: string) => readXmlText(new TextEncoder().encode(text), 'x.xml');
const codes = (text: string) => read(text).problems.map(({ code }) => code);

test('elements have names, namespaces, attributes, text and positions', () => {
  const { root, problems } = read(`<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment -->
<a xmlns="urn:one" xmlns:t="urn:two" x="1&amp;2">
  <t:b>&lt;five&#x21;</t:b><c/><![CDATA[<raw>]]>
</a>
<!-- end -->`);
  expect(problems).toEqual([]);
  expect(root).toMatchObject({
    name: 'a',
    namespace: 'urn:one',
    attributes: { x: '1&2' },
    position: { file: 'x.xml', line: 3, column: 1 },
  });
  expect(root!.text.trim()).toBe('<raw>');
  expect(root!.children).toMatchObject([
    { name: 'b', namespace: 'urn:two', text: '<five!', position: { line: 4, column: 3 } },
    { name: 'c', namespace: 'urn:one', children: [], position: { line: 4, column: 28 } },
  ]);
});

const laughs = `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>`;

test.each([
  ['billion laughs', laughs, 'SF-DESCRIPTOR-XML'],
  ['an external entity', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'SF-DESCRIPTOR-XML'],
  ['an entity of nobody', '<a>&nbsp;</a>', 'SF-DESCRIPTOR-XML'],
  ['a processing instruction', '<a><?php x?></a>', 'SF-DESCRIPTOR-XML'],
  ['a style sheet', '<?xml-stylesheet href="x"?><a/>', 'SF-DESCRIPTOR-XML'],
  ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><a/>', 'SF-DESCRIPTOR-ENCODING'],
  ['tags that cross', '<a><b></a></b>', 'SF-DESCRIPTOR-SYNTAX'],
  ['no end', '<a><b>', 'SF-DESCRIPTOR-SYNTAX'],
  ['two roots', '<a/><b/>', 'SF-DESCRIPTOR-SYNTAX'],
  ['text outside', 'a<b/>', 'SF-DESCRIPTOR-SYNTAX'],
  ['no quotes', '<a b=c/>', 'SF-DESCRIPTOR-SYNTAX'],
  ['a bare ampersand', '<a>this & that</a>', 'SF-DESCRIPTOR-SYNTAX'],
  ['an attribute twice', '<a b="1" b="2"/>', 'SF-DESCRIPTOR-DUPLICATE-KEY'],
  ['a prefix that nobody declared', '<x:a/>', 'SF-DESCRIPTOR-SYNTAX'],
  ['a character that is none', '<a>&#xD800;</a>', 'SF-DESCRIPTOR-SYNTAX'],
  ['a control character', '<a>\u0001</a>', 'SF-DESCRIPTOR-SYNTAX'],
  ['nothing', '', 'SF-DESCRIPTOR-SYNTAX'],
  ['depth', '<a>'.repeat(dialectLimits.depth + 2), 'SF-DESCRIPTOR-TOO-DEEP'],
  ['size', `<a>${' '.repeat(dialectLimits.fileBytes)}</a>`, 'SF-DESCRIPTOR-TOO-LARGE'],
])('%s is refused', (_name, text, code) => {
  expect(codes(text)).toEqual([code]);
});

test('bytes that are not UTF-8 have a position', () => {
  const bytes = new Uint8Array([...new TextEncoder().encode('<a>\n<b>'), 0xff, 0xfe]);
  expect(readXmlText(bytes).problems).toMatchObject([
    { code: 'SF-DESCRIPTOR-ENCODING', position: { line: 2, column: 4 } },
  ]);
});

interface Tree {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Tree[];
}

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((any) => any.replace(/[\p{Cc}\uFFFE\uFFFF]/gu, ''));
const tree: fc.Memo<Tree> = fc.memo((depth) =>
  fc.record({
    name: fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,6}$/),
    text,
    children: depth > 1 ? fc.array(tree(depth - 1), { maxLength: 3 }) : fc.constant([]),
  }),
);

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const written = ({ name, text, children }: Tree): string =>
  `<${name}>${escaped(text)}${children.map(written).join('<!-- . -->')}</${name}>`;
const plain = ({ name, text, children }: XmlElement): Tree => ({ name, text, children: children.map(plain) });

test('any tree comes back as it was written', () => {
  fc.assert(
    fc.property(tree(4), (any) => {
      expect(plain(read(written(any)).root!)).toEqual(any);
    }),
    { numRuns: 60 },
  );
});

test('whatever the text is, the answer is a tree or problems with known codes', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '</',
    '/>',
    'a',
    'b',
    ' ',
    '=',
    '"',
    "'",
    '&',
    ';',
    '&amp;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '<!',
    'xmlns:a="b"',
    '<a>',
    '</a>',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (some) => {
      const { root, problems } = read(some.join(''));
      expect(root === undefined).toBe(problems.length > 0);
      for (const { code } of problems) expect(errorCatalogue().has(code)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
