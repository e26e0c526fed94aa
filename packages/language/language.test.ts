import { readFileSync } from 'node:fs';
import { readDescriptor } from '@superfluidity/dialects';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  complete,
  definitions,
  diagnostics,
  edited,
  hover,
  type Language,
  type LanguageDocument,
  languageOf,
  namesOf,
  references,
  renamable,
  rename,
} from './index.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const examples = ['../../examples/mobile-edge/service.yaml'];
const nested = `superfluidity: 1
service:
  name: nested
  version: "1"
  networks:
    - {name: lan, prefix: 10.1.0.0/16}
    - {name: "wan", prefix: 10.2.0.0/16}
  functions:
    - name: pair
      units:
        - name: outer
          environment: vm
          image: "guest:"
          ports: [lan, {name: up, network: 'wan'}]
          units:
            - {name: inner, environment: container, image: "host:", requirements: {after: [single]}}
          links:
            - {name: l, ends: [up, eth0]}
        - name: second
          environment: nft
          program: table ip x {}
          ports: [lan]
          nested: {parent: pair/outer}
          requirements:
            affinity: [{kind: apart, scope: host, with: [pair/outer, single]}]
    - name: single
      environment: container
      image: "host:"
      ports: [lan, wan]
      health: tcp:80
      env: {lan: lan}
  chains:
    - {name: c, from: pair/outer.up, through: [pair/second], to: single.eth1, address: 10.99.0.1}
  balancers:
    - {name: b, unit: single, address: 10.99.0.2, port: 80}
  policies:
    - name: p
      reach: {from: lan, to: [single, pair/second]}
    - name: q
      through: {chain: c, waypoints: [pair/second]}
    - name: r
      check:
        from: [pair]
        formula: >
          AG not at single
          and (AF port in {pair/outer, wan} or EF port == lan)
`;
const documents: readonly LanguageDocument[] = [
  ...examples.map((path) => ({ path: 'service.yaml', text: read(path), language: 'native' as const })),
  { path: 'nested.yaml', text: nested, language: 'native' },
  { path: 'branch-office.nemo', text: read('../dialects/nemo/golden/branch-office.nemo'), language: 'nemo' },
  { path: 'edge-router.click', text: read('../dialects/click/golden/edge-router.click'), language: 'click' },
];
const named = fc
  .constantFrom(...documents)
  .chain((document) => fc.tuple(fc.constant(document), fc.constantFrom(...namesOf(document))));

/** A document with `^` where the cursor is. */
function at(language: Language, text: string): readonly [LanguageDocument, number] {
  const offset = text.indexOf('^');
  return [{ path: `x.${language}`, text: text.slice(0, offset) + text.slice(offset + 1), language }, offset];
}
const labels = (language: Language, text: string) => complete(...at(language, text)).map(({ label }) => label);

