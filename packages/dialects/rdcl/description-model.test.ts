import { expect, test } from 'vitest';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { readDescriptionModel } from './description-model.ts';

const text = `name: Demo
version: 1.0
nodes:
  vnf: {label: VNF, type: Vnf, about: A function, template: {environment: nft}}
  link: {label: Link}
layer:
  ns:
    nodes:
      vnf: {addable: {callback: addVnf}, removable: true, expands: inner}
      link: {addable: false, expands_text: true}
    allowed_edges:
      vnf:
        destination:
          link: {callback: join, direct_edge: true, removable: {callback: cut}}
    action:
      node: {mark: {title: Mark it, callback: mark}}
      link:
  inner: {nodes: , allowed_edges: }
callback:
  addVnf: {file: demo.js, class: Demo}
`;
const file = (content: string) => ({ path: 'model.yaml', bytes: new TextEncoder().encode(content) });

test('layers, nodes, edges, actions and callbacks', () => {
  const { model, problems } = readDescriptionModel(file(text));
  expect(problems).toEqual([]);
  expect(model!.version).toBe('1');
  expect(model!.nodes.get('vnf')).toEqual({
    label: 'VNF',
    family: 'Vnf',
    about: 'A function',
    template: { environment: 'nft' },
  });
  const ns = model!.layers.get('ns')!;
  expect(ns.nodes.get('vnf')).toEqual({
    addable: { allowed: true, callback: 'addVnf' },
    removable: { allowed: true },
    expands: 'inner',
    expandsText: false,
  });
  expect(ns.nodes.get('link')).toEqual({
    addable: { allowed: false },
    removable: { allowed: false },
    expandsText: true,
  });
  expect(ns.edges).toEqual([
    { from: 'vnf', to: 'link', directed: true, callback: 'join', removable: { allowed: true, callback: 'cut' } },
  ]);
  expect(ns.actions).toEqual({ node: [{ id: 'mark', title: 'Mark it', callback: 'mark' }], link: [] });
  expect(model!.layers.get('inner')).toEqual({ nodes: new Map(), edges: [], actions: { node: [], link: [] } });
});

test.each([
  ['a layer that is not there', 'expands: inner', 'expands: outer', '9:68 SF-DESCRIPTOR-REFERENCE'],
  ['a tab', '  vnf: {l', '\tvnf: {l', '4:1 SF-DESCRIPTOR-SYNTAX'],
  [
    'a node given twice',
    '      link: {addable: false',
    '      vnf: {addable: false',
    '10:7 SF-DESCRIPTOR-DUPLICATE-KEY',
  ],
  ['words for yes', 'direct_edge: true', 'direct_edge: sure', '14:47 SF-DESCRIPTOR-TYPE'],
])('%s', (_name, right, wrong, problem) => {
  expect(text).toContain(right);
  const { model, problems } = readDescriptionModel(file(text.replace(right, wrong)));
  const errors = problems.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ code, position }) => `${position!.line}:${position!.column} ${code}`)[0]).toBe(problem);
  expect(model).toBeUndefined();
});

test.skipIf(!hasRealFiles)(`every model of RDCL 3D is read, but three that are not YAML${noRealFiles}`, () => {
  const refused = Object.fromEntries(
    realFiles('rdcl3d/description-models', /\.yaml$/).flatMap((one) => {
      const { model, problems } = readDescriptionModel(one);
      const [first] = problems.filter(({ severity }) => severity === 'error');
      expect(model === undefined).toBe(first !== undefined);
      return first === undefined ? [] : [[one.path, `${first.position!.line} ${first.code}`]];
    }),
  );
  expect(refused).toEqual({
    // Tabs indent it.
    'superfluidity-model.yaml': '3 SF-DESCRIPTOR-SYNTAX',
    // It has examplenode1 twice.
    'example.yaml': '17 SF-DESCRIPTOR-DUPLICATE-KEY',
    // It has the edges of Router twice.
    'srv6_net_prog.yaml': '32 SF-DESCRIPTOR-DUPLICATE-KEY',
  });
});
