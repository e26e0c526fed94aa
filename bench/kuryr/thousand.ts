import { ClusterPart } from './cluster-part.ts';
import type { Found } from './report.ts';

const NODES = 4;
const REQUESTS_AT_ONCE = 32;
const GOAL = { processorS: 60, memoryMiB: 300 } as const;

/**
 * So many pods, made as fast as the API server takes them, and deleted: what that takes of the controller. Nobody plugs them, since nodes
 * are objects only; addresses are of the built-in fabric, so that no cloud is waited for.
 */
export async function benchThousand(pods: number, found: Found): Promise<void> {
  const cluster = await ClusterPart.open();
  try {
    const nodes = Array.from({ length: NODES }, (_, at) => `${cluster.namespace}-n${at}`);
    for (const [at, name] of nodes.entries()) {
      const podCIDR = `10.${210 + at}.0.0/20`;
      await cluster.addNode(name, { spec: { podCIDR, podCIDRs: [podCIDR] } });
    }
    const controller = await cluster.controller({});
    try {
      const idle = controller.usage();
      const names = Array.from({ length: pods }, (_, at) => `pod-${at}`);
      const startedMs = performance.now();
      await inTurns(names, (name, at) => cluster.createPod(name, nodes[at % NODES]!));
      await cluster.untilReady(pods);
      const readyMs = performance.now() - startedMs;
      await inTurns(names, (name) => cluster.deletePod(name));
      await cluster.untilEmpty();
      const tookMs = performance.now() - startedMs;
      const { processorS, peakMiB } = controller.usage();
      const tenths = (value: number) => Math.round(value * 10) / 10;
      const what = `${pods} pods created and deleted`;
      found.figure(`${what}: seconds until all have interfaces`, tenths(readyMs / 1_000));
      found.figure(`${what}: seconds until all is given back`, tenths(tookMs / 1_000));
      const usedS = tenths(processorS - idle.processorS);
      found.figure(`${what}: seconds of processor time of the controller`, usedS, GOAL.processorS);
      found.figure(`${what}: MiB of memory of the controller`, peakMiB, GOAL.memoryMiB);
    } finally {
      await controller.stop();
    }
  } finally {
    await cluster.close();
  }
}

async function inTurns<T>(all: readonly T[], work: (one: T, at: number) => Promise<void>): Promise<void> {
  const left = [...all.entries()];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
}
