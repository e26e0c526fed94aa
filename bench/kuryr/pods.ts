import { inspect } from 'node:util';
import { ovsSocket } from '../../lab/openstack/services/ovs.ts';
import { findLab } from '../../lab/openstack/testing.ts';
import { ratioOf } from '../openstack/report.ts';
import { duration, tell } from '../record.ts';
import { CloudPart } from './cloud-part.ts';
import { ClusterPart } from './cluster-part.ts';
import { floorOf } from './floor.ts';
import { BenchNode } from './node.ts';
import { reach } from './played-node.ts';
import { type BenchVif, type Found, type PodBurst, risesOf, VIF_WORDS } from './report.ts';
import { type Measured, type Place, repeat, type Run, type Spent } from './rounds.ts';
import { fill, POOLS, settle, SPARE } from './settle.ts';

const VIFS = ['neutron-vif', 'nested-vlan'] as const;
/** The axis of figure 39 of the original, and how often: a pod that is made on demand takes seconds, and as long to be forgotten. */
const BURSTS = [
  { pods: 10, pooled: 5, demanded: 2 },
  { pods: 50, pooled: 3, demanded: 1 },
  { pods: 100, pooled: 3, demanded: 1 },
  { pods: 200, pooled: 3, demanded: 1 },
] as const;
/** As of the plugin alone. */
const WARM = 20;
const GOAL_MS = 30;
/** Times the median: such a round is told of. */
const SLOW = 2;
const RATIO_MOST = 0.1;
/** What is flat in figure 39 of the original: from 10 to 50 pods, 90 s more from the pool and 519 s more on demand, nested; on bare metal 42 s and 154 s. */
const FLAT_MOST = 0.17;
/** Of Neutron for one pod. */
const CALLS_MOST = { demand: undefined, pool: 0, verified: 1 } as const;

/** One way to run the controller. */
interface Mode {
  readonly key: keyof typeof POOLS;
  readonly words: string;
}

const MODES: readonly Mode[] = [
  { key: 'demand', words: 'made on demand' },
  { key: 'pool', words: 'from the pool' },
  { key: 'verified', words: 'from the pool, verify: true' },
];

type Series = Map<string, Awaited<ReturnType<typeof runBurst>>>;
const keyOf = (mode: Mode['key'], vif: BenchVif, pods: number) => `${mode} ${vif} ${pods}`;

export interface PodSizes {
  readonly rounds: number;
  /** Of one pod, where each has to be made. */
  readonly demandRounds: number;
  /** Bursts of more pods are left out. */
  readonly podsMost: number;
  /** As many at once are made on demand, at most; 0: none is. */
  readonly demandMost: number;
}

/** Pods from the scheduler's word to the return of CNI ADD, with a real API server, Neutron and agent, with and without a pool. */
export async function benchPods(sizes: PodSizes, found: Found): Promise<void> {
  const { lab, reason } = findLab({ services: ['ovs'], network: 'ovs' });
  if (lab === undefined) throw new Error(reason);
  await using parts = new AsyncDisposableStack();
  const opened = <T extends { close(): Promise<void> }>(one: T) => parts.adopt(one, (it) => it.close().catch(tellLeft));
  const cluster = opened(await ClusterPart.open());
  const cloud = opened(await CloudPart.open());
  const nested = `${cluster.namespace}-nested`;
  await cluster.addNode(cloud.host, {});
  await cluster.addNode(nested, {
    labels: { 'superfluidity.dev/vif': 'nested-vlan' },
    status: { addresses: [{ type: 'InternalIP', address: cloud.address }] },
  });
  const { api, namespace, kubeconfig } = cluster;
  const common = { api, namespace, kubeconfig };
  const ovsdb = ovsSocket(lab).slice('unix:'.length);
  const isPluggedByOthers = await cloud.isPlugged(lab, 'compute:kuryr');
  if (isPluggedByOthers)
    found.note(
      'bare metal was not measured: this laboratory plugs ports of pods itself (lab/openstack/plug.ts is older)',
    );
  const place: Place = {
    vifs: VIFS.filter((vif) => vif !== 'neutron-vif' || !isPluggedByOthers),
    cluster,
    cloud,
    nodes: {
      'neutron-vif': parts.use(await BenchNode.metal({ ...common, name: cloud.host }, ovsdb)),
      'nested-vlan': parts.use(await BenchNode.nested({ ...common, name: nested }, cloud.device)),
    },
  };
  const bursts = BURSTS.filter(({ pods }) => pods <= sizes.podsMost);
  const series: Series = new Map();
  for (const mode of MODES)
    if (mode.key !== 'demand' || sizes.demandMost > 0) await runMode(place, mode, sizes, series, found);
  tellAll(place.vifs, series, bursts, found);
}

