import type { Cluster } from '@superfluidity/driver-kubernetes';
import { pings, type TestNode } from '../../apps/kuryr/cni/testing/node.ts';

const never = new AbortController().signal;
const PING_MS = 30_000;
const NO_IMAGE = 'superfluidity.test/none:1';

export interface NodeParts {
  /** As Kubernetes calls it. */
  readonly name: string;
  readonly namespace: string;
  readonly api: Cluster;
  readonly kubeconfig: string;
}

/** Of one pod, on a clock that nobody sets. */
export interface PodTimes {
  /** The request that makes the pod, bound to its node, is sent; it is answered; ADD has returned. */
  readonly sentMs: number;
  readonly boundMs: number;
  readonly readyMs: number;
  readonly address: string;
}

export interface Sandbox {
  readonly pod: string;
  readonly netns: string;
  uid?: string;
}

/**
 * A node whose kubelet is played: the object of a pod is made bound to the node, a network namespace is its sandbox, and whoever
 * brings the network is called as a runtime calls it.
 */
export abstract class PlayedNode {
  readonly name: string;
  /** How often a pod had to be asked for again. */
  retries = 0;
  readonly #parts: NodeParts;
  protected readonly node: TestNode;
  #count = 0;

  constructor(parts: NodeParts, node: TestNode) {
    this.name = parts.name;
    this.#parts = parts;
    this.node = node;
  }

  /** As the runtime makes them before it calls the plugin. */
  sandboxes(count: number): readonly Sandbox[] {
    return Array.from({ length: count }, () => {
      this.#count += 1;
      return { pod: `${this.name}-${this.#count}`, netns: this.node.sandbox() };
    });
  }

  /** Throws where the plugin refuses. */
  async start(sandbox: Sandbox): Promise<PodTimes> {
    const { api, namespace } = this.#parts;
    const { pod } = sandbox;
    const sentMs = performance.now();
    const made = await api.create(`/api/v1/namespaces/${namespace}/pods`, podObject(pod, this.name), never);
    const boundMs = performance.now();
    sandbox.uid = made!.metadata.uid!;
    const address = await this.add(sandbox);
    return { sentMs, boundMs, readyMs: performance.now(), address };
  }

  /** Deleted, and taken down by the runtime. */
  async end(sandboxes: readonly Sandbox[]): Promise<void> {
    const { api, namespace } = this.#parts;
    const work = sandboxes.map(async (sandbox) => {
      await api.delete(`/api/v1/namespaces/${namespace}/pods/${sandbox.pod}`, 0, never);
      await this.remove(sandbox);
    });
    await Promise.all(work);
    for (const { netns } of sandboxes) this.node.removeSandbox(netns);
  }

  /** CNI ADD, until it succeeds: what may pass by itself is tried again, as the kubelet does. The address. */
  protected abstract add(sandbox: Sandbox): Promise<string>;

  /** CNI DEL. */
  protected abstract remove(sandbox: Sandbox): Promise<void>;

  /** What a runtime tells of the pod: `CNI_ARGS`. */
  protected args({ pod, uid = '' }: Sandbox): string {
    const { namespace } = this.#parts;
    const args = [`K8S_POD_NAMESPACE=${namespace}`, `K8S_POD_NAME=${pod}`, `K8S_POD_UID=${uid}`];
    return ['IgnoreUnknown=1', ...args].join(';');
  }
}

/** No kubelet starts it: there is none on its node. */
export const podObject = (name: string, node: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    nodeName: node,
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [{ name: 'c', image: NO_IMAGE, imagePullPolicy: 'Never' }],
    ...more,
  },
});

/** Pods of all nodes are in one network, or the rest would mean nothing. */
export async function reach(nodes: readonly PlayedNode[]): Promise<void> {
  const pods: { readonly node: PlayedNode; readonly sandbox: Sandbox; readonly address: string }[] = [];
  try {
    for (const node of nodes) {
      for (const sandbox of node.sandboxes(2)) {
        const { address } = await node.start(sandbox);
        pods.push({ node, sandbox, address });
      }
    }
    // The first packets may come before the agent has written its flows.
    for (const { address } of pods.slice(1)) {
      const deadline = performance.now() + PING_MS;
      while (!pings(pods[0]!.sandbox.netns, address))
        if (performance.now() > deadline) throw new Error(`a pod of ${pods[0]!.node.name} does not reach ${address}`);
    }
  } finally {
    for (const { node, sandbox } of pods) await node.end([sandbox]);
  }
}
