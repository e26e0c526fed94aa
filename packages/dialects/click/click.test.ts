import { readFileSync } from 'node:fs';
import { checkService, deepFreeze, type Block, type Service } from '@superfluidity/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { convert, readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';
import { sameClass, configurationOf, type Shape, shapeOf } from './compare.ts';
import { clickProgram, withElements } from './program.ts';
import { clickTexts } from './testing/configurations.ts';

const golden = readFileSync(new URL('./golden/edge-router.click', import.meta.url), 'utf8');
const file = (text: string, path = 'edge.click') => ({ path, bytes: new TextEncoder().encode(text) });
const text = ({ bytes }: { readonly bytes: Uint8Array }) => new TextDecoder().decode(bytes);
const errorsOf = (source: string) =>
  readDescriptor([file(source)])
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ code, message, position }) => `${position?.line}:${position?.column} ${code}: ${message}`);

function serviceOf(source: string, path?: string): Service {
  const { service, problems } = readDescriptor([file(source, path)]);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return service!;
}

const unitOf = (source: string) => serviceOf(source).block.children[0]!.children[0]!;
const withUnit = (service: Service, unit: Block): Service => {
  const [fn] = service.block.children;
  return { ...service, block: { ...service.block, children: [{ ...fn!, children: [unit] }] } };
};

describe('a configuration is a function', () => {
  const unit = unitOf(golden);

  test('whose unit has the devices as its ports, and the program as it stands', () => {
    const service = serviceOf(golden);
    expect(service.block.children.map(({ name }) => name)).toEqual(['edge']);
    expect(unit.execution).toEqual({ environment: 'click', program: golden });
    expect(unit.ports).toEqual([
      { name: 'eth0', network: 'eth0' },
      { name: 'eth1', network: 'eth1' },
    ]);
    expect(service.networks.map(({ prefix }) => prefix)).toEqual(['10.128.0.0/24', '10.128.1.0/24']);
  });

  test('with elements, those of compound ones inside of them, and links between their ports', () => {
    const limit = unit.children.find(({ name }) => name === 'limit')!;
    expect(limit.carried).toEqual({
      click: { class: 'Limiter', configuration: '$RATE, BURST 10', parameters: '$rate, BURST $burst' },
    });
    expect(limit.ports.map(({ name }) => name)).toEqual(['in0', 'out0', 'out1']);
    expect(limit.children.map(({ name }) => name)).toEqual(['split', 'over']);
    expect(limit.links.map(({ ends }) => ends)).toEqual([
      ['in0', 'split.in0'],
      ['split.out0', 'out0'],
      ['split.out1', 'over.in0'],
      ['over.out0', 'out1'],
    ]);
    const links = unit.links.map(({ ends }) => ends.join(' '));
    expect(links).toContain('limit.out1 lan.in0');
    expect(links).toContain('sort.out3 lan.in0');
    expect(links).toContain('guard.out1 strip-13.in0');
    expect(links).toContain('eth0 wan.device');
  });

  test('written as it was read, and without loss', () => {
    const { files, losses } = writeDescriptor(serviceOf(golden), 'click');
    expect([files.map(text), losses]).toEqual([[golden], []]);
  });

  test('input and output at the top are ports of the unit that links alone join', () => {
    const { ports, links } = unitOf('input -> a :: Null -> output; a [1] -> [2] output;');
    expect(ports).toEqual([{ name: 'in0' }, { name: 'out0' }, { name: 'out2' }]);
    expect(links.map(({ ends }) => ends.join(' '))).toEqual(['in0 a.in0', 'a.out0 out0', 'a.out1 out2']);
  });

  test('devices of compound elements are found, whatever variable names them', () => {
    const { ports } = unitOf(
      'define($d eth7); elementclass N { $x | FromDevice($x) -> output }; N($d) -> N(a_long_name_of_one) -> Discard',
    );
    expect(ports).toEqual([
      { name: 'eth7', network: 'eth7' },
      { name: 'a-long-name-of-one', network: 'a-long-name-of-one', internalIf: 'eth1' },
    ]);
  });

  test('several files are functions of one service, and libraries are parts of those that require them', () => {
    const files = [
      file('require(library lib.click); L -> ToDevice(eth0)', 'net/fw.click'),
      file('elementclass L { FromDevice(eth1) -> output }', 'net/lib.click'),
      file('FromDevice(eth0) -> Discard', 'net/sink.click'),
    ];
    const { service, problems } = readDescriptor(files);
    expect(problems.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'SF-DESCRIPTOR-ASSUMED'));
    expect(service!.block.name).toBe('net');
    expect(service!.block.children.map(({ name }) => name)).toEqual(['fw', 'sink']);
    expect(service!.networks.map(({ name }) => name)).toEqual(['fw-eth1', 'fw-eth0', 'sink-eth0']);
    const written = writeDescriptor(service!, 'click');
    expect(written.losses).toEqual([]);
    const byPath = (list: readonly { readonly path: string; readonly bytes: Uint8Array }[]) =>
      Object.fromEntries(list.map((one) => [one.path, text(one)]));
    expect(byPath(written.files)).toEqual(byPath(files));
  });

  test('in a package of another dialect it is a part', () => {
    const native = 'superfluidity: 1\nservice: {name: x, version: "1", functions: []}\n';
    expect(recognise([file(golden, 'a.click'), file(native, 'service.yaml')])).toBe('native');
    expect(recognise([file(golden, 'program.conf')])).toBe('click');
    expect(recognise([file('a:eth0 -> b:eth1\n', 'links.txt')])).toBeUndefined();
  });
});

