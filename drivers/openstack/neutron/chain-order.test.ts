import { renderChain } from '@superfluidity/fabric';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderChain, portRanges } from './chain-order.ts';

const port = (index: number, site = 0) => ({
  id: `port-${index}`,
  name: 'eth0',
  network: 'net',
  host: 'h1',
  address: `10.60.${site}.${index + 1}`,
  mac: 'fa:16:3e:00:00:01',
  sid: `fc00:${site}::${index + 1}`,
});
const chain = { address: '10.99.0.1', protocol: 'tcp', ports: [80] } as const;
const hop = (index: number, site = 0) => ({ site: `s${site}`, port: port(index, site), routerSid: `fc00:${site}::` });

describe('chains for networking-sfc', () => {
  test('have the hops of what was rendered, in their order, whatever the order of the rules', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 2 }),
        fc.infiniteStream(fc.nat()),
        (order, chance) => {
          const [path] = renderChain({ chainId: 'c', version: 1, chain, hops: order.map((index) => hop(index)) });
          const shuffled = {
            ...path!,
            steers: path!.steers
              .map((steer) => ({ steer, at: chance.next().value }))
              .toSorted((a, b) => a.at - b.at)
              .map(({ steer }) => steer),
          };
          const ports = order.map((index) => `port-${index}`);
          expect(orderChain(shuffled)).toEqual({
            from: ports[0],
            functions: ports.slice(1, -1).map((port) => [port]),
            to: ports.at(-1),
            source: `${port(order[0]!).address}/32`,
            destination: '10.99.0.1/32',
            protocol: 'tcp',
            ports: [80],
          });
        },
      ),
    );
  });

  test('have all instances of their functions', () => {
    const hops = [hop(0), { ...hop(1), others: ['port-7', 'port-8'] }, hop(2), hop(3)];
    const [path] = renderChain({ chainId: 'c', version: 1, chain, hops });
    expect(orderChain(path!).functions).toEqual([['port-1', 'port-7', 'port-8'], ['port-2']]);
  });

  test('are refused where networking-sfc has no words for them', () => {
    const away = renderChain({ chainId: 'c', version: 1, chain, hops: [hop(0), hop(1, 1), hop(2)] });
    expect(() => orderChain(away[0]!)).toThrow('leads to another site');
    const [, elsewhere] = away;
    expect(() => orderChain(elsewhere!)).toThrow('begins 0 times');
    const hops = [hop(0), { ...hop(1), translates: '10.60.0.0/24' }, hop(2)];
    const [nat] = renderChain({ chainId: 'c', version: 1, chain, hops });
    expect(() => orderChain(nat!)).toThrow('translates addresses');
  });

  test('match port numbers by ranges that hold these and no others', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (ports) => {
        const ranges = portRanges(ports);
        const held = ranges.flatMap(({ min, max }) => Array.from({ length: max - min + 1 }, (_, at) => min + at));
        expect(held).toEqual([...new Set(ports)].toSorted((a, b) => a - b));
        expect(ranges.every((range, at) => at === 0 || range.min > ranges[at - 1]!.max + 1)).toBe(true);
      }),
    );
  });
});
