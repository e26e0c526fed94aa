import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';

/** Trunks of Neutron (extension `trunk`): one port carries others, told apart by VLAN tags. */

const subport = z.object({ port_id: z.string(), segmentation_type: z.string(), segmentation_id: z.number().int() });
export type Subport = z.infer<typeof subport>;

const trunk = z.object({
  id: z.string(),
  name: z.string(),
  port_id: z.string(),
  /** ACTIVE, DOWN, BUILD, DEGRADED, ERROR. */
  status: z.string(),
  admin_state_up: z.boolean(),
  sub_ports: z.array(subport),
  project_id: z.string(),
  tags: z.array(z.string()).default([]),
});
export type Trunk = z.infer<typeof trunk>;

export interface NewTrunk {
  readonly name: string;
  readonly port_id: string;
  readonly sub_ports?: readonly NewSubport[];
}

/** VLAN id from 1 to 4094, unique in its trunk. */
export interface NewSubport {
  readonly port_id: string;
  readonly segmentation_type: 'vlan';
  readonly segmentation_id: number;
}

const one = z.object({ trunk });

export async function createTrunk(cloud: Cloud, wanted: NewTrunk, signal: AbortSignal): Promise<Trunk> {
  const call = { service: 'network', method: 'POST', path: '/v2.0/trunks', body: { trunk: wanted } } as const;
  return (await cloud.json({ ...call, doing: `create trunk ${wanted.name}`, signal }, one)).trunk;
}

export async function getTrunk(cloud: Cloud, id: string, signal: AbortSignal): Promise<Trunk> {
  const call = { service: 'network', method: 'GET', path: path`/v2.0/trunks/${id}` } as const;
  return (await cloud.json({ ...call, doing: `get trunk ${id}`, signal }, one)).trunk;
}

export async function listTrunks(
  cloud: Cloud,
  filter: { readonly name?: string; readonly port_id?: string; readonly tags?: string },
  signal: AbortSignal,
): Promise<readonly Trunk[]> {
  const call = {
    service: 'network',
    method: 'GET',
    path: '/v2.0/trunks',
    query: filter,
    doing: 'list trunks',
  } as const;
  return (await cloud.json({ ...call, signal }, z.object({ trunks: z.array(trunk) }))).trunks;
}

export async function deleteTrunk(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'network', method: 'DELETE', path: path`/v2.0/trunks/${id}` } as const;
  await cloud.send({ ...call, doing: `delete trunk ${id}`, signal });
}

/** All of them or none; 409 `DuplicateSubPort` when a VLAN id of the trunk is taken, `PortInUse` when a port is. */
export function addSubports(
  cloud: Cloud,
  id: string,
  sub_ports: readonly NewSubport[],
  signal: AbortSignal,
): Promise<Trunk> {
  return change(cloud, id, 'add_subports', sub_ports, signal);
}

export function removeSubports(
  cloud: Cloud,
  id: string,
  portIds: readonly string[],
  signal: AbortSignal,
): Promise<Trunk> {
  const sub_ports = portIds.map((port_id) => ({ port_id }));
  return change(cloud, id, 'remove_subports', sub_ports, signal);
}

/** Asked twice, Neutron refuses the second time: so nothing is repeated of which nobody knows whether it was done. */
function change(
  cloud: Cloud,
  id: string,
  verb: 'add_subports' | 'remove_subports',
  sub_ports: readonly object[],
  signal: AbortSignal,
): Promise<Trunk> {
  const doing = `${verb.replace('_', ' ')} (${sub_ports.length}) of trunk ${id}`;
  const call = {
    service: 'network',
    method: 'PUT',
    path: path`/v2.0/trunks/${id}/${verb}`,
    body: { sub_ports },
  } as const;
  return cloud.json({ ...call, doing, repeatable: false, signal }, trunk);
}
