import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { convert, readDescriptor, recognise } from '../descriptor.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { survivesDamage } from '../testing/round-trip.ts';

const text = readFileSync(new URL('./golden/small-ran.yaml', import.meta.url)).toString();
const file = (content: string) => ({ path: 'ran.yaml', bytes: new TextEncoder().encode(content) });

test('blocks of leaves are functions, leaves units, links networks', () => {
  const { service, format, problems } = readDescriptor([file(text)]);
  expect(format).toBe('cran');
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(service!.networks.map(({ name }) => name)).toEqual(['bbu-epc', 'bbu-rrh']);
  const [core, radio] = service!.block.children;
  expect(core).toMatchObject({
    name: 'core-fb',
    children: [{ name: 'epc', execution: { image: 'name:cran/epcbox' }, ports: [{ name: 'bbu', network: 'bbu-epc' }] }],
  });
  // It may be in either of two zones: neither is asked for.
  expect(core!.children[0]!.requirements).toEqual({});
  expect(radio!.children).toMatchObject([
    { name: 'rrh', requirements: { location: { tier: 'feu' } }, ports: [{ network: 'bbu-rrh' }] },
    { name: 'bbu', requirements: { location: { tier: 'edge' } }, ports: [{ name: 'epc' }, { name: 'rrh' }] },
  ]);
  // The levels above and the links between them are kept.
  expect(service!.block.carried).toMatchObject({
    cran: { id: 'Small_RAN', metadata: { cluster: 'north' }, blocks: [{ name: 'ran' }, { links: ['radio_fb'] }, {}] },
  });
});

test('it can be written in other dialects', () => {
  const { files, problems } = convert([file(text)], 'nemo');
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(readDescriptor(files).service!.block.children.map(({ name }) => name)).toEqual(['core-fb', 'radio-fb']);
});

test.each([
  ['a link to nothing', 'links: [epc, rrh]', 'links: [epc, rhr]', '11 SF-DESCRIPTOR-REFERENCE'],
  ['a block of nothing', 'rfb-list: [epc]', 'rfb-list: [epcs]', '7 SF-DESCRIPTOR-REFERENCE'],
  ['a block in two', 'rfb-list: [epc]', 'rfb-list: [epc, rrh]', '8 SF-DESCRIPTOR-VALUE'],
  ['a block in itself', 'rfb-list: [epc]', 'rfb-list: [epc, ran]', '6 SF-MODEL-CYCLE'],
  ['a leaf with something in it', 'name: epc, rfb', 'name: epc, rfb-list: [ran], rfb', '9 SF-DESCRIPTOR-VALUE'],
  ['a link of levels', 'links: [epc, rrh]', 'links: [core_fb]', '11 SF-DESCRIPTOR-VALUE'],
  ['a name given twice', 'name: rrh, rfb', 'name: epc, rfb', '10 SF-DESCRIPTOR-DUPLICATE-KEY'],
  ['another version', 'api: v1', 'api: v2', '1 SF-DESCRIPTOR-VALUE'],
])('%s', (_name, right, wrong, problem) => {
  expect(text).toContain(right);
  const { problems } = readDescriptor([file(text.replace(right, wrong))]);
  const errors = problems.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ code, position }) => `${position!.line} ${code}`)[0]).toBe(problem);
});

test('whatever becomes of the file, the answer is problems with known codes', () => survivesDamage([file(text)], 30));

test.skipIf(!hasRealFiles)(`the example of RDCL 3D${noRealFiles}`, () => {
  const files = realFiles('rdcl3d/CRAN', /\.(yaml|json)$/);
  expect(recognise(files)).toBe('cran');
  const { service, problems } = readDescriptor(files);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(service!.block.children.map(({ name, children }) => [name, children.map((unit) => unit.name)])).toEqual([
    ['epc1-fb', ['epc1']],
    ['enb1-fb', ['rrh1', 'bbu1']],
    ['fhaul1-fb', ['switch1']],
  ]);
  expect(service!.networks.map(({ name }) => name)).toEqual(['bbu1-epc1', 'bbu1-rrh1', 'switch1-bbu1', 'switch1-rrh1']);
});