describe('diagnostics', () => {
  const checked = ({ path, text }: LanguageDocument) =>
    readDescriptor([{ path, bytes: new TextEncoder().encode(text) }]).problems.map(
      ({ code, message, position, severity }) => ({
        code,
        message,
        severity,
        at: `${position?.line}:${position?.column}`,
      }),
    );
  const shown = (document: LanguageDocument) =>
    diagnostics(document).map(({ problem: { code, message, position, severity } }) => ({
      code,
      message,
      severity,
      at: `${position?.line}:${position?.column}`,
    }));
  const place = (text: string, from: number) => {
    const before = text.slice(0, from).split('\n');
    return `${before.length}:${before.at(-1)!.length + 1}`;
  };

  test('are what check says, at the same line and column, whatever is broken', () => {
    const junk = fc.constantFrom('', '~', '[', '}', '->', ';', ': ', '\n', '- ', 'x', '"', '::', '0');
    let found = 0;
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(9_000), fc.nat(6), junk, (document, where, length, put) => {
        const start = where % document.text.length;
        const text = document.text.slice(0, start) + put + document.text.slice(start + length);
        const broken = { ...document, text };
        const expected = checked(broken);
        // What is not recognised any more is read as a native descriptor.
        fc.pre(
          readDescriptor([{ path: document.path, bytes: new TextEncoder().encode(text) }]).format !== undefined ||
            document.language === 'native',
        );
        expect(shown(broken)).toEqual(expected);
        for (const { from, to, problem } of diagnostics(broken)) {
          expect(to).toBeGreaterThanOrEqual(from);
          if (problem.position !== undefined && from < text.length)
            expect(place(text, from)).toBe(`${problem.position.line}:${problem.position.column}`);
        }
        found += expected.length;
      }),
      { numRuns: 30 },
    );
    expect(found).toBeGreaterThan(10);
  });

  test('underline the word that is wrong', () => {
    const text = nested.replace('environment: nft', 'environment: ntf');
    const [first] = diagnostics({ path: 'x.yaml', text, language: 'native' });
    expect(text.slice(first!.from, first!.to)).toBe('ntf');
    expect(first!.problem.suggestion).toBe("did you mean 'nft'?");
  });

  test('of a script know the VNFDs beside it', () => {
    const text = 'CREATE NodeModel m VNFD file:x.yaml; ConnectionPoint p at VNFD: eth0;\nCREATE Node n Type m;\n';
    const document: LanguageDocument = { path: 'a.nemo', text, language: 'nemo' };
    expect(diagnostics(document).map(({ problem }) => problem.code)).toContain('SF-DESCRIPTOR-REFERENCE');
    const vnfd =
      'vnf:\n  name: x\n  VNFC:\n    - name: one\n      VNFC image: i\n      bridge-ifaces: [{name: eth0}]\n  external-connections: [{name: eth0, VNFC: one, local_iface_name: eth0}]\n';
    const beside = [{ path: 'x.yaml', bytes: new TextEncoder().encode(vnfd) }];
    const messages = diagnostics({ ...document, beside }).map(({ problem }) => problem.message);
    expect(messages.filter((message) => message.includes('x.yaml'))).toEqual([]);
  });
});

