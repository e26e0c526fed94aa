import { statSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { isSuperfluidityError, shortName } from '@superfluidity/core';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import {
  addAddress,
  changeLink,
  createBridge,
  createMacvlan,
  createVeth,
  createVlan,
  deleteLink,
  disableOffloads,
  errnoOf,
  forgetNamespace,
  forwardNow,
  getLink,
  hairpin,
  inNamespace,
  type Link,
  linkIndex,
  listAddresses,
  type NamespaceName,
  namespaceInode,
  networkBytes,
  parsePrefix,
  replaceAddress,
  replaceRoute,
  transact,
  transactAside,
  transactTolerating,
  writeSysctl,
} from '@superfluidity/netlink';
import { deviceOf } from '../api/device.ts';
import type { Made } from './attachments.ts';
import { type NodeNetwork, trunkDevice } from './node-network.ts';
import { type Plugged, routesOf } from './result.ts';
import { CniError, CODES } from './specification.ts';
import { MARK, type VSwitchPort } from './vswitch.ts';

/** One interface of a pod, and where it is to be. */
export interface Wish {
  /** In the pod. */
  readonly name: string;
  readonly netns: string;
  /** What the port belongs to, for those who look at the node. */
  readonly pod: string;
  readonly podUid: string;
  readonly wish: PodInterface;
}

/** What of a port is known before a pod has it. */
export type Ahead = Pick<PodInterface, 'id' | 'mac' | 'mtu' | 'plugging'>;

const GONE = ['ENODEV', 'ESRCH', 'ENOENT'] as const;
/** As long as the kernel keeps them. */
const ALIAS_BYTES = 255;

/** With what the alias of each device of this node begins: by that it is known again. */
export const aliasMark = ({ name }: Pick<NodeNetwork, 'name'>): string => `superfluidity-kuryr-${shortName('', name)} `;

export const aliasOf = (node: NodeNetwork, pod: string, name: string): string =>
  `${aliasMark(node)}${pod} ${name}`.slice(0, ALIAS_BYTES);

/** High, so that a bridge does not take it for its own: bridges have the lowest address of their ports. */
export const nodeMac = (mac: string): string => `fe${mac.toLowerCase().slice(2)}`;

/** The bridge of Open vSwitch by which this node plugs such a port; undefined where it does so without. */
export function vswitchOf(
  { hasVlans, trunk }: Pick<NodeNetwork, 'hasVlans' | 'trunk'>,
  plugging: PodInterface['plugging'],
): string | undefined {
  if (plugging.kind === 'ovs') return plugging.bridge;
  return plugging.kind === 'vlan' && !hasVlans ? trunk.bridge : undefined;
}

/** What `plug` will make, known before anything is: it is written down first. */
export function planned(node: NodeNetwork, { name, wish }: Wish): Made {
  const { plugging, id } = wish;
  const device = deviceOf(id);
  if (plugging.kind === 'macvlan' || (plugging.kind === 'vlan' && node.hasVlans)) return { name, draft: device };
  if (plugging.kind === 'bridge') return { name, device };
  const vswitch = vswitchOf(node, plugging);
  if (vswitch !== undefined) return { name, device, vswitch };
  throw new CniError(
    CODES.plug,
    'this node cannot carry VLANs',
    'its kernel has no 802.1Q, and the daemon was given no bridge of Open vSwitch (--trunk-bridge)',
  );
}

/** Throws `CniError` or `SF-CNI-OVSDB`; what there is of it then, `unplug` removes. */
export async function plug(node: NodeNetwork, wanted: Wish, signal: AbortSignal): Promise<Plugged> {
  const made = planned(node, wanted);
  const { name, netns, wish } = wanted;
  try {
    if (made.device === undefined) await plugOver(node, wanted);
    else if (made.vswitch === undefined) await plugBridge(node, wanted, made.device);
    else await plugVSwitch(node, wanted, made.device, made.vswitch, signal);
  } catch (error) {
    throw explained(error, wanted);
  }
  const host = made.device === undefined ? {} : { host: { name: made.device, mac: nodeMac(wish.mac) } };
  return { name, netns, wish, ...host };
}

export function explained(error: unknown, { name, netns, wish }: Wish): unknown {
  if (error instanceof CniError || isSuperfluidityError(error, 'SF-CNI-OVSDB')) return error;
  const details = error instanceof Error ? error.message : String(error);
  if (errnoOf(error) !== 'EEXIST')
    return new CniError(CODES.plug, `interface ${name} cannot be plugged`, details, error);
  if (linkIn(netns, name) !== undefined)
    return new CniError(CODES.plug, `the container has an interface ${name} already`, details, error);
  // A VLAN of a sandbox that is not gone yet.
  return new CniError(CODES.again, `port ${wish.id} is still plugged elsewhere on this node`, details, error);
}

/** Without `netns` both ends are on the node. */
export async function makePair(
  node: NodeNetwork,
  wanted: Pick<Wish, 'name' | 'pod'> & { readonly netns: string | undefined; readonly wish: Ahead },
  device: string,
  master?: number,
): Promise<void> {
  const { name, netns, pod, wish } = wanted;
  const mac = nodeMac(wish.mac);
  const create = async () => {
    await transactAside(node.namespace, [
      createVeth(
        { name: device, mac, mtu: wish.mtu, up: true, ...(master === undefined ? {} : { master }) },
        { name, mac: wish.mac, mtu: wish.mtu, ...(netns === undefined ? {} : { namespace: netns }) },
      ),
    ]);
    // Not in one batch: the kernel would go on behind a refusal, and mark what is not ours.
    transact(node.namespace, [changeLink(device, { alias: aliasOf(node, pod, name) })]);
  };
  try {
    await create();
  } catch (error) {
    // Of a daemon that was killed before it could write down that it was gone: its port is this one.
    if (errnoOf(error) !== 'EEXIST' || linkIn(node.namespace, device)?.alias?.startsWith(aliasMark(node)) !== true)
      throw error;
    await removeDevice(node.namespace, device);
    await create();
  }
}

async function plugBridge(node: NodeNetwork, wanted: Wish, device: string): Promise<void> {
  const { plugging, mtu } = wanted.wish;
  if (plugging.kind !== 'bridge') throw new TypeError(plugging.kind);
  const bridge = linkIn(node.namespace, plugging.bridge) ?? makeBridge(node, mtu, plugging.bridge);
  if (bridge.kind !== 'bridge') throw new CniError(CODES.plug, `${plugging.bridge} of the node is no bridge`);
  if (bridge.alias === OWN_BRIDGE) giveGateway(node, bridge, wanted.wish);
  await makePair(node, wanted, device, bridge.index);
  fitting(getLink(node.namespace, bridge.index), mtu);
  configure(wanted);
  const port = linkIndex(node.namespace, device);
  // A pod may be a member of a Service that it asks.
  transact(node.namespace, [hairpin(port)]);
  transactTolerating(node.namespace, ['ENETDOWN', 'EBUSY'], [forwardNow(port)]);
}

/** The alias of a bridge that was made here. Not one of those by which what belongs to no pod is removed. */
const OWN_BRIDGE = 'of pods, by superfluidity-kuryr';

/** Where nobody else makes it. */
function makeBridge(node: NodeNetwork, mtu: number, name: string): Link {
  if (!node.makesBridges)
    throw new CniError(
      CODES.again,
      `the node has no bridge ${name}`,
      'whoever brings the network of the node has not made it yet; with --make-bridges the daemon does',
    );
  transactTolerating(node.namespace, ['EEXIST'], [createBridge({ name, mtu, up: true })]);
  const bridge = getLink(node.namespace, name);
  // An address of its own, so that ports that come and go do not change it.
  transact(node.namespace, [changeLink(bridge.index, { mac: bridge.mac!, up: true, alias: OWN_BRIDGE })]);
  return { ...bridge, alias: OWN_BRIDGE };
}

/** Of each network whose pods are on the bridge, so that the node routes for them and between them. */
function giveGateway(node: NodeNetwork, bridge: Link, { gateway, addresses }: PodInterface): void {
  const length = addresses.find((address) => address.includes(':') === gateway?.includes(':'))?.split('/')[1];
  if (gateway === undefined || length === undefined) return;
  const given = `${gateway}/${length}`;
  if (listAddresses(node.namespace, bridge.index).some(({ address }) => address === given)) return;
  transact(node.namespace, [replaceAddress(bridge.index, { address: given })]);
  tolerant(() =>
    writeSysctl(node.namespace, gateway.includes(':') ? 'net.ipv6.conf.all.forwarding' : 'net.ipv4.ip_forward', 1),
  );
}

async function plugVSwitch(
  node: NodeNetwork,
  wanted: Wish,
  device: string,
  bridge: string,
  signal: AbortSignal,
): Promise<void> {
  const { name, netns, wish } = wanted;
  fittingTrunk(node, wish);
  await makePair(node, wanted, device);
  const added = addPort(node, wanted, device, bridge, signal);
  try {
    configure(wanted);
  } finally {
    // Whatever happened here: nothing is under way when this ends.
    await added.catch(() => {});
  }
  if ((await added).isUserSpace) completePackets(netns, name);
}

/** A process that reads packets gets them as they are: nobody behind it would complete checksums or cut segments. */
export function completePackets(netns: NamespaceName, name: string): void {
  disableOffloads(netns, name);
}

export async function addPort(
  node: NodeNetwork,
  { podUid, wish }: { readonly podUid?: string; readonly wish: Ahead },
  device: string,
  bridge: string,
  signal: AbortSignal,
): Promise<{ readonly isUserSpace: boolean }> {
  const { plugging, mac } = wish;
  const ids = {
    'iface-id': wish.id,
    'attached-mac': mac.toLowerCase(),
    'iface-status': 'active',
    // What is plugged ahead is nobody's yet.
    ...(podUid === undefined ? {} : { 'vm-uuid': podUid }),
  };
  const port: VSwitchPort = {
    bridge,
    device,
    ids: { [MARK]: node.name, ...(plugging.kind === 'ovs' ? { ...ids, 'iface-id': plugging.interfaceId } : {}) },
    ...(plugging.kind === 'vlan' ? { tag: plugging.id } : {}),
  };
  try {
    return await node.vswitch.addPort(port, signal);
  } catch (error) {
    // A port of that name, left by a daemon that was killed.
    if (!String(error).includes('constraint violation')) throw error;
    await node.vswitch.removePorts([device], signal);
    return await node.vswitch.addPort(port, signal);
  }
}

/** A device of the pod over the one of the node, with nothing on the node. */
async function plugOver(node: NodeNetwork, wanted: Wish): Promise<void> {
  const { name, netns, wish } = wanted;
  const device = trunkDevice(node);
  const parent = device === undefined ? undefined : linkIn(node.namespace, device);
  if (parent === undefined)
    throw new CniError(
      CODES.again,
      `the node has no ${device ?? 'default route'}`,
      'its own port is not there yet, or is another: --trunk-device names it',
    );
  fitting(parent, wish.mtu);
  // Older kernels, such as 6.1, refuse a name that the node itself has, though the device will be elsewhere: nodes have an eth0 too.
  const draft = deviceOf(wish.id);
  const link = { name: draft, mac: wish.mac, mtu: wish.mtu, namespace: netns };
  const create =
    wish.plugging.kind === 'vlan'
      ? createVlan(parent.index, wish.plugging.id, link)
      : createMacvlan(parent.index, link);
  await transactAside(node.namespace, [create]);
  transact(netns, [changeLink(linkIndex(netns, draft), { rename: name })]);
  configure(wanted);
}

/** What goes by the node's own port has to fit through it. */
export function fittingTrunk(node: NodeNetwork, { plugging, mtu }: Pick<Ahead, 'plugging' | 'mtu'>): void {
  if (plugging.kind !== 'vlan') return;
  const parent = trunkDevice(node);
  const link = parent === undefined ? undefined : linkIn(node.namespace, parent);
  if (link !== undefined) fitting(link, mtu);
}

function fitting({ name, mtu: largest }: Link, mtu: number): void {
  if (largest >= mtu) return;
  throw new CniError(
    CODES.mtu,
    `packets of ${mtu} bytes do not go through ${name}`,
    `its MTU is ${largest}; give the network of the pods a smaller one, or ${name} a larger one`,
  );
}

/** Addresses and routes, in the pod. */
export function configure({ name, netns, wish }: Wish): void {
  const index = linkIndex(netns, name);
  const conf = (family: string) => `net/${family}/conf/${name}/`;
  // Who had the address before is forgotten by those who knew it: neighbours are told as the device comes up.
  tolerant(() => writeSysctl(netns, `${conf('ipv4')}arp_notify`, 1));
  // As runtimes do: where no address of it is handed out, nobody asked for one of its links either, and its looks for neighbours,
  // routers and groups, half a dozen packets for each pod, would go to all others of the network; and policies are of IPv4 alone.
  const hasIpv6 = wish.addresses.some((address) => address.includes(':'));
  if (wish.addresses.length > 0) tolerant(() => writeSysctl(netns, `${conf('ipv6')}disable_ipv6`, hasIpv6 ? 0 : 1));
  const networks = wish.addresses.map((address) => parsePrefix(address));
  const isNear = (hop: string) => {
    const { family, bytes } = parsePrefix(`${hop}/${isIPv6(hop) ? 128 : 32}`);
    return networks.some(
      (network) =>
        network.family === family &&
        networkBytes({ family, bytes, length: network.length }).equals(networkBytes(network)),
    );
  };
  transact(netns, [
    ...wish.addresses.map((address) => addAddress(index, { address })),
    changeLink(index, { up: true }),
    ...routesOf(wish).map(({ destination, nextHop }) =>
      replaceRoute({ destination, via: nextHop, device: index, ...(isNear(nextHop) ? {} : { onlink: true }) }),
    ),
  ]);
}

export function tolerant(work: () => void): void {
  try {
    work();
  } catch {
    // A kernel without it, or a file system that may not be written: the interface works without.
  }
}

export function linkIn(namespace: NamespaceName, device: number | string): Link | undefined {
  try {
    return getLink(namespace, device);
  } catch (error) {
    if (GONE.includes(errnoOf(error) as never)) return undefined;
    throw error;
  }
}

export async function removeDevice(namespace: NamespaceName, device: number | string): Promise<void> {
  try {
    await transactAside(namespace, [deleteLink(device)]);
  } catch (error) {
    if (!GONE.includes(errnoOf(error) as never)) throw error;
  }
}

/** Identifies the network namespace at a path; undefined where there is none. Followed by `leaveNetns`. */
export function netnsId(path: string): number | undefined {
  try {
    // Opened, a pipe would wait for its other end; what cannot be entered is none.
    if (!statSync(path).isFile()) return undefined;
    return inNamespace(path, () => namespaceInode(path));
  } catch {
    leaveNetns(path);
    return undefined;
  }
}

/** Keeps no namespace alive that its container gave up. */
export function leaveNetns(path: string): void {
  tolerant(() => forgetNamespace(path));
}

export interface Unplugged {
  readonly made: readonly Made[];
  readonly netns: string;
  readonly netnsId: number;
}

/** Idempotent: what is not there is no matter. */
export async function unplug(
  node: NodeNetwork,
  { made, netns, netnsId: id }: Unplugged,
  signal: AbortSignal,
): Promise<void> {
  const ports = made.flatMap(({ device, vswitch }) => (vswitch === undefined ? [] : [device!]));
  await node.vswitch.removePorts(ports, signal);
  for (const { device } of made) if (device !== undefined) await removeDevice(node.namespace, device);
  const inside = made.filter(({ device }) => device === undefined);
  if (inside.length === 0) return;
  try {
    // Another namespace may be at that path by now.
    if (netnsId(netns) !== id) return;
    for (const { name, draft } of inside) {
      await removeDevice(netns, name);
      if (draft !== undefined) await removeDevice(netns, draft);
    }
  } finally {
    leaveNetns(netns);
  }
}
