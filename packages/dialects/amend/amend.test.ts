import { readFileSync } from 'node:fs';
import { canonicalJson } from '@superfluidity/core';
import { checkService, type Service } from '@superfluidity/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDescriptor, readIn, writeDescriptor } from '../descriptor.ts';
import type { Format } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { services } from '../testing/services.ts';
import { amend as amendFiles } from './amend.ts';
import { edits } from './testing/edits.ts';
import { joined } from './testing/joined.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url));
const file = (text: string, path = 'service.yaml'): DescriptorFile => ({ path, bytes: new TextEncoder().encode(text) });
const filesOf = (folder: string, ...names: readonly string[]) =>
  names.map((name) => ({ path: name, bytes: read(`${folder}/${name}`) }));
const meaning = (service: Service | undefined) => canonicalJson(service ?? null, new Set(['carried']));
/** Of a text that is one file. */
function amend(one: DescriptorFile, format: Format, after: Service) {
  const done = amendFiles([one], format, after);
  return 'refused' in done ? done : { text: new TextDecoder().decode(done.files[0]!.bytes), losses: done.losses };
}
const isSound = (service: Service) => checkService(service).every(({ severity }) => severity !== 'error');

const texts: readonly (readonly [Format, string, string])[] = [
  ['kubernetes', 'shop.yaml', read('kubernetes/golden/shop.yaml').toString()],
  ['kubernetes', 'nested.yaml', read('kubernetes/golden/nested.yaml').toString()],
  ['appd', 'video.yaml', read('appd/golden/video-analytics.yaml').toString()],
  ['rdcl', 'edge-cache.json', read('rdcl/golden/edge-cache.json').toString()],
  ['sol006', 'two-machines.yaml', read('sol006/golden/two-machines.yaml').toString()],
  ['cran', 'small-ran.yaml', read('cran/golden/small-ran.yaml').toString()],
  ['heat', 'server.yaml', read('heat/golden/server.yaml').toString()],
  ['heat', 'portal.yaml', read('heat/golden/portal.yaml').toString()],
  ['osm', 'osm.yaml', joined('osm', filesOf('osm/golden', 'edge_ns.yaml', 'router_vnf.yaml', 'app_knf.yaml'))!],
  ['osm8', 'osm8.yaml', joined('osm8', filesOf('osm8/golden', 'ns.yaml', 'fw.yaml', 'cache.yaml'))!],
];
const tried = { all: 0, done: 0 };

/** What the second text has instead of lines of the first: both in their order, found by what is the same at both ends. */
function changedLines(before: string, after: string): number {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const left = [...b];
  let gone = 0;
  for (const line of a) {
    const at = left.indexOf(line);
    if (at === -1) gone += 1;
    else left.splice(at, 1);
  }
  return Math.max(gone, left.length);
}

describe.each(texts)('a text of %s (%s)', (format, path, text) => {
  const service = readIn(format, [file(text, path)]).service!;

  test('is recognised, and stays as it is where nothing is changed', () => {
    expect(readDescriptor([file(text, path)]).format).toBe(format);
    expect(amend(file(text, path), format, service)).toEqual({ text, losses: [] });
  });

  test.each(Object.keys(edits))('is changed by %s alone, and changed back', (name) => {
    // Another function for another edit: all together all of them are changed.
    for (const at of [Object.keys(edits).indexOf(name)]) {
      const edited = edits[name]!(service, at);
      if (edited === undefined || !isSound(edited)) continue;
      const done = amend(file(text, path), format, edited);
      tried.all += 1;
      if ('refused' in done) {
        expect(done.refused).toMatch(/\w/);
        continue;
      }
      tried.done += 1;
      const written = [writeDescriptor(service, format), writeDescriptor(edited, format)].map(({ files }) =>
        files.map(({ bytes }) => new TextDecoder().decode(bytes)).join('\n'),
      );
      const change = changedLines(written[0]!, written[1]!);
      expect(changedLines(text, done.text)).toBeLessThanOrEqual(change * 1.2 + 4);
      const again = readIn(format, [file(done.text, path)]).service!;
      const [first, ...more] = writeDescriptor(edited, format).files;
      const wanted = readIn(format, [more.length === 0 ? { ...first!, path } : first!, ...more]).service!;
      if (format !== 'kubernetes') expect(meaning(again)).toBe(meaning(wanted));
      const back = amend(file(done.text, path), format, service);
      // What was taken away comes back where such things are added, and as they are written.
      if ('text' in back && name !== 'removal' && done.losses.length === 0)
        expect(changedLines(text, back.text)).toBeLessThanOrEqual(change);
    }
  });
});

