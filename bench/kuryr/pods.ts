import { silentLogger, systemClock } from '@superfluidity/core';
import { pings } from '../../apps/kuryr/cni/testing/node.ts';
import { neutronVif } from '../../apps/kuryr/controller/drivers/vif-neutron.ts';
import { ovsSocket } from '../../lab/openstack/services/ovs.ts';
import { findLab } from '../../lab/openstack/testing.ts';
import { ratioOf } from '../openstack/report.ts';
import { type Timing, timing } from '../statistics.ts';
import { CloudPart } from './cloud-part.ts';
import { ClusterPart } from './cluster-part.ts';
import type { ControllerProcess } from './controller-process.ts';
import { BenchNode, type PodTimes, type Sandbox } from './node.ts';
import { type BenchVif, type Found, VIF_WORDS } from './report.ts';

const never = new AbortController().signal;
const VIFS = ['neutron-vif', 'nested-vlan'] as const;
/** The axis of figure 39 of the original, and how often: a pod that is made on demand takes seconds. */
const BURSTS = [
  { pods: 10, pooled: 5, demanded: 3 },
  { pods: 50, pooled: 3, demanded: 1 },
  { pods: 100, pooled: 3, demanded: 1 },
  { pods: 200, pooled: 3, demanded: 1 },
] as const;
/** More than a burst takes, so that no refill is under way while it is measured. */
const SPARE = 25;
const ORDER = 50;
/** As of the plugin alone. */
const WARM = 20;
const GOAL_MS = 30;
const RATIO_MOST = 0.1;
/** Of Neutron for one pod. */
const CALLS_MOST = { demand: undefined, pool: 0, verified: 1 } as const;
/** The pool is compared with Neutron, and asks it, at no time that is measured. */
const QUIET = { updateMs: 3_600_000, foresees: false } as const;
const PING_MS = 30_000;
const SETTLE_MS = 600_000;
const POLL_MS = 100;

interface Place {
  /** Those that are measured. */
  readonly vifs: readonly BenchVif[];
  readonly cluster: ClusterPart;
  readonly cloud: CloudPart;
  readonly nodes: Readonly<Record<BenchVif, BenchNode>>;
}

/** One way to run the controller. */
interface Mode {
  readonly key: 'demand' | 'pool' | 'verified';
  readonly words: string;
  readonly pool: object;
}

const MODES: readonly Mode[] = [
  { key: 'demand', words: 'made on demand', pool: { ...QUIET, minimum: 0, maximum: 0, batch: 1 } },
  { key: 'pool', words: 'from the pool', pool: { ...QUIET, minimum: 5 } },
  { key: 'verified', words: 'from the pool, verify: true', pool: { ...QUIET, minimum: 5, verify: true } },
];

interface Measured {
  readonly took: Timing;
  /** From the request that makes the pod, which is answered when it is bound. */
  readonly sentMs: number;
  /** Of that, from the moment at which the controller saw the pod to its interfaces in the KuryrPort: mean. */
  readonly controllerMs: number;
  /** Of Neutron, by the controller: for each pod. */
  readonly calls: number;
}

type Series = Map<string, Measured>;
const keyOf = (mode: Mode['key'], vif: BenchVif, pods: number) => `${mode} ${vif} ${pods}`;

export interface PodSizes {
  readonly rounds: number;
  /** Bursts of more pods are left out. */
  readonly podsMost: number;
}

/** Pods from the scheduler's word to the return of CNI ADD, with a real API server, Neutron and agent, with and without a pool. */
export async function benchPods({ rounds, podsMost }: PodSizes, found: Found): Promise<void> {
  const { lab, reason } = findLab({ services: ['ovs'], network: 'ovs' });
  if (lab === undefined) throw new Error(reason);
  await using parts = new AsyncDisposableStack();
  const opened = <T extends { close(): Promise<void> }>(one: T) => parts.adopt(one, (it) => it.close());
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
  const bursts = BURSTS.filter(({ pods }) => pods <= podsMost);
  const series: Series = new Map();
  for (const mode of MODES) await runMode(place, mode, { rounds, bursts }, series, found);
  tellAll(place.vifs, series, bursts, found);
}

