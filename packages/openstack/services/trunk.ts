import { z } from 'zod';
import type { Cloud } from '../cloud.ts';
import { NeutronCollection } from './neutron-collection.ts';

/** Trunks of Neutron (extension `trunk`): one port carries others, told apart by VLAN tags. */

const trunk = z.object({
  id: z.string(),
  name: z.string(),
  port_id: z.string(),
  /** ACTIVE, DOWN, BUILD, DEGRADED, ERROR. */
  status: z.string(),
  admin_state_up: z.boolean(),
  sub_ports: z.array(
    z.object({ port_id: z.string(), segmentation_type: z.string(), segmentation_id: z.number().int() }),
  ),
  project_id: z.string(),
  tags: z.array(z.string()).default([]),
});
export type Trunk = z.infer<typeof trunk>;

export interface TrunkFields {
  readonly name?: string;
  readonly port_id: string;
  readonly sub_ports?: readonly Subport[];
}

/** VLAN id from 1 to 4094, unique in its trunk. */
export interface Subport {
  readonly port_id: string;
  readonly segmentation_type: 'vlan';
  readonly segmentation_id: number;
}

export const trunks = new NeutronCollection<Trunk, TrunkFields>('trunk', 'trunks', '/v2.0/trunks', trunk);

/** All of them or none; 409 `DuplicateSubPort` when a VLAN id of the trunk is taken, `PortInUse` when a port is. */
export function addSubports(
  cloud: Cloud,
  trunkId: string,
  sub_ports: readonly Subport[],
  signal: AbortSignal,
): Promise<Trunk> {
  return trunks.act(cloud, trunkId, 'add_subports', { sub_ports }, trunk, signal);
}

export function removeSubports(
  cloud: Cloud,
  trunkId: string,
  portIds: readonly string[],
  signal: AbortSignal,
): Promise<Trunk> {
  const sub_ports = portIds.map((port_id) => ({ port_id }));
  return trunks.act(cloud, trunkId, 'remove_subports', { sub_ports }, trunk, signal);
}
