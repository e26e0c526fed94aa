import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostPool } from './host-pool.ts';
import { chainPolicies } from './choices.ts';
import { placeChains, stepBy } from './place-chains.ts';
import { readChains } from './read.ts';
import { keepsRules } from './rules.ts';
import { chainOf, compiled, requestOf, someRequest } from './testing/requests.ts';

const example = readFileSync(new URL('../../../examples/placement/chains.yaml', import.meta.url), 'utf8');
const read = (text: string) => readChains(new TextEncoder().encode(text), 'chains.yaml');
const problemOf = (text: string) => {
  const result = read(text);
  if (!('problem' in result)) throw new Error(JSON.stringify(result.problems));
  return result.problem;
};

describe('every policy', () => {
  it.each(chainPolicies)('%s keeps the hard rules', (policy) => {
    let [placed, refused] = [0, 0];
    fc.assert(
      fc.property(someRequest({ hosts: 4, functions: 5, chains: 6, sites: 2 }), (request) => {
        const pool = new HostPool(compiled(request));
        for (const chain of pool.problem.chains) {
          const { blocks, cost } = stepBy(pool, chain, policy, () => 0.5);
          if (blocks === undefined) {
            refused += 1;
            continue;
          }
          placed += 1;
          expect(blocks.flatMap(({ functions }) => functions).toSorted((a, b) => a - b)).toEqual([
            ...chain.functions.keys(),
          ]);
          expect(keepsRules(pool, chain, blocks)).toBe(true);
          const before = pool.totalSwitching;
          pool.commit(chain, blocks);
          expect(pool.totalSwitching - before).toBe(cost);
          pool.problem.hosts.forEach((_, host) => {
            expect(pool.headroom(host)).toBeGreaterThanOrEqual(0);
            expect(pool.memoryFree[host]!).toBeGreaterThanOrEqual(0);
          });
        }
      }),
      { numRuns: 60 },
    );
    expect(placed).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(5);
  });

  it('takes no less for a chain than OCM, on the same hosts', () => {
    fc.assert(
      fc.property(someRequest({ hosts: 5, functions: 5, chains: 5 }), (request) => {
        const pool = new HostPool(compiled(request));
        for (const chain of pool.problem.chains) {
          const ocm = stepBy(pool, chain, 'ocm', () => 0);
          for (const policy of chainPolicies) {
            expect(stepBy(pool, chain, policy, () => 0.3).cost).toBeGreaterThanOrEqual(ocm.cost);
          }
          if (ocm.blocks !== undefined) pool.commit(chain, ocm.blocks);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('does what it is called for', () => {
    const problem = compiled(requestOf(6, [chainOf('a', 3, 100_000), chainOf('b', 3, 100_000)]));
    const hostsBy = (policy: (typeof chainPolicies)[number]) =>
      placeChains(problem, { policy }).chains.map((chain) =>
        chain.accepted ? chain.blocks.map(({ host }) => host) : [],
      );
    expect(hostsBy('gather')).toEqual([['s/h0'], ['s/h0']]);
    expect(hostsBy('nova-stack')).toEqual([['s/h0'], ['s/h0']]);
    expect(hostsBy('first-fit')).toEqual([['s/h0'], ['s/h0']]);
    expect(hostsBy('distribute')).toEqual([
      ['s/h0', 's/h1', 's/h2'],
      ['s/h3', 's/h4', 's/h5'],
    ]);
    expect(hostsBy('nova-spread')).toEqual([
      ['s/h0', 's/h1', 's/h2'],
      ['s/h3', 's/h4', 's/h5'],
    ]);
    const random = (seed: number) => JSON.stringify(placeChains(problem, { policy: 'random', seed }));
    expect(random(1)).toBe(random(1));
    expect(random(1)).not.toBe(random(2));
  });
});

describe('the example', () => {
  it('is placed by OCM for less than by the others, each block with its reason', () => {
    const problem = problemOf(example);
    const ocm = placeChains(problem, { policy: 'ocm' });
    expect(ocm.totals).toMatchObject({ accepted: 4, refused: 0 });
    expect(placeChains(problem, { policy: 'nova-spread' }).totals.switchingCores).toBeGreaterThan(
      1.5 * ocm.totals.switchingCores,
    );
    const video = ocm.chains.find(({ chain }) => chain === 'video');
    expect(video).toMatchObject({ accepted: true, optimal: true });
    if (!video?.accepted) return;
    expect(video.latencyMs).toBeLessThanOrEqual(1);
    expect(video.blocks.find(({ functions }) => functions.includes('transcoder'))!.host).toBe('edge/gpu');
    expect(video.reason).toMatch(
      /cores of switching in 2 blocks; gathered it would be [\d.]+; distributed it fits nowhere/,
    );
    for (const { reason } of video.blocks) expect(reason).toMatch(/left free$/);
  });

  it('is refused with what speaks against each host', () => {
    const refusalOf = (text: string) =>
      placeChains(problemOf(text), { policy: 'ocm' }).chains.find((chain) => !chain.accepted);
    expect(
      refusalOf(example.replace('accelerators: [gpu] }\n  - name: core', 'accelerators: [] }\n  - name: core')),
    ).toMatchObject({
      chain: 'video',
      code: 'SF-PLACE-NO-CANDIDATE',
      proven: true,
      reason: expect.stringContaining('no host takes transcoder'),
      refusals: [{ hosts: 11, kind: 'accelerators', reason: 'it has no gpu' }],
    });
    expect(refusalOf(example.replace('latencyMaxMs: 10', 'latencyMaxMs: 5'))).toMatchObject({
      chain: 'voice',
      code: 'SF-PLACE-CHAIN',
      reason: 'edge to core takes 8 ms by the shortest way, allowed are 5',
    });
    expect(refusalOf(example.replace('cpu: 4, memoryMiB: 8192', 'cpu: 15.5, memoryMiB: 8192'))).toMatchObject({
      chain: 'video',
      refusals: expect.arrayContaining([
        expect.objectContaining({
          kind: 'capacity',
          reason: expect.stringMatching(/cores are free, needed are 15.5, and [\d.]+ more for switching/),
        }),
      ]),
    });
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['ratePps: 300000', 'ratePps: -3', 'SF-DESCRIPTOR-VALUE'],
    ['ratePps: 300000', 'ratePps: .nan', 'SF-DESCRIPTOR-TYPE'],
    ['ratePps: 300000', 'ratePps: 0', 'SF-DESCRIPTOR-VALUE'],
    ['latencyMaxMs: 10', 'latencyMaxMs: .inf', 'SF-DESCRIPTOR-TYPE'],
    ['switch: kernel-ovs', 'switch: kernal-ovs', 'SF-PLACE-INPUT'],
    ['with: [border-a]', 'with: [border-x]', 'SF-PLACE-INPUT'],
    ['sites: [core]', 'sites: [cor]', 'SF-PLACE-INPUT'],
    ['sites: [core]', 'hosts: [core/node-7]', 'SF-PLACE-INPUT'],
    ['{ a: edge, b: core, latencyMs: 8 }', '{ a: edge, b: edge, latencyMs: 8 }', 'SF-PLACE-INPUT', '- name: core'],
    ['name: voice', 'name: video', 'SF-PLACE-INPUT'],
    ['from: edge\n    to: edge', 'from: egde\n    to: edge', 'SF-PLACE-INPUT'],
    ['count: 4', 'count: 400000', 'SF-DESCRIPTOR-VALUE'],
    ['count: 4', 'count: 99999', 'SF-PLACE-INPUT', '- name: edge'],
  ])('%j for %j', (from, to, code, at = to) => {
    const text = example.replace(from, to);
    const line = text.slice(0, text.lastIndexOf(at)).split('\n').length;
    expect(read(text).problems[0]).toMatchObject({ code, position: { file: 'chains.yaml', line } });
  });

  it('is one whose chain has no functions', () => {
    const text =
      'superfluidity-chains: 1\nswitch: dpdk-ovs\nsites: [{name: s, hosts: [{name: h, cpu: 1}]}]\nchains:\n  - {name: c, ratePps: 1, functions: []}\n';
    expect(read(text).problems).toMatchObject([
      { message: "'functions': a chain has at least one function", position: { line: 5 } },
    ]);
  });

  it('is never a reason to throw', () => {
    const bytes = new TextEncoder().encode(example);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(40), (at, byte, cut) => {
        const changed = Uint8Array.from([...bytes.slice(0, at), byte, ...bytes.slice(at + cut)]);
        const result = readChains(changed);
        if ('problem' in result) placeChains(result.problem, { policy: 'ocm' });
        else expect(result.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});
