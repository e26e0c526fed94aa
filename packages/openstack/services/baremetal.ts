import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { microversion } from '../microversions.ts';
import { list } from '../paging.ts';

/** Ironic: https://docs.openstack.org/api-ref/baremetal/. Servers on these nodes are made by Nova. */

const BAREMETAL = { atLeast: '1.38', atMost: '1.81' } as const;

const node = z.object({
  uuid: z.string(),
  name: z.string().nullish(),
  /** enroll, manageable, available, active, deploy failed, error, ... */
  provision_state: z.string().nullish(),
  target_provision_state: z.string().nullish(),
  power_state: z.string().nullish(),
  maintenance: z.boolean().default(false),
  maintenance_reason: z.string().nullish(),
  last_error: z.string().nullish(),
  resource_class: z.string().nullish(),
  instance_uuid: z.string().nullish(),
  driver: z.string(),
});
export type BaremetalNode = z.infer<typeof node>;

export async function listBaremetalNodes(cloud: Cloud, signal: AbortSignal): Promise<readonly BaremetalNode[]> {
  return list(cloud, {
    service: 'baremetal',
    path: '/v1/nodes/detail',
    microversion: await microversion(cloud, 'baremetal', BAREMETAL, signal),
    key: 'nodes',
    item: node,
    doing: 'list bare-metal nodes',
    signal,
  });
}

export async function getBaremetalNode(cloud: Cloud, id: string, signal: AbortSignal): Promise<BaremetalNode> {
  const version = await microversion(cloud, 'baremetal', BAREMETAL, signal);
  const call = { service: 'baremetal', method: 'GET', path: path`/v1/nodes/${id}`, microversion: version } as const;
  return cloud.json({ ...call, doing: `get bare-metal node ${id}`, signal }, node);
}

/** Ironic goes there in its own time; `provision_state` follows. */
export async function setProvisionState(
  cloud: Cloud,
  id: string,
  target: 'manage' | 'provide' | 'active' | 'deleted' | 'abort',
  signal: AbortSignal,
): Promise<void> {
  const version = await microversion(cloud, 'baremetal', BAREMETAL, signal);
  await cloud.send({
    service: 'baremetal',
    method: 'PUT',
    path: path`/v1/nodes/${id}/states/provision`,
    body: { target },
    microversion: version,
    repeatable: false,
    doing: `${target} of bare-metal node ${id}`,
    signal,
  });
}

export async function setPowerState(
  cloud: Cloud,
  id: string,
  target: 'power on' | 'power off' | 'rebooting',
  signal: AbortSignal,
): Promise<void> {
  const version = await microversion(cloud, 'baremetal', BAREMETAL, signal);
  await cloud.send({
    service: 'baremetal',
    method: 'PUT',
    path: path`/v1/nodes/${id}/states/power`,
    body: { target },
    microversion: version,
    repeatable: target !== 'rebooting',
    doing: `${target} of bare-metal node ${id}`,
    signal,
  });
}
