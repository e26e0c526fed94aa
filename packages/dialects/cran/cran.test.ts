import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { deepFreeze, type Block, type Service } from '@superfluidity/model';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import { convert, readDescriptor, recognise, writeDescriptor } from '../descriptor.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { keepsMeaning, survivesDamage } from '../testing/round-trip.ts';

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

/** What a graph can say: leaves of their own names in a row, each linked to the next. */
function ran(service: Service): Service {
  const names = service.block.children.flatMap((fn, i) =>
    fn.children.map((unit, j) => (unit.name === fn.name && fn.children.length === 1 ? fn.name : `u-${i}-${j}`)),
  );
  const linkName = (k: number) => `${names[k]}-${names[k + 1]}`;
  let k = -1;
  const leaf = (unit: Block): Block => {
    k += 1;
    const { location = {} } = unit.requirements;
    const ends = [k - 1, k].filter((from) => from >= 0 && from + 1 < names.length);
    return {
      ...unit,
      name: names[k]!,
      ports: ends.map((from) => ({ name: names[from === k ? k + 1 : from]!, network: linkName(from) })),
      execution: { environment: 'vm', image: `name:images/${k}` },
      requirements: location.tier === undefined ? {} : { location: { tier: location.tier } },
      children: [],
    };
  };
  const children = service.block.children.map((fn) => ({ ...fn, children: fn.children.map(leaf) }));
  return {
    ...service,
    block: { ...service.block, children },
    networks: names.slice(1).map((_name, i) => ({
      name: linkName(i),
      prefix: assumedPrefix(i),
      carried: { cran: ASSUMED },
    })),
  };
}

/** Which types of images and zones were read in which words, and where ports lie inside, is of the reader. */
const plain = (value: Service): Service =>
  JSON.parse(
    JSON.stringify(value, (name, inner: unknown) => (name === 'carried' || name === 'internalIf' ? undefined : inner)),
  ) as Service;

test('what is written and read again is the same but for what was lost', () => {
  keepsMeaning('cran', { among: ran, normal: plain });
});

test('a graph is written as it was read', () => {
  const { service } = readDescriptor([file(text)]);
  const { files, losses } = writeDescriptor(service!, 'cran');
  expect(losses).toEqual([]);
  const again = readDescriptor(files);
  expect(again.service).toEqual(service);
});

test('levels follow what becomes of their functions', () => {
  const { service } = readDescriptor([file(text)]);
  const [core, radio] = service!.block.children as [Block, Block];
  const without = deepFreeze({
    ...service!,
    networks: service!.networks.slice(1),
    block: {
      ...service!.block,
      children: [
        radio,
        { ...core, name: 'second', children: [{ ...core.children[0]!, name: 'mme', ports: [] }], carried: {} },
      ],
    },
  });
  const { files } = writeDescriptor(without, 'cran');
  const written = new TextDecoder().decode(files[0]!.bytes);
  expect(written).not.toMatch(/core_fb|\bepc\b/);
  const again = readDescriptor(files).service!;
  expect(again.block.carried).toMatchObject({
    cran: { blocks: [{ name: 'ran', 'rfb-list': ['radio_fb', 'second'] }, { name: 'radio_fb' }, { name: 'second' }] },
  });
  expect(again.block.children.map(({ name }) => name)).toEqual(['radio-fb', 'second']);
});

test.each([
  [
    'a third end of a link',
    (unit: Block): Block => ({ ...unit, ports: [{ name: 'eth9', network: 'bbu-rrh' }] }),
    /has two ends|has more/,
  ],
  ['a port on nothing', (unit: Block): Block => ({ ...unit, ports: [...unit.ports, { name: 'eth9' }] }), /no network/],
  [
    'a container',
    (unit: Block): Block => ({ ...unit, execution: { environment: 'container' as const } }),
    /runs as container/,
  ],
  [
    'an image by its place',
    (unit: Block): Block => ({ ...unit, execution: { environment: 'vm' as const, image: 'oci:x' } }),
    /oci:x/,
  ],
])('%s is lost, and said to be', (_name, change, message) => {
  const { service } = readDescriptor([file(text)]);
  const [core, ...rest] = service!.block.children as [Block];
  const block = { ...service!.block, children: [...rest, { ...core, children: core.children.map(change) }] };
  const { losses } = writeDescriptor({ ...service!, block }, 'cran');
  expect(losses.map((loss) => loss.message).join()).toMatch(message);
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
