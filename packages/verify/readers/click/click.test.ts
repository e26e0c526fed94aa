import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSuperfluidityError } from '@superfluidity/core';
import { explore } from '../../engine/explore.ts';
import { interpret } from '../../engine/interpret.ts';
import { constant } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block } from '../../ir/instruction.ts';
import { layout } from '../../ir/layouts.ts';
import { clickModel } from '../../models/click/model.ts';
import type { Network } from '../../network.ts';
import type { InputFile } from '../../read/reader.ts';
import { readClick } from './click.ts';

const read = (text: string) => readClick({ path: 'test.click', text });

describe('Click configurations', () => {
  it('knows the line of every argument, of included text too', () => {
    const { value, reading } = read('a :: A(1,\n\n  2,\n3);\nrequire(package x);\n#line 90 "other.click"\nb :: B\n');
    expect(value.elements[0]!.arguments.map(({ line }) => line)).toEqual([1, 3, 4]);
    expect(value.elements[1]!.source).toEqual({ file: 'other.click', line: 90 });
    expect(reading.lines).toEqual({ blank: 2, used: 5, 'without effect': 1, 'not understood': 0 });
  });

  it('reads libraries that are required, once around', () => {
    const files: Record<string, InputFile> = {
      'lib.click': { path: 'lib.click', text: 'elementclass L { A };' },
      'loop.click': { path: 'loop.click', text: 'require(library loop.click)' },
    };
    const options = { library: (name: string) => files[name] };
    const found = readClick({ path: 'main.click', text: 'require(library lib.click); l :: L' }, options);
    expect(found.value.elements.map(({ name }) => name)).toEqual(['l/A@1']);
    expect(() => readClick({ path: 'main.click', text: 'require(library loop.click)' }, options)).toThrow(
      'requires itself',
    );
  });

  it.each([
    ['a :: A -> ->', 'SF-VERIFY-INPUT', 'test.click:1: expected an element, found "->"'],
    ['{'.repeat(101), 'SF-VERIFY-LIMIT', 'test.click:1: more than 100 levels of nesting'],
    ['# 3 4 x\n#line 7 "other.click"\na % b', 'SF-VERIFY-INPUT', 'other.click:7: "%" means nothing here'],
  ])('refuses %j', (text, code, expected) => {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    expect(isSuperfluidityError(thrown)).toBe(true);
    expect(thrown).toMatchObject({ code, details: { data: { file: expected.split(':')[0] } } });
    expect(String(thrown)).toContain(expected);
  });
});

const data = join(import.meta.dirname, '../../../../../shared/data/verification');
const missing = existsSync(data) ? '' : ` (skipped: there is no ${data})`;
const files = (): InputFile[] =>
  readdirSync(data, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.click'))
    .map((path) => ({ path, text: readFileSync(join(data, path), 'utf8') }));

describe.skipIf(missing !== '')(`configurations of Symnet and of Vera${missing}`, () => {
  it('are all read and modelled, without a line that is not understood', () => {
    const all = files();
    expect(all.length).toBeGreaterThan(40);
    for (const file of all) {
      const { value, reading } = readClick(file);
      expect(reading.lines['not understood']).toBe(0);
      const model = clickModel('box', value);
      expect(model.programs.size, file.path).toBeGreaterThan(0);
    }
  });

  it('do with a packet of each symbolic path what the path says', () => {
    let checked = 0;
    let unknown = 0;
    for (const file of files()) {
      const model = clickModel('box', readClick(file).value);
      const network: Network = {
        name: 'n',
        boxes: new Map([['box', model.box]]),
        programs: model.programs,
        links: new Map(),
        routines: model.routines!,
        edges: new Set([...model.exits, ...model.openOutputs]),
      };
      for (const port of model.entries.slice(0, 3)) {
        for (const name of ['ether/ipv4/tcp', 'ipv4/udp']) {
          const { paths, bound } = explore(
            network,
            { port, layouts: [layout(name)!] },
            { limits: { milliseconds: 2_000 } },
          );
          expect(bound, file.path).toBeUndefined();
          for (const path of paths.slice(0, 10)) {
            const witness = path.witness();
            // Where symbols are compared with each other, it takes the solver of formulas to find one.
            if (witness === undefined) {
              unknown += 1;
              continue;
            }
            const sent = [...witness.sent.values]
              .filter(([key]) => key in known(name))
              .map(([key, value]) => assign(field(key), constant(value, field(key).width)));
            const ends = interpret(network, port, block(layout(name)!.setup, ...sent));
            expect(
              ends.map(({ outcome, port: end }) => `${outcome} ${end}`),
              file.path,
            ).toContain(`${path.outcome} ${path.port}`);
            checked += 1;
          }
        }
      }
    }
    expect(checked).toBeGreaterThan(200);
    expect(unknown).toBeLessThan(20);
  });

  it('never make the reader fail when they are damaged', () => {
    const originals = files().filter(({ text }) => text.length < 12_000);
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.nat(12_000),
        fc.nat(40),
        fc.string({ maxLength: 6 }),
        ({ path, text }, at, cut, put) => {
          const place = at % (text.length + 1);
          try {
            clickModel('box', readClick({ path, text: text.slice(0, place) + put + text.slice(place + cut) }).value);
          } catch (error) {
            if (!isSuperfluidityError(error)) throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function known(layoutName: string): Readonly<Record<string, true>> {
  const prefixes = layoutName === 'ipv4/udp' ? ['IPv4', 'UDP'] : ['Ether', 'IPv4', 'TCP'];
  return new Proxy({}, { has: (_target, key) => prefixes.includes(String(key).split('.')[0]!) });
}
