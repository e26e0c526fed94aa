import { readFileSync } from 'node:fs';
import { readDescriptionModel } from '@superfluidity/dialects/languages';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aligned, arrange } from './arrange.ts';
import { differencesOf } from './compare.ts';
import { type Draft, dropDraft, keepDraft, readDraft } from './draft.ts';
import { formOf, problemOfField, valueOfField } from './form.ts';
import { begun, changed, type History, redone, typed, undone } from './history.ts';
import { designLimits } from './limits.ts';
import * as operations from './operations.ts';
import { entriesOf, mayConnect } from './palette.ts';
import { readVersion } from './reading.ts';

const text = `superfluidity: 1
service:
  name: demo # the name
  version: "1"

  networks:
    - {name: lan, prefix: 10.1.0.0/16}
  functions:
    # whoever asks
    - name: client
      environment: container
      image:   "host:"
      ports: [lan]
    - name: pair
      units:
        - name: outer
          environment: vm
          image: "guest:"
          ports: [lan, {name: up}]
          units:
            - {name: inner, environment: container, image: "host:", ports: [{name: eth0}]}
          links:
            - {name: l, ends: [up, inner.eth0]}
        - {name: second, environment: container, image: "host:", ports: [lan], requirements: {after: [pair/outer]}}
    - name: router
      environment: click
      ports: [lan]
      program: |
        // what comes in
        in :: FromDevice(eth0);
        in -> Queue(1000) -> out :: ToDevice(eth0);
  chains:
    - {name: way, from: client, through: [pair/outer], to: router, address: 10.99.0.10}
`;

const at = (source: string, path = '') => operations.drawn(readVersion({ text: source, language: 'native' }), path)!;
const node = (design: operations.Drawn, id: string) => design.level.nodes.find((one) => one.id === id)!;
function done(result: operations.Done): string {
  if ('refused' in result) throw new Error(result.refused);
  return result.text;
}
/** Lines that the second text has and the first has not, and the reverse. */
function changedLines(before: string, after: string): readonly (readonly string[])[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  return [b.filter((line) => !a.includes(line)), a.filter((line) => !b.includes(line))];
}

const model = readDescriptionModel({
  path: 'superfluidity.yaml',
  bytes: readFileSync(new URL('../models/superfluidity.yaml', import.meta.url)),
}).model!;

describe('a level of a design', () => {
  it('has blocks, networks, chains and what is attached', () => {
    const { level } = at(text);
    expect(level.nodes.map(({ id }) => id)).toEqual(['block:client', 'block:pair', 'block:router', 'net:lan']);
    const chain = level.edges.filter(({ kind }) => kind === 'chain').map(({ source, target }) => [source, target]);
    expect(chain).toEqual([
      ['block:client', 'block:pair'],
      ['block:pair', 'block:router'],
    ]);
    const attached = level.edges.filter(({ kind }) => kind === 'attached').map(({ name }) => name);
    expect(attached).toEqual(['eth0 on lan', 'outer.eth0 on lan', 'second.eth0 on lan', 'eth0 on lan']);
  });

  it('is opened down to what runs in a unit, and to the elements of a program', () => {
    const { level } = at(text, 'pair/outer');
    expect(level.line.map(({ path }) => path)).toEqual(['', 'pair', 'pair/outer']);
    expect(level.edges.map(({ id, source, target }) => [id, source, target])).toEqual([
      ['link:0.0', 'port:up', 'block:inner'],
    ]);
    const program = at(text, 'router/router').level;
    expect(program.isProgram).toBe(true);
    expect(program.nodes.filter(({ kind }) => kind === 'element').map(({ about }) => about)).toEqual([
      'FromDevice(eth0)',
      'Queue(1000)',
      'ToDevice(eth0)',
    ]);
    expect(at(text, 'pair/gone/deeper').level.open.path).toBe('pair');
  });

  it('is drawn with mistakes in it, which are counted where they are', () => {
    const { level, reading } = at(
      text.replace('through: [pair/outer]', 'through: [pair/none]').replace('[lan]', '[wan]'),
    );
    expect(reading.problems.map(({ code }) => code)).toContain('SF-MODEL-REFERENCE');
    expect(level.nodes.map(({ errors }) => errors)).toEqual([1, 0, 0, 0]);
  });

  it('of a text that cannot be read is not there', () => {
    expect(operations.drawn(readVersion({ text: 'superfluidity: [', language: 'native' }), '')).toBeUndefined();
    const large = readVersion({ text: ' '.repeat(designLimits.text + 1), language: 'native' });
    expect(large.problems[0]?.code).toBe('SF-DESCRIPTOR-TOO-LARGE');
  });
});

