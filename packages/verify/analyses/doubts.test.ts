import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layout, headers, networks } from '../engine/random.ts';
import {
  assemble,
  block,
  checkFormula,
  drop,
  explore,
  forward,
  type Instruction,
  interpret,
  layouts,
  multipath,
  type Network,
} from '../index.ts';
import { blackHoles, isolation, reach } from './questions.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const doubt = { op: 'doubt', what: 'a rule nobody knows' } as const;

function box(program: Instruction): Network {
  return {
    name: 'one box',
    boxes: new Map(),
    programs: new Map([['x:in', program]]),
    links: new Map([['x:nowhere', []]]),
    edges: new Set(['x:out']),
    routines: new Map(),
  };
}

const start = { port: 'x:in', layouts: tcp };
const never = {
  kind: 'path',
  all: true,
  always: true,
  of: { kind: 'not', of: { kind: 'condition', condition: { kind: 'at', ports: ['x:out'] } } },
} as const;

describe('a packet that is dropped where something was not understood', () => {
  it('is not said to be dropped for sure', () => {
    const dropped = box(block(doubt, drop('denied')));
    const other = box(block(doubt, forward('x:out')));
    for (const network of [dropped, other]) {
      const withOut = { ...network, links: new Map([['x:out', []]]) };
      const unknown = { answer: 'unknown', dependsOn: ['a rule nobody knows'] };
      expect(isolation(withOut, [start], 'x:out')).toMatchObject(unknown);
      expect(reach(withOut, start, 'x:out')).toMatchObject(unknown);
      expect(checkFormula(withOut, 'never', never, [start])).toMatchObject(unknown);
      expect(blackHoles(withOut, [start])).toMatchObject(unknown);
      expect(multipath(withOut, [start])).toMatchObject(unknown);
    }
  });

  it('is, when both that it matches and that it does not are followed', () => {
    const covered = { ...doubt, covered: true } as const;
    const either: Instruction = {
      op: 'choose',
      branches: [block(covered, drop('denied')), block(covered, drop('no route'))],
    };
    const network = { ...box(either), links: new Map([['x:out', []]]) };
    expect(isolation(network, [start], 'x:out').answer).toBe('holds');
    expect(checkFormula(network, 'never', never, [start]).answer).toBe('holds');
  });

  it('is in doubt behind elements of Click that change what is not modelled, and not behind rules of iptables', () => {
    const click =
      'in :: FromDevice(eth0) -> TCPOptions(allow sackOK) -> IPFilter(deny all) -> out :: ToDevice(eth1);\n';
    const options = assemble('net', [{ path: 'f.click', text: click }]).network;
    const [into] = [...options.programs.keys()].filter((port) => port.startsWith('f:in'));
    expect(isolation(options, [{ port: into!, layouts: tcp }], 'f:out:0').answer).toBe('unknown');
    const rules =
      '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -m mystery --x 1 -j DROP\nCOMMIT\n';
    const { network } = assemble('net', [
      { path: 'fw.rules', text: rules },
      { path: 'fw.routes', text: '10.0.0.0/8 dev eth1\n' },
      { path: 'fw.addr', text: '2: eth0    inet 192.0.2.2/24 scope global eth0\n' },
    ]);
    expect(isolation(network, [{ port: 'fw:eth0:in', layouts: tcp }], 'fw:eth1:out').answer).toBe('holds');
  });

  it('keeps every proof from depending on what was not understood', () => {
    const seen = { holds: 0, violated: 0, unknown: 0 };
    fc.assert(
      fc.property(networks, (network) => {
        const limits = { hops: 12, paths: 150, milliseconds: 2_000, diagramNodes: 300_000 };
        // Loops that copy are no work for the interpreter.
        fc.pre(
          explore(network, { port: 'x:1', layouts: [layout] }, { limits, detectLoops: false }).bound === undefined,
        );
        const { answer } = isolation(network, [{ port: 'x:1', layouts: [layout] }], 'x:2', { limits });
        seen[answer] += 1;
        if (answer !== 'holds') return;
        for (let n = 0; n < 1024; n += 11) {
          const packet = new Map(
            headers.map((at, i) => [at.name!, [BigInt(n >> 6), BigInt((n >> 2) & 15), BigInt(n & 3)][i]!]),
          );
          for (const end of interpret(network, 'x:1', layout.setup, { fresh: (name) => packet.get(name)!, hops: 12 })) {
            expect(end.outcome).not.toBe('unfinished');
            expect(end.hops.slice(1).map(({ port }) => port)).not.toContain('x:2');
          }
        }
      }),
      { numRuns: 60 },
    );
    expect(seen.holds).toBeGreaterThan(20);
    expect(seen.violated + seen.unknown).toBeGreaterThan(0);
  });
});
