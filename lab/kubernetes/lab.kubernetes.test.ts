import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../command.ts';
import { isAlive, startedProcess } from '../processes.ts';
import { stopwatch } from '../start.ts';
import { IMAGES } from './images.ts';
import { kubectl, nodesOf, USER } from './lab.ts';
import { statusOf } from './status.ts';
import { findLab, TestNamespace } from './testing.ts';
import { up } from './up.ts';

const { lab, reason } = findLab(2);
const REPLICAS = 2;

/** One pod on each node, which says its name on port 80. */
const echo = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'echo' },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: 'echo' } },
    template: {
      metadata: { labels: { app: 'echo' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'echo' } },
          },
        ],
        containers: [
          {
            name: 'echo',
            image: IMAGES.busybox,
            command: ['sh', '-c', 'hostname >/tmp/index.html; echo serving; exec httpd -f -h /tmp'],
            readinessProbe: { httpGet: { port: 80, path: '/' }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
} as const;

interface FoundPod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string; readonly containerStatuses: readonly { readonly containerID: string }[] };
}

describe.skipIf(lab === undefined)(`the laboratory of Kubernetes${reason === undefined ? '' : ` (${reason})`}`, () => {
  let namespace: TestNamespace;
  const pods = async () =>
    (
      JSON.parse(await namespace.kubectl('get', 'pods', '--selector', 'app=echo', '--output', 'json')) as {
        readonly items: readonly FoundPod[];
      }
    ).items;
  const restart = (name: string) =>
    up({ paths: lab!.paths, names: [name], changes: {}, install: false, tell: () => {} });
  const kill = async (name: string) => {
    const process_ = startedProcess(lab!.paths, name)!;
    process.kill(process_.pid, 'SIGKILL');
    await expect.poll(() => isAlive(process_)).toBe(false);
    return process_;
  };

  beforeAll(async () => {
    namespace = await TestNamespace.open(lab!, 'lab');
    const seconds = stopwatch();
    await namespace.apply(echo);
    await namespace.kubectl('rollout', 'status', 'deployment/echo', '--timeout=120s');
    console.log(`Deployment of ${REPLICAS} pods ready after ${seconds()} s`);
  });

  afterAll(() => namespace.close());

  it('has the release that it says, on every node', async () => {
    const version = await run(kubectl(lab!, 'version', '--output', 'json'));
    expect((JSON.parse(version) as { serverVersion: { gitVersion: string } }).serverVersion.gitVersion).toMatch(
      /^v1\.34\./,
    );
    const nodes = await run(
      kubectl(lab!, 'get', 'nodes', '--output', 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'),
    );
    expect(nodes.split(' ')).toHaveLength(nodesOf(lab!).length);
  });

  it('spreads pods over its nodes, with addresses of their prefixes', async () => {
    const found = await pods();
    expect(new Set(found.map(({ spec }) => spec.nodeName)).size).toBe(REPLICAS);
    for (const { spec, status } of found) {
      const node = nodesOf(lab!).find(({ name }) => name === spec.nodeName)!;
      expect(status.podIP.startsWith(node.podPrefix.replace(/0\/24$/, ''))).toBe(true);
    }
  });

  it('carries packets between pods of different nodes', async () => {
    const [a, b] = await pods();
    const said = await namespace.kubectl('exec', a!.metadata.name, '--', 'ping', '-c', '3', b!.status.podIP);
    expect(said).toContain('3 packets received');
    const page = await namespace.kubectl('exec', b!.metadata.name, '--', 'wget', '-qO-', `http://${a!.status.podIP}/`);
    expect(page.trim()).toBe(a!.metadata.name);
  });

  it('shows what pods print', async () => {
    for (const { metadata } of await pods()) expect(await namespace.kubectl('logs', metadata.name)).toBe('serving\n');
  });

  it('makes a pod anew that is deleted', async () => {
    const [first] = await pods();
    await namespace.kubectl('delete', 'pod', first!.metadata.name, '--wait=true');
    await namespace.kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
    const uids = (await pods()).map(({ metadata }) => metadata.uid);
    expect(uids).not.toContain(first!.metadata.uid);
  });

  it.each(['node1-kubelet', 'kube-apiserver', 'node2-containerd'])('brings back %s, and pods go on', async (name) => {
    const containers = async () =>
      (await pods()).map(({ status }) => status.containerStatuses[0]!.containerID).toSorted();
    const before = await containers();
    const killed = await kill(name);
    expect(statusOf(lab!.paths).up).toBe(false);
    const seconds = stopwatch();
    const { started } = await restart(name);
    console.log(`${name} back after ${seconds()} s`);
    expect(started.map((one) => one.name)).toEqual([name]);
    expect(startedProcess(lab!.paths, name)!.pid).not.toBe(killed.pid);
    expect(statusOf(lab!.paths).up).toBe(true);
    await namespace.kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
    expect(await containers()).toEqual(before);
  });

  it('leaves alone what runs', async () => {
    const { started } = await up({ paths: lab!.paths, names: [], changes: {}, install: false, tell: () => {} });
    expect(started).toEqual([]);
  });

  it('gives an ordinary user one namespace, and nobody else the keys', async () => {
    const { userConfig, adminConfig } = lab!.paths;
    for (const file of [userConfig, adminConfig]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const as = (...args: readonly string[]) =>
      run([kubectl(lab!)[0], '--kubeconfig', userConfig, ...args]).then((text) => text.trim());
    expect(await as('auth', 'can-i', 'create', 'pods')).toBe('yes');
    expect(await as('get', 'nodes', '--output', 'name')).toContain('node/node1');
    await expect(as('get', 'pods', '--namespace', namespace.name)).rejects.toMatchObject({
      details: { answer: expect.stringContaining(`User "${USER}" cannot list`) },
    });
  });
});