describe('an edit of the graph', () => {
  it('changes the lines that it is about, and no others', () => {
    const design = at(text);
    const renamedField = done(operations.field(design, [...node(design, 'block:client').at, 'image'], 'oci:app'));
    expect(changedLines(text, renamedField)).toEqual([['      image: "oci:app"'], ['      image:   "host:"']]);
    const attached = done(
      operations.connected(design, { node: node(design, 'block:router') }, { node: node(design, 'net:lan') }),
    );
    expect(changedLines(text, attached)).toEqual([['      ports: [lan, lan]'], []]);
    const cpu = done(operations.field(design, [...node(design, 'block:client').at, 'requirements', 'cpu'], 2));
    expect(changedLines(text, cpu)[1]).toEqual([]);
    expect(
      done(operations.field(at(cpu), [...node(at(cpu), 'block:client').at, 'requirements', 'cpu'], undefined)),
    ).toBe(text);
  });

  it('adds what the palette has, with names of its own', () => {
    for (const path of ['', 'pair', 'pair/outer']) {
      const design = at(text, path);
      for (const entry of entriesOf(model, design.level.open.block.kind)) {
        const result = operations.add(design, entry);
        const read = readVersion({ text: done(result), language: 'native' });
        expect([entry.id, ...read.problems.filter(({ severity }) => severity === 'error')]).toEqual([entry.id]);
        const after = at(done(result), path);
        expect(after.level.nodes.map(({ id }) => id)).toContain(result.selects![0]);
      }
    }
    expect(operations.add(at(text), { kind: 'element', template: {} })).toHaveProperty('refused');
  });

  it('writes a function with its units when it gets a second one, and what refers to it follows', () => {
    const design = at(text, 'client');
    const after = done(
      operations.add(design, { kind: 'unit', template: { name: 'twin', environment: 'vm', image: 'guest:' } }),
    );
    const { service, problems } = readVersion({ text: after, language: 'native' });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(service!.block.children[0]!.children.map(({ name }) => name)).toEqual(['client', 'twin']);
    expect(after).toContain('from: client/client');
    expect(after).toContain('# whoever asks');
  });

  it('connects blocks by networks, and what lies in a unit by links', () => {
    const bare = done(
      operations.add(at(text), { kind: 'function', template: { name: 'db', environment: 'vm', image: 'guest:' } }),
    );
    const design = at(bare);
    const joined = at(
      done(operations.connected(design, { node: node(design, 'block:db') }, { node: node(design, 'block:client') })),
    );
    expect(node(joined, 'block:db').ports).toMatchObject([{ id: 'eth0', network: 'lan' }]);
    const several = operations.connected(
      design,
      { node: node(design, 'block:pair') },
      { node: node(design, 'net:lan') },
    );
    expect(several).toHaveProperty('refused');
    const inner = at(text, 'pair/outer');
    const linked = at(
      done(operations.connected(inner, { node: node(inner, 'port:eth0') }, { node: node(inner, 'block:inner') })),
      'pair/outer',
    );
    expect(linked.level.open.block.links.at(-1)).toEqual({ name: 'link', ends: ['eth0', 'inner.p1'] });
    const two = operations.connected(design, { node: node(design, 'net:lan') }, { node: node(design, 'net:lan') });
    expect(two).toHaveProperty('refused');
  });

  it('removes with a thing what cannot be without it', () => {
    const design = at(text);
    const without = done(operations.removed(design, [node(design, 'block:router'), node(design, 'net:lan')], []));
    const { service } = readVersion({ text: without, language: 'native' });
    expect(service!.chains).toEqual([]);
    expect(service!.networks).toEqual([]);
    expect(service!.block.children.map(({ name }) => name)).toEqual(['client', 'pair']);
    const chain = design.level.edges.filter(({ kind }) => kind === 'chain');
    expect(
      readVersion({ text: done(operations.removed(design, [], chain)), language: 'native' }).service!.chains,
    ).toEqual([]);
    const inner = at(text, 'pair/outer');
    const left = at(done(operations.removed(inner, [node(inner, 'port:up')], [])), 'pair/outer').level;
    expect(left.edges).toEqual([]);
    expect(operations.removed(at(text, 'client'), at(text, 'client').level.nodes, [])).toHaveProperty('refused');
  });

  it('renames wherever it is named', () => {
    const design = at(text);
    const after = done(operations.renamed(design, node(design, 'block:client').at, 'ue'));
    expect(after).toContain('from: ue,');
    expect(operations.renamed(design, node(design, 'block:client').at, 'pair')).toHaveProperty('refused');
  });

  it('makes a chain of what was selected, in that order', () => {
    const design = at(text);
    const after = done(operations.chained(design, [node(design, 'block:router'), node(design, 'block:client')]));
    expect(readVersion({ text: after, language: 'native' }).service!.chains[1]).toMatchObject({
      from: 'router/router',
      to: 'client/client',
      address: '10.99.0.11',
    });
  });

  it('of a program changes its text', () => {
    const design = at(text, 'router/router');
    const added = operations.add(design, { kind: 'element', template: { carried: { click: { class: 'Counter' } } } });
    const with1 = at(done(added), 'router/router');
    const [counter, input] = [
      node(with1, added.selects![0]!),
      with1.level.nodes.find(({ about }) => about.startsWith('Queue'))!,
    ];
    const linked = done(operations.connected(with1, { node: counter }, { node: input }));
    expect(linked).toContain('counter :: Counter');
    expect(linked).toMatch(/counter -> \w+;/);
    expect(linked).toContain('// what comes in');
    const again = at(linked, 'router/router');
    const configured = done(operations.configured(again, 'out', 'configuration', 'eth1'));
    expect(configured).toContain('ToDevice(eth1)');
    const gone = done(operations.removed(again, [node(again, counter.id)], []));
    expect(gone).not.toContain('Counter');
  });

  it('of what is inside a compound element changes that, in the program of a descriptor as in a file', () => {
    const program =
      'elementclass Pair { input -> a :: Counter -> output }; FromDevice(eth0) -> p :: Pair -> Discard;\n';
    const descriptor = text.replace(/program: \|\n(?: {8}.*\n)+/, `program: |\n        ${program}`);
    for (const [source, language, path] of [
      [descriptor, 'native', 'router/router/p'],
      [program, 'click', 'service/service/p'],
    ] as const) {
      const design = operations.drawn(readVersion({ text: source, language }), path)!;
      expect(design.level.nodes.map(({ id }) => id).toSorted()).toEqual(['block:a', 'port:in0', 'port:out0']);
      const after = done(operations.configured(design, 'a', 'class', 'AverageCounter'));
      const again = operations.drawn(readVersion({ text: after, language }), path)!;
      expect(node(again, 'block:a').about).toBe('AverageCounter');
      const cut = again.level.edges.filter(({ target }) => target === 'port:out0');
      const apart = operations.drawn(readVersion({ text: done(operations.removed(again, [], cut)), language }), path)!;
      expect(apart.level.edges.map(({ source: from, target }) => [from, target])).toEqual([['port:in0', 'block:a']]);
    }
  });

  it('of a Click configuration as a whole is one of its text', () => {
    const source = '// a way in\nFromDevice(eth0) -> c :: Counter -> Discard;\n';
    const open = (of: string) => operations.drawn(readVersion({ text: of, language: 'click' }), 'service/service')!;
    const design = open(source);
    const added = operations.add(design, { kind: 'element', template: { carried: { click: { class: 'Tee' } } } });
    const withTee = open(done(added));
    const linked = done(
      operations.connected(
        withTee,
        { node: node(withTee, 'block:c'), port: 'out1' },
        { node: node(withTee, added.selects![0]!) },
      ),
    );
    expect(linked).toContain('// a way in');
    expect(linked).toContain('c [1] -> tee;');
    const top = operations.drawn(readVersion({ text: source, language: 'click' }), '')!;
    expect(operations.add(top, { kind: 'network', template: {} })).toHaveProperty('refused');
  });
});

