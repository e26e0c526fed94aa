import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binariesFolder, KUBERNETES_VERSION } from '../../../lab/kubernetes/binaries.ts';
import { clusterVars, whyNoClusters } from '../../../lab/kubernetes/testing-cluster.ts';
import { type TestHost, TestHosts } from '../../../examples/kubernetes-cluster/testing/hosts.ts';

/**
 * The playbooks, on hosts that are namespaces with systemd and sshd, with the programs of Kubernetes that the laboratory was
 * built with. Nothing of the laboratory is used besides.
 */

const FOLDER = fileURLToPath(new URL('../../../examples/kubernetes-cluster/', import.meta.url));
const MINUTES = 60_000;
const WHOLE_MS = 40 * MINUTES;

const bin = binariesFolder();
const absent = whyNoClusters();

describe.skipIf(absent !== undefined)(`a cluster of hosts${absent === undefined ? '' : ` (${absent})`}`, () => {
  let hosts: TestHosts;
  const all = new Map<string, TestHost>();
  const file = (name: string) => join(hosts.folder, name);
  const kubectl = (...args: readonly string[]) =>
    execFileSync(
      join(bin, 'kubectl'),
      ['--kubeconfig', file('artifacts/admin.kubeconfig'), '--request-timeout=20s', ...args],
      {
        encoding: 'utf8',
      },
    );

  function inventory(workers: readonly string[]): void {
    const of = (...names: readonly string[]) => ({
      hosts: Object.fromEntries(names.map((name) => [name, { ansible_host: all.get(name)!.address }])),
    });
    const children = { master: of('master-0'), infra: of('infra-0'), worker: of(...workers) };
    writeFileSync(file('hosts.json'), JSON.stringify({ all: { children } }));
  }

  function play(book: string, ...args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(
      'ansible-playbook',
      ['-i', file('hosts.json'), '-e', `@${file('vars.json')}`, book, ...args],
      { cwd: FOLDER, encoding: 'utf8', timeout: WHOLE_MS, env: { ...process.env, ANSIBLE_NOCOLOR: '1' } },
    );
    const output = `${stdout}\n${stderr}`;
    if (status !== 0)
      throw new Error(output.replace(/^(?:ok|included|skipping|changed|TASK).*\n*/gm, '').slice(-6_000));
    const changed = [...output.matchAll(/ changed=(\d+) /g)].reduce((sum, [, count]) => sum + Number(count), 0);
    return { changed, output };
  }

  beforeAll(async () => {
    hosts = new TestHosts();
    for (const name of ['master-0', 'infra-0', 'worker-0', 'worker-1', 'worker-2'])
      all.set(name, await hosts.add(name));
    inventory(['worker-0', 'worker-1']);
    const vars = {
      ...(await clusterVars(hosts.folder)),
      ansible_user: 'root',
      ansible_ssh_private_key_file: hosts.key,
      ansible_ssh_common_args: `-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${file('known_hosts')}`,
      cluster_name: 'trial',
      artifacts: file('artifacts'),
      kubernetes_version: KUBERNETES_VERSION,
      pod_network: '10.245.0.0/16',
      service_network: '10.99.0.0/16',
      // They share a bridge.
      pod_routes: 'direct',
      cgroup_driver: 'cgroupfs',
      superfluidity_command: [process.execPath, fileURLToPath(new URL('../../cli/main.ts', import.meta.url))],
    };
    writeFileSync(file('vars.json'), JSON.stringify(vars), { mode: 0o600 });
  }, 10 * MINUTES);
  afterAll(async () => {
    await hosts?.close();
    if (hosts !== undefined) rmSync(hosts.folder, { recursive: true, force: true });
  }, 2 * MINUTES);

  test('is told in check mode, and nothing is made', { timeout: WHOLE_MS }, () => {
    expect(play('site.yml', '--check').changed).toBe(0);
    expect(existsSync(file('artifacts'))).toBe(false);
  });

  test('is made: nodes are ready, and pods of all workers reach each other; twice changes nothing', {
    timeout: WHOLE_MS,
  }, () => {
    expect(play('site.yml').changed).toBeGreaterThan(40);
    const nodes = kubectl('get', 'nodes', '--no-headers').trim().split('\n');
    expect(nodes.map((line) => line.split(/\s+/).slice(0, 3))).toEqual([
      ['infra-0', 'Ready', 'infra'],
      ['worker-0', 'Ready', 'worker'],
      ['worker-1', 'Ready', 'worker'],
    ]);
    expect(kubectl('get', 'node', 'infra-0', '-o', 'jsonpath={.spec.taints[0].key}')).toBe(
      'node-role.kubernetes.io/infra',
    );
    expect(play('site.yml').changed).toBe(0);
    expect(play('site.yml', '--check').changed).toBe(0);
    // Keys are for their owners.
    const keys = hosts.ssh(all.get('master-0')!, "find /etc/kubernetes -name '*.key' -perm /077").stdout;
    expect(keys).toBe('');
  });

  test('gets a worker more, and one less', { timeout: WHOLE_MS }, () => {
    inventory(['worker-0', 'worker-1', 'worker-2']);
    play('site.yml');
    expect(kubectl('get', 'nodes', '--no-headers').match(/ Ready /g)).toHaveLength(4);
    play('remove.yml', '--limit', 'worker-1');
    expect(kubectl('get', 'nodes', '-o', 'name')).not.toContain('worker-1');
    expect(() => play('remove.yml', '--limit', 'master-0')).toThrow(/whole cluster/);
  });

  test('goes without leftovers; twice is once', { timeout: WHOLE_MS }, () => {
    inventory(['worker-0', 'worker-1', 'worker-2']);
    play('remove.yml');
    const left =
      'ls -d /etc/kubernetes /usr/local/lib/kubernetes /var/lib/kubelet /run/superfluidity /etc/systemd/system/kube*; ' +
      'ip netns list; ip -br link | grep -v "^lo\\|^eth0"; nft list tables; ctr -n k8s.io containers list -q; pgrep -l "^kube|^etcd|shim"';
    for (const host of all.values()) expect(hosts.ssh(host, `${left} 2>/dev/null; true`).stdout, host.name).toBe('');
    expect(existsSync(file('artifacts'))).toBe(false);
    expect(play('remove.yml').changed).toBe(0);
  });
});
