import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ChangingRoutes,
  loops,
  readRouteUpdates,
  assemble,
  compare,
  constant,
  field,
  layouts,
  read,
  routeUpdateText,
} from '../index.ts';

const boxes = ['a', 'b', 'c'];
/** Both ends of a link are one interface: a router may send packets back by it. */
const links = 'a:e0 <-> b:e0\nb:e1 <-> c:e0\nc:e1 <-> a:e1\n';
const prefixes = ['0.0.0.0/0', '10.0.0.0/8', '10.0.0.0/9', '10.128.0.0/9', '10.1.0.0/16'];
const representatives = [0x08080808, 0x0a000001, 0x0a010001, 0x0a800001];
const targets = ['e0', 'e1', 'out', 'drop', 'e0,e1'];

type Tables = ReadonlyMap<string, string>;

/** By the longest prefix, one packet after the other. */
function goesRound(tables: Tables, destination: number): boolean {
  const wires: Readonly<Record<string, string>> = {
    'a e0': 'b',
    'b e0': 'a',
    'b e1': 'c',
    'c e0': 'b',
    'c e1': 'a',
    'a e1': 'c',
  };
  const lookup = (box: string): readonly string[] => {
    const fits = prefixes.filter((prefix) => {
      const [address, length] = prefix.split('/') as [string, string];
      const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
      const block = 2 ** (32 - Number(length));
      return tables.has(`${box} ${prefix}`) && Math.floor(destination / block) === Math.floor(value / block);
    });
    const longest = fits.toSorted((x, y) => Number(y.split('/')[1]) - Number(x.split('/')[1]))[0];
    return longest === undefined ? [] : tables.get(`${box} ${longest}`)!.split(',');
  };
  const visit = (box: string, been: readonly string[]): boolean =>
    been.includes(box) ||
    lookup(box).some(
      (port) => wires[`${box} ${port}`] !== undefined && visit(wires[`${box} ${port}`]!, [...been, box]),
    );
  return boxes.some((box) => visit(box, []));
}

const update = fc.record({
  box: fc.constantFrom(...boxes),
  prefix: fc.constantFrom(...prefixes),
  target: fc.option(fc.constantFrom(...targets), { nil: undefined, freq: 3 }),
});
const files = (tables: Tables) => [
  ...boxes.map((box) => ({
    path: `${box}.rt`,
    text: [
      '192.0.2.0/24 up',
      ...[...tables].filter(([key]) => key.startsWith(box)).map(([key, target]) => `${key.slice(2)} ${target}`),
      '',
    ].join('\n'),
  })),
  { path: 'l.links', text: links },
];

describe('updates of routes', () => {
  it('bring the loops that single packets run into, and no others', () => {
    const seen = { quiet: 0, loud: 0 };
    fc.assert(
      fc.property(fc.array(update, { minLength: 1, maxLength: 12 }), (list) => {
        const tables = new Map<string, string>([['a 0.0.0.0/0', 'out']]);
        const known = new Set(['a 0.0.0.0/0']);
        const lines = list.flatMap(({ box, prefix, target }) => {
          const key = `${box} ${prefix}`;
          if (target === undefined) return known.delete(key) ? [`- ${key}`] : [];
          known.add(key);
          return [`+ ${key} ${target}`];
        });
        const updates = readRouteUpdates({ path: 'u', text: lines.join('\n') });
        const routes = new ChangingRoutes(files(tables), updates, 'u', () => 0);
        for (const each of updates) {
          const before = representatives.filter((destination) => goesRound(tables, destination));
          const key = each.text.split(' ').slice(1, 3).join(' ');
          if (each.insert) tables.set(key, each.text.split(' ')[3]!);
          else tables.delete(key);
          const after = representatives.filter((destination) => goesRound(tables, destination));
          const report = routes.apply(each);
          if (after.some((destination) => !before.includes(destination)))
            expect(report.loops.length).toBeGreaterThan(0);
          for (const { packet } of report.loops) expect(goesRound(tables, packet.destination)).toBe(true);
          seen[report.loops.length > 0 ? 'loud' : 'quiet'] += 1;
        }
      }),
      { numRuns: 150 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
  });

  it('are what asking the whole network for loops says', () => {
    const tables = new Map([
      ['a 10.0.0.0/8', 'e0'],
      ['b 10.0.0.0/8', 'e1'],
      ['c 10.0.0.0/8', 'out'],
    ]);
    const updates = readRouteUpdates({
      path: 'u',
      text: '+ c 10.1.0.0/16 e1 # a mistake\n- c 10.1.0.0/16\n- c 10.0.0.0/8\n',
    });
    const routes = new ChangingRoutes(files(tables), updates, 'u', () => 0);
    const reports = updates.map((each) => routes.apply(each));
    expect(reports.map(({ loops: found, blackHoles }) => [found.length, blackHoles.length])).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
    ]);
    expect(reports[0]!.loops[0]!.ends.map(({ node, port }) => `${node}:${port}`).toSorted()).toEqual([
      'a:e0',
      'b:e1',
      'c:e1',
    ]);
    const { network } = assemble('net', files(new Map([...tables, ['c 10.1.0.0/16', 'e1']])));
    const to = (address: number) => compare(read(field('IPv4.dst')), '==', constant(address, 32));
    const asked = (address: number) =>
      loops(network, [
        { port: 'a:in', layouts: layouts.filter(({ name }) => name === 'ipv4/tcp'), assume: to(address) },
      ]).answer;
    expect([asked(0x0a010001), asked(0x0a020001)]).toEqual(['violated', 'holds']);
    const text = routeUpdateText(reports, 'u');
    expect(text).toMatch(
      /u:3 {2}- c 10\.0\.0\.0\/8 {2}\(.*\n {2}packets to 10\.\S+ are sent by b:e1 to c, which has no route/,
    );
    expect(text).toContain('2 of 3 bring loops or black holes');
  });

  it('are refused with file and line', () => {
    for (const text of [
      '* a 10.0.0.0/8 e0',
      '+ a 10.0.0.0/8',
      '+ a 10.0.0.0/33 e0',
      '- a 10.0.0.0/8 e0',
      '+ a 10.0.0.0/8 e0 e1',
    ]) {
      expect(() => readRouteUpdates({ path: 'u', text: `\n${text}` }), text).toThrow(/u:2: /);
    }
    const apply = (text: string) => {
      const updates = readRouteUpdates({ path: 'u', text });
      const routes = new ChangingRoutes(files(new Map()), updates, 'u', () => 0);
      return updates.map((each) => routes.apply(each));
    };
    expect(() => apply('+ z 10.0.0.0/8 e0')).toThrow(/u:1: there is no router z/);
    expect(() => apply('- a 10.0.0.0/8')).toThrow(/u:1: a has no route/);
    const click = [{ path: 'f.click', text: 'in :: FromDevice(eth0) -> out :: ToDevice(eth1);\n' }];
    expect(() => new ChangingRoutes(click, [], 'u', () => 0)).toThrow(/f does more than route/);
  });
});