describe('copy and paste', () => {
  it('carries blocks with their networks into another service, under free names', () => {
    const design = at(text);
    const clipboard = operations.fragment(design, [node(design, 'block:client')], []);
    const empty = 'superfluidity: 1\nservice: {name: other, version: "1", functions: []}\n';
    const there = at(done(operations.pasted(at(empty), clipboard)));
    expect(there.level.nodes.map(({ id }) => id)).toEqual(['block:client', 'net:lan']);
    const twice = operations.pasted(there, clipboard);
    expect(twice.selects).toEqual(['block:client-2']);
    expect(at(done(twice)).service.networks).toHaveLength(1);
    for (const wrong of [
      '',
      'superfluidity-fragment: 1',
      'superfluidity-fragment: [',
      '{superfluidity-fragment: 1, units: 3}',
    ])
      expect(operations.pasted(there, wrong)).toHaveProperty('refused');
  });

  it('carries links between what was copied', () => {
    const inner = at(text, 'pair/outer');
    const twin = at(
      done(operations.pasted(inner, operations.fragment(inner, [node(inner, 'block:inner')], []))),
      'pair/outer',
    );
    const [a, b] = [node(twin, 'block:inner'), node(twin, 'block:inner-2')];
    const linked = at(
      done(operations.connected(twin, { node: a, port: 'eth0' }, { node: b, port: 'eth0' })),
      'pair/outer',
    );
    const clipboard = operations.fragment(linked, [node(linked, a.id), node(linked, b.id)], linked.level.edges);
    const pasted = at(done(operations.pasted(linked, clipboard)), 'pair/outer');
    expect(pasted.level.open.block.links.at(-1)!.ends).toEqual(['inner-3.eth0', 'inner-2-2.eth0']);
  });
});