test('most edits are possible', () => {
  expect(tried.done / tried.all).toBeGreaterThan(0.7);
});

/** What YAML 1.1 takes for something else than text gets quotes that it had not. */
const unquoted = (text: string) => text.replaceAll(/["']/g, '');

describe('services that are written', () => {
  test.each(['osm', 'osm8', 'kubernetes', 'cran'] as const)(
    'in %s, changed and changed back, are as they were',
    (format) => {
      let count = 0;
      fc.assert(
        fc.property(services, fc.constantFrom(...Object.keys(edits)), fc.nat(3), (any, name, at) => {
          const text = joined(format, writeDescriptor(any, format).files);
          if (text === undefined) return;
          const before = readIn(format, [file(text)]).service;
          if (before === undefined) return;
          const edited = edits[name]!(before, at);
          if (edited === undefined || !isSound(edited)) return;
          const done = amend(file(text), format, edited);
          if ('refused' in done) return;
          count += 1;
          const now = readIn(format, [file(done.text)]).service!;
          const wanted = readIn(format, writeDescriptor(edited, format).files).service;
          if (wanted !== undefined && format !== 'kubernetes') expect(meaning(now)).toBe(meaning(wanted));
          const back = amend(file(done.text), format, before);
          // What was lost did not come into the text, or half of it.
          const isWhole = done.losses.length === 0 && name !== 'removal' && name !== 'prefix';
          if ('text' in back && isWhole) expect(unquoted(back.text), name).toBe(unquoted(text));
        }),
        { numRuns: 12 },
      );
      expect(count).toBeGreaterThan(0);
    },
  );
});

test('whatever becomes of a text, there is an answer', () => {
  const junk = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('&a ', '*a', '<<: ', '[', '{', '- ', '? ', '\t', '---\n'),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.constantFrom(...Object.keys(edits)),
      fc.nat(5_000),
      fc.nat(12),
      junk,
      ([format, path, text], name, at, length, put) => {
        const from = at % text.length;
        const broken = text.slice(0, from) + put + text.slice(from + length);
        const { service } = readIn(format, [file(broken, path)]);
        const edited = service === undefined ? undefined : edits[name]!(service, at);
        if (edited === undefined || !isSound(edited)) return;
        const done = amend(file(broken, path), format, edited);
        if ('text' in done) expect(readIn(format, [file(done.text, path)]).service).toBeDefined();
      },
    ),
    { numRuns: 30 },
  );
});

describe('what cannot be said', () => {
  test('is told, and so is what would be a file of its own', () => {
    const [, path, text] = texts.find(([format]) => format === 'appd')!;
    const service = readIn('appd', [file(text, path)]).service!;
    const lost = amend(file(text, path), 'appd', edits['network']!(service, 0)!);
    expect('losses' in lost && lost.losses.map(({ message }) => message)).toEqual([
      "appd cannot say: prefix of network 'fresh'",
    ]);
    const second = amend(file(text, path), 'appd', edits['function']!(service, 0)!);
    expect('refused' in second && second.refused).toMatch(/./);
  });

  test('is refused of what cannot be read', () => {
    const service = readIn('cran', [file(read('cran/golden/small-ran.yaml').toString())]).service!;
    expect(amend(file('a: ['), 'appd', service)).toHaveProperty('refused');
    expect(amend(file('<nfv', 'a.xml'), 'sol006', service)).toHaveProperty('refused');
  });
});
