import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shortName } from '@superfluidity/core';
import { takeInventory } from '@superfluidity/driver-linux/inventory';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoLinuxSites } from '../../apps/server/testing/linux-world.ts';
import { completed, sourceOf, until } from '../../apps/server/testing/operations.ts';
import { type ServerProcess, startServerProcess } from '../../apps/server/testing/server-process.ts';
import { binariesFolder, KUBERNETES_VERSION } from './binaries.ts';
import { IMAGES } from './images.ts';
import { clusterVars, whyNoClusters } from './testing-cluster.ts';

/**
 * A cluster as a service, by a control plane that a user could have started: one operation makes the machines at a site of kind
 * linux, runs the playbooks over them and adds the cluster as a site, into which pods are deployed; then it grows, and goes.
 * What plays the machines are processes with systemd and sshd in the networks of that site (`machine=system-container`).
 */

const FOLDER = fileURLToPath(new URL('../../examples/kubernetes-cluster/', import.meta.url));
const MINUTES = 60_000;
const WHOLE_MS = 25 * MINUTES;
const NAME = 'trial';
/** Of this run alone: the machine gets a route to it. */
const NODES = `10.97.${process.pid % 250}.0/24`;
const PODS = '10.246.0.0/16';

/** Neither of a site nor of a laboratory: what machines make has to be inside of their own. */
const groupOfNobody = /^cgroup (?!.*superfluidity)/;

const bin = binariesFolder();
const absent = whyNoClusters() ?? (await whyNoLinuxSites());

const page = `
superfluidity: 1
service:
  name: page
  version: '1'
  networks: [{name: lan, prefix: 10.62.0.0/16}]
  functions:
    - name: page
      environment: pod
      image: name:${IMAGES.busybox}
      command: [sh, -c, cat /sys/class/net/eth0/mtu; exec sleep 3600]
      health: running
      ports: [lan]
      scale: {initial: 1, min: 0, max: 4}
      requirements: {cpu: 0.05, memoryMiB: 32, location: {sites: [pods]}}
`;

