import { existsSync } from 'node:fs';
import { run } from '../command.ts';
import { ADDRESSES, inNamespace, type Lab, namespaceOf, nodesOf } from './lab.ts';

const PREFIX_LENGTH = 24;

/**
 * The network of the nodes: a bridge in the namespace of the control plane, to which each node has a wire. All of it is in
 * namespaces: the machine's own addresses, routes and filters stay as they are.
 */
export async function ensureNamespaces(lab: Lab): Promise<void> {
  const hub = namespaceOf(lab.paths);
  const nodes = nodesOf(lab);
  if (await ensureNamespace(hub)) {
    await ip(hub, 'link', 'add', 'nodes', 'type', 'bridge');
    await ip(hub, 'address', 'add', `${ADDRESSES.controlPlane}/${PREFIX_LENGTH}`, 'dev', 'nodes');
    await ip(hub, 'link', 'set', 'nodes', 'up');
  }
  for (const { name, namespace, address } of nodes) {
    if (!(await ensureNamespace(namespace))) continue;
    await run(['ip', 'link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', name, 'netns', hub]);
    await ip(hub, 'link', 'set', name, 'master', 'nodes', 'up');
    await ip(namespace, 'address', 'add', `${address}/${PREFIX_LENGTH}`, 'dev', 'eth0');
    await ip(namespace, 'link', 'set', 'eth0', 'up');
    await ip(namespace, 'route', 'add', 'default', 'via', ADDRESSES.controlPlane);
    await run(inNamespace(namespace, ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']));
  }
  if (lab.options.network !== 'bridge') return;
  for (const { namespace, name } of [{ namespace: hub, name: '' }, ...nodes]) {
    for (const other of nodes.filter((one) => one.name !== name))
      await ip(namespace, 'route', 'replace', other.podPrefix, 'via', other.address);
  }
}

/** Their devices and routes go with them. */
export async function removeNamespaces(lab: Pick<Lab, 'options' | 'paths'>): Promise<void> {
  for (const name of [...nodesOf(lab).map(({ namespace }) => namespace), namespaceOf(lab.paths)])
    if (exists(name)) await run(['ip', 'netns', 'delete', name]);
}

async function ensureNamespace(name: string): Promise<boolean> {
  if (exists(name)) return false;
  await run(['ip', 'netns', 'add', name]);
  await ip(name, 'link', 'set', 'lo', 'up');
  return true;
}

function exists(name: string): boolean {
  return existsSync(`/run/netns/${name}`);
}

async function ip(namespace: string, ...args: readonly string[]): Promise<void> {
  await run(['ip', '-n', namespace, ...args]);
}