describe('copy and paste of elements of Click', () => {
  const source =
    'FromDevice(eth0) -> c :: Counter -> t :: { input -> Print(A) -> output } -> Discard; // the way\nc [1] -> Discard;\n';
  const open = (of: string) => operations.drawn(readVersion({ text: of, language: 'click' }), 'service/service')!;

  it('carries them with their connections into another program, compound ones too', () => {
    const design = open(source);
    const clipboard = operations.fragment(design, [node(design, 'block:c'), node(design, 'block:t')], []);
    const twice = operations.pasted(design, clipboard);
    expect(twice.selects).toEqual(['block:c-2', 'block:t-2']);
    const after = open(done(twice));
    expect(done(twice)).toContain('// the way');
    expect(node(after, 'block:c-2').about).toBe('Counter');
    expect(node(after, 'block:t-2').inner).toBe(1);
    expect(after.level.edges).toHaveLength(design.level.edges.length + 1);
    const added = after.level.edges.find(({ source: from }) => from === 'block:c-2');
    expect(added).toMatchObject({ sourcePort: 'out0', target: 'block:t-2', targetPort: 'in0' });
    // Into the program of a unit of a native descriptor, and back into a file.
    const unit = at(text, 'router/router');
    const there = at(done(operations.pasted(unit, clipboard)), 'router/router');
    expect(there.level.nodes.length).toBe(unit.level.nodes.length + 2);
    const back = operations.fragment(there, [node(there, 'block:c')], []);
    expect(open(done(operations.pasted(design, back))).level.nodes).toHaveLength(design.level.nodes.length + 1);
  });

  it('refuses what does not belong there, and what is no element', () => {
    const design = open(source);
    const clipboard = operations.fragment(design, [node(design, 'block:c')], []);
    expect(operations.pasted(at(text), clipboard)).toEqual({
      refused: 'elements of Click go into a program: open one',
    });
    const functions = operations.fragment(at(text), [node(at(text), 'block:client')], []);
    expect(operations.pasted(design, functions)).toEqual({ refused: 'a program takes elements of Click alone' });
    const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ name: 'x', children: [inner] }), {
      name: 'x',
    });
    for (const elements of [[], [3], [{ name: 4 }], [{ name: 'a', children: {} }], [deep]]) {
      const wrong = JSON.stringify({ 'superfluidity-fragment': 1, click: { elements } });
      expect(operations.pasted(design, wrong)).toHaveProperty('refused');
    }
  });
});