/** What took half an hour to measure is not lost with a port that could not be taken away. */
function tellLeft(error: unknown): void {
  tell(`what was made for pods is not all taken away: ${inspect(error)}`);
  process.exitCode = 1;
}

async function runMode(place: Place, mode: Mode, sizes: PodSizes, series: Series, found: Found): Promise<void> {
  const { cluster, cloud } = place;
  const { neutron, env } = cloud.settings(cluster.folder);
  const isDemand = mode.key === 'demand';
  const bursts = BURSTS.filter(({ pods }) => pods <= (isDemand ? sizes.demandMost : sizes.podsMost));
  const most = Math.max(1, ...BURSTS.map(({ pods }) => (pods <= sizes.podsMost ? pods : 0))) + SPARE;
  if (mode.key === 'pool') await fill(place, place.vifs, most);
  const drivers = { vif: 'neutron-vif', vifs: ['nested-vlan'] };
  const controller = await cluster.controller({ drivers, neutron, pool: POOLS[mode.key], linux: undefined }, env);
  try {
    for (const vif of place.vifs) {
      const ready = isDemand ? 0 : most;
      const run: Run = { cluster, cloud, node: place.nodes[vif], controller, vif, ready };
      await settle(run);
      // For its first pod, the controller reads the subnet, which it then keeps for minutes; and programs get faster with use.
      await repeat(run, 1, isDemand ? 1 : WARM);
      const singles = await repeat(run, 1, isDemand ? sizes.demandRounds : sizes.rounds);
      series.set(keyOf(mode.key, vif, 1), singles);
      found.row({
        ...singles.took,
        what: `one pod, ${VIF_WORDS[vif]}: ${mode.words}`,
        ...(isDemand ? {} : { goalMs: GOAL_MS }),
      });
      if (mode.key === 'verified') continue;
      for (const burst of bursts)
        series.set(keyOf(mode.key, vif, burst.pods), await runBurst(run, mode, burst, burst === bursts.at(-1), found));
    }
    if (mode.key === 'pool') {
      await reach(place.vifs.map((vif) => place.nodes[vif]));
      found.note(`a pod reached the others (ping): ${place.vifs.map((vif) => VIF_WORDS[vif]).join(', and ')}`);
    }
    const { processorS, peakMiB } = controller.usage();
    found.figure(
      `controller, ${mode.words}: seconds of processor time, all of the above`,
      Number(processorS.toFixed(1)),
    );
    found.figure(`controller, ${mode.words}: MiB of memory at most`, peakMiB);
  } catch (cause) {
    throw new Error(`${mode.words}: the controller said at last ${controller.said()}`, { cause });
  } finally {
    await cluster.untilEmpty().catch(() => {});
    await controller.stop();
  }
}

