import { silentLogger, VirtualClock } from '@superfluidity/core';
import type { Node } from '@superfluidity/driver-kubernetes';
import type { Cloud } from '@superfluidity/openstack';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { neutronVif } from './vif-neutron.ts';

const never = new AbortController().signal;
const addressOf = (at: number): string => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
const node = (at: number): Node => ({
  metadata: { name: `node-${at}` },
  status: { addresses: [{ type: 'InternalIP', address: addressOf(at) }] },
});

/** Of Neutron, as much as is asked for here: each address has a virtual machine with a trunk of its own. */
const cloud = {
  json: async <T>(
    { path, query }: { readonly path: string; readonly query?: { readonly fixed_ips: string } },
    schema: z.ZodType<T>,
  ): Promise<T> => {
    const address = query?.fixed_ips.replace('ip_address=', '') ?? '';
    const parent = {
      id: `port of ${address}`,
      network_id: 'nodes',
      status: 'ACTIVE',
      mac_address: '02:00:00:00:00:01',
      device_owner: 'compute:nova',
      trunk_details: { trunk_id: `trunk of ${address}` },
    };
    return schema.parse(path === '/v2.0/ports' ? { ports: [parent] } : { network: { id: 'nodes', status: 'ACTIVE' } });
  },
} as unknown as Cloud;

test('nodes come and go for ever, and as many of their trunks are remembered as a cluster can have', async () => {
  const { at, ahead } = neutronVif('nested-vlan', {
    cloud,
    clock: new VirtualClock(),
    log: silentLogger,
    tags: [],
    bridge: 'br-int',
  });
  const nodeAt = (one: number) => ahead!.nodeOf({ project: '', at: `trunk of ${addressOf(one)}`, network: 'pods' });
  for (let one = 0; one < LIMITS.trunks; one += 1) await at(node(one), never);
  expect([nodeAt(0), nodeAt(1)]).toEqual(['node-0', 'node-1']);
  // It asks again, so that another one has been silent for longest.
  await at(node(0), never);
  await at(node(LIMITS.trunks), never);
  expect([nodeAt(0), nodeAt(1), nodeAt(2), nodeAt(LIMITS.trunks)]).toEqual([
    'node-0',
    undefined,
    'node-2',
    `node-${LIMITS.trunks}`,
  ]);
});