describe('the history', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'connect', 'remove', 'paste', 'field', 'chain'),
    a: fc.nat(9),
    b: fc.nat(9),
    path: fc.constantFrom('', 'pair', 'pair/outer'),
  });

  it('goes back to the very text, and every text on the way can be read', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        let history: History = begun({ text, language: 'native' });
        const texts = [text];
        for (const { what, a, b, path } of steps) {
          const design = at(history.now.text, path);
          const { nodes, edges } = design.level;
          const pick = (n: number) => nodes[n % Math.max(1, nodes.length)];
          const [one, other] = [pick(a), pick(b)];
          if (one === undefined || other === undefined || (one.kind === 'port' && what === 'field')) continue;
          const entries = entriesOf(model, design.level.open.block.kind);
          const result = {
            add: () => operations.add(design, entries[a % entries.length]!),
            connect: () => operations.connected(design, { node: one }, { node: other }),
            remove: () => operations.removed(design, [one], edges.slice(0, b % 2)),
            paste: () => operations.pasted(design, operations.fragment(design, [one, other], edges)),
            field: () =>
              operations.field(
                design,
                [...one.at, one.kind === 'network' ? 'mtu' : 'description'],
                one.kind === 'network' ? 1_500 : `about ${b}`,
              ),
            chain: () => operations.chained(design, [one, other]),
          }[what]!();
          if ('refused' in result) continue;
          expect(readVersion({ text: result.text, language: 'native' }).service, result.text).toBeDefined();
          const before = history;
          history = changed(history, { text: result.text, language: 'native' });
          if (history !== before) texts.push(result.text);
        }
        for (const wanted of texts.toReversed()) {
          expect(history.now.text).toBe(wanted);
          history = undone(history);
        }
        for (let i = 1; i < texts.length; i += 1) history = redone(history);
        expect(history.now.text).toBe(texts.at(-1));
      }),
      { numRuns: 12 },
    );
  });

  it('takes typing without a pause as one step, and forgets what is too long ago', () => {
    let history = begun({ text: '', language: 'native' });
    const native = (text: string) => ({ text, language: 'native' }) as const;
    history = typed(typed(typed(history, native('a'), 0), native('ab'), 500), native('abc'), 3_000);
    expect(undone(history).now.text).toBe('ab');
    expect(undone(undone(history)).now.text).toBe('');
    for (let i = 0; i < designLimits.history + 50; i += 1)
      history = changed(history, { text: `${i}`, language: 'native' });
    expect(history.past).toHaveLength(designLimits.history);
  });
});

describe('a description model', () => {
  it('makes a palette without code, and allows the edges that it names', () => {
    const { model: own } = readDescriptionModel({
      path: 'm.yaml',
      bytes: new TextEncoder().encode(`name: own
nodes: {probe: {label: Probe, type: Vnf, template: {environment: nft, program: x}}, wire: {type: VirtualLink}, fixed: {}}
layer: {ns: {nodes: {probe: {addable: {callback: f}}, wire: {addable: true}, fixed: }, allowed_edges: {probe: {destination: {wire: }}}}}`),
    });
    expect(entriesOf(own!, 'service')).toMatchObject([
      { id: 'probe', label: 'Probe', kind: 'function', template: { name: 'Probe', environment: 'nft', program: 'x' } },
      { id: 'wire', kind: 'network' },
    ]);
    expect(mayConnect(own!, 'service', 'network', 'function')).toBe(true);
    expect(mayConnect(own!, 'service', 'function', 'function')).toBe(false);
    expect(mayConnect(model, 'service', 'function', 'function')).toBe(true);
  });
});

