import { formatIpv4, parseIpv4, parseIpv4Prefix, prefixSize } from '@superfluidity/model';
import { at, given, groupAt, isGroup, listOf, textOf, type Group } from '../groups.ts';
import { json } from './attachments.ts';
import { apis } from './words.ts';

/** What a CNI configuration, of one plugin or a list of them (CNI specification 1.1), says of its network. */
export function saidByAttachment(object: Group): { readonly prefix?: string; readonly mtu?: number } {
  const config = json(textOf(at(object, 'spec', 'config')));
  const plugins = [config, ...listOf(at(config, 'plugins'))].filter(isGroup);
  const prefix = plugins
    .map((plugin) => groupAt(plugin, 'ipam'))
    .flatMap((ipam) => [
      ipam['subnet'],
      ipam['range'],
      at(ipam, 'ranges', 0, 0, 'subnet'),
      at(ipam, 'ipRanges', 0, 'range'),
    ])
    .flatMap((text) => prefixOf(text) ?? [])[0];
  const mtu = plugins.map((plugin) => plugin['mtu']).find((one) => Number.isInteger(one) && Number(one) >= 576);
  return given({ prefix, mtu: mtu === undefined || Number(mtu) > 65_535 ? undefined : Number(mtu) });
}

/** The prefix in which a range lies: `10.1.0.10-10.1.0.20/24` and `10.1.0.1/24` are in 10.1.0.0/24. */
function prefixOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const [, address = '', length = ''] = /^([\d.]+)(?:-[\d.]+)?\/(\d{1,2})$/.exec(text.trim()) ?? [];
  const value = parseIpv4(address);
  if (value === undefined || Number(length) > 32) return undefined;
  const prefix = `${formatIpv4(value - (value % prefixSize(Number(length))))}/${Number(length)}`;
  return parseIpv4Prefix(prefix) === undefined ? undefined : prefix;
}

/** Routes from one network to the others are written for so many networks. */
export const ROUTED_MAX = 32;

export interface WrittenNetwork {
  readonly name: string;
  readonly prefix: string;
  readonly mtu?: number;
  /** Prefixes of the other networks of the service. */
  readonly others: readonly string[];
  readonly metadata: Group;
}

/** A bridge on each node, with the plugins that every node has: bridge, host-local, bandwidth. */
export function attachment({ name, prefix, mtu, others, metadata }: WrittenNetwork): Group {
  const routes = others.length === 0 ? {} : { routes: others.map((dst) => ({ dst })) };
  const config = {
    cniVersion: '1.0.0',
    name,
    plugins: [
      {
        type: 'bridge',
        bridge: name.length <= 15 ? name : `${name.slice(0, 8)}-${checksum(name)}`,
        isGateway: true,
        ...given({ mtu }),
        capabilities: { ips: true },
        ipam: { type: 'host-local', ranges: [[{ subnet: prefix }]], ...routes },
      },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
    ],
  };
  return {
    apiVersion: apis.attachment,
    kind: 'NetworkAttachmentDefinition',
    metadata,
    spec: { config: JSON.stringify(config) },
  };
}

/** Six characters that tell long names apart (FNV-1a). */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  return hash.toString(36).padStart(6, '0').slice(-6);
}
