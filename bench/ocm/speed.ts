import { HostPool, publishedStep, seeded, stepBy, stepByMilp, stepOcm } from '@superfluidity/place/ocm';
import type { Row } from '../record.ts';
import { processorMs, timing } from '../statistics.ts';
import { loadedPool, problemOf, someChains, SWITCHES } from './workload.ts';

const LENGTH = 10;
const STEPS = 41;
const PEER_LIMIT_MS = 30_000;

/** One step for chains of ten functions, beside all partitions and HiGHS. */
export async function measureSteps(add: (row: Row) => void): Promise<void> {
  for (const name of SWITCHES) {
    for (const [hosts, goalMs] of [
      [1_000, 20],
      [10_000, 100],
    ] as const) {
      const { pool, chains } = loadedPool(hosts, STEPS, LENGTH, name);
      const shown = hosts.toLocaleString('en');
      for (const kind of ['ocm', 'ocm-relaxed'] as const) {
        const times = chains.map((chain) => processorMs(() => stepOcm(pool, chain, kind)));
        add({ ...timing(`${kind} step, ${LENGTH} functions, ${shown} ${name} hosts`, times), goalMs });
      }
      if (hosts > 1_000 || name !== 'kernel-ovs') continue;
      const [chain] = chains;
      const ours = stepOcm(pool, chain!);
      let exhaustive = { cost: Number.NaN };
      const exhaustiveMs = processorMs(() => (exhaustive = publishedStep(pool, chain!, 'ocm')));
      if (exhaustive.cost !== ours.cost) throw new Error('the published step finds another cost');
      add({
        ...timing(`exhaustive: all partitions, each matched, ${shown} ${name} hosts`, [exhaustiveMs]),
        peer: true,
      });
      const before = performance.now();
      const milp = await stepByMilp(pool, chain!, 'ocm', PEER_LIMIT_MS);
      // HiGHS works in a thread of its own: this is by the clock.
      const milpMs = performance.now() - before;
      if (milp.status === 'optimal' && milp.cost !== ours.cost) throw new Error('HiGHS finds another cost');
      add({
        ...timing(`HiGHS, cheapest hosts of each block only, ${shown} ${name} hosts`, [milpMs]),
        peer: true,
        ...(milp.status === 'optimal' ? {} : { note: milp.status }),
      });
    }
  }
}

/** Ten thousand chains, one after the other, beside what others do with them. */
export function measureSequence(add: (row: Row) => void): void {
  for (const policy of ['ocm', 'ocm-relaxed', 'gather', 'nova-spread'] as const) {
    const problem = problemOf(1_000, someChains(10_000, [2, 10], seeded(3)), 'kernel-ovs');
    const pool = new HostPool(problem);
    let accepted = 0;
    const ms = processorMs(() => {
      for (const chain of problem.chains) {
        const { blocks } = stepBy(pool, chain, policy, () => 0);
        if (blocks === undefined) continue;
        pool.commit(chain, blocks);
        accepted += 1;
      }
    });
    const goal = policy === 'ocm' ? { goalMs: 20_000 } : policy === 'ocm-relaxed' ? {} : { peer: true };
    add({ ...timing(`${policy}: 10,000 chains of 2 to 10 on 1,000 hosts`, [ms]), ...goal, note: `${accepted} placed` });
  }
}
