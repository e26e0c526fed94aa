import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forEachSegmentation, forEachSetPartition } from './blocks.ts';
import { type Chain, chainLatencyMs, type ChainsProblem, runsOf } from './chain.ts';
import { HostPool } from './host-pool.ts';
import { publishedStep } from './published-step.ts';
import { stepOcm, type StepKind } from './step.ts';
import { hostSwitchingCost, type SubChain } from './switch-model.ts';
import { chainOf, compiled, requestOf, someRequest } from './testing/requests.ts';

const kinds = ['ocm', 'ocm-relaxed'] as const;

/** C^h of all hosts together, from the list of what was placed. */
function totalByDefinition({ problem, placed }: HostPool): number {
  const carried = problem.hosts.map((): SubChain[] => []);
  placed.forEach((hostOf, number) => {
    const { functions, ratePps } = problem.chains[number]!;
    for (const host of new Set(hostOf)) {
      const here = Array.from(functions.keys()).filter((each) => hostOf![each] === host);
      carried[host]!.push(...runsOf(here).map((length) => ({ length, ratePps })));
    }
  });
  return carried.reduce(
    (sum, subChains, host) =>
      sum + hostSwitchingCost(problem.models[problem.hosts[host]!.model]!, subChains, problem.costModel),
    0,
  );
}

describe('partitions', () => {
  it('are as many as Bell numbers say, and cuts as powers of two', () => {
    const bell = [1, 2, 5, 15, 52, 203, 877, 4_140, 21_147, 115_975];
    bell.forEach((expected, i) => {
      let count = 0;
      forEachSetPartition(i + 1, () => (count += 1));
      expect(count).toBe(expected);
    });
    let cuts = 0;
    forEachSegmentation(10, () => (cuts += 1));
    expect(cuts).toBe(512);
    let all = 0;
    forEachSetPartition(12, () => (all += 1));
    expect(all).toBe(4_213_597);
  });
});

describe('the step', () => {
  it.each(kinds)('%s costs what the published step costs, bit for bit, chain after chain', (kind) => {
    let [placed, refused] = [0, 0];
    fc.assert(
      fc.property(
        someRequest({ hosts: 6, functions: 6, chains: 8, costModel: fc.constantFrom('consistent', 'literal') }),
        (request) => {
          const pool = new HostPool(compiled(request));
          for (const chain of pool.problem.chains) {
            const [ours, theirs] = [stepOcm(pool, chain, kind), publishedStep(pool, chain, kind)];
            expect(ours.cost).toBe(theirs.cost);
            expect(ours.optimal).toBe(true);
            if (ours.blocks === undefined) {
              refused += 1;
              continue;
            }
            placed += 1;
            const before = pool.totalSwitching;
            pool.commit(chain, ours.blocks);
            expect(pool.totalSwitching).toBe(before + ours.cost);
            expect(pool.totalSwitching).toBe(totalByDefinition(pool));
          }
        },
      ),
      { numRuns: 100 },
    );
    expect(placed).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(20);
  });

  it.each(kinds)(
    '%s finds the cheapest placement that keeps latency and affinity, as trying all of them does',
    (kind) => {
      let [placed, joined, refused] = [0, 0, 0];
      fc.assert(
        fc.property(someRequest({ hosts: 2, functions: 4, chains: 3, sites: 3 }), (request) => {
          const pool = new HostPool(compiled(request));
          for (const chain of pool.problem.chains) {
            const ours = stepOcm(pool, chain, kind);
            const least = cheapestOfAll(pool, chain, kind);
            expect(ours.cost).toBe(least);
            expect(ours.optimal).toBe(true);
            if (ours.blocks === undefined) refused += 1;
            else {
              placed += 1;
              const hostOf = Array.from({ length: chain.functions.length }, () => -1);
              for (const { host, functions } of ours.blocks) for (const each of functions) hostOf[each] = host;
              expect(keeps(pool, chain, hostOf)).toBe(true);
              if (ours.cost > publishedStep(pool, chain, kind).cost) joined += 1;
              pool.commit(chain, ours.blocks);
            }
          }
        }),
        { numRuns: 160 },
      );
      expect(placed).toBeGreaterThan(50);
      expect(refused).toBeGreaterThan(20);
      // Where latency decides, the unbounded step would have been cheaper.
      expect(joined).toBeGreaterThan(3);
    },
  );

  it('is never dearer than gathering or distributing one chain on empty hosts that are alike', () => {
    const rate = fc.integer({ min: 1_000, max: 2_000_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        rate,
        fc.constantFrom('kernel-ovs', 'dpdk-ovs'),
        (length, ratePps, name) => {
          const request = requestOf(length, [chainOf('c', length, ratePps)], { switch: name });
          const large = {
            ...request,
            sites: request.sites.map((site) => ({
              ...site,
              hosts: site.hosts.map((host) => ({ ...host, cpu: 1_000 })),
            })),
          };
          const pool = new HostPool(compiled(large));
          const [chain] = pool.problem.chains;
          const functions = Array.from(chain!.functions.keys());
          const gathered = pool.marginalCost(chain!, { host: 0, functions });
          const distributed = functions.reduce(
            (sum, each) => sum + pool.marginalCost(chain!, { host: each, functions: [each] }),
            0,
          );
          for (const kind of kinds) {
            expect(stepOcm(pool, chain!, kind).cost).toBeLessThanOrEqual(Math.min(gathered, distributed));
          }
          expect(stepOcm(pool, chain!, 'ocm').cost).toBeLessThanOrEqual(stepOcm(pool, chain!, 'ocm-relaxed').cost);
        },
      ),
    );
  });
});

