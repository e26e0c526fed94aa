import { readFileSync } from 'node:fs';
import { canonicalJson } from '@superfluidity/core';
import { checkService, type Service } from '@superfluidity/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDescriptor, readIn, writeDescriptor } from '../descriptor.ts';
import type { Format } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { xmlFiles } from '../sol006/write-xml.ts';
import { services } from '../testing/services.ts';
import { amend } from './amend.ts';
import { edits } from './testing/edits.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url));
const filesOf = (folder: string, ...names: readonly string[]): readonly DescriptorFile[] =>
  names.map((path) => ({ path, bytes: read(`${folder}/${path}`) }));
const meaning = (service: Service | undefined) => canonicalJson(service ?? null, new Set(['carried']));
const isSound = (service: Service) => checkService(service).every(({ severity }) => severity !== 'error');
const written = (files: readonly DescriptorFile[], format: Format) =>
  writeDescriptor(readDescriptor(files).service!, format).files;
const twoMachines = filesOf('sol006/golden', 'two-machines.yaml');
const csar = ['TOSCA-Metadata/TOSCA.meta', 'Definitions/delivery.yaml', 'Definitions/cache.yaml'];

const trees: readonly (readonly [Format, string, readonly DescriptorFile[]])[] = [
  ['osm', 'packages', filesOf('osm/golden', 'edge_ns.yaml', 'router_vnf.yaml', 'app_knf.yaml')],
  ['osm8', 'packages', filesOf('osm8/golden', 'ns.yaml', 'fw.yaml', 'cache.yaml')],
  ['sol006', 'files', written(twoMachines, 'sol006')],
  ['sol006', 'XML', writeDescriptor(readDescriptor(twoMachines).service!, 'sol006', undefined, 'xml').files],
  ['tosca', 'CSAR', filesOf('tosca/golden', ...csar, 'Definitions/cache_large.yaml', 'Definitions/cache_type.yaml')],
  [
    'tosca',
    'CSAR as it is written',
    written(
      filesOf(
        'tosca/golden-written',
        'Definitions/nsd_delivery.yaml',
        'Definitions/vnfd_cache.yaml',
        'Definitions/vnfd_origin.yaml',
        'TOSCA-Metadata/TOSCA.meta',
      ),
      'tosca',
    ),
  ],
  ['heat', 'nested stacks', filesOf('heat/golden/two-tiers', 'web.yaml', 'member.yaml', 'db.sh')],
];

/** The file in which the unit stands that is changed first. */
const UNITS: Readonly<Record<string, string>> = {
  'osm8 packages': 'fw.yaml',
  'sol006 files': 'vnfd/gateway.yaml',
  'sol006 XML': 'vnfd/gateway.xml',
  'tosca CSAR': 'Definitions/cache.yaml',
  'tosca CSAR as it is written': 'Definitions/vnfd_cache.yaml',
};

describe.each(trees)('a tree of %s (%s)', (format, what, files) => {
  const { service: before, format: is, problems } = readDescriptor(files);

  test('is recognised, and stays as it is where nothing is changed', () => {
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(is).toBe(format);
    const done = amend(files, format, before!);
    expect('files' in done && done.files).toBe(files);
  });

  test.each(Object.keys(edits))('is changed by %s in the file in which it stands', (name) => {
    const service = before!;
    const edited = edits[name]!(service, 0);
    if (edited === undefined || !isSound(edited)) return;
    const done = amend(files, format, edited);
    if ('refused' in done) {
      expect(done.refused).toMatch(/in the text/);
      // Parameters of nested stacks and types of a network service are said in words of their own.
      expect(format === 'heat' || `${format} ${what} ${name}` === 'tosca CSAR version').toBe(true);
      return;
    }
    const changed = done.files.filter((file) => !files.includes(file)).map(({ path }) => path);
    if (name === 'memory' && format !== 'osm') expect(changed).toEqual([UNITS[`${format} ${what}`]]);
    if (name === 'function') expect(changed.join()).toMatch(/added\.(?:yaml|xml)|added_vnfd\.yaml/);
    const wanted = readIn(format, writeDescriptor(edited, format).files).service;
    expect(meaning(readIn(format, done.files).service)).toBe(meaning(wanted));
  });
});

describe('a text in XML', () => {
  const [plain] = xmlFiles(twoMachines, () => {});
  const lines = new TextDecoder().decode(plain!.bytes).split('\n');
  // People comment, and have their own order of attributes and quotes.
  const own = lines.flatMap((line, i) => (/<id>|<vdu>/.test(line) ? [`<!-- ${i} -->`, line] : [line]));
  const text = own.join('\n').replace('xmlns:nfv="urn', "xmlns:x='urn:x' xmlns:nfv=\"urn");
  const files = [{ path: 'two-machines.xml', bytes: new TextEncoder().encode(text) }];
  const service = readDescriptor(files).service!;
  const textOf = (file: DescriptorFile | undefined) => new TextDecoder().decode(file?.bytes);

  test('says what its YAML says', () => {
    expect(meaning(service)).toBe(meaning(readDescriptor(twoMachines).service));
  });

  test.each(Object.keys(edits))('is changed by %s where it stands, and changed back', (name) => {
    const edited = edits[name]!(service, 0);
    if (edited === undefined || !isSound(edited)) return;
    const done = amend(files, 'sol006', edited);
    expect(done).toHaveProperty('files');
    if (!('files' in done)) return;
    const now = textOf(done.files[0]);
    const wanted = readIn('sol006', writeDescriptor(edited, 'sol006').files).service;
    expect(meaning(readIn('sol006', done.files).service)).toBe(meaning(wanted));
    const left = now.split('\n');
    const gone = text.split('\n').filter((line) => {
      const at = left.indexOf(line);
      if (at !== -1) left.splice(at, 1);
      return at === -1;
    });
    // What was taken away had lines of its own; else at most a few words have changed.
    if (name !== 'removal') expect(gone.length).toBeLessThan(8);
    const back = amend(done.files, 'sol006', service);
    if (!('files' in back)) return expect(name).toBe('removal');
    expect(meaning(readIn('sol006', back.files).service)).toBe(meaning(service));
    // A port puts all connection points of a VNFD in another order: their list is written anew.
    if (name !== 'removal' && name !== 'port') expect(textOf(back.files[0])).toBe(text);
  });
});

test('what is written in XML is what is written in YAML', () => {
  fc.assert(
    fc.property(services, (service) => {
      const written = writeDescriptor(service, 'sol006', undefined, 'xml');
      if (written.losses.some(({ message }) => message.includes('white space'))) return;
      const { files } = writeDescriptor(service, 'sol006');
      const [xml, yaml] = [written.files, files].map((some) => readDescriptor(some));
      expect(xml!.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(meaning(xml!.service)).toBe(meaning(yaml!.service));
    }),
    { numRuns: 8 },
  );
});