interface Wanted {
  readonly rounds: number;
  readonly bursts: readonly (typeof BURSTS)[number][];
}

async function runMode(place: Place, mode: Mode, wanted: Wanted, series: Series, found: Found): Promise<void> {
  const { cluster, cloud } = place;
  const { neutron, env } = cloud.settings(cluster.folder);
  const most = Math.max(1, ...wanted.bursts.map(({ pods }) => pods)) + SPARE;
  if (mode.key === 'pool') await fill(place, most);
  const drivers = { vif: 'neutron-vif', vifs: ['nested-vlan'] };
  const controller = await cluster.controller({ drivers, neutron, pool: mode.pool, linux: undefined }, env);
  try {
    for (const vif of place.vifs) {
      const ready = mode.key === 'demand' ? 0 : most;
      const run: Run = { place, controller, vif, ready };
      await settle(run);
      // For its first pod, the controller reads the subnet, which it then keeps for minutes; and programs get faster with use.
      await repeat(run, 1, mode.key === 'demand' ? 1 : WARM);
      const singles = await repeat(run, 1, wanted.rounds);
      series.set(keyOf(mode.key, vif, 1), singles);
      found.row({
        ...singles.took,
        what: `one pod, ${VIF_WORDS[vif]}: ${mode.words}`,
        ...(mode.key === 'demand' ? {} : { goalMs: GOAL_MS }),
      });
      if (mode.key === 'verified') continue;
      for (const { pods, pooled, demanded } of wanted.bursts) {
        const times = mode.key === 'pool' ? pooled : demanded;
        const burst = await repeat(run, pods, times);
        series.set(keyOf(mode.key, vif, pods), burst);
        found.row({ ...burst.took, what: `${pods} pods at once, until the last, ${VIF_WORDS[vif]}: ${mode.words}` });
      }
    }
    if (mode.key === 'pool') await reach(place, found);
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

interface Run {
  readonly place: Place;
  readonly controller: ControllerProcess;
  readonly vif: BenchVif;
  /** Ports that lie in the pool between two rounds; 0: there is none. */
  readonly ready: number;
}

/** So many pods in one moment, so many times: for one, from its binding to its network; for many, from the first request to the last. */
async function repeat(run: Run, pods: number, times: number): Promise<Measured> {
  const { place, controller, vif, ready } = run;
  const node = place.nodes[vif];
  const took: number[] = [];
  const sent: number[] = [];
  const sums = { calls: 0, portS: 0, ports: 0 };
  for (let round = 0; round < times; round += 1) {
    const sandboxes = node.sandboxes(pods);
    const before = await counted(controller);
    let all: readonly PodTimes[];
    try {
      all = await allOf(sandboxes.map((sandbox) => node.start(sandbox)));
      const after = await counted(controller);
      for (const key of ['calls', 'portS', 'ports'] as const) sums[key] += after[key] - before[key];
    } finally {
      await node.end(sandboxes);
    }
    const lastMs = Math.max(...all.map(({ readyMs }) => readyMs));
    const firstMs = Math.min(...all.map(({ sentMs }) => sentMs));
    took.push(lastMs - (pods === 1 ? all[0]!.boundMs : firstMs));
    sent.push(lastMs - firstMs);
    // Of singles, each takes another port of the pool: none has to be forgotten by its agent first.
    if (pods > 1 || ready === 0 || round + 1 === times) await settle(run);
    else await returned(run);
  }
  return {
    took: timing('', took),
    sentMs: timing('', sent).p50,
    controllerMs: (sums.portS / sums.ports) * 1_000,
    calls: sums.calls / times / pods,
  };
}

/** Nothing is under way any more when one has failed. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(work);
}

async function counted(controller: ControllerProcess) {
  return {
    calls: await controller.count('kuryr_cloud_request_seconds_count', { service: 'network' }),
    portS: await controller.count('kuryr_port_seconds_sum'),
    ports: await controller.count('kuryr_port_seconds_count'),
  };
}

/** What pods had that are gone lies in the pool again. */
async function returned({ place, controller, vif, ready }: Run): Promise<void> {
  await place.cluster.untilEmpty();
  for (const deadline = performance.now() + SETTLE_MS; ; ) {
    // On bare metal, they are plugged there.
    const state = vif === 'neutron-vif' ? 'active' : 'ready';
    const now = await controller.count('kuryr_pool_ports', { vif, state });
    if (now >= ready) return;
    if (performance.now() > deadline) throw new Error(`only ${now} of ${ready} ports of the pool are ${state}`);
    await systemClock.sleep(POLL_MS);
  }
}

/** As before the first pod: where there is no pool, the cloud has forgotten those that are gone. */
async function settle(run: Run): Promise<void> {
  await returned(run);
  if (run.ready === 0) await run.place.cloud.until('only the port of the node is left', (all) => all.length === 1);
}

/** Ports that are free, made as the controller makes them: it finds them when it starts. */
async function fill({ cluster, cloud, vifs }: Place, count: number): Promise<void> {
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
  }
}

/** Pods of both nodes are in one network, or the rest would mean nothing. */
async function reach({ nodes, vifs }: Place, found: Found): Promise<void> {
  const pods: { readonly node: BenchNode; readonly sandbox: Sandbox; readonly address: string }[] = [];
  try {
    for (const vif of vifs) {
      for (const sandbox of nodes[vif].sandboxes(2)) {
        const { address } = await nodes[vif].start(sandbox);
        pods.push({ node: nodes[vif], sandbox, address });
      }
    }
    // The first packets may come before the agent has written its flows.
    for (const { address } of pods.slice(1)) {
      const deadline = performance.now() + PING_MS;
      while (!pings(pods[0]!.sandbox.netns, address))
        if (performance.now() > deadline) throw new Error(`a pod of ${pods[0]!.node.name} does not reach ${address}`);
    }
    found.note(`a pod reached the others (ping): ${vifs.map((vif) => VIF_WORDS[vif]).join(', and ')}`);
  } finally {
    for (const { node, sandbox } of pods) await node.end([sandbox]);
  }
}

function tellAll(vifs: readonly BenchVif[], series: Series, bursts: Wanted['bursts'], found: Found): void {
  const round = (value: number) => Math.round(value * 100) / 100;
  for (const vif of vifs) {
    const of = (mode: Mode['key'], pods: number) => series.get(keyOf(mode, vif, pods))!;
    for (const { key, words } of MODES) {
      const { calls, sentMs, controllerMs } = of(key, 1);
      const what = `one pod, ${VIF_WORDS[vif]}, ${words}`;
      found.figure(`${what}: calls of Neutron`, round(calls), CALLS_MOST[key]);
      found.figure(`${what}: ms from the request that makes it, median`, round(sentMs));
      found.figure(`${what}: of that the controller until its interfaces are written, mean ms`, round(controllerMs));
    }
    const one = [of('pool', 1), of('demand', 1)] as const;
    found.ratio(ratioOf(`one pod, ${VIF_WORDS[vif]}: pool / on demand`, one[0].took, one[1].took, RATIO_MOST));
    for (const { pods } of bursts) {
      const [pool, demand] = [of('pool', pods), of('demand', pods)];
      found.ratio(ratioOf(`${pods} pods at once, ${VIF_WORDS[vif]}: pool / on demand`, pool.took, demand.took));
      found.burst({
        vif,
        pods,
        poolMs: pool.took.p50,
        demandMs: demand.took.p50,
        poolCalls: Math.round(pool.calls * pods),
        demandCalls: Math.round(demand.calls * pods),
      });
    }
  }
}