describe('a chain that is too long for an exact step', () => {
  it('gets a place that keeps all rules, and a bound that no placement is under', () => {
    const pool = new HostPool(compiled(requestOf(40, [chainOf('long', 30, 400_000), chainOf('other', 25, 90_000)])));
    for (const chain of pool.problem.chains) {
      for (const kind of kinds) {
        const step = stepOcm(pool, chain, kind);
        expect(step.blocks).toBeDefined();
        expect(step.optimal).toBe(false);
        expect(step.bound).toBeGreaterThan(0);
        expect(step.bound).toBeLessThanOrEqual(step.cost);
        expect(step.blocks!.flatMap(({ functions }) => functions).toSorted((a, b) => a - b)).toEqual(
          Array.from(chain.functions.keys()),
        );
        expect(new Set(step.blocks!.map(({ host }) => host)).size).toBe(step.blocks!.length);
        if (kind === 'ocm-relaxed') {
          for (const { functions } of step.blocks!) expect(runsOf(functions)).toHaveLength(1);
        }
      }
      const { blocks, cost } = stepOcm(pool, chain, 'ocm');
      pool.commit(chain, blocks!);
      expect(cost).toBeGreaterThan(0);
      expect(pool.totalSwitching).toBe(totalByDefinition(pool));
    }
  });

  it('is refused for good where a piece of it has no place', () => {
    const pool = new HostPool(compiled(requestOf(1, [chainOf('long', 30, 400_000)])));
    expect(stepOcm(pool, pool.problem.chains[0]!, 'ocm')).toMatchObject({ cost: Number.POSITIVE_INFINITY });
  });
});

/** Every way to give each function a host. */
function cheapestOfAll(pool: HostPool, chain: Chain, kind: StepKind): number {
  const { hosts } = pool.problem;
  const length = chain.functions.length;
  let least = Number.POSITIVE_INFINITY;
  for (let way = 0; way < hosts.length ** length; way += 1) {
    const hostOf = Array.from({ length }, (_, i) => Math.floor(way / hosts.length ** i) % hosts.length);
    const blocks = [...new Set(hostOf)].map((host) => ({
      host,
      functions: Array.from({ length }, (_, i) => i).filter((i) => hostOf[i] === host),
    }));
    if (kind === 'ocm-relaxed' && blocks.some(({ functions }) => runsOf(functions).length > 1)) continue;
    if (!keeps(pool, chain, hostOf)) continue;
    least = Math.min(
      least,
      blocks.reduce((sum, block) => sum + pool.marginalCost(chain, block), 0),
    );
  }
  return least;
}

/** All hard rules, written down once more. */
function keeps(pool: HostPool, chain: Chain, hostOf: readonly number[]): boolean {
  const problem: ChainsProblem = pool.problem;
  if (chainLatencyMs(problem, chain, hostOf) > chain.latencyMaxMs + 1e-9) return false;
  const roomy = [...new Set(hostOf)].every((host) => {
    const functions = Array.from(hostOf.keys()).filter((i) => hostOf[i] === host);
    const sum = (of: (i: number) => number) => functions.reduce((total, i) => total + of(i), 0);
    const after = pool.switching[host]! + pool.marginalCost(chain, { host, functions });
    const guest = pool.guest[host]! + sum((i) => chain.functions[i]!.guest);
    return (
      guest + after <= problem.hosts[host]!.capacity &&
      sum((i) => chain.functions[i]!.memoryMiB) <= pool.memoryFree[host]!
    );
  });
  return (
    roomy &&
    chain.functions.every(({ accelerators, partners }, i) => {
      const facts = problem.hosts[hostOf[i]!]!;
      return (
        accelerators.every((each) => facts.accelerators.includes(each)) &&
        partners.every(({ chain: other, function: partner, kind, scope }) => {
          const there = other === chain.number ? hostOf[partner] : pool.placed[other]?.[partner];
          if (there === undefined) return true;
          const alike = scope === 'host' ? there === hostOf[i] : problem.hosts[there]!.site === facts.site;
          return alike === (kind === 'together');
        })
      );
    })
  );
}
