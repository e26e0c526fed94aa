import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab as findKubernetes } from '../../../lab/kubernetes/testing.ts';
import { findLab } from '../../../lab/openstack/testing.ts';
import { CloudsFile } from '../testing/clouds-file.ts';
import { OwnNetwork } from '../testing/own-network.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';
import { pooled } from './testing/pooled.ts';

/** How many ports a real Neutron has, after each pod: the scenarios of ports pools of kuryr-tempest-plugin. Nodes are objects only. */

const kubernetes = findKubernetes();
const openstack = findLab({ services: ['ovs'], network: 'ovs' });
const reason = kubernetes.reason ?? openstack.reason;
const WAIT = { timeout: 60_000, interval: 200 } as const;

describe.skipIf(reason !== undefined)(
  `the ports pool, counted in Neutron${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let network: OwnNetwork;
    let clouds: CloudsFile;
    let cluster: TestCluster;
    let node: string;
    let replica: Replica;
    let pods = 0;

    const start = async (pool: object) => {
      replica = await cluster.start({
        drivers: { vif: 'neutron-vif' },
        neutron: { cloud: CloudsFile.cloud, subnet: network.subnet, groups: [network.group] },
        pool: { foresees: false, ...pool },
        // Longer than that of other tests: this one is not about leaders that are slow.
        lease: { namespace: cluster.namespace, name: 'kuryr', seconds: 15 },
      });
    };
    const restart = async (pool: { readonly minimum: number; readonly maximum?: number; readonly batch: number }) => {
      await replica.stop();
      await start(pool);
      // What keeps nothing is no pool before somebody asks.
      if (pool.minimum === 0) return;
      // Ready is also who does not lead yet, and knows of no port.
      const leads = async () => (await cluster.ask(replica, '/metrics')).text.includes('\nkuryr_leader 1');
      await expect.poll(leads, WAIT).toBe(true);
      const unknown = async () => (await network.all()).length - pods - (await pooled(cluster, replica)).ready;
      await expect.poll(unknown, WAIT).toBe(0);
    };
    /** Ports, once nothing is being made. */
    const count = async () => {
      await expect.poll(async () => (await pooled(cluster, replica)).making, WAIT).toBe(0);
      return (await network.all()).length;
    };
    /** One pod more; by how many ports there are more. */
    const one = async () => {
      const before = (await network.all()).length;
      const name = `pod-${pods}`;
      pods += 1;
      await cluster.apply(cluster.pod(name, node));
      await expect.poll(async () => (await cluster.port(name))?.status, WAIT).toBeDefined();
      return (await count()) - before;
    };

    beforeAll(async () => {
      network = await OwnNetwork.open('sf-kuryr-counts', '10.90.0.0/24');
      clouds = new CloudsFile(network);
      cluster = await TestCluster.open(kubernetes.lab!, 'kuryr-counts');
      node = await cluster.addNode('a', undefined, { 'superfluidity.dev/host': network.host });
      await start({ minimum: 2, batch: 4 });
    }, 300_000);
    afterAll(async () => {
      await cluster?.close();
      clouds?.[Symbol.dispose]();
      await network?.close();
    }, 300_000);

    it('the first pod makes its own and a batch, the next ones none, until fewer than the minimum are left; a restart changes nothing', async () => {
      expect(await one()).toBe(1 + 4);
      expect(await one()).toBe(0);
      const before = (await network.all()).map(({ id }) => id).toSorted();
      await restart({ minimum: 2, batch: 4 });
      expect(await count()).toBe(5);
      expect((await network.all()).map(({ id }) => id).toSorted()).toEqual(before);
      expect(await pooled(cluster, replica)).toEqual({ ready: 3, making: 0, inUse: 2 });
      // Two are left: no fewer than the minimum.
      expect(await one()).toBe(0);
      expect(await one()).toBe(4);
    });

    it('other options hold after a restart: another batch and another minimum', async () => {
      await restart({ minimum: 1, batch: 6 });
      const { ready } = await pooled(cluster, replica);
      for (let left = ready - 1; left > 0; left -= 1) expect(await one()).toBe(0);
      expect(await one()).toBe(6);
    });

    it('a pool that keeps nothing makes one port for each pod, and a batch again once it keeps some', async () => {
      await restart({ minimum: 0, maximum: 0, batch: 1 });
      await one();
      // What lay ready goes.
      await expect.poll(async () => (await network.all()).length, WAIT).toBe(pods);
      expect(await one()).toBe(1);
      expect(await one()).toBe(1);
      await restart({ minimum: 2, batch: 4 });
      expect(await one()).toBe(1 + 4);
    });

    it('when all pods are gone, exactly the maximum remains', async () => {
      await restart({ minimum: 1, batch: 3, maximum: 2 });
      await cluster.deletePods();
      await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
      await expect.poll(() => pooled(cluster, replica), WAIT).toEqual({ ready: 2, making: 0, inUse: 0 });
      await expect.poll(async () => (await network.all()).length, WAIT).toBe(2);
    });
  },
);
