import {
  type ChainsProblem,
  type ChainToPlace,
  compileChains,
  HostPool,
  seeded,
  switchModels,
} from '@superfluidity/place/ocm';

export type SwitchName = keyof typeof switchModels;
export const SWITCHES: readonly SwitchName[] = ['kernel-ovs', 'dpdk-ovs'];

/** Hosts of 24 cores that are alike, and chains with rates from 0.05 to 2 million packets a second, evenly by their logarithm. */
export function problemOf(hosts: number, chains: readonly ChainToPlace[], switchName: SwitchName): ChainsProblem {
  const compiled = compileChains({
    sites: [{ name: 'dc', hosts: Array.from({ length: hosts }, (_, i) => ({ name: `h${i}`, cpu: 24 })) }],
    links: [],
    chains,
    switches: Object.values(switchModels),
    switch: switchName,
  });
  if (!('problem' in compiled)) throw new Error(JSON.stringify(compiled.problems));
  return compiled.problem;
}

/** Functions take from a fifth of a core to two. */
export function someChains(
  count: number,
  lengths: readonly [number, number],
  random: () => number,
): readonly ChainToPlace[] {
  const [shortest, longest] = lengths;
  return Array.from({ length: count }, (_, i) => ({
    name: `c${i}`,
    ratePps: Math.round(50_000 * 40 ** random()),
    functions: Array.from({ length: shortest + Math.floor(random() * (longest - shortest + 1)) }, (_f, j) => ({
      name: `f${j}`,
      cpu: Math.round((0.2 + 1.8 * random()) * 10) / 10,
    })),
  }));
}

/** A pool on which about every host carries something, no two of them the same: each chain in two pieces on two hosts. */
export function loadedPool(hosts: number, further: number, length: number, switchName: SwitchName) {
  const random = seeded(7);
  const problem = problemOf(
    hosts,
    [
      ...someChains(2 * hosts, [2, 6], random),
      ...someChains(further, [length, length], random).map((chain) => ({ ...chain, name: `next-${chain.name}` })),
    ],
    switchName,
  );
  const pool = new HostPool(problem);
  for (const chain of problem.chains.slice(0, 2 * hosts)) {
    const half = chain.functions.length >> 1;
    const first = Math.floor(random() * hosts);
    const second = (first + 1 + Math.floor(random() * (hosts - 1))) % hosts;
    const numbers = Array.from(chain.functions.keys());
    const blocks = [
      { host: first, functions: numbers.slice(0, half) },
      { host: second, functions: numbers.slice(half) },
    ];
    const fits = blocks.every((block) => {
      const guest = block.functions.reduce((sum, each) => sum + chain.functions[each]!.guest, 0);
      return guest + pool.marginalCost(chain, block) <= pool.headroom(block.host) / 2;
    });
    if (fits) pool.commit(chain, blocks);
  }
  return { pool, chains: problem.chains.slice(2 * hosts) };
}
