import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { a, b, headers, layout, networks } from '../engine/random.ts';
import {
  assemble,
  block,
  explore,
  forward,
  field,
  hidden,
  interpret,
  invariants,
  layouts,
  type Read,
  visible,
} from '../index.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const [src, dport] = [field('IPv4.src'), field('TCP.dport')];

/** Layers that are put around a packet, and taken away again. */
type Layer = 'tunnel' | 'ipsec';
type Step = Layer | 'out';

function elements(step: Step, top: Layer | undefined): string {
  if (step === 'tunnel') return 'IPEncap(4, 192.0.2.1, 192.0.2.2)';
  if (step === 'ipsec') return 'IPsecESPEncap(1) -> IPsecAES(1, k) -> IPEncap(50, 192.0.2.1, 192.0.2.2)';
  return top === 'tunnel' ? 'IPDecap(4)' : 'IPDecap(50) -> IPsecAES(0, k) -> IPsecESPDecap';
}

describe('what is to be seen of a header', () => {
  it('is that of the layers around it', () => {
    const seen = { shown: 0, inside: 0, encrypted: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<Step>('tunnel', 'ipsec', 'out'), { minLength: 1, maxLength: 5 }),
        (steps) => {
          const layers: Layer[] = [];
          const done = steps.flatMap((step) => {
            const top = layers.at(-1);
            if (step === 'out' ? top === undefined : layers.filter((layer) => layer === step).length > 1) return [];
            if (step === 'out') layers.pop();
            else layers.push(step);
            return [elements(step, top)];
          });
          const click = ['in :: FromDevice(eth0) -> MarkIPHeader()', ...done, 'out :: ToDevice(eth1);\n'].join(' -> ');
          const { network } = assemble('net', [
            { path: 'gw.click', text: click },
            { path: 'l.links', text: 'gw:out -> middle:x\n' },
          ]);
          const starts = [{ port: 'gw:in:0', layouts: tcp }];
          const sight = layers.length === 0 ? 'shown' : layers.includes('ipsec') ? 'encrypted' : 'inside';
          seen[sight] += 1;
          for (const at of [src, dport]) {
            expect(visible(network, starts, 'middle', [at]).answer).toBe(sight === 'shown' ? 'holds' : 'violated');
            expect(hidden(network, starts, 'middle', [at]).answer).toBe(sight === 'encrypted' ? 'holds' : 'violated');
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(2);
  });

  it('is what each of all packets shows on each arrival', () => {
    const answers = { holds: 0, violated: 0, unknown: 0 };
    fc.assert(
      fc.property(networks, (random) => {
        const onward = block(random.programs.get('x:1')!, forward('y:1'));
        const network = { ...random, programs: new Map(random.programs).set('x:1', onward) };
        const start = { port: 'x:1', layouts: [layout] };
        const limits = { hops: 12, paths: 150, milliseconds: 2_000, diagramNodes: 300_000 };
        fc.pre(explore(network, start, { limits, detectLoops: false }).bound === undefined);
        const verdict = visible(network, [start], 'y:1', [a, b], { limits });
        answers[verdict.answer] += 1;
        const changes = (packet: ReadonlyMap<string, bigint>): boolean => {
          const watch = (_port: string, read: Read) => [a, b].some((at) => read(at) !== packet.get(at.name!));
          const ends = interpret(network, 'x:1', layout.setup, { fresh: (name) => packet.get(name)!, hops: 12, watch });
          return ends.some(({ hops, seen }) => hops.some(({ port }, i) => i > 0 && port === 'y:1' && seen[i]));
        };
        for (const path of verdict.answer === 'violated' ? verdict.paths.slice(0, 20) : []) {
          const { sent } = path.witness()!;
          const packet = new Map(headers.map((at) => [at.name!, sent.values.get(`bit ${at.offset}`)!]));
          expect(changes(packet)).toBe(true);
        }
        for (let n = 0; verdict.answer === 'holds' && n < 1024; n += 7) {
          const [x, y, z] = [BigInt(n >> 6), BigInt((n >> 2) & 15), BigInt(n & 3)];
          expect(changes(new Map(Object.entries({ a: x, b: y, c: z })))).toBe(false);
        }
      }),
      { numRuns: 50 },
    );
    expect(answers.violated).toBeGreaterThan(3);
    expect(answers.holds).toBeGreaterThan(3);
  });

  it('says nothing of ports of packets that have none, and arrives as it was behind the tunnel', () => {
    const text = 'in :: FromDevice(eth0) -> IPEncap(4, 192.0.2.1, 192.0.2.2) -> out :: ToDevice(eth1);\n';
    const away = 'in :: FromDevice(eth0) -> MarkIPHeader() -> IPDecap(4) -> out :: ToDevice(eth1);\n';
    const { network } = assemble('net', [
      { path: 'a.click', text },
      { path: 'b.click', text: away },
      { path: 'l.links', text: 'a:out -> b:in\n' },
    ]);
    const icmp = [{ port: 'a:in:0', layouts: layouts.filter(({ name }) => name === 'ipv4/icmp') }];
    expect(visible(network, icmp, 'b', [dport]).answer).toBe('holds');
    expect(visible(network, icmp, 'b', [src]).answer).toBe('violated');
    expect(invariants(network, icmp, [src]).answer).toBe('holds');
  });
});
