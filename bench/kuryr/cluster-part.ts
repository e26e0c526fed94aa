import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, ObjectWatch, type Pod, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { RESOURCES, resourcePath } from '../../apps/kuryr/api/resources.ts';
import { TestCluster } from '../../apps/kuryr/controller/testing/cluster.ts';
import type { Lab } from '../../lab/kubernetes/lab.ts';
import { findLab } from '../../lab/kubernetes/testing.ts';
import { ControllerProcess } from './controller-process.ts';
import { podObject } from './played-node.ts';

const never = new AbortController().signal;
const WAIT_MS = 300_000;
const POLL_MS = 100;

/** A namespace of a real API server, that of the laboratory or another, and nodes that are objects of it only. Its control plane alone is needed. */
export class ClusterPart {
  readonly api: Cluster;
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly folder = mkdtempSync(join(tmpdir(), 'superfluidity-bench-'));
  readonly #cluster: TestCluster;
  readonly #nodes: string[] = [];

  static async open(lab: Lab = runningLab()): Promise<ClusterPart> {
    const part = new ClusterPart(await TestCluster.open(lab, 'kuryr-bench'), lab.paths.adminConfig);
    try {
      await part.#account();
    } catch (error) {
      await part.close();
      throw error;
    }
    return part;
  }

  private constructor(cluster: TestCluster, kubeconfig: string) {
    this.#cluster = cluster;
    this.namespace = cluster.namespace;
    this.kubeconfig = kubeconfig;
    this.api = Cluster.open('bench', readClusterConfig('bench', { kubeconfig }), systemClock);
  }

  async addNode(name: string, more: { readonly labels?: object; readonly spec?: object; readonly status?: object }) {
    const { labels = {}, ...rest } = more;
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, ...rest };
    await this.api.create('/api/v1/nodes', node, never);
    this.#nodes.push(name);
  }

  /** Configured as that of a test, but for `more`, where what is undefined is left out. */
  controller(more: object, env: Readonly<Record<string, string>> = {}): Promise<ControllerProcess> {
    const config = this.#cluster.config({ lease: { namespace: this.namespace, name: `kuryr-${Date.now()}` } });
    return ControllerProcess.start({ ...config, ...more }, this.folder, env);
  }

  /**
   * Opens as many connections as there are requests at a time, as who makes pods in a cluster has them: each that has to be opened costs a
   * handshake, and in a laboratory two processes.
   */
  async connect(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.api.get('/version', never)));
  }

  /** `more`: of its specification. */
  async createPod(name: string, node: string, more: object = {}): Promise<void> {
    await this.api.create(this.#pods(), podObject(name, node, more), never);
  }

  async deletePod(name: string): Promise<void> {
    await this.api.delete(`${this.#pods()}/${name}`, 0, never);
  }

  /** Those of a node, told as a kubelet is told of them. To be started. */
  podsOf(node: string): ObjectWatch<Pod> {
    const world = { name: 'bench', cluster: this.api, clock: systemClock, log: silentLogger };
    const query = { fieldSelector: `spec.nodeName=${node}` };
    return new ObjectWatch<Pod>({ world, path: this.#pods(), query, onChange: () => {} });
  }

  /** Waits until so many pods have interfaces. */
  async untilReady(count: number): Promise<void> {
    await this.#until(
      `${count} pods have interfaces`,
      (ports) => ports.filter((one) => 'status' in one).length >= count,
    );
  }

  /** `path`: objects that stand for what pods have. Of ours, or of another controller. */
  async untilEmpty(path = this.#ports()): Promise<void> {
    await this.#until('what pods had is given back', (ports) => ports.length === 0, path);
  }

  async close(): Promise<void> {
    for (const name of this.#nodes) await this.api.delete(`/api/v1/nodes/${name}`, 0, never);
    await this.#cluster.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #until(what: string, isSo: (ports: readonly object[]) => boolean, path = this.#ports()): Promise<void> {
    for (const deadline = performance.now() + WAIT_MS; ; ) {
      if (isSo((await this.api.list<object>(path, {}, never)).items)) return;
      if (performance.now() > deadline) throw new Error(`not in ${WAIT_MS / 1_000} s: ${what}`);
      await systemClock.sleep(POLL_MS);
    }
  }

  /** No pod is taken before the namespace has one. */
  async #account(): Promise<void> {
    await this.#cluster.inside('wait', '--for=create', 'serviceaccount/default', '--timeout=60s');
  }

  #ports(): string {
    return resourcePath(RESOURCES.ports, this.namespace);
  }

  #pods(): string {
    return `/api/v1/namespaces/${this.namespace}/pods`;
  }
}

function runningLab(): Lab {
  const { lab, reason } = findLab();
  if (lab === undefined) throw new Error(reason);
  return lab;
}
