import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, type Pod, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { EventWriter } from '../kubernetes/events.ts';
import { TestCluster } from '../controller/testing/cluster.ts';
import { tellInterrupted } from './interrupted.ts';
import { KillableDaemon } from './testing/killable.ts';
import { nameOf, TestNode } from './testing/node.ts';

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'cc']);
const WAIT = { timeout: 20_000, interval: 100 } as const;

test.skipIf(absent !== undefined)(
  titled('a pod whose daemon is killed in the middle of ADD is told so, and nothing of it is left', absent),
  async () => {
    await using node = await TestNode.open({ bridge: true });
    const cluster = await TestCluster.open(lab!, 'kuryr-interrupted');
    const config = readClusterConfig('kuryr', { kubeconfig: lab!.paths.adminConfig });
    const api = Cluster.open('kuryr', config, systemClock);
    const events = new EventWriter({ cluster: api, clock: systemClock, log: silentLogger, component: 'test' });
    try {
      const name = await cluster.addNode('a');
      await cluster.apply(cluster.pod('half', name));
      const { metadata } = await cluster.json<Pod>('-n', cluster.namespace, 'get', 'pod', 'half');
      const uid = metadata.uid!;
      const portOf = (active: boolean) => {
        const { spec, status } = node.port('half', { uid, interfaces: { eth0: { active } } });
        return { metadata: { namespace: cluster.namespace, name: 'half' }, spec, status };
      };
      const env = { CNI_ARGS: `K8S_POD_NAMESPACE=${cluster.namespace};K8S_POD_NAME=half;K8S_POD_UID=${uid}` };
      const netns = node.sandbox();
      const inside = () => ipJson(nameOf(netns), 'link').map(({ ifname }) => ifname);

      // Its ADD waits for traffic, with all plugged.
      const daemon = await KillableDaemon.start(node);
      daemon.put(portOf(false));
      const adding = node.call('ADD', 'half', { netns, env });
      await expect.poll(inside, WAIT).toContain('eth0');
      await daemon.kill();
      expect(await adding).toMatchObject({ code: 1, output: { code: 11 } });

      const next = await node.startDaemon({ onInterrupted: (pod) => tellInterrupted(events, name, pod) });
      expect(inside()).toEqual(['lo']);
      const told = async () => (await cluster.events('half')).find((event) => event.reason === 'KuryrAddInterrupted');
      // By its uid, without which `kubectl describe` would not show it.
      await expect.poll(told, WAIT).toMatchObject({ type: 'Warning', count: 1, involvedObject: { kind: 'Pod', uid } });
      next.ports.setKnown(true);
      next.ports.put(portOf(true));
      expect(await node.call('ADD', 'half', { netns, env, container: 'second' })).toMatchObject({ code: 0 });
      expect(await node.call('DEL', 'half', { env, container: 'second' })).toMatchObject({ code: 0 });
    } finally {
      await events.close();
      await cluster.close();
    }
  },
);
