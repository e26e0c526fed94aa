import { silentLogger, systemClock } from '@superfluidity/core';
import { Cloud, extensions, listOfNeutron, readCloud } from '@superfluidity/openstack';
import type { DataPlaneFile } from '@superfluidity/site';
import { fileOf, type Item, listAmong, once } from './lists.ts';

export interface GroupDumpWish {
  /** Of clouds.yaml of this machine. */
  readonly cloud: string;
  /** Ids of ports, of whichever projects the credentials see. */
  readonly ports: readonly string[];
}

const LISTS = {
  ports: { many: 'ports', path: '/v2.0/ports' },
  groups: { many: 'security_groups', path: '/v2.0/security-groups' },
  addressGroups: { many: 'address_groups', path: '/v2.0/address-groups' },
  firewallGroups: { many: 'firewall_groups', path: '/v2.0/fwaas/firewall_groups' },
} as const;

/** Whether ports can be asked for by their groups. */
const BY_GROUP = 'port-security-groups-filtering';

/**
 * What Neutron has of the security groups of some ports, as the API says it: the ports, their groups, and what rules of these name: groups
 * of addresses, and the ports of other groups. A port that is not there is left out. Nothing is changed. Throws codes of the
 * cloud's answers.
 */
export async function dumpGroups(
  { cloud: name, ports }: GroupDumpWish,
  signal: AbortSignal,
): Promise<readonly DataPlaneFile[]> {
  const cloud = new Cloud({ config: await readCloud({ name }), clock: systemClock, log: silentLogger });
  try {
    return await readGroups(cloud, ports, signal);
  } finally {
    await cloud.close();
  }
}

/** The same of a cloud that is open. */
export async function readGroups(
  cloud: Cloud,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly DataPlaneFile[]> {
  const known = await extensions(cloud, signal);
  const among = (list: (typeof LISTS)[keyof typeof LISTS], key: string, values: readonly string[]) =>
    listAmong(cloud, list, key, values, signal);
  const ports = await among(LISTS.ports, 'id', ids);
  const groups = await among(LISTS.groups, 'id', named(ports, 'security_groups'));
  const rules = groups.flatMap((group) => itemsIn(group, 'security_group_rules'));
  const remote = named(rules, 'remote_group_id');
  const found =
    known.has(BY_GROUP) || remote.length === 0
      ? await among(LISTS.ports, 'security_groups', remote)
      : await listOfNeutron(cloud, LISTS.ports, {}, signal);
  const members = found.filter((port) => named([port], 'security_groups').some((id) => remote.includes(id)));
  const addressGroups = await among(LISTS.addressGroups, 'id', named(rules, 'remote_address_group_id'));
  const firewalls = known.has('fwaas_v2') ? await listOfNeutron(cloud, LISTS.firewallGroups, {}, signal) : [];
  const own = new Set(ports.map(({ id }) => id));
  const firewallGroups = firewalls.filter((group) => named([group], 'ports').some((id) => own.has(id)));
  return [
    fileOf('ports', { ports: once([...ports, ...members]) }),
    fileOf('security_groups', { security_groups: groups }),
    ...(addressGroups.length === 0 ? [] : [fileOf('address_groups', { address_groups: addressGroups })]),
    ...(firewallGroups.length === 0 ? [] : [fileOf('firewall_groups', { firewall_groups: firewallGroups })]),
  ];
}

/** Ids that attributes of the items have, each once. */
function named(items: readonly Readonly<Record<string, unknown>>[], key: string): readonly string[] {
  const ids = items.flatMap((item) => item[key]).filter((id) => typeof id === 'string');
  return [...new Set(ids)].toSorted();
}

function itemsIn(item: Item, key: string): readonly Readonly<Record<string, unknown>>[] {
  const value = item[key];
  return Array.isArray(value) ? (value as readonly Readonly<Record<string, unknown>>[]) : [];
}
