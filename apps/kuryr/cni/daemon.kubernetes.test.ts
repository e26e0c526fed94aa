import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { KURYR_API, type KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../lab/command.ts';
import { kubectl } from '../../../lab/kubernetes/lab.ts';
import { findLab, TestNamespace } from '../../../lab/kubernetes/testing.ts';
import { NODE_LABEL } from '../api/port.ts';
import { customResourceDefinitions } from '../api/resources.ts';
import { dropOldPaths } from '../install/definitions.ts';
import { nameOf, pings, TestNode } from './testing/node.ts';
import { watchPorts } from './watch.ts';

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'ping', 'cc']);
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

describe.skipIf(absent !== undefined)(titled('the daemon of a node, told by a real API server', absent), () => {
  let node: TestNode;
  let namespace: TestNamespace;
  let stop: AbortController;
  let watching: Promise<void>;

  const start = async () => {
    const daemon = await node.startDaemon();
    stop = new AbortController();
    const cluster = Cluster.open(
      'kuryr',
      readClusterConfig('kuryr', { kubeconfig: lab!.paths.adminConfig }),
      systemClock,
    );
    const parts = { cluster, node: node.name, sink: daemon.ports, clock: systemClock, log: silentLogger };
    watching = watchPorts(parts, stop.signal);
  };
  const end = async () => {
    stop.abort();
    await watching;
    await node.stopDaemon();
  };

  /** As the controller does it where the port has to be made: the object first, its status when the port is there. */
  const create = async ({ metadata, spec }: KuryrPort, labelled = node.name) =>
    namespace.apply({
      apiVersion: KURYR_API,
      kind: 'KuryrPort',
      metadata: { name: metadata.name, labels: { [NODE_LABEL]: labelled } },
      spec,
    });
  const setStatus = ({ metadata, status }: KuryrPort) => {
    const patch = JSON.stringify({ status });
    const what = ['patch', 'kuryrport', metadata.name, '--type=merge', `--patch=${patch}`];
    return namespace.kubectl(...what);
  };
  const call = (verb: string, pod: string, netns = '', config = {}) => {
    const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace.name};K8S_POD_NAME=${pod};K8S_POD_UID=${node.port(pod).spec.podUid}`;
    return node.call(verb, pod, { netns, config, env: { CNI_ARGS: args } });
  };

  beforeAll(async () => {
    const input = customResourceDefinitions()
      .map((definition) => JSON.stringify(definition))
      .join('\n---\n');
    await run(kubectl(lab!, 'apply', '--server-side', '--force-conflicts', '-f', '-'), { input });
    await run(kubectl(lab!, 'wait', '--for=condition=Established', 'crd/kuryrports.superfluidity.dev'));
    const config = readClusterConfig('kuryr', { kubeconfig: lab!.paths.adminConfig });
    await dropOldPaths(Cluster.open('kuryr', config, systemClock), AbortSignal.timeout(20_000));
    namespace = await TestNamespace.open(lab!, 'kuryr-cni');
    node = await TestNode.open({ bridge: true });
    await start();
  });
  afterAll(async () => {
    await end();
    await node[Symbol.asyncDispose]();
    await namespace.close();
  });

  test('plugs pods when their ports come, lets them reach each other, and unplugs them', async () => {
    const sandboxes = ['a', 'b'].map((pod) => ({ pod, netns: node.sandbox(), port: node.port(pod) }));
    const adding = sandboxes.map(({ pod, netns }) => call('ADD', pod, netns));
    for (const { port } of sandboxes) await create(port);
    for (const { port } of sandboxes) await setStatus(port);
    const added = await Promise.all(adding);
    expect(added.map(({ code }) => code)).toEqual([0, 0]);
    expect(pings(sandboxes[0]!.netns, added[1]!.output!.ips![0]!.address.split('/')[0]!)).toBe(true);
    for (const { pod } of sandboxes) expect(await call('DEL', pod)).toMatchObject({ code: 0 });
  });

  test('waits until they carry traffic, and ends when they are deleted meanwhile', async () => {
    const port = node.port('slow', { interfaces: { eth0: { active: false } } });
    const netns = node.sandbox();
    await create(port);
    await setStatus(port);
    const adding = call('ADD', 'slow', netns);
    const name = nameOf(netns);
    while (ipJson(name, 'link').length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await setStatus(node.port('slow'));
    expect(await adding).toMatchObject({ code: 0 });
    await call('DEL', 'slow');

    await setStatus(port);
    const again = call('ADD', 'slow', netns);
    while (ipJson(name, 'link').length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await namespace.kubectl('delete', 'kuryrport', 'slow', '--wait=false');
    expect(await again).toMatchObject({ code: 1, output: { code: 3 } });
    expect(ipJson(name, 'link')).toHaveLength(1);
  });

  test('knows ports of its node alone, whatever their labels say, and none that make no sense', async () => {
    const far = node.port('far');
    await create(far, 'another-node');
    await setStatus(far);
    const lying = { ...node.port('lying'), spec: { podUid: node.port('lying').spec.podUid, node: 'another-node' } };
    await create(lying);
    await setStatus(lying);
    const good = node.port('good');
    await create(good);
    await setStatus(good);
    expect(await call('ADD', 'good', node.sandbox())).toMatchObject({ code: 0 });
    await call('DEL', 'good');
    const page = await fetch(`http://127.0.0.1:${node.daemon.healthPort}/metrics`).then((answer) => answer.text());
    // `a`, `b` and `good`.
    expect(page).toContain('superfluidity_kuryr_cni_ports 3');
  });

  test('knows them again after a restart, and keeps what was plugged', async () => {
    const port = node.port('kept');
    await create(port);
    await setStatus(port);
    const netns = node.sandbox();
    const { output } = await call('ADD', 'kept', netns);
    await end();
    await start();
    expect(await call('CHECK', 'kept', netns, { prevResult: output })).toMatchObject({ code: 0 });
    expect(await call('ADD', 'kept', netns)).toMatchObject({ code: 0, output });
    expect(await call('DEL', 'kept')).toMatchObject({ code: 0 });
    // It may not have heard from the API server yet: what was plugged before does not need that.
    const ready = async () => (await fetch(`http://127.0.0.1:${node.daemon.healthPort}/readyz`)).status;
    await expect.poll(ready, { timeout: 10_000 }).toBe(200);
  });

  test('is what `kuryr daemon` starts, which installs the plugin and says when it is ready', async () => {
    const at = (path: string) => join(node.folder, 'command', path);
    const options = {
      node: 'nobody',
      kubeconfig: lab!.paths.adminConfig,
      folder: at('state'),
      socket: at('cni.sock'),
      'health-port': '0',
      'cni-conf': at('net.d'),
      'cni-bin': at('bin'),
      executable: node.executable,
      chain: '{"type":"tuning"}',
    };
    const argv = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const child = spawn(process.execPath, [MAIN, 'daemon', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      let port = 0;
      for await (const text of createInterface({ input: child.stderr })) {
        const line = JSON.parse(text) as {
          readonly text: string;
          readonly healthPort?: number;
          readonly list?: string;
        };
        port = line.healthPort ?? port;
        if (line.list === undefined) continue;
        expect(line.list).toBe(at('net.d/10-superfluidity-kuryr.conflist'));
        break;
      }
      const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
      for (let tries = 0; tries < 100 && (await status('/readyz')) !== 200; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await status('/readyz')).toBe(200);
      expect(await status('/healthz')).toBe(200);
      expect(await status('/')).toBe(404);
      const config = { socket: at('cni.sock') };
      expect(await node.call('STATUS', '', { config, executable: at('bin/superfluidity-kuryr') })).toMatchObject({
        code: 0,
      });
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
  });
});
