import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LevelNode } from './level.ts';
import { nemoForm, nemoPalette } from './nemo-edits.ts';
import * as operations from './operations.ts';
import { nodeAt } from './places.ts';
import { readVersion } from './reading.ts';

const intent = readFileSync(new URL('../templates/intent.nemo', import.meta.url), 'utf8');
function drawn(text: string, path = ''): operations.Drawn {
  const reading = readVersion({ text, language: 'nemo' });
  const design = operations.drawn(reading, path);
  if (design === undefined) throw new Error(`${text}\n${JSON.stringify(reading.problems)}`);
  return design;
}
const node = (design: operations.Drawn, id: string): LevelNode => design.level.nodes.find((one) => one.id === id)!;
function done(result: operations.Done): string {
  if ('refused' in result) throw new Error(result.refused);
  return result.text;
}
const linesOf = (text: string) => text.split('\n');
const newLines = (before: string, after: string) => linesOf(after).filter((line) => !linesOf(before).includes(line));

describe('the graph of a NEMO script', () => {
  it('takes types of NEMO and of the script, before the end of a transaction', () => {
    const design = drawn(intent);
    const palette = nemoPalette(design);
    expect(palette.map(({ label }) => label).slice(0, 3)).toEqual(['inspect', 'host', 'l2-group']);
    const of = (label: string) => palette.find((entry) => entry.label === label)!;
    for (const { id, kind } of palette) {
      const added = operations.add(design, palette.find((one) => one.id === id)!);
      const after = drawn(done(added));
      expect(node(after, added.selects![0]!)?.kind).toBe(kind);
      expect(after.reading.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    }
    const open = drawn('Transaction Begin;\nCREATE Node a Type host;\nTransaction End;\n');
    expect(linesOf(done(operations.add(open, of('host'))))).toEqual([
      'Transaction Begin;',
      'CREATE Node a Type host;',
      'CREATE Node host Type host;',
      'Transaction End;',
      '',
    ]);
  });

  it('connects by a connection, by a free point of a model, and by one more end of what is there', () => {
    const added = operations.add(drawn(intent), { kind: 'function', template: { nemo: 'host' } });
    const design = drawn(done(added));
    const host = node(design, added.selects![0]!);
    const to = (id: string) => operations.connected(design, { node: host }, { node: node(design, id) });
    expect(newLines(design.reading.version.text, done(to('net:office')))).toEqual([
      'CREATE Connection host-office Type p2p Endnodes host, office;',
    ]);
    expect(to('block:guard')).toEqual({ refused: "every connection point of 'guard' is connected" });
    const both = 'CREATE Node a Type host;\nCREATE Node b Type host;\nCREATE Connection ab Type p2p Endnodes a, b;\n';
    const pair = drawn(`${both}CREATE Node c Type host;\n`);
    const joined = done(operations.connected(pair, { node: node(pair, 'block:c') }, { node: node(pair, 'net:ab') }));
    expect(joined).toContain('CREATE Connection ab Type p2mp Endnodes a, b, c;');
    const again = drawn(joined);
    const edge = again.level.edges.find(({ source }) => source === 'block:a')!;
    expect(done(operations.removed(again, [], [edge]))).toContain('Type p2mp Endnodes b, c;');
  });

  it('removes a node with its connections, and leaves every other line', () => {
    const design = drawn(intent);
    const after = done(operations.removed(design, [node(design, 'block:guard')], []));
    expect(newLines(after, intent).map((line) => /^CREATE \w+ \w+/.exec(line)?.[0])).toEqual([
      'CREATE Node guard',
      'CREATE Connection west',
      'CREATE Connection east',
    ]);
    expect(newLines(intent, after)).toEqual([]);
  });

  it('makes a flow along what is selected, and takes it away again', () => {
    const design = drawn(intent);
    const nodes = ['block:client', 'block:guard', 'block:web'].map((id) => node(design, id));
    const after = drawn(done(operations.chained(design, nodes)));
    expect(after.service.chains).toMatchObject([
      { from: 'client/client', through: ['guard/guard'], to: 'web/web', address: '10.99.0.10' },
    ]);
    const chain = after.level.edges.find(({ kind }) => kind === 'chain')!;
    expect(done(operations.removed(after, [], [chain]))).toBe(intent);
  });

  it('has a form with the parameters of the type, and renames wherever it is named', () => {
    const design = drawn(intent);
    const guard = node(design, 'block:guard');
    expect(nemoForm(design, guard)?.fields).toEqual([
      { name: 'environment', value: 'container', required: false },
      { name: 'image', value: 'oci:images/guard', required: false },
    ]);
    const other = done(operations.saidOfNode(design, guard, 'image', 'oci:images/wall'));
    expect(newLines(intent, other)).toEqual([
      'CREATE Node guard Type inspect Property environment: container, image: oci:images/wall;',
    ]);
    expect(done(operations.saidOfNode(design, guard, 'image', ''))).toContain('Property environment: container;');
    const renamed = done(operations.renamedNode(design, guard, 'wall'));
    expect(renamed).toContain('Endnodes office, wall.west;');
    expect(renamed).not.toMatch(/\bguard\.|Node guard/);
    expect(operations.renamedNode(design, guard, 'client')).toHaveProperty('refused');
    const inside = nodeAt(design, intent.indexOf('Type inspect'));
    expect(inside).toBe('block:guard');
  });

  it('marks what the check complains of', () => {
    const warned = drawn(`${intent}CREATE Node alone Type host;\n`);
    expect(node(warned, 'block:alone').warnings).toBeGreaterThan(0);
    expect(node(warned, 'block:guard').warnings).toBe(0);
  });

  describe('inside of a model', () => {
    const models = `CREATE NodeModel inner Property string: image; // once more ; below
  Node a Type host Property name: "with ; in it";
  Node b Type host;
  Connection ab Type p2p Endnodes a, b;
  ConnectionPoint out;
  Connection o Type p2p Endnodes b, out;

CREATE NodeModel outer;
  Node x Type inner Property image: foo;
  Node y Type fw Property location: here, operating-mode: layer3;
  ConnectionPoint west;
  Connection c Type p2p Endnodes x.out, y;
  Connection d Type p2p Endnodes y, west;

CREATE Node one Type outer;
CREATE Node two Type inner;
CREATE Node three Type inner;
CREATE Node lan Type l2-group Property ip-prefix: 10.61.0.0/16, gateway-ip: 10.61.0.1;
CREATE Connection e Type p2p Endnodes one.west, lan;
CREATE Connection f Type p2mp Endnodes two.out, three.out, lan;
`;
    const two = () => drawn(models, 'two');
    const added = (design: operations.Drawn, nemo: string) =>
      operations.add(design, { kind: 'function', template: { nemo } });

    it('adds a member, which is then in every node of the model', () => {
      const after = added(two(), 'host');
      expect(newLines(models, done(after))).toEqual(['  Node host Type host;']);
      for (const path of ['two', 'three'])
        expect(drawn(done(after), path).level.nodes.map(({ name }) => name)).toContain('host');
      expect(drawn(done(after), 'one').level.nodes.map(({ name }) => name)).toContain('x-host');
      // A model does not get itself inside, nor what has it inside.
      expect(nemoPalette(two()).map(({ label }) => label)).not.toContain('outer');
      expect(added(two(), 'outer')).toEqual({ refused: "a model cannot contain itself: 'outer' does" });
      expect(nemoPalette(drawn(models, 'one')).map(({ label }) => label)).toContain('inner');
    });

    it('connects, says, renames and removes members, and leaves every other line', () => {
      const host = drawn(done(added(two(), 'host')), 'two');
      const ends = (design: operations.Drawn, from: string, to: string) =>
        done(operations.connected(design, { node: node(design, from) }, { node: node(design, to) }));
      expect(newLines(host.reading.version.text, ends(host, 'block:host', 'block:a'))).toEqual([
        '  Connection host-a Type p2p Endnodes host, a;',
      ]);
      expect(newLines(host.reading.version.text, ends(host, 'block:host', 'net:two-ab'))).toEqual([
        '  Connection ab Type p2mp Endnodes a, b, host;',
      ]);
      const design = two();
      const a = node(design, 'block:a');
      expect(nemoForm(design, a)).toMatchObject({
        name: 'a',
        inside: { model: 'inner', nodes: ['two', 'three'] },
        fields: [{ name: 'name', value: 'with ; in it' }, {}, {}, {}],
      });
      expect(newLines(models, done(operations.saidOfNode(design, a, 'name', 'plain')))).toEqual([
        '  Node a Type host Property name: plain;',
      ]);
      expect(newLines(models, done(operations.saidOfNode(design, a, 'name', '')))).toEqual(['  Node a Type host;']);
      expect(newLines(models, done(operations.renamedNode(design, a, 'z')))).toEqual([
        '  Node z Type host Property name: "with ; in it";',
        '  Connection ab Type p2p Endnodes z, b;',
      ]);
      const gone = done(operations.removed(design, [a], []));
      expect(newLines(gone, models)).toEqual([linesOf(models)[1], linesOf(models)[3]]);
      expect(newLines(models, gone)).toEqual([]);
      const b = node(drawn(gone, 'two'), 'block:b');
      expect(operations.removed(drawn(gone, 'two'), [b], [])).toHaveProperty('refused');
    });

    it('is copied from script to script with its models, and into a model', () => {
      const design = drawn(models);
      const clipboard = operations.fragment(design, [node(design, 'block:one'), node(design, 'net:lan')], []);
      expect(linesOf(clipboard)[0]).toBe('// superfluidity-fragment: nemo');
      const other = drawn('CREATE Node lan Type l2-group Property ip-prefix: 10.9.0.0/16;\n');
      const pasted = operations.pasted(other, clipboard);
      expect(pasted.selects).toEqual(['block:one']);
      const after = drawn(done(pasted));
      // The network that is there is used, and connected.
      expect(newLines(other.reading.version.text, done(pasted)).filter((line) => line.startsWith('CREATE'))).toEqual([
        'CREATE Node one Type outer;',
        'CREATE Connection e Type p2p Endnodes one.west, lan;',
        'CREATE NodeModel outer;',
        'CREATE NodeModel inner Property string: image; // once more ; below',
      ]);
      expect(drawn(done(pasted), 'one').level.nodes.map(({ name }) => name)).toContain('x-a');
      const again = operations.pasted(after, clipboard);
      expect(again.selects).toEqual(['block:one-2']);
      expect(done(again).match(/CREATE NodeModel/g)).toHaveLength(2);
      // From inside of a model into it: once more, with what connects them.
      const pair = operations.fragment(two(), [node(two(), 'block:a'), node(two(), 'block:b')], []);
      const twice = done(operations.pasted(two(), pair));
      expect(newLines(models, twice)).toEqual([
        '  Node a-2 Type host Property name: "with ; in it";',
        '  Node b-2 Type host;',
        '  Connection ab-2 Type p2p Endnodes a-2, b-2;',
      ]);
      expect(operations.pasted(two(), clipboard)).toHaveProperty('refused');
      expect(operations.pasted(design, 'superfluidity-fragment: 1')).toHaveProperty('refused');
    });

    it('leaves alone what is not of the model', () => {
      const design = drawn(models, 'one');
      const [deep, lan] = [node(design, 'block:x-a'), node(design, 'net:lan')];
      expect(operations.removed(design, [deep], [])).toEqual({
        refused: "'x-a' is not made by the model 'outer': a model knows what is inside of it",
      });
      expect(operations.connected(design, { node: node(design, 'block:y') }, { node: lan })).toHaveProperty('refused');
      expect(operations.chained(two(), [node(two(), 'block:a'), node(two(), 'block:b')])).toHaveProperty('refused');
    });

    it('stays a script that can be read, whatever is done with it', () => {
      const step = fc.record({
        what: fc.nat(3),
        a: fc.nat(50),
        b: fc.nat(50),
        path: fc.constantFrom('one', 'two', ''),
      });
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
          let text = models;
          for (const { what, a, b, path } of steps) {
            const reading = readVersion({ text, language: 'nemo' });
            const design = operations.drawn(reading, path) ?? operations.drawn(reading, '')!;
            const { nodes, edges } = design.level;
            const [one, other] = [nodes[a % nodes.length]!, nodes[b % nodes.length]!];
            const palette = nemoPalette(design);
            const result =
              what === 0 && palette.length > 0
                ? operations.add(design, palette[a % palette.length]!)
                : what === 1
                  ? operations.connected(design, { node: one }, { node: other })
                  : what === 2 && nodes.filter(({ kind }) => kind !== 'network').length > 1
                    ? operations.removed(design, [one], [])
                    : operations.removed(design, [], edges.length === 0 ? [] : [edges[b % edges.length]!]);
            if ('refused' in result) continue;
            text = result.text;
            const after = readVersion({ text, language: 'nemo' });
            if (after.service === undefined) throw new Error(`${text}\n${JSON.stringify(after.problems)}`);
          }
        }),
        { numRuns: 60 },
      );
    });
  });

  it('stays a script that can be read, whatever is done with it', () => {
    const step = fc.record({ what: fc.nat(4), a: fc.nat(50), b: fc.nat(50) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        let design = drawn(intent);
        for (const { what, a, b } of steps) {
          const { nodes, edges } = design.level;
          const [one, other] = [nodes[a % nodes.length]!, nodes[b % nodes.length]!];
          const palette = nemoPalette(design);
          const result =
            what === 0
              ? operations.add(design, palette[a % palette.length]!)
              : what === 4
                ? operations.chained(design, [one, other])
                : what === 1
                  ? operations.connected(design, { node: one }, { node: other })
                  : what === 2 && nodes.filter(({ kind }) => kind === 'function').length > 1
                    ? operations.removed(design, [one], [])
                    : operations.removed(design, [], edges.length === 0 ? [] : [edges[b % edges.length]!]);
          if ('refused' in result) continue;
          const before = new Set(nodes.map(({ name }) => name));
          const after = drawn(result.text);
          const names = new Set(after.level.nodes.map(({ name }) => name));
          if (what === 2 && result.text !== design.reading.version.text)
            expect(names.size).toBeLessThanOrEqual(before.size);
          if (what === 0) expect(names.size).toBeGreaterThan(before.size);
          design = after;
        }
      }),
      { numRuns: 60 },
    );
  });
});
