import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KuryrLoadBalancer } from '../api/load-balancer.ts';
import { removeStaleFlows, staleFlows } from './flows.ts';
import { planServices, SERVICES } from './services.ts';
import { difference, EMPTY } from './table.ts';
import { balancer } from './testing/fleet.ts';
import { KernelModel } from './testing/kernel.ts';

const SETS = ['ports', 'addresses', 'externals', 'unserved', 'sticky', 'themselves'];

const member = fc.record({
  address: fc.integer({ min: 1, max: 4 }).map((n) => `10.0.0.${n}`),
  port: fc.constantFrom(80, 8_080),
});
const wanted: fc.Arbitrary<KuryrLoadBalancer> = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    address: fc.integer({ min: 1, max: 4 }).map((n) => `10.96.0.${n}`),
    members: fc.uniqueArray(member, { maxLength: 4, selector: ({ address, port }) => `${address}:${port}` }),
    protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
    port: fc.constantFrom(53, 80),
    external: fc.option(fc.constantFrom('198.51.100.1', '198.51.100.2'), { nil: undefined }),
    affinitySeconds: fc.option(fc.constantFrom(10, 20), { nil: undefined }),
  })
  .map(({ name, address, members, external, affinitySeconds, ...rest }) =>
    balancer(name, address, members, {
      ...rest,
      ...(external === undefined ? {} : { external }),
      ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
    }),
  );
const world = fc
  .array(wanted, { maxLength: 5 })
  .map((all) => new Map(all.map((one) => [`default/${one.metadata.name}`, one])));

/** Where flows to an address and port of the table may end. */
function targets(kernel: KernelModel, address: string, protocol: string, port: number): ReadonlySet<string> {
  const verdict = kernel.sets.get('ports')!.get(`${address} . ${protocol} . ${port}`);
  const last = verdict === undefined ? undefined : kernel.chains.get(verdict.split(' ')[1]!)!.at(-1)!;
  if (last === undefined || !last.startsWith(`meta l4proto ${protocol} dnat`)) return new Set();
  return new Set([...last.matchAll(/: ([\d.]+ \. \d+)/g)].map(([, target]) => target!));
}

describe('Services as a table', () => {
  test('each flow ends at a member of the Service that it is for, after whatever changes', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 1, maxLength: 4 }), (worlds) => {
        const kernel = new KernelModel(SETS);
        let before = EMPTY;
        for (const balancers of worlds) {
          const { content, troubles } = planServices(balancers);
          kernel.apply(difference(SERVICES, before, content));
          before = content;
          const owned = new Set<string>();
          const sorted = [...balancers].toSorted(([one], [other]) => (one < other ? -1 : 1));
          for (const [key, { spec, status }] of sorted) {
            const { port, protocol, members } = spec.ports[0]!;
            for (const address of [
              spec.address,
              ...(status!.external === undefined ? [] : [status!.external.address]),
            ]) {
              const triple = `${address} ${protocol} ${port}`;
              if (owned.has(triple)) {
                expect(troubles.some((one) => one.key === key)).toBe(true);
                continue;
              }
              owned.add(triple);
              const ends = targets(kernel, address, protocol.toLowerCase(), port);
              expect(ends).toEqual(new Set(members.map((one) => `${one.address} . ${one.port}`)));
              const isRefused =
                kernel.sets.get('addresses')!.has(address) ||
                kernel.sets.get('unserved')!.has(`${address} . ${protocol.toLowerCase()} . ${port}`);
              if (members.length === 0) expect(isRefused).toBe(true);
            }
          }
          for (const triple of kernel.sets.get('ports')!.keys()) {
            const [address, protocol, port] = triple.split(' . ') as [string, string, string];
            expect(owned.has(`${address} ${protocol.toUpperCase()} ${port}`)).toBe(true);
          }
        }
      }),
    );
  });

  test('what a change leaves alone is not touched, and what comes to the same is no change', () => {
    fc.assert(
      fc.property(world, world, (one, other) => {
        const [before, after] = [planServices(one).content, planServices(other).content];
        const [fresh, changed] = [new KernelModel(SETS), new KernelModel(SETS)];
        changed.apply(difference(SERVICES, EMPTY, before));
        changed.apply(difference(SERVICES, before, after));
        fresh.apply(difference(SERVICES, EMPTY, after));
        expect(changed.chains).toEqual(fresh.chains);
        expect(changed.sets).toEqual(fresh.sets);
        expect(difference(SERVICES, after, planServices(new Map(structuredClone([...other]))).content)).toBe('');
      }),
    );
  });

  test('a member of a thousand less is one rule and nothing else', () => {
    const members = Array.from({ length: 1_000 }, (_, i) => ({ address: `10.1.${i >> 8}.${i & 255}` }));
    const planned = (count: number) =>
      planServices(new Map([['default/a', balancer('a', '10.96.0.1', members.slice(0, count))]]));
    const text = difference(SERVICES, planned(1_000).content, planned(999).content);
    expect(text.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'delete element',
      'flush chain',
      'add rule',
      '',
    ]);
  });

  test('what is no address is told and does not reach nft(8)', () => {
    const bad = balancer('a', '10.96.0.1', [{ address: '10.0.0.1; flush ruleset' }, { address: '10.0.0.2' }]);
    const { content, troubles, endpoints } = planServices(new Map([['default/a', bad]]));
    expect(difference(SERVICES, EMPTY, content)).not.toContain('flush');
    expect([troubles.length, endpoints]).toEqual([1, 1]);
    const worse = planServices(new Map([['default/a', balancer('a', '::1', [])]]));
    expect([worse.services, worse.troubles.length]).toEqual([0, 1]);
  });

  test('flows of UDP that go to no member are found, and no others', () => {
    const flow = (to: string, port: number) =>
      `udp      17 25 src=10.0.0.9 dst=10.96.0.7 sport=4000 dport=53 src=${to} dst=10.0.0.9 sport=${port} dport=4000 [ASSURED] mark=0 use=1`;
    const unanswered = `udp      17 25 src=10.0.0.9 dst=10.96.0.7 sport=4001 dport=53 [UNREPLIED] src=10.96.0.7 dst=10.0.0.9 sport=53 dport=4001 mark=0 use=1`;
    const listed = [flow('10.0.0.1', 5_353), flow('10.0.0.2', 5_353), flow('10.0.0.2', 5_353), unanswered, ''].join(
      '\n',
    );
    const found = staleFlows(listed, new Map([['10.96.0.7:53', new Set(['10.0.0.1:5353'])]]));
    expect(found.map(({ to }) => to)).toEqual(['10.0.0.2:5353', '10.96.0.7:53']);
    expect(staleFlows(listed, new Map())).toEqual([]);
  });

  test('nobody is asked for flows where no Service has a port of UDP', async () => {
    const nowhere = 'sf-no-such-namespace';
    expect(await removeStaleFlows(nowhere, new Map())).toBe(0);
    await expect(removeStaleFlows(nowhere, new Map([['10.96.0.7:53', new Set()]]))).rejects.toMatchObject({
      code: 'SF-KURYR-FLOWS',
    });
  });
});
