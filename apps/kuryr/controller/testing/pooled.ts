import type { Replica, TestCluster } from './cluster.ts';

interface Pooled {
  readonly ready: number;
  readonly making: number;
  readonly inUse: number;
}

/** Ports of the pools of a controller; with `pool`, of those whose name has it. */
export async function pooled(cluster: TestCluster, replica: Replica, pool = ''): Promise<Pooled> {
  const { text } = await cluster.ask(replica, '/metrics');
  const sum = (state: string) => {
    const lines = text.matchAll(
      new RegExp(`^kuryr_pool_ports\\{.*pool="[^"]*${pool}[^"]*".*state="${state}"\\} (\\d+)$`, 'gm'),
    );
    return [...lines].reduce((total, [, count]) => total + Number(count), 0);
  };
  return { ready: sum('ready'), making: sum('making'), inUse: sum('inUse') };
}
