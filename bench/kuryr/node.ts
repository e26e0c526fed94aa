import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { DaemonOptions } from '../../apps/kuryr/cni/daemon.ts';
import { unplugLeft } from '../../apps/kuryr/cni/testing/leftovers.ts';
import { type Answer, TestNode } from '../../apps/kuryr/cni/testing/node.ts';
import { run } from '../../lab/command.ts';
import { type NodeParts, PlayedNode, type Sandbox } from './played-node.ts';
import { Runtime } from './runtime.ts';

const DAEMON = fileURLToPath(new URL('daemon-process.ts', import.meta.url));
const PATIENCE_MS = 300_000;
/** Of the specification: try again later. */
const AGAIN = 11;

/**
 * A node whose daemon and plugin are the real ones, the daemon in a process of its own; the executable is started by a process as small
 * as what starts it in a runtime.
 */
export class BenchNode extends PlayedNode {
  readonly #daemon: ChildProcessByStdio<null, Readable, null>;
  readonly #runtime: Runtime;
  /** Of the Open vSwitch of this machine, where the node is in its network. */
  readonly #ovsdb: string | undefined;

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
    super(parts, node);
    this.#ovsdb = ovsdb;
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

  protected override async add(sandbox: Sandbox): Promise<string> {
    for (const deadline = performance.now() + PATIENCE_MS; ; this.retries += 1) {
      const { code, output } = await this.#call('ADD', sandbox);
      if (code === 0) return output!.ips![0]!.address.split('/')[0]!;
      if (output?.code !== AGAIN || performance.now() > deadline)
        throw new Error(`ADD of ${sandbox.pod}: ${JSON.stringify(output)}`);
    }
  }

  protected override async remove(sandbox: Sandbox): Promise<void> {
    await this.#call('DEL', sandbox);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#daemon, 'exit');
    await this.#runtime.close();
    if (this.#daemon.exitCode === null && this.#daemon.kill('SIGTERM')) await ended;
    if (this.#ovsdb !== undefined) await unplugLeft(this.name, this.#ovsdb);
    await this.node[Symbol.asyncDispose]();
  }

  #call(verb: 'ADD' | 'DEL', sandbox: Sandbox): Promise<Answer> {
    const { pod, netns } = sandbox;
    const { env, input } = this.node.invocation(verb, pod, { netns, env: { CNI_ARGS: this.args(sandbox) } });
    return this.#runtime.call(env, input);
  }
}
