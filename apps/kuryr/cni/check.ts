import { formatIp, listAddresses, listRoutes, parseIp } from '@superfluidity/netlink';
import type { Attachment } from './attachments.ts';
import type { NodeNetwork } from './node-network.ts';
import { leaveNetns, linkIn, netnsId } from './plug.ts';
import { CniError, CODES, type CniResult } from './specification.ts';

/** Section 4, "CHECK": throws where what was made, as later plugins changed it, is not there any more. */
export async function check(
  node: NodeNetwork,
  { made, result: added }: Attachment,
  netns: string,
  result: CniResult,
  signal: AbortSignal,
): Promise<void> {
  const refuse = (details: string): never => {
    throw new CniError(CODES.changed, 'the interface is not as it was made', details);
  };
  if (netnsId(netns) === undefined) throw new CniError(CODES.unknownContainer, `there is no namespace ${netns}`);
  try {
    // Interfaces of other plugins are checked by them.
    const ours = new Set(made.map(({ name }) => name));
    for (const [index, { name, mac, sandbox }] of (result.interfaces ?? []).entries()) {
      if (sandbox === undefined || sandbox === '' || !ours.has(name)) continue;
      const link = linkIn(netns, name) ?? refuse(`the container has no interface ${name}`);
      if (!link.up) refuse(`${name} is down`);
      if (mac !== undefined && mac.toLowerCase() !== link.mac)
        refuse(`${name} has the address ${link.mac}, not ${mac}`);
      const addresses = listAddresses(netns, link.index).map(({ address }) => address);
      for (const { address } of (result.ips ?? []).filter((ip) => ip.interface === index))
        if (!addresses.includes(shown(address))) refuse(`${name} has no address ${address}`);
    }
    const routes = [4, 6].flatMap((family) => listRoutes(netns, { family: family as 4 | 6 }));
    for (const { dst, gw } of added?.routes ?? []) {
      const wanted = dst === '0.0.0.0/0' || dst === '::/0' ? 'default' : shown(dst);
      const isThere = routes.some(
        ({ destination, via }) => destination === wanted && (gw === undefined || via === shown(gw)),
      );
      if (!isThere) refuse(`there is no route to ${dst}${gw === undefined ? '' : ` by ${gw}`}`);
    }
    for (const { device, vswitch } of made) {
      if (device === undefined) continue;
      const link = linkIn(node.namespace, device) ?? refuse(`the node has no device ${device}`);
      if (!link.up) refuse(`device ${device} of the node is down`);
      if (vswitch === undefined) {
        if (link.master === undefined) refuse(`device ${device} of the node is in no bridge`);
        continue;
      }
      const difference = await node.vswitch.difference(vswitch, device, signal);
      if (difference !== undefined) refuse(difference);
    }
  } finally {
    leaveNetns(netns);
  }
}

/** As the kernel writes it. */
function shown(address: string): string {
  const [ip = '', length] = address.split('/');
  const text = formatIp(parseIp(ip).bytes);
  return length === undefined ? text : `${text}/${length}`;
}