describe('what is wrong is found where it is', () => {
  test.each([
    ['a :: A;\n  b :: B(\n', ['2:10 SF-DESCRIPTOR-SYNTAX: the configuration in parentheses has no end']],
    [
      'a :: A;\na :: B;\nc -> ;\n',
      [
        '2:1 SF-DESCRIPTOR-DUPLICATE-KEY: there is an element a already',
        '3:6 SF-DESCRIPTOR-SYNTAX: expected an element, found ";"',
      ],
    ],
    [
      'elementclass C { input -> ) ; A -> }; a :: A; % ; x :: ;',
      [
        '1:27 SF-DESCRIPTOR-SYNTAX: expected an element, found ")"',
        '1:47 SF-DESCRIPTOR-SYNTAX: "%" means nothing here',
        '1:56 SF-DESCRIPTOR-SYNTAX: expected the class of the element, found ";"',
      ],
    ],
    [
      'elementclass C { $x | A }\n\nC(1, 2)',
      ['3:1 SF-DESCRIPTOR-REFERENCE: C@2: no form of C has 0 inputs, 0 outputs and takes 2 arguments'],
    ],
    [
      'a :: A;\n}\nb :: ',
      [
        '2:1 SF-DESCRIPTOR-SYNTAX: expected an element, found "}"',
        '3:6 SF-DESCRIPTOR-SYNTAX: expected the class of the element, found the end',
      ],
    ],
  ])('%j', (source, expected) => expect(errorsOf(source)).toEqual(expected));

  test('a word that is nearly an element was meant as one', () => {
    const { problems } = readDescriptor([file('source :: RatedSource; queue :: Queue;\nsource -> queu -> Discard')]);
    expect(problems).toMatchObject([
      {
        severity: 'warning',
        code: 'SF-DESCRIPTOR-REFERENCE',
        position: { line: 2, column: 11 },
        suggestion: "did you mean 'queue'?",
      },
    ]);
  });

  test('what multiplies is refused, or left to the program', () => {
    const doubling = Array.from({ length: 30 }, (_, i) => `elementclass C${i + 1} { x :: C${i}; y :: C${i} }`);
    expect(errorsOf(`elementclass C0 { }; ${doubling.join(';')}; C30`)).toEqual([
      expect.stringContaining('SF-DESCRIPTOR-TOO-LARGE'),
    ]);
    expect(
      errorsOf(
        `define($a ${'x'.repeat(100)}${Array.from({ length: 30 }, (_, i) => `, $${'b'.repeat(i + 1)} $a$a`).join('')}) a :: A`,
      ),
    ).toEqual([]);
    const growing = Array.from({ length: 40 }, (_, i) => `define($v${i + 1} $v${i}$v${i});`).join('\n');
    expect(errorsOf(`define($v0 xx);\n${growing}\na :: A($v40)`)).toEqual([
      expect.stringContaining('SF-DESCRIPTOR-TOO-LARGE'),
    ]);
    expect(errorsOf('a :: A; '.concat('a[0-65535] => [0-65535]a;'.repeat(20)))).toEqual([
      expect.stringContaining('SF-DESCRIPTOR-TOO-LARGE'),
    ]);
    const deep = `${'{'.repeat(40)} A ${'}'.repeat(40)}`;
    expect(serviceOf(deep).block.children[0]!.children[0]!.children).toHaveLength(1);
  });

  test('whatever becomes of the file, the answer is problems with known codes', () => {
    survivesDamage([file(golden)]);
  });
});

