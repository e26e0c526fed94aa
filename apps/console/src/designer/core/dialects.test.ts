import { readFileSync } from 'node:fs';
import type { Language } from '@superfluidity/language';
import { beforeAll, describe, expect, it } from 'vitest';
import { importFiles } from '../import-files.ts';
import { loadLanguage } from './load-language.ts';
import * as operations from './operations.ts';
import { nodeAt, spanOf } from './places.ts';
import { decided, mergedTree } from './merge-tree.ts';
import { readVersion } from './reading.ts';
import { filesOf, isSame, pathsOf, textIn, withText } from './tree.ts';

beforeAll(() => loadLanguage('heat'));

const golden = (path: string) =>
  readFileSync(new URL(`../../../../../packages/dialects/${path}`, import.meta.url), 'utf8');
const stack = golden('heat/golden/portal.yaml');
const nsd = golden('sol006/golden/two-machines.yaml');

const at = (language: Language, text: string, path = '') =>
  operations.drawn(readVersion({ text, language, name: 'portal' }), path)!;
const node = (design: operations.Drawn, name: string) => design.level.nodes.find((one) => one.name === name)!;
function done(result: operations.Done): string {
  if ('refused' in result) throw new Error(result.refused);
  expect(result.losses ?? []).toEqual([]);
  return result.text;
}
/** Lines that the second text has and the first has not, and the reverse. */
function changedLines(before: string, after: string): readonly (readonly string[])[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  return [b.filter((line) => !a.includes(line)), a.filter((line) => !b.includes(line))];
}
const TOSCA = 'tosca/golden/Definitions';
const NAMES = ['delivery.yaml', 'cache.yaml', 'cache_large.yaml', 'cache_type.yaml'];
const machine = {
  kind: 'function',
  template: { name: 'machine', environment: 'vm', image: 'name:debian-12', requirements: { cpu: 1, memoryMiB: 1024 } },
} as const;

describe('a stack of Heat', () => {
  it('is drawn, and each part is found in the text and by the text', () => {
    const design = at('heat', stack);
    expect(design.level.nodes.map(({ name }) => name)).toEqual(['firewall', 'portal', 'users', 'servers']);
    for (const [name, begins] of [
      ['firewall', 'firewall:\n    type: OS::Nova::Server\n    properties:\n      image: vyos'],
      ['users', 'users:\n    type: OS::Neutron::Net'],
    ] as const) {
      const span = spanOf(design, node(design, name))!;
      expect(stack.slice(span.from, span.to).slice(0, begins.length)).toBe(begins);
      expect(span.to - span.from).toBeLessThan(400);
      expect(nodeAt(design, span.from + 3)).toBe(node(design, name).id);
    }
  });

  it('is changed in its own words by what is done in the graph, and keeps all other lines', () => {
    const added = done(operations.add(at('heat', stack), machine));
    expect(changedLines(stack, added)[1]).toEqual([]);
    expect(added).toContain('  machine:\n    type: OS::Nova::Server');
    const design = at('heat', added);
    const joined = done(
      operations.connected(design, { node: node(design, 'machine') }, { node: node(design, 'users') }),
    );
    expect(at('heat', joined).level.edges.some(({ name }) => name === 'eth0 on users')).toBe(true);
    const again = at('heat', joined);
    expect(done(operations.removed(again, [node(again, 'machine')], []))).toContain('# who may log in');
  });

  it('has its fields in a form, and another name where it is given one', () => {
    const design = at('heat', stack);
    const firewall = node(design, 'firewall');
    const larger = done(operations.field(design, [...firewall.at, 'requirements', 'memoryMiB'], 8192));
    expect(changedLines(stack, larger)).toEqual([
      ['    properties: {vcpus: 1, ram: 8192}'],
      ['    properties: {vcpus: 1, ram: 2048}'],
    ]);
    const renamed = done(operations.renamed(design, firewall.at, 'wall'));
    expect(changedLines(stack, renamed)).toEqual([
      ['  wall:', '    depends_on: wall'],
      ['  firewall:', '    depends_on: firewall'],
    ]);
  });

  it('says what it has no words for, and changes nothing by itself', () => {
    const design = at('heat', stack);
    const result = operations.chained(design, [node(design, 'firewall'), node(design, 'portal')]);
    expect('losses' in result && result.losses?.map(({ message }) => message)).toEqual([
      expect.stringContaining('heat cannot say'),
    ]);
  });
});

