import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '@superfluidity/driver-kubernetes';
import type { DaemonOptions } from '../../apps/kuryr/cni/daemon.ts';
import { unplugLeft } from '../../apps/kuryr/cni/testing/leftovers.ts';
import { type Answer, TestNode } from '../../apps/kuryr/cni/testing/node.ts';
import { run } from '../../lab/command.ts';
import { Runtime } from './runtime.ts';

const DAEMON = fileURLToPath(new URL('daemon-process.ts', import.meta.url));
const never = new AbortController().signal;
const PATIENCE_MS = 300_000;
/** Of the specification: try again later. */
const AGAIN = 11;
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
 * A node whose daemon and plugin are the real ones, the daemon in a process of its own. Its kubelet is played: the object of a pod is made
 * bound to the node, a network namespace is its sandbox, and the executable is started by a process as small as what starts it in a runtime.
 */
export class BenchNode {
  readonly name: string;
  readonly #parts: NodeParts;
  readonly #node: TestNode;
  readonly #daemon: ChildProcessByStdio<null, Readable, null>;
  readonly #runtime: Runtime;
  /** Of the Open vSwitch of this machine, where the node is in its network. */
  readonly #ovsdb: string | undefined;
  #count = 0;

  /** In the network of this machine, where the Open vSwitch of the cloud is. */
  static async metal(parts: NodeParts, ovsdb: string): Promise<BenchNode> {
    const node = await TestNode.open();
    return BenchNode.#start(parts, node, { ovsdb, namespace: undefined });
  }

  /**
   * A virtual machine as far as Neutron and the daemon can tell: a namespace with an Open vSwitch in user space, the device of
   * which is the parent of a trunk.
   */
  static async nested(parts: NodeParts, device: string): Promise<BenchNode> {
    const node = await TestNode.open({ vswitch: true });
    try {
      await run(['ip', 'link', 'set', device, 'netns', node.name]);
      await run(['ip', '-n', node.name, 'link', 'set', device, 'up']);
      node.vswitch.vsctl('add-port', 'br-int', device);
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
    return BenchNode.#start(parts, node, { trunk: { bridge: 'br-int', device } });
  }

  static async #start(parts: NodeParts, node: TestNode, more: Partial<DaemonOptions>): Promise<BenchNode> {
    const options = { ...node.daemonOptions(), node: parts.name, ...more, kubeconfig: parts.kubeconfig };
    const child = spawn(process.execPath, [DAEMON, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    if (String(said).startsWith('known')) return new BenchNode(parts, node, child, more.ovsdb);
    await node[Symbol.asyncDispose]();
    throw new Error(`the daemon of ${parts.name} ended with ${String(said)}`);
  }

  private constructor(
    parts: NodeParts,
    node: TestNode,
    daemon: ChildProcessByStdio<null, Readable, null>,
    ovsdb: string | undefined,
  ) {
    this.#ovsdb = ovsdb;
    this.name = parts.name;
    this.#parts = parts;
    this.#node = node;
    this.#daemon = daemon;
    this.#runtime = Runtime.start(node.folder, node.executable);
  }

  /** What each is, by process. */
  get processes(): ReadonlyMap<number, string> {
    return new Map([
      [this.#daemon.pid!, 'daemon'],
      [this.#runtime.pid, 'runtime'],
    ]);
  }

  /** As the runtime makes them before it calls the plugin. */
  sandboxes(count: number): readonly Sandbox[] {
    return Array.from({ length: count }, () => {
      this.#count += 1;
      return { pod: `${this.name}-${this.#count}`, netns: this.#node.sandbox() };
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
    const address = await this.#add(sandbox);
    return { sentMs, boundMs, readyMs: performance.now(), address };
  }

  /** What may pass by itself is tried again, as the kubelet does. */
  async #add(sandbox: Sandbox): Promise<string> {
    const { pod } = sandbox;
    for (const deadline = performance.now() + PATIENCE_MS; ; ) {
      const { code, output } = await this.#call('ADD', sandbox);
      if (code === 0) return output!.ips![0]!.address.split('/')[0]!;
      if (output?.code !== AGAIN || performance.now() > deadline)
        throw new Error(`ADD of ${pod}: ${JSON.stringify(output)}`);
    }
  }

  /** Deleted, and taken down by the runtime. */
  async end(sandboxes: readonly Sandbox[]): Promise<void> {
    const { api, namespace } = this.#parts;
    const work = sandboxes.map(async (sandbox) => {
      await api.delete(`/api/v1/namespaces/${namespace}/pods/${sandbox.pod}`, 0, never);
      await this.#call('DEL', sandbox);
    });
    await Promise.all(work);
    for (const { netns } of sandboxes) this.#node.removeSandbox(netns);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#daemon, 'exit');
    await this.#runtime.close();
    if (this.#daemon.exitCode === null && this.#daemon.kill('SIGTERM')) await ended;
    if (this.#ovsdb !== undefined) await unplugLeft(this.name, this.#ovsdb);
    await this.#node[Symbol.asyncDispose]();
  }

  #call(verb: 'ADD' | 'DEL', sandbox: Sandbox): Promise<Answer> {
    const { env, input } = this.#node.invocation(verb, sandbox.pod, { netns: sandbox.netns, env: this.#env(sandbox) });
    return this.#runtime.call(env, input);
  }

  #env({ pod, uid = '' }: Sandbox): Readonly<Record<string, string>> {
    const { namespace } = this.#parts;
    const args = [`K8S_POD_NAMESPACE=${namespace}`, `K8S_POD_NAME=${pod}`, `K8S_POD_UID=${uid}`];
    return { CNI_ARGS: ['IgnoreUnknown=1', ...args].join(';') };
  }
}

/** No kubelet starts it: there is none on its node. */
export const podObject = (name: string, node: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    nodeName: node,
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [{ name: 'c', image: NO_IMAGE, imagePullPolicy: 'Never' }],
  },
});