test('what is written and read again is the same, whatever the names', () => {
  const among = (any: Service): Service => {
    const names = any.block.children.flatMap((fn) => fn.children.map((unit) => `${fn.name}_${unit.name}`));
    const elements = names.map((name, i) => `${name} :: Queue(${i})`).join(';\n');
    return serviceOf(
      `${elements};\nFromDevice(eth0) -> ${names.join(' -> ')} -> ToDevice(lan.7);`,
      `${names[0]}.click`,
    );
  };
  keepsMeaning('click', { among });
});

test('any configuration comes back letter by letter, from a model with and without its elements', () => {
  fc.assert(
    fc.property(clickTexts, (source) => {
      const service = serviceOf(source, 'x.click');
      expect(checkService(service)).toEqual([]);
      const { files, losses } = writeDescriptor(service, 'click');
      expect([files.map(text), losses]).toEqual([[source], []]);
      const unit = service.block.children[0]!.children[0]!;
      const bare = { ...unit, children: [], links: [] };
      expect(text(writeDescriptor(withUnit(service, bare), 'click').files[0]!)).toBe(source);
      expect(withElements(bare)).toEqual(unit);
    }),
    { numRuns: 60 },
  );
});

test.skipIf(!hasRealFiles)(
  `configurations of Symnet and of Vera are read, and come back letter by letter${noRealFiles}`,
  () => {
    const files = realFiles('../verification', /\.click$/);
    expect(files.length).toBe(44);
    for (const { path, bytes } of files) {
      const given = [{ path: path.slice(path.lastIndexOf('/') + 1), bytes }];
      expect(recognise(given), path).toBe('click');
      const { service, problems } = readDescriptor(given);
      expect(problems.filter(({ code }) => code !== 'SF-DESCRIPTOR-ASSUMED')).toEqual([]);
      expect(checkService(service!)).toEqual([]);
      const written = writeDescriptor(service!, 'click');
      expect(written.losses).toEqual([]);
      expect(text(written.files[0]!), path).toBe(text(given[0]!));
    }
  },
);

