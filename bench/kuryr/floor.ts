import type { ObjectWatch, Pod } from '@superfluidity/driver-kubernetes';
import { type Timing, timing } from '../statistics.ts';
import { type Run, type Spent, spending } from './rounds.ts';
import { allOf } from './settle.ts';

const WAIT_MS = 60_000;

export interface Floor {
  readonly took: Timing;
  /** Of the last round. */
  readonly spent: Spent;
}

/**
 * As many pods in one moment without a network of their own, so many times: made by the same requests of the same process to the same API server, but in
 * the network of their node, so that Kuryr has nothing to do. From the first request until a watch like that of a kubelet has told the node
 * of the last. What the same pods take beside it is what their networks take.
 */
export async function floorOf(run: Run, pods: number, times: number): Promise<Floor> {
  const { cluster, node } = run;
  const took: number[] = [];
  let spent: Spent = [];
  const watch = cluster.podsOf(node.name);
  watch.start();
  try {
    await watch.known(AbortSignal.timeout(WAIT_MS));
    for (let round = 0; round < times; round += 1) {
      const names = Array.from({ length: pods }, (_, at) => `${node.name}-host-${at}`);
      await has(watch, 0);
      await cluster.connect(pods);
      const spentSince = spending(run, pods);
      const startedMs = performance.now();
      try {
        const seen = has(watch, pods).then(() => performance.now() - startedMs);
        const made = names.map((name) => cluster.createPod(name, node.name, { hostNetwork: true }));
        const [seenMs] = await Promise.all([seen, allOf(made)]);
        spent = spentSince();
        took.push(seenMs);
      } finally {
        await Promise.all(names.map((name) => cluster.deletePod(name)));
      }
    }
  } finally {
    await watch.stop();
  }
  return { took: timing('', took), spent };
}

async function has(watch: ObjectWatch<Pod>, pods: number): Promise<void> {
  await watch.when(
    () => watch.all().length,
    (count) => count === pods,
    AbortSignal.timeout(WAIT_MS),
  );
}
