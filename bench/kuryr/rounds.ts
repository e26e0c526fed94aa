import { type Timing, timing } from '../statistics.ts';
import type { CloudPart } from './cloud-part.ts';
import type { ClusterPart } from './cluster-part.ts';
import type { ControllerProcess } from './controller-process.ts';
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
  /** Milliseconds of the processors for each pod, by program: of the last round. */
  readonly spent: readonly (readonly [string, number])[];
}

export interface Run extends Rest {
  readonly node: BenchNode;
}

/** So many pods in one moment, so many times: for one, from its binding to its network; for many, from the first request to the last. */
export async function repeat(run: Run, pods: number, times: number): Promise<Measured> {
  const { node, controller, ready } = run;
  const took: number[] = [];
  const sent: number[] = [];
  const sums = { calls: 0, portS: 0, ports: 0 };
  let spent: Measured['spent'] = [];
  for (let round = 0; round < times; round += 1) {
    const sandboxes = node.sandboxes(pods);
    const before = await counted(controller);
    const called = new Map([...node.processes, [controller.pid, 'controller'], [process.pid, 'measurement']] as const);
    const used = processorByProgram(called);
    let all: readonly PodTimes[];
    try {
      all = await allOf(sandboxes.map((sandbox) => node.start(sandbox)));
      spent = mostSpent(used, processorByProgram(called), SPENDERS);
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
    spent: spent.map(([program, processorS]) => [program, (processorS * 1_000) / pods]),
  };
}

async function counted(controller: ControllerProcess) {
  return {
    calls: await controller.count('kuryr_cloud_request_seconds_count', { service: 'network' }),
    portS: await controller.count('kuryr_port_seconds_sum'),
    ports: await controller.count('kuryr_port_seconds_count'),
  };
}