/** Without ports, which follow from the links, and names that elements without one are given. */
interface Told {
  readonly elements: readonly { readonly name: string; readonly text: string; readonly inner: Told }[];
  readonly links: readonly string[];
}
/** A compound that is not as its class any more is written out. */
const textOf = (one: Shape) => `${one.inner.length > 0 ? '' : (one.said.class ?? '')}(${configurationOf(one)})`;
const told = ({ inner, links }: Shape): Told => ({
  links,
  elements: inner
    .map((one) => ({ name: one.name, text: textOf(one), inner: told(one) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});

type Edit = (unit: Block, pick: (below: number) => number) => Block;
const edits: Readonly<Record<string, Edit>> = {
  configure: (unit, pick) => change(unit, pick, (said) => ({ ...said, configuration: `changed ${pick(9)}` })),
  reclass: (unit, pick) => change(unit, pick, (said) => ({ ...said, class: 'Counter' })),
  remove: (unit, pick) => {
    const { name } = unit.children[pick(unit.children.length)]!;
    const links = unit.links.filter(({ ends }) => !ends.some((end) => end.startsWith(`${name}.`)));
    return { ...unit, children: unit.children.filter((one) => one.name !== name), links };
  },
  unlink: (unit, pick) => {
    // What joins a device with its port goes with the device.
    const own = unit.links.filter(({ ends }) => !ends[1]!.endsWith('.device'));
    const one = own[pick(own.length)];
    return { ...unit, links: unit.links.filter((link) => link !== one) };
  },
  add: (unit, pick) => {
    const end = unit.children[pick(unit.children.length)]!.name;
    const element = elementBlock(`new-${pick(999)}`, { class: 'Paint', configuration: '3' });
    const link = { name: `x${pick(9_999)}`, ends: [`${element.name}.out${pick(3)}`, `${end}.in${4 + pick(3)}`] };
    const isTaken = unit.children.some(({ name }) => name === element.name);
    const isSimple = unit.children.find(({ name }) => name === end)!.children.length === 0;
    if (isTaken) return unit;
    return { ...unit, children: [...unit.children, element], links: isSimple ? [...unit.links, link] : unit.links };
  },
};

function elementBlock(name: string, said: object): Block {
  return { kind: 'element', name, ports: [], children: [], links: [], requirements: {}, carried: { click: said } };
}

function change(unit: Block, pick: (below: number) => number, how: (said: object) => object): Block {
  const at = pick(unit.children.length);
  const one = unit.children[at]!;
  const said = one.carried?.['click'] as { readonly class?: string };
  // What a device or a compound is would change with it.
  if (one.children.length > 0 || said.class === undefined || /Device|^(?:Pair|Box)/.test(said.class)) return unit;
  return { ...unit, children: unit.children.with(at, { ...one, carried: { click: how(said) } }) };
}

test('what is changed in the elements is changed in the text, and nothing else is', () => {
  fc.assert(
    fc.property(
      clickTexts,
      fc.array(fc.tuple(fc.constantFrom(...Object.keys(edits)), fc.infiniteStream(fc.nat(1e6))), {
        minLength: 1,
        maxLength: 4,
      }),
      (source, list) => {
        let unit = unitOf(source);
        for (const [name, numbers] of list) {
          const pick = (below: number) => (numbers.next().value as number) % Math.max(1, below);
          if (unit.children.length > 0) unit = edits[name]!(unit, pick);
        }
        fc.pre(unit.children.length > 0);
        const program = clickProgram(deepFreeze(unit));
        const again = unitOf(program);
        expect(told(shapeOf(again)), program).toEqual(told(shapeOf(unit)));
        for (const comment of source.match(/^\/\/.*$/gm) ?? []) expect(program).toContain(comment);
        for (const kept of ['require(package "x")', 'define($v 7)', 'elementclass Pair'])
          expect(program.includes(kept)).toBe(source.includes(kept));
        // Once is enough.
        expect(clickProgram(again)).toBe(program);
      },
    ),
    { numRuns: 50 },
  );
});

test('arguments are changed where they stand', () => {
  const unit = unitOf(golden);
  const children = unit.children.map((one) => {
    const said = one.carried?.['click'] as { readonly class?: string };
    if (one.name === 'sort') return { ...one, carried: { click: { ...said, configuration: '12/0800, -' } } };
    return said.class === 'Discard' ? { ...one, carried: { click: { ...said, configuration: 'ACTIVE true' } } } : one;
  });
  const expected = golden
    .replace(/Classifier\([^]*?-\);/, 'Classifier(12/0800, -);')
    .replaceAll('Discard;', 'Discard(ACTIVE true);');
  expect(clickProgram({ ...unit, children })).toBe(expected);
});

test('what Click cannot say is named', () => {
  const service = serviceOf(golden);
  const unit = service.block.children[0]!.children[0]!;
  const children = [
    ...unit.children.filter(({ name }) => name !== 'spare'),
    { ...elementBlock('odd', {}), ports: [{ name: 'in0' }] },
    elementBlock('open', { class: 'Print', configuration: '"' }),
  ];
  const { losses } = writeDescriptor(
    {
      ...withUnit(service, { ...unit, children, ports: [...unit.ports, { name: 'eth9', network: 'other' }] }),
      networks: [...service.networks, { name: 'other', prefix: '10.9.0.0/16' }],
    },
    'click',
  );
  expect(losses.map(({ message }) => message.replace('click cannot say: ', ''))).toEqual([
    "the link from 'spare.out0' to 'guard.in0' in 'edge'",
    "port 'in0' of 'odd', which nothing is linked to",
    "element 'odd', which has no class: Null stands for it",
    "the configuration of 'open', in which a text or a parenthesis has no end",
    "port 'eth9' of 'edge'",
    "network 'other'",
  ]);
  const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
  const none = convert([{ path: 'service.yaml', bytes: example }], 'click');
  expect(none.files).toEqual([]);
  expect(none.losses.filter(({ message }) => message.includes('no Click configuration')).length).toBeGreaterThan(3);
});

test('other dialects take the program for what the elements say', () => {
  const { losses, files } = convert([file(golden)], 'sol006');
  expect(losses.filter(({ path }) => path.startsWith('functions'))).toEqual([]);
  const { service } = readDescriptor(files);
  expect(service!.block.children[0]!.children[0]!.execution!.program).toBe(golden);

  // Also what was changed in them since.
  const read = serviceOf(golden);
  const unit = read.block.children[0]!.children[0]!;
  const changed = unit.children.map((one) =>
    one.name === 'lan' ? { ...one, carried: { click: { class: 'Queue', configuration: '7' } } } : one,
  );
  for (const format of ['sol006', 'native'] as const) {
    const written = writeDescriptor(withUnit(read, { ...unit, children: changed }), format);
    const [again] = readDescriptor(written.files).service!.block.children[0]!.children;
    expect(unitOf(again!.execution!.program!).children.find(({ name }) => name === 'lan')!.carried).toEqual({
      click: { class: 'Queue', configuration: '7' },
    });
  }
});

test('a program in a native descriptor is read where it stands', () => {
  const text_ = `superfluidity: 1
service:
  name: x
  version: "1"
  functions:
    - name: f
      environment: click
      program: |
        a :: Queue;
        a -> b -> ;
    - name: g
      units:
        - {name: u, environment: click, program: "elementclass C { $x | A }; C"}
`;
  const { service, problems } = readDescriptor([file(text_, 'x.yaml')]);
  expect(service).toBeDefined();
  expect(problems.filter(({ code }) => code === 'SF-DESCRIPTOR-SYNTAX')).toMatchObject([
    {
      severity: 'warning',
      position: { line: 10, column: 19 },
      message: 'the Click program: expected an element, found ";"',
    },
    { severity: 'warning', position: { line: 13, column: 78 }, message: expect.stringContaining('no form of C') },
  ]);
});

test('the example of the reference is read', () => {
  const page = readFileSync(new URL('../../../docs/reference/click.md', import.meta.url), 'utf8');
  const [, example = ''] = /```\n([^]*?)```/.exec(page)!;
  expect(unitOf(example).children.map(({ name }) => name)).toEqual(['fromdevice-4', 'limit', 'todevice-5']);
});

test('an element that is the same as its class, and in no way else, is of the class', () => {
  const [first] = unitOf('elementclass P { input -> Null -> output }; p :: P; q :: P; a :: X -> p -> q -> X').children;
  const shape = shapeOf(first!);
  expect(sameClass(shape, { ...shape, said: { class: 'Q' } })).toBe(false);
});