describe('names', () => {
  test.each(documents)('of $path lead from every reference to a definition', (document) => {
    const names = namesOf(document);
    expect(names.filter(({ isDefinition }) => !isDefinition).length).toBeGreaterThan(4);
    for (const name of names) {
      if (name.symbol === undefined) continue;
      const found = definitions(document, name.from);
      expect(found.length, name.name).toBeGreaterThan(0);
      for (const span of found) {
        const there = names.find(({ from, to }) => from === span.from && to === span.to)!;
        if (name.symbol.place === undefined) {
          expect(there).toMatchObject({ isDefinition: true, name: name.name });
          expect(document.text.slice(span.from, span.to)).toBe(name.name);
        } else expect(span).toEqual(name.symbol.place);
      }
      expect(references(document, name.from)).toContain(name);
      expect(hover(document, name.from)!.text).toContain(`\`${name.name}\``);
    }
  });

  test('that are not defined in the file are few, and known', () => {
    const unknown = documents.flatMap((document) =>
      namesOf(document).flatMap(({ symbol, name, kind }) => (symbol === undefined ? [`${kind} ${name}`] : [])),
    );
    const isBuiltIn = (text: string) => /^(?:element class|node model|node|connection point|parameter) /.test(text);
    expect(unknown.filter((text) => !isBuiltIn(text))).toEqual([]);
  });

  test('changed and changed back leave the text as it was', () => {
    let changed = 0;
    fc.assert(
      fc.property(named, fc.stringMatching(/^z[a-z0-9]{3,8}$/), ([document, name], fresh) => {
        const can = renamable(document, name.from);
        const result = rename(document, name.from, fresh);
        if ('refused' in can) return void expect(result).toEqual(can);
        if ('refused' in result) throw new Error(`${name.kind} ${name.name}: ${result.refused}`);
        const text = edited(document.text, result.edits);
        const after = { ...document, text };
        expect(text).not.toBe(document.text);
        // It is the same document: with as many problems, and nothing of the old name where it was.
        expect(diagnostics(after).map(({ problem }) => problem.code)).toEqual(
          diagnostics(document).map(({ problem }) => problem.code),
        );
        const where = result.edits.find(({ from }) => from === name.from)!;
        const moved = result.edits.filter(({ from }) => from < name.from).length * (fresh.length - name.name.length);
        const back = rename(after, where.from + moved, name.name);
        if ('refused' in back) throw new Error(`${name.kind} ${name.name}, back: ${back.refused}`);
        expect(edited(text, back.edits)).toBe(document.text);
        changed += 1;
      }),
      { numRuns: 30 },
    );
    expect(changed).toBeGreaterThan(8);
  });

  test('of others cannot be taken', () => {
    let refused = 0;
    fc.assert(
      fc.property(named, fc.nat(1_000), ([document, name], pick) => {
        const others = namesOf(document).filter(({ kind, symbol }) => kind === name.kind && symbol !== name.symbol);
        fc.pre(others.length > 0 && name.symbol !== undefined);
        const other = others[pick % others.length]!.name;
        fc.pre(other !== name.name);
        const result = rename(document, name.from, other);
        if ('refused' in result) refused += 1;
        else {
          // Of another scope: then nothing else has changed.
          const text = edited(document.text, result.edits);
          expect(namesOf({ ...document, text }).length).toBe(namesOf(document).length);
        }
      }),
      { numRuns: 80 },
    );
    expect(refused).toBeGreaterThan(20);
  });

  test.each<[Language, string, string, string]>([
    ['native', 'networks: [{name: l^an, prefix: 10.1.0.0/16}]', 'in', 'networks: [{name: in, prefix: 10.1.0.0/16}]'],
    ['click', 'a :: ^Q; elementclass Q { A }', 'R', ''],
    [
      'click',
      'elementclass Q { $a, K $b | A($a, $b) }; q :: Q(1, K 2); q -> ^Q(3, K 4)',
      'R',
      'elementclass R { $a, K $b | A($a, $b) }; q :: R(1, K 2); q -> R(3, K 4)',
    ],
    [
      'click',
      "define($^x 1); a :: A($x, ${x}, '$x', $xy); elementclass C { $x | B($x) }",
      'y',
      "define($y 1); a :: A($y, ${y}, '$x', $xy); elementclass C { $x | B($x) }",
    ],
    [
      'click',
      'a, b^, c :: Q; c -> b -> { b :: X } -> b [1] -> b',
      'd',
      'a, d, c :: Q; c -> d -> { b :: X } -> d [1] -> d',
    ],
    ['click', 'late -> x :: A; ^late :: B', 'soon', 'soon -> x :: A; soon :: B'],
    [
      'nemo',
      'CREATE NodeModel m Property string: p^;\n Node a Type k Property q: p, r: "p";\nCREATE Node n Type m Property p: p;',
      's',
      'CREATE NodeModel m Property string: s;\n Node a Type k Property q: s, r: "s";\nCREATE Node n Type m Property s: p;',
    ],
    [
      'nemo',
      'CREATE Node a^;CREATE Flow a;CREATE Operation o Target a Action go-through: [a, a.x];',
      'b',
      'CREATE Node b;CREATE Flow a;CREATE Operation o Target a Action go-through: [b, b.x];',
    ],
  ])('%s: %s', (language, text, name, expected) => {
    const prefix = language === 'native' ? 'superfluidity: 1\nservice:\n  ' : '';
    const [document, offset] = at(language, prefix + text);
    const result = rename(document, offset, name);
    if (expected === '') return expect(result).toHaveProperty('refused');
    expect(result).toHaveProperty('edits');
    expect(edited(document.text, (result as { edits: never }).edits)).toBe(prefix + expected);
  });

  test('that YAML would take for something else get quotes', () => {
    const document: LanguageDocument = { path: 'x.yaml', text: nested, language: 'native' };
    const result = rename(document, nested.indexOf('lan, prefix'), '12');
    const text = edited(nested, (result as { edits: never }).edits);
    expect(text).toContain('{name: "12", prefix: 10.1.0.0/16}');
    expect(text).toContain('ports: ["12", {name: up');
    expect(text).toContain('env: {lan: lan}');
    expect(text).toContain('port == 12)');
    expect(diagnostics({ ...document, text }).map(({ problem }) => problem.severity)).toEqual(['warning']);
  });

  test.each(['Upper', 'a b', '-a', '', 'a'.repeat(64)])('refused is %j', (name) => {
    const document: LanguageDocument = { path: 'x.yaml', text: nested, language: 'native' };
    expect(rename(document, nested.indexOf('lan, prefix'), name)).toHaveProperty('refused');
  });
});

