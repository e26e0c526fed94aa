import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layout, networks } from '../engine/random.ts';
import {
  assemble,
  blackHoles,
  Coverage,
  coverageOf,
  coverageText,
  explore,
  type Instruction,
  interpret,
  isolation,
  layouts,
  type Network,
  outerEntries,
  unreachableRules,
} from '../index.ts';

const FILE = 'rules';

/** Each entry of each table, and each end of a program, gets a line of its own. */
function numbered(network: Network): Network {
  let lines = 0;
  const source = () => ({ file: FILE, line: (lines += 1) });
  const number = (instruction: Instruction): Instruction => {
    switch (instruction.op) {
      case 'block':
        return { ...instruction, body: instruction.body.map(number) };
      case 'fork':
      case 'choose':
        return { ...instruction, branches: instruction.branches.map(number) };
      case 'if':
        return { ...instruction, yes: number(instruction.yes), no: number(instruction.no) };
      case 'for':
        return { ...instruction, body: number(instruction.body) };
      case 'table': {
        const { entries, behaviours, miss } = instruction.table;
        const named =
          entries.kind === 'rules'
            ? { ...entries, rules: entries.rules.map((rule) => ({ ...rule, source: source() })) }
            : { ...entries, file: FILE, lines: Uint32Array.from(entries.behaviour, () => source().line) };
        const table = { ...instruction.table, entries: named, behaviours: behaviours.map(number), miss: number(miss) };
        return { op: 'table', table };
      }
      case 'forward':
      case 'drop':
      case 'fail':
        return { ...instruction, source: source() };
      default:
        return instruction;
    }
  };
  const programs = new Map([...network.programs].map(([port, program]) => [port, number(program)]));
  return { ...network, programs };
}

describe('the coverage of rules', () => {
  it('is what all packets together meet, one after the other', () => {
    let idle = 0;
    fc.assert(
      fc.property(networks, (random) => {
        const network = numbered(random);
        const limits = { hops: 12, paths: 150, milliseconds: 2_000, diagramNodes: 300_000 };
        const start = { port: 'x:1', layouts: [layout] };
        // Loops that copy are no work for the interpreter.
        fc.pre(explore(network, start, { limits, detectLoops: false }).bound === undefined);
        const { files } = unreachableRules(network, [start], { limits });
        const met = new Set<number>();
        for (let n = 0; n < 1024; n += 1) {
          const packet = new Map(Object.entries({ a: BigInt(n >> 6), b: BigInt((n >> 2) & 15), c: BigInt(n & 3) }));
          const ends = interpret(network, 'x:1', layout.setup, { fresh: (name) => packet.get(name)!, hops: 12 });
          for (const { hops } of ends) for (const { because } of hops) for (const { line } of because) met.add(line);
        }
        expect(files.flatMap(({ exercised }) => exercised)).toEqual([...met].toSorted((x, y) => x - y));
        idle += files.flatMap((file) => file.idle).length;
      }),
      { numRuns: 15 },
    );
    expect(idle).toBeGreaterThan(2);
  });

  const files = [
    { path: 'edge.rt', text: '10.0.0.0/8 192.0.2.1 eth1\n10.1.0.0/16 attached eth2\n0.0.0.0/0 192.0.2.9 eth0\n' },
    { path: 'fw.routes', text: '10.0.0.0/8 dev eth1\n172.16.0.0/12 dev eth1\n' },
    { path: 'fw.addr', text: '2: eth0    inet 192.0.2.1/24 scope global eth0\n' },
    {
      path: 'fw.rules',
      text: [
        '*filter',
        ':INPUT ACCEPT [0:0]',
        ':FORWARD DROP [0:0]',
        ':OUTPUT ACCEPT [0:0]',
        '-A FORWARD -i eth0 -d 10.2.0.0/16 -j ACCEPT',
        '-A FORWARD -i eth0 -d 172.16.0.0/12 -j ACCEPT',
        '-A FORWARD -p tcp --dport 22 -j DROP',
        'COMMIT',
        '',
      ].join('\n'),
    },
    { path: 'l.links', text: 'edge:eth1 -> fw:eth0\n' },
  ];
  const { network, entries } = assemble('net', files);
  const idleOf = (
    coverage: readonly { readonly file: string; readonly idle: readonly { readonly line: number }[] }[],
  ) => Object.fromEntries(coverage.map(({ file, idle }) => [file, idle.map(({ line }) => line)]));

  it('says which rules no packet gets to through the network, though packets would fit them', () => {
    const report = unreachableRules(network, [{ port: 'edge:in' }]);
    expect(report.verdict.answer).toBe('violated');
    // Only what edge sends on comes to the firewall: nothing for 172.16.0.0/12.
    expect(idleOf(report.files)).toMatchObject({ 'edge.rt': [], 'fw.routes': [2] });
    expect(idleOf(report.files)['fw.rules']).toContain(6);
    expect(idleOf(report.files)['fw.rules']).not.toContain(5);
    expect(report.verdict.rules).toContainEqual(expect.objectContaining({ file: 'fw.rules', line: 6 }));
    expect(outerEntries(network, entries)).not.toContain('fw:eth0:in');
    const anywhere = unreachableRules(network, [{ port: 'edge:in' }, { port: 'fw:eth1:in' }, { port: 'fw:eth0:in' }]);
    expect(idleOf(anywhere.files)['fw.rules']).toEqual([]);
  });

  it('says which rules no question of a run exercised', () => {
    const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
    const start = { port: 'edge:in', layouts: tcp };
    const coverage = new Coverage();
    isolation(network, [{ ...start, assume: { kind: 'never' } }], 'fw', { coverage });
    expect(coverageOf(network, coverage).flatMap(({ exercised }) => exercised)).toEqual([]);
    blackHoles(network, [start], { coverage });
    expect(idleOf(coverageOf(network, coverage))['edge.rt']).toEqual([]);
    const text = coverageText(coverageOf(network, coverage));
    expect(text).toContain('edge.rt: 3 of 3 rules exercised');
    expect(text).toMatch(/not exercised: fw\.rules:6 {2}-A FORWARD -i eth0 -d 172/);
  });

  it('is unknown where packets were not followed', () => {
    const report = unreachableRules(network, [{ port: 'edge:in' }], { limits: { instructions: 3 } });
    expect(report.verdict).toMatchObject({ answer: 'unknown', bound: 'instructions' });
  });
});
