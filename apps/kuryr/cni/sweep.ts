import { listLinks } from '@superfluidity/netlink';
import type { NodeNetwork } from './node-network.ts';
import { aliasMark, unplug } from './plug.ts';

/**
 * Removes what has our mark and belongs to nothing: Open vSwitch keeps ports over a restart of the machine, and a daemon may be
 * killed at any moment.
 */
export async function sweep(
  node: NodeNetwork,
  isKept: (device: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const mark = aliasMark(node);
  const devices = listLinks(node.namespace).flatMap(({ name, alias }) => (alias?.startsWith(mark) ? [name] : []));
  let ports: readonly string[] = [];
  try {
    ports = await node.vswitch.ownPorts(node.name, signal);
  } catch (error) {
    // A node without it has no ports in it either.
    node.log.debug({ error: String(error) }, 'ports of Open vSwitch were not looked at');
  }
  const made = [
    ...ports.filter((device) => !isKept(device)).map((device) => ({ name: '', device, vswitch: '' })),
    ...devices.filter((device) => !isKept(device) && !ports.includes(device)).map((device) => ({ name: '', device })),
  ];
  if (made.length === 0) return;
  node.log.info({ devices: made.map(({ device }) => device) }, 'what belongs to no pod is removed');
  await unplug(node, { made, netns: '', netnsId: 0 }, signal);
}
