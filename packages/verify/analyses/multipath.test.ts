import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assemble, compare, constant, field, interpret, layouts, read } from '../index.ts';
import { multipath } from './multipath.ts';

const [tcp] = layouts.filter(({ name }) => name === 'ipv4/tcp');
const links = 'a:eth0 -> b:x\na:eth1 -> c:x\nb:eth0 -> c:x\nb:eth1 -> d:x\nc:eth0 -> d:x\n';
const routers = ['a', 'b', 'c', 'd'];
/** Of each router, for each of two networks: no route, a route, or two of equal cost. `out` leaves the network. */
const ways = [[], ['eth0'], ['eth1'], ['out'], ['eth0', 'eth1'], ['eth0', 'out']];
const routes = fc.array(fc.tuple(fc.constantFrom(...ways), fc.constantFrom(...ways)), { minLength: 4, maxLength: 4 });

const text = (all: readonly (readonly string[])[]) =>
  all
    .map((names, i) => {
      const hops = names.map((name) => `\n\tnexthop via 192.0.2.1 dev ${name} weight 1`).join('');
      return names.length === 0 ? `blackhole 10.${i}.0.0/16\n` : `10.${i}.0.0/16${hops}\n`;
    })
    .join('');

it('what arrives on one way and not on another is what single packets do', () => {
  const seen = { holds: 0, violated: 0 };
  fc.assert(
    fc.property(routes, (tables) => {
      const files = routers.map((name, i) => ({
        path: `${name}.routes`,
        text: `192.0.2.0/24 dev up\n${text(tables[i]!)}`,
      }));
      const { network } = assemble('net', [...files, { path: 'l.links', text: links }]);
      for (const address of [0x0a000001, 0x0a010001]) {
        const fresh = (name: string, _width: number, ranges: readonly (readonly [bigint, bigint])[]) =>
          name === 'IPv4.dst' ? BigInt(address) : name === 'IPv4.ttl' ? 64n : (ranges[0]?.[0] ?? 0n);
        const ends = interpret(network, 'a:in', tcp!.setup, { fresh }).map(({ outcome }) => outcome === 'delivered');
        const assume = compare(read(field('IPv4.dst')), '==', constant(address, 32));
        const alive = compare(read(field('IPv4.ttl')), '==', constant(64, 8));
        const start = { port: 'a:in', layouts: [tcp!], assume: { kind: 'all', of: [assume, alive] } as const };
        const verdict = multipath(network, [start]);
        const answer = new Set(ends).size === 2 ? 'violated' : 'holds';
        expect(verdict.answer).toBe(answer);
        expect(verdict.question).toBe('multipath');
        seen[answer] += 1;
      }
    }),
    { numRuns: 60 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
});
