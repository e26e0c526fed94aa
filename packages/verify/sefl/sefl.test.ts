import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networks } from '../engine/random.ts';
import { assemble, block, explore, type Instruction, type Network } from '../index.ts';
import { parseNetwork } from './parse.ts';
import { printNetwork } from './print.ts';

const parse = (text: string) => parseNetwork({ path: 'net.sefl', text });
const again = (network: Network) => parse(printNetwork(network));

describe('textual SEFL', () => {
  it('reads back as the network that was printed', () => {
    fc.assert(
      fc.property(networks, (network) => {
        expect(again(network)).toEqual(network);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps sources, tables with files, and what is not known', () => {
    const { network } = assemble('net', [
      { path: 'r.rt', text: '10.0.0.0/8 192.0.2.1 eth1\n0.0.0.0/0 192.0.2.9 eth0\n' },
      { path: 'sw.mac', text: '7 0000.0000.00aa DYNAMIC Gi0/1\n8 0000.0000.00bb DYNAMIC Gi0/2\n' },
      {
        path: 'fw.rules',
        text: '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -p tcp --dport 80 -j ACCEPT\nCOMMIT\n',
      },
      { path: 'fw.routes', text: 'default dev eth0\n10.0.0.0/8 dev eth1\n' },
      { path: 'c.click', text: 'FromDevice(eth0) -> CheckIPHeader(14) -> ToDevice(eth1);' },
      { path: 'odd.txt', text: 'nobody knows this\n' },
      { path: 'wires.links', text: 'r:eth0 <-> fw:eth1\n' },
    ]);
    const copy = again(network);
    expect(printNetwork(copy)).toBe(printNetwork(network));
    for (const port of ['r:in', 'fw:eth1:in']) {
      const outcomes = ({ paths }: ReturnType<typeof explore>) =>
        paths.map((path) => `${path.outcome} ${path.hops.map((hop) => hop.port).join(' ')}`);
      expect(outcomes(explore(copy, { port }))).toEqual(outcomes(explore(network, { port })));
    }
  });

  it('is refused with line and column', () => {
    for (const [text, message] of [
      ['program("x:1", forward(5))', /net\.sefl:1:24: expected a text/],
      ['network("n")\nprogram("x:1",\n  assign(IPv4.scr, 1:32))', /:3:10: expected a field/],
      ['program("x:1", if(eq(IPv4.ttl, 1), block(), block()))', /:1:32: expected a field/],
      ['link("a"', /:1:9: expected ',' or '\)'/],
      ['link("a)', /expected '"' at the end/],
      [`program("x", ${'block('.repeat(3_000)}`, /at most 2000 levels/],
      ['hello', /expected name\(\.\.\.\)/],
      ['hello()', /expected network, box/],
    ] as const) {
      expect(() => parse(text), text.slice(0, 60)).toThrow(message);
    }
  });

  it('is read or refused with a code, whatever it is', () => {
    const words = fc.constantFrom(
      'program(',
      '"x:1"',
      ',',
      ')',
      'block(',
      'table(',
      'rules(',
      '5',
      '5:8',
      'IPv4.ttl',
      'eq(',
      'if(',
      '#',
      '\n',
      '"',
      'drop("a")',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((list) => list.join(' ')),
        ),
        (text) => {
          try {
            parse(text);
          } catch (error) {
            expect((error as { code?: string }).code).toBe('SF-VERIFY-INPUT');
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is as deep as programs are', () => {
    let program: Instruction = block();
    for (let i = 0; i < 900; i += 1) program = { op: 'if', condition: { kind: 'always' }, yes: block(), no: program };
    const network: Network = {
      name: 'deep',
      boxes: new Map(),
      programs: new Map([['x', program]]),
      links: new Map(),
      routines: new Map(),
    };
    expect(again(network)).toEqual(network);
  });
});
