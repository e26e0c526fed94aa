import { type Timing, timing } from '../statistics.ts';
import type { CloudPart } from './cloud-part.ts';
import type { ClusterPart } from './cluster-part.ts';
import type { BenchNode } from './node.ts';
import type { PodTimes } from './played-node.ts';
import type { BenchVif } from './report.ts';
import { allOf, type Rest, returned, settle } from './settle.ts';
import { mostSpent, processorByProgram } from './usage.ts';

/** Programs that are told of. */
const SPENDERS = 8;

export interface Place {
  /** Those that are measured. */
  readonly vifs: readonly BenchVif[];
  readonly cluster: ClusterPart;
  readonly cloud: CloudPart;
  readonly nodes: Readonly<Record<BenchVif, BenchNode>>;
}

export interface Measured {
  readonly took: Timing;
  /** From the request that makes the pod, which is answered when it is bound. */
  readonly sentMs: number;
  /** Of that, from the moment at which the controller saw the pod to its interfaces in the KuryrPort: mean. */
  readonly controllerMs: number;
  /** Of Neutron, by the controller: for each pod. */
  readonly calls: number;
  /** Of the last round. */
  readonly spent: Spent;
  /** The round that took longest. */
  readonly slowest: Round;
}

/** Milliseconds of the processors for each pod, by program: those that took most. */
export type Spent = readonly (readonly [string, number])[];

export interface Round {
  readonly tookMs: number;
  /** From the first request to the last answer that a pod is bound. */
  readonly boundMs: number;
  /** ADDs that had to be asked for again. */
  readonly again: number;
  /** Ports that were handed out before they carried traffic. */
  readonly late: number;
}

export interface Run extends Rest {
  readonly node: BenchNode;
}

/** So many pods in one moment, so many times: for one, from its binding to its network; for many, from the first request to the last. */
export async function repeat(run: Run, pods: number, times: number): Promise<Measured> {
  const { cluster, node, ready } = run;
  const rounds: Round[] = [];
  const sent: number[] = [];
  const sums = { calls: 0, portS: 0, ports: 0 };
  let spent: Measured['spent'] = [];
  for (let round = 0; round < times; round += 1) {
    const sandboxes = node.sandboxes(pods);
    const before = await counted(run);
    await cluster.connect(pods);
    const spentSince = spending(run, pods);
    let all: readonly PodTimes[];
    let after: typeof before;
    try {
      all = await allOf(sandboxes.map((sandbox) => node.start(sandbox)));
      spent = spentSince();
      after = await counted(run);
      for (const key of ['calls', 'portS', 'ports'] as const) sums[key] += after[key] - before[key];
    } finally {
      await node.end(sandboxes);
    }
    const lastMs = Math.max(...all.map(({ readyMs }) => readyMs));
    const firstMs = Math.min(...all.map(({ sentMs }) => sentMs));
    rounds.push({
      tookMs: lastMs - (pods === 1 ? all[0]!.boundMs : firstMs),
      boundMs: Math.max(...all.map(({ boundMs }) => boundMs)) - firstMs,
      again: after.again - before.again,
      late: after.late - before.late,
    });
    sent.push(lastMs - firstMs);
    // Of singles, each takes another port of the pool: none has to be forgotten by its agent first.
    if (pods > 1 || ready === 0 || round + 1 === times) await settle(run);
    else await returned(run);
  }
  const took = rounds.map(({ tookMs }) => tookMs);
  return {
    took: timing('', took),
    sentMs: timing('', sent).p50,
    controllerMs: (sums.portS / sums.ports) * 1_000,
    calls: sums.calls / times / pods,
    spent,
    slowest: rounds.reduce((slowest, one) => (one.tookMs > slowest.tookMs ? one : slowest)),
  };
}

/** Tells what the programs of this machine took since it was called. */
export function spending({ node, controller }: Pick<Run, 'node' | 'controller'>, pods: number): () => Spent {
  const called = new Map([...node.processes, [controller.pid, 'controller'], [process.pid, 'measurement']] as const);
  const before = processorByProgram(called);
  return () =>
    mostSpent(before, processorByProgram(called), SPENDERS).map(([program, processorS]) => [
      program,
      (processorS * 1_000) / pods,
    ]);
}

async function counted({ controller, node }: Pick<Run, 'node' | 'controller'>) {
  return {
    again: node.retries,
    late: await controller.count('kuryr_pool_asked_total', { outcome: 'late' }),
    calls: await controller.count('kuryr_cloud_request_seconds_count', { service: 'network' }),
    portS: await controller.count('kuryr_port_seconds_sum'),
    ports: await controller.count('kuryr_port_seconds_count'),
  };
}
