import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import {
  changeLink,
  createPassthrough,
  getLink,
  linkIndex,
  listLinks,
  transact,
  transactAside,
  writeSysctl,
} from '@superfluidity/netlink';
import { deviceOf } from '../api/device.ts';
import type { Made } from './attachments.ts';
import type { NodeNetwork } from './node-network.ts';
import {
  type Ahead,
  addPort,
  aliasMark,
  aliasOf,
  completePackets,
  configure,
  explained,
  fittingTrunk,
  linkIn,
  makePair,
  nodeMac,
  removeDevice,
  tolerant,
  vswitchOf,
  type Wish,
} from './plug.ts';
import type { Plugged } from './result.ts';

/** A port of Open vSwitch whose other end waits on the node, down, until a pod has it. */
export interface Prepared {
  readonly device: string;
  readonly peer: string;
}

const peerOf = (device: string): string => `sfk${device.slice(3)}`;
const draftOver = (device: string): string => `sfn${device.slice(3)}`;

/** What `plugPrepared` will make. */
export function plannedOver(node: NodeNetwork, { name, wish }: Wish): Made {
  const device = deviceOf(wish.id);
  const vswitch = vswitchOf(node, wish.plugging) ?? '';
  return { name, device, draft: draftOver(device), vswitch, over: peerOf(device) };
}

/** Whether it pays to plug an interface before it is asked for: its agent begins to wire the port when it sees it. */
export const isPreparable = ({ plugging, active }: PodInterface): boolean => plugging.kind === 'ovs' && !active;

/** `owner`: words for who looks at the node. */
export async function prepare(node: NodeNetwork, ahead: Ahead, owner: string, signal: AbortSignal): Promise<Prepared> {
  const { plugging, id } = ahead;
  const bridge = vswitchOf(node, plugging);
  if (bridge === undefined) throw new TypeError(plugging.kind);
  fittingTrunk(node, ahead);
  const device = deviceOf(id);
  const peer = peerOf(device);
  await makePair(node, { name: peer, netns: undefined, pod: owner, wish: ahead }, device);
  keepApart(node, peer);
  const { isUserSpace } = await addPort(node, { wish: ahead }, device, bridge, signal);
  if (isUserSpace) completePackets(node.namespace, peer);
  return { device, peer };
}

/** What comes for pods is none of the node's: of what it would see beside the pod's device, it takes nothing in. */
function keepApart({ namespace }: NodeNetwork, peer: string): void {
  transact(namespace, [changeLink(peer, { arp: false })]);
  tolerant(() => writeSysctl(namespace, `net/ipv6/conf/${peer}/disable_ipv6`, 1));
  tolerant(() => writeSysctl(namespace, `net/ipv4/conf/${peer}/rp_filter`, 1));
}

/**
 * Gives the pod what was prepared: a device over the end that waits on the node. To move that end into the pod would take the kernel
 * many times as long, and nothing changes for Open vSwitch and the agent, now or when the pod goes.
 */
export async function plugPrepared(node: NodeNetwork, wanted: Wish, { device, peer }: Prepared): Promise<Plugged> {
  const { name, netns, pod, wish } = wanted;
  try {
    const under = getLink(node.namespace, peer);
    const draft = draftOver(device);
    const isFitting = under.mtu === wish.mtu;
    const alias = aliasOf(node, pod, name);
    await transactAside(node.namespace, [
      ...(isFitting ? [] : [changeLink(device, { mtu: wish.mtu })]),
      changeLink(under.index, { up: true, ...(isFitting ? {} : { mtu: wish.mtu }) }),
      createPassthrough(under.index, { name: draft, mac: wish.mac, mtu: wish.mtu, namespace: netns }),
      changeLink(device, { alias }),
    ]);
    // As for all that lies over a device of the node: older kernels refuse a name that the node itself has.
    transact(netns, [changeLink(linkIndex(netns, draft), { rename: name })]);
    configure(wanted);
  } catch (error) {
    throw explained(error, wanted);
  }
  return { name, netns, wish, host: { name: device, mac: nodeMac(wish.mac) } };
}

/** Takes it from the pod: false where it is not whole any more, and is to be unplugged. */
export async function recall(
  node: NodeNetwork,
  { name, device, draft, over }: Made,
  netns: string | undefined,
): Promise<boolean> {
  const [outer, under] = [device, over].map((one) => (one === undefined ? undefined : linkIn(node.namespace, one)));
  if (outer === undefined || under === undefined) return false;
  for (const one of netns === undefined ? [] : [name, draft]) {
    const link = one === undefined ? undefined : linkIn(netns!, one);
    // The container may have another of that name.
    if (link?.kind === 'macvlan' && link.parent === under.index) await removeDevice(netns!, link.index);
  }
  await transactAside(node.namespace, [
    changeLink(under.index, { up: false }),
    changeLink(outer.index, { alias: aliasOf(node, 'spare', '') }),
  ]);
  return true;
}

/** Devices that a daemon before this one plugged ahead, whole. */
export function preparedOn(node: NodeNetwork, ports: readonly string[]): readonly Prepared[] {
  const links = new Map(listLinks(node.namespace).map((link) => [link.name, link]));
  return ports.flatMap((device) => {
    const peer = peerOf(device);
    const isOurs = links.get(device)?.alias?.startsWith(aliasMark(node)) === true;
    return isOurs && links.has(peer) ? [{ device, peer }] : [];
  });
}
