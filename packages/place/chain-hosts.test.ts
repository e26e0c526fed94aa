import fc from 'fast-check';
import type { Host, Requirements, Site } from '@superfluidity/model';
import { describe, expect, it } from 'vitest';
import { switching } from './chain-hosts.ts';
import { fill } from './explain.ts';
import { solveGreedily } from './greedy.ts';
import { gatherCost, MICRO_CORES } from './ocm/switch-model.ts';
import { switchModels } from './ocm/models.ts';
import { runsOf } from './ocm/chain.ts';
import { defaultSolver, place } from './place.ts';
import { compileProblem } from './problem.ts';
import type { PlacementChain, PlacementRequest, UnitToPlace } from './request.ts';
import { solveExactly } from './exact.ts';
import { State } from './state.ts';

const none = { cpu: 0, memoryMiB: 0, storageMiB: 0 };
function host(name: string, cpu = 8): Host {
  const size = { cpu, memoryMiB: 8192, storageMiB: 8192 };
  return { name, environments: ['container'], accelerators: [], ...size, used: none, schedulable: true };
}
function site(name: string, hosts: readonly Host[]): Site {
  return { name, kind: 'simulated', cells: [], services: [], healthy: true, price: { core: 1, gib: 0 }, hosts };
}
function unit(path: string, requirements: Requirements = {}): UnitToPlace {
  return { path, index: 0, environment: 'container', requirements: { cpu: 1, ...requirements } };
}
const chain = (bandwidthMbps: number): PlacementChain => ({ name: 'web', hops: ['a', 'b', 'c'], bandwidthMbps });
const three = [site('s', [host('h1'), host('h2'), host('h3')])];

function hostsFor(bandwidthMbps: number, units = ['a', 'b', 'c'].map((path) => unit(path))) {
  const result = place({ units, sites: three, paths: [], chains: [chain(bandwidthMbps)] });
  if (!result.ok) throw new Error(result.error.message);
  return result.assignments;
}

describe('hosts of chains', () => {
  it('are one for a chain with little traffic, and several for one whose packets would all pass between machines', () => {
    const gathered = hostsFor(50);
    expect(new Set(gathered.map((each) => each.host)).size).toBe(1);
    expect(gathered[0]!.reason).toMatch(
      /virtual switches take [\d.]+ cores for chain web, [\d.]+ with its functions spread$/,
    );
    expect(new Set(hostsFor(2_000).map((each) => each.host)).size).toBe(3);
  });

  it('are looked for with the sites of the chain alone, of however many there are', () => {
    const sites = Array.from({ length: 9 }, (_, i) => site(`s${i}`, [host('h1')]));
    const problem = compileProblem({ units: [unit('a'), unit('b')], sites, paths: [], chains: [chain(50)] });
    const hops = [
      { path: 'a', host: 7 },
      { path: 'b', host: 4 },
    ];
    const asked = switching(problem, fill(new State(problem), Int32Array.of(7, 4)), chain(50), hops, [4, 7]);
    expect(asked.sites.map(({ name }) => name)).toEqual(['s4', 's7']);
    expect(asked.hosts.map(({ site: of }) => asked.sites[of]!.name)).toEqual(['s4', 's7']);
    expect(asked.latencyMs).toHaveLength(4);
  });

  it('stay apart where affinity says so', () => {
    const apart = unit('c', { affinity: [{ kind: 'apart', scope: 'host', with: ['a', 'b'] }] });
    const [a, b, c] = hostsFor(50, [unit('a'), unit('b'), apart]);
    expect(b!.host).toBe(a!.host);
    expect(c!.host).not.toBe(a!.host);
  });

  it('cost no more than before, keep every rule, and leave sites and score as they were', () => {
    let [better, alike] = [0, 0];
    const affinity = fc.record({
      kind: fc.constantFrom('together' as const, 'apart' as const),
      scope: fc.constantFrom('host' as const, 'site' as const),
      with: fc.constantFrom(['u0'], ['u1'], ['u2', 'u3']),
    });
    const request: fc.Arbitrary<PlacementRequest> = fc
      .record({
        hosts: fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 2,
        }),
        units: fc.array(
          fc.record({ cpu: fc.integer({ min: 0, max: 4 }), affinity: fc.array(affinity, { maxLength: 1 }) }),
          { minLength: 2, maxLength: 6 },
        ),
        chains: fc.array(
          fc.record({
            hops: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 2 }),
            mbps: fc.integer({ min: 1, max: 900 }),
          }),
          { minLength: 1, maxLength: 2 },
        ),
      })
      .map(({ hosts, units, chains }) => ({
        units: units.map(({ cpu, affinity: rules }, i) => unit(`u${i}`, { cpu, affinity: rules })),
        sites: hosts.map((sizes, s) =>
          site(
            `s${s}`,
            sizes.map((cpu, h) => host(`h${h}`, cpu)),
          ),
        ),
        paths: [{ a: 's0', b: 's1', latencyMs: 3, bandwidthMbps: 1_000 }],
        chains: chains.map(({ hops, mbps }, c) => ({
          name: `c${c}`,
          hops: hops.filter((hop) => hop < units.length).map((hop) => `u${hop}`),
          bandwidthMbps: mbps,
        })),
      }));
    fc.assert(
      fc.property(request, (asked) => {
        const problem = compileProblem(asked);
        const before = solveExactly(problem, solveGreedily(problem));
        const after = defaultSolver(problem);
        expect(after.found).toBe(before.found);
        if (!before.found || !after.found) return;
        expect(after.score).toBe(before.score);
        expect(fill(new State(problem), after.hostOf).totalScore()).toBeCloseTo(before.score, 9);
        expect([...after.hostOf].map((h) => problem.siteOfHost[h])).toEqual(
          [...before.hostOf].map((h) => problem.siteOfHost[h]),
        );
        const state = new State(problem);
        after.hostOf.forEach((h, u) => {
          expect(problem.classes[problem.classOf[u]!]!.candidates.some(({ hosts }) => hosts.includes(h))).toBe(true);
          state.put(u, h);
        });
        problem.hosts.forEach((_, h) => expect(state.freeCpu(h)).toBeGreaterThanOrEqual(-1e-9));
        // Each unit, taken away and put back, breaks no rule.
        after.hostOf.forEach((h, u) => {
          state.remove(u);
          expect(state.refuse(u, h)).toBeUndefined();
          state.put(u, h);
        });
        const [cost, was] = [after, before].map(({ hostOf }) =>
          switchingOf(problem.chains[0]!, problem.units, hostOf),
        ) as [number, number];
        expect(cost).toBeLessThanOrEqual(was);
        if (cost < was) better += 1;
        else alike += 1;
      }),
      { numRuns: 300 },
    );
    expect(better).toBeGreaterThan(20);
    expect(alike).toBeGreaterThan(20);
  });
});

/** Of the first chain alone, in cores. */
function switchingOf(
  { hops, bandwidthMbps = 0 }: PlacementChain,
  units: readonly UnitToPlace[],
  hostOf: Int32Array,
): number {
  const model = switchModels['kernel-ovs'];
  const hosts = hops.map((hop) => hostOf[units.findIndex(({ path }) => path === hop)]!);
  return [...new Set(hosts)].reduce((sum, each) => {
    const runs = runsOf(Array.from(hosts.keys()).filter((i) => hosts[i] === each));
    const ratePps = (bandwidthMbps * 1e6) / 8 / 512;
    const base = model.coefficients.base;
    return (
      sum + base + runs.reduce((work, length) => work + gatherCost(model, { length, ratePps }) / MICRO_CORES - base, 0)
    );
  }, 0);
}
