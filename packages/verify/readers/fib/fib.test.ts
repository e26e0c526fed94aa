import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpv4, parsePrefix } from './addresses.ts';
import { type Fib, type FibFormat, readFib } from './fib.ts';
import type { Target } from './rows.ts';

const address = fc
  .array(fc.oneof({ weight: 20, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(300) }), {
    minLength: 4,
    maxLength: 4,
  })
  .map((parts) => parts.join('.'));
const prefix = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(address, fc.nat(33)).map(([at, length]) => `${at}/${length}`) },
  { weight: 2, arbitrary: address },
  {
    weight: 1,
    arbitrary: fc.constantFrom('default', '10.0.0.0/', '10.0.0/8', '#', '10.0.0.0/8/8', '10.0.0.0/08', 'nexthop'),
  },
);
const name = fc.constantFrom(
  'eth0',
  'Vlan7',
  'eth0.7',
  'null0',
  'Null0',
  'dev',
  'via',
  'receive',
  'attached',
  'drop',
  'é',
  'eth0\u00a0',
);
const blank = fc.constantFrom(' ', '  ', '\t', ' \r', '\u00a0');
const line = fc
  .tuple(
    prefix,
    fc.array(fc.oneof(address, name, fc.constantFrom('dev', 'via')), { maxLength: 5 }),
    blank,
    fc.constantFrom('', ' ', '\r', '\u00a0'),
  )
  .map(([first, rest, between, end]) => [first, ...rest].join(between) + end);
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));

const formats: readonly FibFormat[] = ['show ip cef', 'prefix and port', 'ip route'];

/** One route after the other is looked at, as RFC 4271 says. */
function reached(fib: Fib, routes: readonly (readonly [string, number, string | null])[], line: number): Target {
  const nowhere: Target = { kind: 'drop', why: 'no route leads to the next hop' };
  let from = line;
  let hop = parseIpv4(routes[line]![2]!)!;
  for (let depth = 0; depth < 16; depth += 1) {
    let best = -1;
    for (const [row, length] of fib.lengths.entries()) {
      const isWithin = Math.floor(hop / 2 ** (32 - length)) === Math.floor(fib.addresses[row]! / 2 ** (32 - length));
      if (isWithin && fib.lines[row] !== from + 1 && (best < 0 || length > fib.lengths[best]!)) best = row;
    }
    if (best < 0) return nowhere;
    const next = fib.lines[best]! - 1;
    if (routes[next]![2] === null) return { kind: 'interfaces', names: [`eth${next}`] };
    from = next;
    hop = parseIpv4(routes[next]![2]!)!;
  }
  return nowhere;
}

describe('routing tables', () => {
  it('have addresses of four bytes, and prefixes without the bits beyond their length', () => {
    const byte = fc.nat(255);
    fc.assert(
      fc.property(byte, byte, byte, byte, fc.nat(32), (w, x, y, z, length) => {
        const address = [w, x, y, z].reduce((sum, each) => sum * 256n + BigInt(each), 0n);
        const written = [w, x, y, z].join('.');
        expect(parseIpv4(written)).toBe(Number(address));
        const beyond = BigInt(32 - length);
        expect(parsePrefix(`${written}/${length}`)).toEqual({ address: Number((address >> beyond) << beyond), length });
        for (const wrong of [
          `${written}.1`,
          `${written}.`,
          `.${written}`,
          `${x}.${y}.${z}`,
          `${written}/33`,
          `256.${x}.${y}.${z}`,
          `${written}/`,
        ]) {
          expect(parsePrefix(wrong), wrong).toBeUndefined();
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each(formats)('%s: the scanner reads what is read word by word', (format) => {
    fc.assert(
      fc.property(text, (written) => {
        const scanned = readFib({ path: 'r.rt', text: written }, format);
        const plain = readFib({ path: 'r.rt', text: written }, format, () => false);
        expect(scanned).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });

  it('follow next hops to an interface, also when each route has to be followed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(address, fc.nat(32), fc.option(address)), { maxLength: 12 }), (routes) => {
        const lines = routes.map(([at, length, hop], i) => `${at}/${length} ${hop ?? `192.0.2.1 eth${i}`}`);
        const { value } = readFib({ path: 'r.rt', text: lines.join('\n') }, 'show ip cef');
        const row = (line: number) => value.lines.indexOf(line + 1);
        routes.forEach(([, , hop], line) => {
          if (row(line) < 0) return;
          expect(value.targets[value.target[row(line)]!]).toMatchObject(
            hop === null ? { kind: 'interfaces', names: [`eth${line}`] } : reached(value, routes, line),
          );
        });
      }),
      { numRuns: 200 },
    );
  });
});
