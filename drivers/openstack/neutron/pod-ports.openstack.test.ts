import { systemClock } from '@superfluidity/core';
import { networks, ports, subnets } from '@superfluidity/openstack';
import { labCloud, laboratory, OPERATOR, ownProject } from '@superfluidity/openstack/testing';
import { describe, expect, test } from 'vitest';
import { KURYR_TAG, withoutPods } from './pod-ports.ts';

const lab = laboratory();
const never = new AbortController().signal;

describe.skipIf(lab === undefined)(
  `a network that pods were in${lab === undefined ? ' (no laboratory: OS_AUTH_URL is not set)' : ''}`,
  () => {
    test('goes when the last port of Kuryr is gone; until then it is told whose they are; ports of others are not waited for', async () => {
      const own = await ownProject(lab!, 'sf-pod-ports', OPERATOR);
      const cloud = labCloud(own.config);
      try {
        const { id } = await networks.create(cloud, { name: 'pods' }, never);
        await subnets.create(cloud, { network_id: id, ip_version: 4, cidr: '10.91.0.0/24', enable_dhcp: false }, never);
        const port = (description: string) => ports.create(cloud, { network_id: id, description }, never);
        const remove = (withinMs: number) =>
          withoutPods(
            { cloud, clock: systemClock, name: 'cloud1' },
            id,
            () => networks.delete(cloud, id, never),
            never,
            withinMs,
          );
        const [pod, other] = [await port(`${KURYR_TAG}edge pool kuryr-nested-vlan`), await port('of somebody else')];
        await expect(remove(1_500)).rejects.toMatchObject({
          code: 'SF-CLOUD-PODS',
          message: expect.stringContaining(`1 ports of pods of cluster edge are in it, the first of them ${pod.id}`),
        });
        await ports.delete(cloud, pod.id, never);
        await expect(remove(60_000)).rejects.toMatchObject({ code: 'SF-OPENSTACK-CONFLICT' });
        const late = await port(`${KURYR_TAG}edge pool kuryr-neutron-vif`);
        await ports.delete(cloud, other.id, never);
        const removed = remove(60_000);
        setTimeout(() => void ports.delete(cloud, late.id, never), 1_500);
        await removed;
        expect(await networks.list(cloud, { project_id: own.id }, never)).toEqual([]);
      } finally {
        const mine = { project_id: own.id };
        for (const { id } of await ports.list(cloud, mine, never)) await ports.delete(cloud, id, never);
        for (const { id } of await networks.list(cloud, mine, never)) await networks.delete(cloud, id, never);
        await cloud.close();
        await own.remove();
      }
    }, 120_000);
  },
);
