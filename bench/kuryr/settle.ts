import { silentLogger, systemClock } from '@superfluidity/core';
import { neutronVif } from '../../apps/kuryr/controller/drivers/vif-neutron.ts';
import type { CloudPart } from './cloud-part.ts';
import type { ClusterPart } from './cluster-part.ts';
import type { ControllerProcess } from './controller-process.ts';
import type { BenchVif } from './report.ts';

const never = new AbortController().signal;
const ORDER = 50;
const SETTLE_MS = 600_000;
const POLL_MS = 100;
/** A list of hundreds of ports keeps Neutron busy. */
const SUBPORTS_POLL_MS = 1_000;
/** More than a burst takes, so that no refill is under way while it is measured. */
export const SPARE = 25;
/** The pool is compared with Neutron, and asks it, at no time that is measured. */
const QUIET = { updateMs: 3_600_000, foresees: false } as const;

/** Of our controller. */
export const POOLS = {
  demand: { ...QUIET, minimum: 0, maximum: 0, batch: 1 },
  pool: { ...QUIET, minimum: 5 },
  verified: { ...QUIET, minimum: 5, verify: true },
} as const;

/** What there is between two rounds. */
export interface Rest {
  readonly cluster: ClusterPart;
  readonly cloud: CloudPart;
  readonly controller: ControllerProcess;
  readonly vif: BenchVif;
  /** Ports that lie in the pool then; 0: there is none. */
  readonly ready: number;
}

/** What pods had that are gone lies in the pool again; or, as well, is plugged there and carries traffic. */
export async function returned(
  { cluster, controller, vif, ready }: Rest,
  state: 'ready' | 'active' = 'ready',
): Promise<void> {
  await cluster.untilEmpty();
  await reached(ready, `ports of the pool are ${state}`, POLL_MS, () =>
    controller.count('kuryr_pool_ports', { vif, state }),
  );
}

/** Waits until there are so many. */
async function reached(wanted: number, words: string, pollMs: number, count: () => Promise<number>): Promise<void> {
  for (const deadline = performance.now() + SETTLE_MS; ; ) {
    const now = await count();
    if (now >= wanted) return;
    if (performance.now() > deadline) throw new Error(`only ${now} of ${wanted} ${words}`);
    await systemClock.sleep(pollMs);
  }
}

/** As before the first pod: where there is no pool, the cloud has forgotten those that are gone. */
export async function settle(rest: Rest): Promise<void> {
  // On bare metal, they are plugged ahead.
  await returned(rest, rest.vif === 'neutron-vif' ? 'active' : 'ready');
  if (rest.ready === 0) await rest.cloud.untilOnlyNode();
}

/** Ports that are free, made as the controller makes them: it finds them when it starts. */
export async function fill(
  { cluster, cloud }: Pick<Rest, 'cluster' | 'cloud'>,
  vifs: readonly BenchVif[],
  count: number,
): Promise<void> {
  const tags = ['superfluidity', `superfluidity:kuryr=${cluster.namespace}`];
  for (const vif of vifs) {
    const { backend } = neutronVif(vif, {
      cloud: cloud.cloud,
      clock: systemClock,
      log: silentLogger,
      tags,
      bridge: 'br-int',
    });
    const at = vif === 'neutron-vif' ? cloud.host : cloud.trunk;
    const place = { project: cloud.project.id, at, network: cloud.network };
    for (let made = 0; made < count; made += ORDER)
      await backend.createMany(place, [cloud.group], Math.min(ORDER, count - made), never);
    // The controller replaces subports that its agent has not wired after a minute, and hundreds take longer.
    if (vif === 'nested-vlan')
      await reached(
        count,
        'subports are wired',
        SUBPORTS_POLL_MS,
        async () => (await backend.list(never)).filter(({ ready }) => ready).length,
      );
  }
}

/** Nothing is under way any more when one has failed. */
export async function allOf<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(work);
}