describe('an NSD of SOL006 with its VNFDs', () => {
  it('is changed from the graph, and undone by the reverse', () => {
    const design = at('sol006', nsd);
    const portal = node(design, 'portal');
    const span = spanOf(design, portal)!;
    expect(nsd.slice(span.from, span.to)).toContain('portal');
    const larger = done(operations.field(design, [...portal.at, 'units', 0, 'requirements', 'memoryMiB'], 8192));
    expect(changedLines(nsd, larger)[0]).toEqual([expect.stringContaining('virtual-memory: {size: "8.0"}')]);
    const after = at('sol006', larger);
    const back = operations.field(after, [...node(after, 'portal').at, 'units', 0, 'requirements', 'memoryMiB'], 4096);
    expect(done(back)).toBe(nsd);
  });

  it('gets another VNFD for another function, and loses it again', () => {
    const added = done(operations.add(at('sol006', nsd), machine));
    expect(changedLines(nsd, added)[1]).toEqual(['      vnfd-id: [gateway, portal]']);
    const design = at('sol006', added);
    const { nodes } = design.level;
    expect(nodes.map(({ name }) => name)).toContain('machine');
    expect(done(operations.removed(design, [node(design, 'machine')], []))).toBe(nsd);
  });
});

describe('texts of other dialects', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const csar = () => importFiles(NAMES.map((path) => ({ path, bytes: bytes(golden(`${TOSCA}/${path}`)) })));

  it('stay what they are when they are imported: one text, or a tree of files', async () => {
    const one = await importFiles([{ path: 'portal.yaml', bytes: bytes(stack) }]);
    expect(one.version).toEqual({ text: stack, language: 'heat', name: 'portal' });
    const { version } = await csar();
    expect(version).toMatchObject({ language: 'tosca', path: 'delivery.yaml', text: golden(`${TOSCA}/delivery.yaml`) });
    expect(version!.others!.map(({ path }) => path)).toEqual(['cache.yaml', 'cache_large.yaml', 'cache_type.yaml']);
    expect(filesOf(version!).map((file) => new TextDecoder().decode(file.bytes))).toEqual(
      NAMES.map((name) => golden(`${TOSCA}/${name}`)),
    );
  });

  it('of a tree are changed in the file in which a thing stands, and shown there', async () => {
    const version = (await csar()).version!;
    const design = operations.drawn(readVersion(version), 'cache')!;
    const front = node(design, 'front');
    const span = spanOf(design, front)!;
    expect(span.file).toBe('cache.yaml');
    expect(nodeAt(design, span.from + 3, 'cache.yaml')).toBe(front.id);
    expect(nodeAt(design, span.from + 3, 'cache_large.yaml')).not.toBe(front.id);
    const larger = operations.field(design, [...front.at, 'requirements', 'memoryMiB'], 8192);
    const next = 'version' in larger ? larger.version! : undefined;
    expect(pathsOf(next!).filter((path) => textIn(next!, path) !== textIn(version, path))).toEqual(['cache.yaml']);
    const typed = withText(next!, 'cache.yaml', textIn(version, 'cache.yaml')!);
    expect(isSame(typed, version)).toBe(true);
    const top = operations.drawn(readVersion(version), '')!;
    const added = operations.add(top, machine);
    const more = 'version' in added ? added.version! : undefined;
    expect(pathsOf(more!).at(-1)).toMatch(/machine/);
  });

  it('that two people have changed are brought together file by file', async () => {
    const base = (await csar()).version!;
    const change = (version: typeof base, path: string, words: string) =>
      withText(version, path, `${textIn(version, path)!}# ${words}\n`);
    const mine = change(change(base, 'cache.yaml', 'mine'), 'cache_type.yaml', 'mine');
    const theirs = change(change(base, 'cache.yaml', 'theirs'), 'delivery.yaml', 'theirs');
    const merged = mergedTree(base, mine, theirs);
    expect(merged.undecided).toEqual(['cache.yaml']);
    const both = decided(merged, 'both');
    expect(both.undecided).toEqual([]);
    expect(textIn(both.version, 'cache.yaml')).toBe('both');
    expect(textIn(both.version, 'cache_type.yaml')).toMatch(/# mine\n$/);
    expect(textIn(both.version, 'delivery.yaml')).toMatch(/# theirs\n$/);
    // One text is always decided by a person.
    expect(
      mergedTree(undefined, { text: 'a', language: 'heat' }, { text: 'b', language: 'heat' }).undecided,
    ).toHaveLength(1);
  });

  it('of a cloud RAN are drawn, and changed from the graph', () => {
    const ran = golden('cran/golden/small-ran.yaml');
    const design = at('cran', ran);
    const added = operations.add(design, machine);
    expect('losses' in added && added.losses!.length).toBeGreaterThan(0);
    const [fresh, gone] = changedLines(ran, 'text' in added ? added.text : '');
    expect(fresh).toEqual([expect.stringContaining('name: machine'), expect.any(String), expect.any(String)]);
    expect(gone).toEqual([]);
  });

  it('that cannot be read have their problems, and no graph', () => {
    const reading = readVersion({ text: 'heat_template_version: [', language: 'heat' });
    expect(reading.service).toBeUndefined();
    expect(reading.problems.length).toBeGreaterThan(0);
  });
});