describe('completion', () => {
  test('offers what stands where a name stands', () => {
    let offered = 0;
    for (const document of documents) {
      for (const { name, from, symbol, isDefinition, kind } of namesOf(document)) {
        if (isDefinition || symbol === undefined || kind === 'port') continue;
        const isPath = document.language === 'native' && /[\w/-]/.test(document.text[from - 1]!);
        // Of formulas no more than their places is known.
        if (isPath || /formula:(?: >[^:]*|[^\n]*)$/.test(document.text.slice(0, from))) continue;
        const all = complete(document, from).map(({ label }) => label.split('/')[0]);
        expect(all, `${document.path} ${kind} ${name} at ${from}`).toContain(name);
        offered += 1;
      }
    }
    expect(offered).toBeGreaterThan(100);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['^', ['superfluidity', 'service'], ['functions']],
    ['superfluidity: 1\nservice:\n  na^', ['name'], ['version']],
    ['superfluidity: 1\nservice:\n  name: x\n  ^', ['version', 'functions', 'chains'], ['name']],
    [
      'superfluidity: 1\nservice:\n  functions:\n    - name: a\n      env^\n      image: "host:"',
      ['environment', 'env'],
      ['image'],
    ],
    ['superfluidity: 1\nservice:\n  functions:\n    - name: a\n      environment: c^', ['container', 'click'], ['vm']],
    ['superfluidity: 1\nservice:\n  functions:\n    - {name: a, forwards: ^}', ['true', 'false'], []],
    [
      'superfluidity: 1\nservice:\n  networks: [{name: lan}]\n  functions:\n    - name: a\n      ports: [^]',
      ['lan'],
      ['a'],
    ],
    [
      'superfluidity: 1\nservice:\n  networks: [{name: lan}]\n  functions:\n    - name: a\n      ports:\n        - ^',
      ['lan', 'network'],
      ['a'],
    ],
    [
      'superfluidity: 1\nservice:\n  functions: [{name: a}, {name: b, units: [{name: u}]}]\n  chains:\n    - from: ^\n      to: a',
      ['a', 'b/u'],
      ['b'],
    ],
  ])('of a descriptor: %j', (text, some, none) => {
    const all = labels('native', text);
    for (const label of some) expect(all).toContain(label);
    for (const label of none) expect(all).not.toContain(label);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['a :: ^', ['Queue', 'Classifier'], ['a', 'elementclass']],
    ['elementclass Mine { A }; a :: Mi^', ['Mine'], ['Queue']],
    ['first, b :: Queue; first -> ^', ['first', 'b', 'Queue'], ['elementclass']],
    ['first :: Queue; c :: { inner :: Queue; inner -> ^', ['inner', 'output'], ['first']],
    ['define($rate 1); a :: Shaper($^)', ['rate'], []],
    ['elementclass C { $a | A($^) }; define($b 1)', ['a', 'b'], []],
    ['el^', ['elementclass'], ['define']],
    ['a :: Shaper(^', [], ['a', 'Queue']],
  ])('of a Click configuration: %j', (text, some, none) => {
    const all = labels('click', text);
    for (const label of some) expect(all).toContain(label);
    for (const label of none) expect(all).not.toContain(label);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['C^', ['CREATE'], ['DELETE']],
    ['CREATE ^', ['Node', 'NodeModel', 'Flow'], ['CREATE']],
    ['CREATE NodeModel mine; CREATE Node a Type ^', ['mine', 'host', 'l2-group'], ['p2p']],
    ['CREATE Node a Type host; CREATE Connection c Type p2p Endnodes ^', ['a'], []],
    [
      'CREATE NodeModel m; ConnectionPoint west; CREATE Node a Type m; CREATE Connection c Type p2p Endnodes a.^',
      ['west'],
      ['a'],
    ],
    ['CREATE NodeModel m Property string: speed; CREATE Node a Type m Property ^', ['speed'], ['ip-address']],
    ['CREATE Node a Type host Property ^', ['ip-address'], ['speed']],
    ['CREATE Flow f; CREATE Operation o Target ^', ['f'], []],
    ['CREATE Flow f; CREATE Operation o Target f Action ^', ['go-through', 'allow'], []],
    ['CREATE Flow f Match ^', ['src-ip'], []],
  ])('of a NEMO script: %j', (text, some, none) => {
    const all = labels('nemo', text);
    for (const label of some) expect(all).toContain(label);
    for (const label of none) expect(all).not.toContain(label);
  });
});

