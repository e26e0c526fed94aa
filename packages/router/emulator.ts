import { changeLink, createNamespace, deleteNamespace, transact } from '@superfluidity/netlink';
import { delayPackets } from './netem.ts';
import { PROBE_PREFIX } from './scope.ts';

export type LinkEmulator = 'netem' | 'relay';

/** The kernel does not change while we run. */
let known: LinkEmulator | undefined;

/** Who makes the packets of links late: the kernel where it can, else a program in their way. */
export function linkEmulator(): LinkEmulator {
  known ??= probe();
  return known;
}

function probe(): LinkEmulator {
  const namespace = `${PROBE_PREFIX}${process.pid}-${Math.floor(performance.now() * 1000) % 1e9}`;
  createNamespace(namespace);
  try {
    transact(namespace, [changeLink(1, { up: true }), delayPackets(1, { delayMs: 1 })]);
    return 'netem';
  } catch {
    return 'relay';
  } finally {
    deleteNamespace(namespace);
  }
}
