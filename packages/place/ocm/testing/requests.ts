import fc from 'fast-check';
import type { ChainsProblem } from '../chain.ts';
import { compileChains } from '../compile.ts';
import { switchModels } from '../models.ts';
import type { ChainsRequest, ChainToPlace } from '../request.ts';
import type { SwitchModel } from '../switch-model.ts';

export function compiled(request: ChainsRequest): ChainsProblem {
  const result = compileChains(request);
  if (!('problem' in result)) throw new Error(JSON.stringify(result.problems));
  return result.problem;
}

/** One site with this many hosts of 24 cores. */
export function requestOf(
  hosts: number,
  chains: readonly ChainToPlace[],
  extras: Partial<ChainsRequest> = {},
): ChainsRequest {
  return {
    sites: [{ name: 's', hosts: Array.from({ length: hosts }, (_, i) => ({ name: `h${i}`, cpu: 24 })) }],
    links: [],
    chains,
    switches: Object.values(switchModels),
    switch: 'kernel-ovs',
    ...extras,
  };
}

export function chainOf(
  name: string,
  length: number,
  ratePps: number,
  extras: Partial<ChainToPlace> = {},
): ChainToPlace {
  return { name, ratePps, functions: Array.from({ length }, (_, i) => ({ name: `f${i}`, cpu: 1 })), ...extras };
}

const coefficient = fc.integer({ min: 0, max: 3_000 }).map((n) => n / 1_000);
export const switchModel: fc.Arbitrary<SwitchModel> = fc.record({
  name: fc.constant('some'),
  switch: fc.constant('some'),
  frameBytes: fc.constant(64),
  form: fc.constantFrom('interrupt' as const, 'poll' as const),
  coefficients: fc.record({ base: coefficient, perHop: coefficient, perHopLog: coefficient, perInner: coefficient }),
  validRange: fc.constant({ rateMpps: [0, 10], length: [1, 12], copies: [1, 10] } as const),
});

const ratePps = fc.integer({ min: 1, max: 2_000 }).map((n) => n * 1_000);

/** Small hosts of two switches, some with an accelerator, and chains that do not all fit. */
export function someRequest(options: {
  readonly hosts: number;
  readonly functions: number;
  readonly chains: number;
  readonly sites?: number;
  readonly costModel?: fc.Arbitrary<'consistent' | 'literal'>;
}): fc.Arbitrary<ChainsRequest> {
  const { hosts, functions, chains, sites = 1, costModel = fc.constant('consistent' as const) } = options;
  const siteNames = Array.from({ length: sites }, (_, i) => `s${i}`);
  const host = fc.record({
    cpu: fc.integer({ min: 2, max: 24 }),
    memoryMiB: fc.integer({ min: 4, max: 40 }),
    accelerators: fc.constantFrom([], ['gpu']),
    switch: fc.constantFrom('kernel-ovs', 'dpdk-ovs'),
  });
  const affinity = fc.record({
    kind: fc.constantFrom('together' as const, 'apart' as const),
    scope: sites === 1 ? fc.constant('host' as const) : fc.constantFrom('host' as const, 'site' as const),
    with: fc.array(fc.constantFrom('f0', 'f1', 'c0/f0', 'c0'), { minLength: 1, maxLength: 1 }),
  });
  const one = fc.record({
    cpu: fc.integer({ min: 0, max: 60 }).map((n) => n / 10),
    memoryMiB: fc.integer({ min: 0, max: 8 }),
    accelerators: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['gpu']) }),
    affinity: fc.oneof(
      { weight: 5, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(affinity, { maxLength: 1 }) },
    ),
  });
  const chain = fc.record(
    {
      ratePps,
      functions: fc.array(one, { minLength: 2, maxLength: functions }),
      ...(sites === 1
        ? {}
        : {
            from: fc.constantFrom(...siteNames),
            to: fc.constantFrom(...siteNames),
            latencyMaxMs: fc.integer({ min: 0, max: 20 }),
          }),
    },
    { requiredKeys: ['ratePps', 'functions'] },
  );
  const named = <T>(prefix: string, list: readonly T[]) => list.map((each, i) => ({ name: `${prefix}${i}`, ...each }));
  return fc
    .record({
      hosts: fc.array(fc.array(host, { minLength: 1, maxLength: hosts }), { minLength: sites, maxLength: sites }),
      hostLatencyMs: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: sites, maxLength: sites }),
      latencies: fc.array(fc.integer({ min: 0, max: 10 }), { minLength: sites, maxLength: sites }),
      chains: fc.array(chain, { minLength: 1, maxLength: chains }),
      costModel,
    })
    .map(
      (drawn): ChainsRequest => ({
        sites: siteNames.map((name, s) => ({
          name,
          hostLatencyMs: drawn.hostLatencyMs[s]!,
          hosts: named('h', drawn.hosts[s]!),
        })),
        links: siteNames.slice(1).map((b, i) => ({ a: siteNames[i]!, b, latencyMs: drawn.latencies[i]! })),
        chains: named('c', drawn.chains).map((each) => ({ ...each, functions: named('f', each.functions) })),
        switches: Object.values(switchModels),
        switch: 'kernel-ovs',
        costModel: drawn.costModel,
      }),
    );
}