describe.skipIf(absent !== undefined)(`a cluster as a service${absent === undefined ? '' : ` (${absent})`}`, () => {
  let folder: string;
  let server: ServerProcess;
  /** In the names of all that the linux driver makes of the site. */
  let key: string;
  let before: ReadonlySet<string>;
  const file = (name: string) => join(folder, name);
  /** As the site of the cluster has it. */
  let kubeconfig: string;
  let vars: Awaited<ReturnType<typeof clusterVars>>;
  const start = async () => {
    server = await startServerProcess({ state: file('state'), args: ['--playbooks', FOLDER] });
  };
  const done = (operation: string) => completed(server.client, operation, WHOLE_MS, 500);
  const units = async (name = NAME) => (await server.client.call('getService', { params: { name } })).units;
  const nodes = () => {
    const args = ['--kubeconfig', kubeconfig, '--request-timeout=20s', 'get', 'nodes', '--no-headers'];
    const lines = execFileSync(join(bin, 'kubectl'), args, { encoding: 'utf8' }).trim().split('\n');
    return lines.map((line) => line.split(/\s+/).slice(0, 3).join(' '));
  };
  const scale = async (count: number) => {
    const body = { unit: 'worker/worker', count };
    await done((await server.client.call('scaleService', { params: { name: NAME }, body })).operation);
  };
  const play = async (playbook: string, more: { readonly limit?: string[] } = {}) => {
    const body = { playbook, vars: {}, check: false, timeoutMs: WHOLE_MS, ...more };
    const { operation } = await server.client.call('runPlaybook', { params: { name: NAME }, body });
    return done(operation);
  };

  beforeAll(async () => {
    before = await takeInventory();
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-cluster-'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('key')]);
    vars = await clusterVars(folder);
    await start();
    const value = readFileSync(file('key'), 'utf8');
    await server.client.call('setSecret', { params: { name: 'machines' }, body: { kind: 'ssh-key', value } });
    // More than the machine has: nobody uses all that he asks for.
    const config = { reachable: true, hosts: [{ name: 'h1', cpu: 16, memoryMiB: 32_768 }] };
    key = shortName('', (await server.client.call('addSite', { body: { name: 'edge', kind: 'linux', config } })).id);
  }, 10 * MINUTES);

  afterAll(async () => {
    await server?.client.call('purgeSite', { params: { name: 'edge' } }).catch(() => {});
    await server?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }, 2 * MINUTES);

  test('is made by one operation, though the server is killed in the middle of the playbook', {
    timeout: WHOLE_MS,
  }, async () => {
    const inputs = {
      masters: 1,
      infra: 0,
      workers: 1,
      machine: 'system-container',
      memory_mib: 3072,
      public_key: readFileSync(file('key.pub'), 'utf8').trim(),
      node_network: NODES,
      pod_network: PODS,
      service_network: '10.100.0.0/16',
      kubernetes_version: KUBERNETES_VERSION,
      superfluidity_key: 'secret:machines',
      superfluidity_site: 'pods',
    };
    const { operation } = await server.client.call('deployService', {
      body: {
        name: NAME,
        source: sourceOf(readFileSync(join(FOLDER, 'kubernetes-cluster.yaml')), FOLDER),
        inputs,
        playbook: { playbook: 'site.yml', vars, check: false, timeoutMs: WHOLE_MS },
      },
    });
    const machines = await until('the playbook is on its way', async () => {
      const { steps } = await server.client.call('getOperation', { params: { id: operation } });
      const tasks = steps.find(({ verb }) => verb === 'run-playbook')?.detail ?? [];
      return tasks.some(({ what }) => what.startsWith('control_plane :')) ? units() : undefined;
    });
    await server.kill();
    await start();
    const { steps } = await done(operation);
    console.log(
      steps
        .map(({ title, startedAt, endedAt }) => `${title}: ${Math.round((endedAt! - startedAt!) / 1_000)} s`)
        .join('\n'),
    );
    expect(steps.map(({ verb }) => verb)).toEqual([
      'create-network',
      'create-units',
      'create-units',
      'run-playbook',
      'add-site',
    ]);
    kubeconfig = file('state/playbooks/trial/admin.kubeconfig');
    expect(await server.client.call('getSite', { params: { name: 'pods' } })).toMatchObject({
      kind: 'kubernetes',
      config: { kubeconfig },
    });
    expect(nodes()).toEqual(['worker-0 Ready worker']);
    expect((await units()).map(({ path, state }) => `${path} ${state}`)).toEqual([
      'master/master running',
      'worker/worker running',
    ]);
    expect((await units()).map(({ id }) => id)).toEqual(machines.map(({ id }) => id));
  });

  test('has pods of a service', { timeout: 5 * MINUTES }, async () => {
    const { operation } = await server.client.call('deployService', { body: { source: sourceOf(page) } });
    await done(operation);
    const [pod] = await units('page');
    expect(pod).toMatchObject({ site: 'pods', host: 'worker-0', state: 'running' });
    expect(pod!.ports[0]!.address).toMatch(/^10\.246\./);
    const output = { params: { name: 'page', unit: 'page' }, query: { offset: 0 } };
    await until('the pod says something', async () => {
      const { lines } = await server.client.call('readUnitOutput', output);
      // Room for the headers of the tunnel between nodes.
      return lines.includes('1450') ? true : undefined;
    });
  });

  test('grows by a machine and the same playbook, with what the deployment said', { timeout: WHOLE_MS }, async () => {
    await scale(2);
    const { steps } = await play('site.yml');
    expect(nodes()).toEqual(['worker-0 Ready worker', 'worker-1 Ready worker']);
    // A pod of each reached that of the other.
    expect(steps[0]!.result).toMatchObject({
      said: { reached: [expect.stringMatching(/^worker-0 10\.246\./), expect.stringMatching(/^worker-1 10\.246\./)] },
    });
    expect((await server.client.call('getService', { params: { name: 'page' } })).healthy).toBe(true);
  });

  test('becomes smaller again', { timeout: WHOLE_MS }, async () => {
    await play('remove.yml', { limit: ['worker-1'] });
    await scale(1);
    expect(nodes()).toEqual(['worker-0 Ready worker']);
    expect((await units()).map(({ path, index }) => `${path} ${index}`)).toEqual([
      'master/master 0',
      'worker/worker 0',
    ]);
  });

  test('goes, and leaves nothing', { timeout: WHOLE_MS }, async () => {
    const { client } = server;
    await done((await client.call('terminateService', { params: { name: 'page' } })).operation);
    await client.call('removeSite', { params: { name: 'pods' } });
    await play('remove.yml');
    expect(existsSync(kubeconfig)).toBe(false);
    await done((await client.call('terminateService', { params: { name: NAME } })).operation);
    await client.call('removeSite', { params: { name: 'edge' } });
    // The kernel takes namespaces apart in the background.
    await until(
      'nothing is left',
      async () => {
        const more = [...(await takeInventory())].filter((line) => !before.has(line));
        expect(more.filter((line) => line.includes(key) || groupOfNobody.test(line))).toEqual([]);
        return true;
      },
      20_000,
      200,
    );
    expect((await client.call('listServices', { query: {} })).items).toEqual([]);
  });
});
