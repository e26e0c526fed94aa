import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingForKubelet, TestKubelet } from './testing/kubelet.ts';
import { pings, TestNode } from './testing/node.ts';

const absent = missingForKernelTests(['ip', 'ping', 'cc', 'containerd', 'runc', 'ctr']) ?? missingForKubelet();

describe.skipIf(absent !== undefined)(titled('pods of a real kubelet and a real containerd', absent), () => {
  let node: TestNode;
  let kubelet: TestKubelet;
  beforeAll(async () => {
    node = await TestNode.open({ bridge: true });
    const { ports } = await node.startDaemon();
    ports.setKnown(true);
    kubelet = await TestKubelet.start(node);
  });
  afterAll(async () => {
    await kubelet?.stop();
    await node[Symbol.asyncDispose]();
  });
  const attachments = () => readdirSync(join(node.folder, 'state/attachments'));
  const until = async (holds: () => boolean) => {
    for (let tries = 0; tries < 500 && !holds(); tries += 1) await pause(100);
    if (!holds()) throw new Error(kubelet.log().slice(-4_000));
  };

  test('get their interfaces when their port comes, answer there, and give them back', async () => {
    const pod = kubelet.podName('web');
    const port = node.port(pod);
    const address = port.status!.interfaces['eth0']!.addresses[0]!.split('/')[0]!;
    kubelet.addPod('web', ['sleep', '3600']);
    // The kubelet waits for the sandbox, and that for its port.
    await pause(3_000);
    node.daemon.ports.put(port);
    await until(() => attachments().length === 1);

    const other = node.sandbox();
    node.daemon.ports.put(node.port('other'));
    expect(await node.call('ADD', 'other', { netns: other })).toMatchObject({ code: 0 });
    await until(() => pings(other, address));
    expect(await node.call('DEL', 'other')).toMatchObject({ code: 0 });

    kubelet.removePod('web');
    await until(() => attachments().length === 0);
    expect(ipJson(node.name, 'link').filter(({ ifname }) => String(ifname).startsWith('tap'))).toEqual([]);
  });
});
