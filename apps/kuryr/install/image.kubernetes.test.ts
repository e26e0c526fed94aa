import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportError } from '@superfluidity/core';
import { createNamespace, deleteNamespace, inNamespace, readSysctl } from '@superfluidity/netlink';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../lab/command.ts';
import { ADDRESSES, inNamespace as insideOf, nodesOf } from '../../../lab/kubernetes/lab.ts';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { TestCluster } from '../controller/testing/cluster.ts';
import { verifyPolicies } from '../testing/verify-policies.ts';
import { manage } from './manage.ts';
import type { Removed } from './remove.ts';
import type { KuryrStatus } from './status.ts';
import { loadKuryrImage } from './testing/image.ts';

/** Deployment and DaemonSet run: of an image made here, by the kubelets of the laboratory, with the rights of the manifests alone. */

const { lab, reason } = findLab(2);
const absent = reason ?? missingForKernelTests(['ip', 'cc', 'ctr', 'ldd']);
const WAIT = { timeout: 90_000, interval: 500 } as const;
const IMAGE = 'superfluidity.test/kuryr:1';
const BRIDGE = 'sf-kuryr-test';

describe.skipIf(absent !== undefined)(titled('Kuryr in containers', absent), () => {
  let cluster: TestCluster;
  let folder: string;
  let admin: { readonly kubeconfig: string; readonly namespace: string };
  const node = lab === undefined ? undefined : nodesOf(lab)[0];
  let loaded: AsyncDisposable;
  const status = async () => (await manage({ do: 'status', ...admin })) as KuryrStatus;
  const daemonLog = () => cluster.kubectl('-n', admin.namespace, 'logs', 'daemonset/superfluidity-kuryr-cni');

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-kuryr-'));
    cluster = await TestCluster.open(lab!, 'kuryr-image');
    admin = { kubeconfig: lab!.paths.adminConfig, namespace: `${cluster.run}-system` };
    loaded = await loadKuryrImage(lab!, join(folder, 'image.tar'), IMAGE);
    await manage({
      do: 'install',
      ...admin,
      fabric: 'linux',
      cluster: 'edge',
      image: IMAGE,
      apiServer: { host: ADDRESSES.controlPlane, port: ADDRESSES.api },
      cniBin: join(folder, 'bin'),
      cniConf: join(folder, 'net.d'),
      runFolder: join(folder, 'run'),
      // The nodes of the laboratory have one file system, and so one socket.
      nodes: { 'superfluidity.test/node': '1' },
      config: {
        namespaces: cluster.config().namespaces,
        drivers: { groups: 'policy' },
        linux: { cidr: '10.208.0.0/24', bridge: BRIDGE },
      },
    });
  });
  afterAll(async () => {
    await cluster.close();
    await manage({ do: 'uninstall', ...admin, keepDefinitions: true, abandon: true });
    await loaded[Symbol.asyncDispose]();
    await run(insideOf(node!.namespace, ['ip', 'link', 'delete', BRIDGE])).catch(() => {});
    rmSync(folder, { recursive: true });
  });

  it('two controllers run, of which one leads, and a daemon on each node that is to have one', async () => {
    await expect.poll(async () => (await status()).controller, WAIT).toEqual({ ready: 2, wanted: 2 });
    await expect.poll(async () => (await status()).daemons, WAIT).toEqual({ ready: 1, wanted: 1 });
    // By the name of its pod.
    await expect.poll(async () => (await status()).leader, WAIT).toMatch(/^superfluidity-kuryr-controller-/);
    expect(readdirSync(join(folder, 'bin'))).toEqual(['superfluidity-kuryr']);
    expect(readdirSync(join(folder, 'net.d'))).toEqual(['10-superfluidity-kuryr.conflist']);
    expect(statSync(join(folder, 'run/kuryr-cni.sock')).mode & 0o777).toBe(0o600);
  });

  it('a pod is given its interface by the plugin that was installed', async () => {
    const name = 'web';
    await cluster.apply(cluster.pod(name, node!.name));
    await expect.poll(async () => (await cluster.port(name))?.status, WAIT).toBeDefined();
    const { metadata } = await cluster.json<{ metadata: { uid: string } }>('-n', cluster.namespace, 'get', 'pod', name);
    // As the runtime would call it, whose own network the laboratory needs for its pods.
    const list = JSON.parse(readFileSync(join(folder, 'net.d/10-superfluidity-kuryr.conflist'), 'utf8')) as {
      readonly name: string;
      readonly plugins: readonly [object];
    };
    const sandbox = `${cluster.run}-pod`;
    createNamespace(sandbox);
    const call = (command: string) =>
      execFileSync(join(folder, 'bin/superfluidity-kuryr'), {
        input: JSON.stringify({ cniVersion: '1.0.0', name: list.name, ...list.plugins[0] }),
        env: {
          CNI_COMMAND: command,
          CNI_CONTAINERID: sandbox,
          CNI_NETNS: `/var/run/netns/${sandbox}`,
          CNI_IFNAME: 'eth0',
          CNI_PATH: join(folder, 'bin'),
          CNI_ARGS: `K8S_POD_NAMESPACE=${cluster.namespace};K8S_POD_NAME=${name};K8S_POD_UID=${metadata.uid}`,
        },
        encoding: 'utf8',
        timeout: 30_000,
      });
    try {
      const result = JSON.parse(call('ADD')) as { readonly ips: readonly { readonly address: string }[] };
      expect(result.ips[0]!.address).toBe((await cluster.port(name))!.status!.interfaces['eth0']!.addresses[0]);
      const addresses = ipJson(sandbox, 'address', 'show', 'dev', 'eth0');
      expect(JSON.stringify(addresses)).toContain(result.ips[0]!.address.split('/')[0]);
      const ping = () => inNamespace(sandbox, () => execFileSync('ping', ['-c', '1', '-W', '2', '10.208.0.1']));
      expect(String(ping())).toContain('1 received');
      // What containers may not write where they have it: it was given another place.
      expect(readSysctl(sandbox, 'net.ipv4.conf.eth0.arp_notify')).toBe('1');
      expect(call('DEL')).toBe('');
    } catch (error) {
      throw new Error(await daemonLog(), { cause: error });
    } finally {
      deleteNamespace(sandbox);
    }
  });

  it('has no more than it was given', async () => {
    const look = (of: string, path: string) => cluster.kubectl('-n', admin.namespace, 'exec', of, '--', 'cat', path);
    const field = (text: string, name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(text)?.[1];
    const controller = await look('deployment/superfluidity-kuryr-controller', '/proc/1/status');
    expect([field(controller, 'Uid'), field(controller, 'CapEff'), field(controller, 'NoNewPrivs')]).toEqual([
      '65532',
      '0000000000000000',
      '1',
    ]);
    const daemon = await look('daemonset/superfluidity-kuryr-cni', '/proc/1/status');
    // CAP_NET_ADMIN is 12, CAP_SYS_ADMIN 21.
    const wanted = ((1n << 12n) | (1n << 21n)).toString(16).padStart(16, '0');
    expect([field(daemon, 'CapEff'), field(daemon, 'CapBnd'), field(daemon, 'NoNewPrivs')]).toEqual([
      wanted,
      wanted,
      '1',
    ]);
    const write = (of: string) => cluster.kubectl('-n', admin.namespace, 'exec', of, '--', 'touch', '/opt/x');
    await expect(write('deployment/superfluidity-kuryr-controller')).rejects.toThrow();
    await expect(write('daemonset/superfluidity-kuryr-cni')).rejects.toThrow();
  });

  it('is asked live for the rules of its node: what policies mean, what somebody adds, and what the next daemon mends', async () => {
    const namespace = await cluster.addNamespace('-policies');
    const inside = (...args: readonly string[]) => cluster.kubectl('-n', namespace, ...args);
    const pod = (name: string) => {
      const ports = [{ name: 'sql', containerPort: 5_432 }];
      const containers = [{ name: 'c', image: 'superfluidity.test/none:1', imagePullPolicy: 'Never', ports }];
      const made = cluster.pod(name, node!.name, { containers }, { app: name }) as { readonly metadata: object };
      return { ...made, metadata: { ...made.metadata, namespace } };
    };
    const address = async (name: string) =>
      (await cluster.ports(namespace))
        .find(({ metadata }) => metadata.name === name)
        ?.status?.interfaces['eth0']?.addresses[0]?.split('/')[0];
    const proven = () => verifyPolicies('--kubeconfig', admin.kubeconfig, '--namespace', admin.namespace);
    const answers = { policies: 'holds', 'policies/answers': 'holds', 'policies/nodes': 'holds' };
    const holds = () => expect.poll(proven, WAIT).toMatchObject({ code: 0, answers, notCompared: [] });
    const change = ['--subresource=status', '--type=merge', '--patch', '{"status":{"message":"hello"}}'];
    const asKubelet = ['--as=kubelet', '--as-group=system:masters', '--as-group=system:nodes', '--dry-run=server'];
    const refused = () =>
      inside('patch', 'pod', 'probe', ...change, ...asKubelet).catch((error: unknown) =>
        JSON.stringify(reportError(error)),
      );
    try {
      await cluster.apply(...silence(cluster.run, namespace), pod('probe'));
      await expect.poll(refused, WAIT).toContain('nothing is told of these pods');
      await inside('delete', 'pod', 'probe', '--force', '--grace-period=0');
      await cluster.apply(pod('web'), pod('db'), pod('job'));
      for (const name of ['web', 'db', 'job']) await expect.poll(() => address(name), WAIT).toBeDefined();
      const podIs = (app: string) => ({ podSelector: { matchLabels: { app } } });
      const policy = (name: string, spec: object) => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name, namespace },
        spec,
      });
      await cluster.apply(
        policy('db', {
          ...podIs('db'),
          ingress: [
            { from: [podIs('web')], ports: [{ port: 'sql' }] },
            { from: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.64/26'] } }] },
          ],
        }),
        policy('job', { ...podIs('job'), policyTypes: ['Egress'], egress: [{ to: [podIs('web')] }] }),
      );
      await holds();
      const whole = await proven();
      expect(whole.nodes).toBe(1);
      expect(whole.pods).toBeGreaterThanOrEqual(3);

      const [web, db] = [await address('web'), await address('db')];
      const nft = (...words: readonly string[]) => run(insideOf(node!.namespace, ['nft', ...words]));
      const rule = ['ip', 'superfluidity_policies', 'ingress', 'ip', 'saddr', web!, 'tcp', 'dport', '22', 'accept'];
      await nft('insert', 'rule', ...rule);
      const found = await proven();
      expect(found).toMatchObject({
        code: 1,
        answers: { ...answers, policies: 'violated' },
        differences: [
          {
            from: { address: web, pod: `${namespace}/web` },
            to: { address: db, pod: `${namespace}/db` },
            protocol: 'TCP',
            port: 22,
            installed: 'passes',
          },
        ],
      });
      expect(found.differences[0]!.rules).toContainEqual(expect.stringMatching(`^${node!.name}\\.nft:\\d+$`));
      const daemons = 'app.kubernetes.io/component=cni';
      await cluster.kubectl('-n', admin.namespace, 'delete', 'pod', '-l', daemons, '--wait=true', '--timeout=60s');
      await expect.poll(async () => (await status()).daemons, WAIT).toEqual({ ready: 1, wanted: 1 });
      await holds();
    } finally {
      await inside('delete', 'networkpolicy', '--all');
      await inside('delete', 'pod', '--all', '--force', '--grace-period=0', '--wait=false');
      await expect.poll(() => cluster.ports(namespace), WAIT).toEqual([]);
      const made = silence(cluster.run, namespace);
      await cluster.kubectl('delete', ...made.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
    }
  }, 400_000);

  it('goes on when the leader is killed, and is gone when its pods are', async () => {
    const { leader } = await status();
    await cluster.kubectl('-n', admin.namespace, 'delete', 'pod', leader!, '--force', '--grace-period=0');
    await expect.poll(async () => (await status()).leader, WAIT).not.toBe(leader);
    await expect.poll(async () => (await status()).leader, WAIT).toMatch(/^superfluidity-kuryr-controller-/);
    const removing = manage({ do: 'uninstall', ...admin, keepDefinitions: true, waitSeconds: 120 }) as Promise<Removed>;
    await cluster.deletePods();
    const { removed, stays } = await removing;
    expect(removed).toContain(`DaemonSet ${admin.namespace}/superfluidity-kuryr-cni`);
    expect(stays.join('\n')).toContain('10-superfluidity-kuryr.conflist');
    expect(await cluster.ports()).toEqual([]);
  });
});

/**
 * Runtimes of the laboratory bring a network of their own: kubelets would tell of addresses that Kuryr did not give. In this namespace
 * they may tell nothing.
 */
function silence(run: string, namespace: string) {
  const metadata = { name: `${run}-statuses` };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/status'] }],
        },
        validations: [
          { expression: "!('system:nodes' in request.userInfo.groups)", message: 'nothing is told of these pods' },
        ],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    },
  ] as const;
}