async function runBurst(
  run: Run,
  mode: Mode,
  { pods, pooled, demanded }: (typeof BURSTS)[number],
  isLargest: boolean,
  found: Found,
): Promise<Measured & { readonly floorMs?: number }> {
  const isDemand = mode.key === 'demand';
  const [many, where] = [`${pods} pods at once`, VIF_WORDS[run.vif]];
  const burst = await repeat(run, pods, isDemand ? demanded : pooled);
  const what = `${many}, until the last, ${where}: ${mode.words}`;
  found.row({ ...burst.took, what });
  tellSlowest(what, burst, found);
  if (isDemand) return burst;
  const floor = await floorOf(run, pods, pooled);
  found.row({ ...floor.took, what: `${many} without a network, until the node saw the last, ${where}` });
  if (isLargest) {
    found.note(spentOf(`${many}, ${where}, from the pool`, burst.spent));
    found.note(spentOf(`${many} without a network, ${where}`, floor.spent));
  }
  return { ...burst, floorMs: floor.took.p50 };
}

function spentOf(what: string, spent: Spent): string {
  const all = spent.reduce((sum, [, ms]) => sum + ms, 0);
  const each = spent.map(([program, ms]) => `${program} ${ms.toFixed(1)}`);
  return `of ${what}: ms of the processors for each: ${each.join(', ')}; together ${all.toFixed(1)}`;
}

/** What is known of a round that took much longer than the others. */
function tellSlowest(what: string, { took, slowest }: Measured, found: Found): void {
  const { tookMs, boundMs, again, late } = slowest;
  if (tookMs < took.p50 * SLOW) return;
  const words = [`the last was bound after ${duration(boundMs)}`, `${again} ADDs were asked for again`];
  found.note(
    `a round took ${duration(tookMs)}, of ${what}: ${words.join(', ')}, ${late} ports were handed out before they carried traffic`,
  );
}

function tellAll(
  vifs: readonly BenchVif[],
  series: Series,
  bursts: readonly { readonly pods: number }[],
  found: Found,
): void {
  const round = (value: number) => Math.round(value * 100) / 100;
  for (const vif of vifs) {
    const of = (mode: Mode['key'], pods: number) => series.get(keyOf(mode, vif, pods));
    const compare = (what: string, pods: number, atMost?: number) => {
      const [pool, demand] = [of('pool', pods), of('demand', pods)];
      if (pool === undefined || demand === undefined) return;
      found.ratio(ratioOf(`${what}, ${VIF_WORDS[vif]}: pool / on demand`, pool.took, demand.took, atMost));
    };
    for (const { key, words } of MODES) {
      const measured = of(key, 1);
      if (measured === undefined) continue;
      const { calls, sentMs, controllerMs } = measured;
      const what = `one pod, ${VIF_WORDS[vif]}, ${words}`;
      found.figure(`${what}: calls of Neutron`, round(calls), CALLS_MOST[key]);
      found.figure(`${what}: ms from the request that makes it, median`, round(sentMs));
      found.figure(`${what}: of that the controller until its interfaces are written, mean ms`, round(controllerMs));
    }
    compare('one pod', 1, RATIO_MOST);
    const its = bursts.flatMap(({ pods }): readonly PodBurst[] => {
      const [pool, demand] = [of('pool', pods), of('demand', pods)];
      if (pool === undefined) return [];
      compare(`${pods} pods at once`, pods);
      return [
        {
          vif,
          pods,
          poolMs: pool.took.p50,
          ...(pool.floorMs === undefined ? {} : { floorMs: pool.floorMs }),
          poolCalls: Math.round(pool.calls * pods),
          ...(demand === undefined ? {} : { demandMs: demand.took.p50, demandCalls: Math.round(demand.calls * pods) }),
        },
      ];
    });
    for (const burst of its) found.burst(burst);
    const each = risesOf(its);
    if (each !== undefined) {
      const what = `each pod more at once, of ${each.from} to ${each.to}, ${VIF_WORDS[vif]}: pool / on demand`;
      found.ratio(ratioOf(what, { p50: each.poolMs }, { p50: each.demandMs }, FLAT_MOST));
    }
  }
}