test.each<[Language, string, string]>([
  ['native', 'superfluidity: 1\nservice:\n  functions:\n    - {name: a, forw^ards: true}', 'Packets pass through it'],
  ['native', 'superfluidity: 1\nservice:\n  functions:\n    - {name: a, environment: cli^ck}', 'One of `container`'],
  ['click', 'elementc^lass X { A }', 'compound elements'],
  ['click', 'q :: Que^ue(10)', 'Stores packets'],
  ['click', 'q^ :: Queue(10)', 'element `q`: Queue'],
  ['nemo', 'CREATE No^de a;', 'network function'],
  ['nemo', 'CREATE Node a Type ho^st;', 'something that runs'],
])('hover over %s %j', (language, text, expected) => {
  expect(hover(...at(language, text))?.text).toContain(expected);
});

test('whatever is written, and wherever the cursor is, there is an answer', () => {
  const pieces = fc.constantFrom(
    ...'a|b|: |- |\n|\n  |[|]|{|}|"|\'|&x |*x |? |!!map |<<: |name: a|ports: [a]|service:|functions:|units:|from: a/b.c|::|->|=>|(|)|;|,|$x|elementclass |define(|require(|//|/*|*/|CREATE |Node |NodeModel |Type |Property |Endnodes |Contain |.|0'.split(
      '|',
    ),
  );
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
    fc.tuple(fc.constantFrom(...documents), fc.nat(9_000), pieces).map(([{ text: whole }, where, piece]) => {
      const start = where % whole.length;
      return whole.slice(0, start) + piece + whole.slice(start + 1, start + 400);
    }),
  );
  fc.assert(
    fc.property(
      text,
      fc.constantFrom('native' as const, 'nemo' as const, 'click' as const),
      fc.nat(500),
      (source, language, where) => {
        const document = { path: 'x', text: source, language };
        const offset = where % (source.length + 1);
        expect(complete(document, offset)).toBeInstanceOf(Array);
        for (const { from, to } of namesOf(document)) expect([from >= 0, to <= source.length]).toEqual([true, true]);
        hover(document, offset);
        definitions(document, offset);
        diagnostics(document);
        const renamed = rename(document, offset, 'zzzz');
        if ('edits' in renamed) expect(edited(source, renamed.edits)).toContain('zzzz');
      },
    ),
    { numRuns: 100 },
  );
});

test('nesting without end is no question', () => {
  for (const text of [
    '['.repeat(100_000),
    `${'- '.repeat(50_000)}a`,
    '{'.repeat(100_000),
    'a: &a [*a, *a]\n'.repeat(500),
  ]) {
    for (const language of ['native', 'nemo', 'click'] as const) {
      const document = { path: 'x', text, language };
      complete(document, text.length);
      hover(document, 5);
      diagnostics(document);
    }
  }
});

test('a file is known by its name, and else by its content', () => {
  const known = (path: string, text: string) => languageOf(path, text);
  expect(known('a/b.click', '')).toBe('click');
  expect(known('b.nemo', '')).toBe('nemo');
  expect(known('service.yaml', nested)).toBe('native');
  expect(known('new.yaml', '\n')).toBe('native');
  expect(known('pod.yaml', 'apiVersion: v1\nkind: Pod\n')).toBeUndefined();
  expect(known('intent.txt', 'CREATE Node a Type host;')).toBe('nemo');
  expect(known('notes.txt', 'hello')).toBeUndefined();
});