describe('a form', () => {
  it('has the fields of the format, with units and what they say', () => {
    const design = at(text);
    const { at: path } = node(design, 'block:client');
    const fields = formOf(path, {
      name: 'client',
      environment: 'container',
      requirements: { cpu: 2 },
      health: 'tcp:80',
    });
    const of = (name: string) => fields.find((one) => one.path.join('.') === name);
    expect(of('environment')?.choices).toContain('nft');
    expect(of('requirements.cpu')).toMatchObject({ unit: 'cores', value: '2', kind: 'number' });
    expect(of('requirements.memoryMiB')?.unit).toBe('MiB');
    expect(of('health')).toMatchObject({ value: 'tcp:80', kind: 'json' });
    expect(of('units')).toBeUndefined();
    expect(valueOfField(of('command')!, '[sh, -c, "x"]')).toEqual(['sh', '-c', 'x']);
    expect(problemOfField(of('command')!, '[sh')).toBeDefined();
    expect(problemOfField(of('requirements.cpu')!, '-1')).toBeDefined();
    expect(formOf(['service', 'chains', 0], {}).find(({ path: [name] }) => name === 'latencyMaxMs')?.unit).toBe('ms');
  });
});

describe('small things', () => {
  it('arranges every block at a place of its own', () => {
    const many = `superfluidity: 1\nservice:\n  name: m\n  version: "1"\n  functions:\n${Array.from({ length: 60 }, (_, i) => `    - {name: f${i}, environment: vm, image: "guest:"}\n`).join('')}`;
    for (const level of [at(text).level, at(many).level]) {
      const places = [...arrange(level).values()].map(({ x, y }) => `${x} ${y}`);
      expect(new Set(places).size).toBe(level.nodes.length);
    }
    const boxes = new Map([
      ['a', { x: 5, y: 9, width: 10, height: 10 }],
      ['b', { x: 1, y: 2, width: 10, height: 10 }],
    ]);
    expect([...aligned(boxes, 'left').values()].map(({ x }) => x)).toEqual([1, 1]);
    expect([...aligned(boxes, 'row')].map(([id, { y }]) => [id, y])).toEqual([
      ['b', 2],
      ['a', 2],
    ]);
  });

  it('tells what differs between two versions', () => {
    const design = at(text);
    const after = at(
      done(operations.removed(design, [node(design, 'block:router')], [])).replace('name: second', 'name: other'),
    );
    expect(Object.fromEntries(differencesOf(design.service, after.service))).toEqual({
      'block:router': 'removed',
      'block:router/router': 'removed',
      'block:pair': 'changed',
      'block:pair/second': 'removed',
      'block:pair/other': 'added',
      'chain:way': 'removed',
    });
  });

  it('keeps drafts as far as there is room', () => {
    const kept = new Map<string, string>();
    const storage = {
      get length() {
        return kept.size;
      },
      key: (i: number) => [...kept.keys()][i] ?? null,
      getItem: (key: string) => kept.get(key) ?? null,
      removeItem: (key: string) => void kept.delete(key),
      setItem: (key: string, value: string) => {
        if (kept.size >= 3 && !kept.has(key)) throw new Error('full');
        kept.set(key, value);
      },
    };
    const draft = (atMs: number): Draft => ({
      text: 'x',
      language: 'native',
      places: { '': { a: { x: 1, y: 2 } } },
      atMs,
    });
    for (let i = 0; i < 5; i += 1) expect(keepDraft(storage, `d${i}`, draft(i))).toBe(true);
    expect([...kept.keys()].map((key) => key.slice(-2))).toEqual(['d2', 'd3', 'd4']);
    expect(readDraft(storage, 'd4')).toEqual(draft(4));
    expect(keepDraft(storage, 'd5', { ...draft(5), text: 'x'.repeat(designLimits.draftText) })).toBe(false);
    kept.set('superfluidity.design.d3', '{"text": 3}');
    expect(readDraft(storage, 'd3')).toBeUndefined();
    dropDraft(storage, 'd4');
    expect(readDraft(storage, 'd4')).toBeUndefined();
  });
});
