import { TestNode } from '../../../apps/kuryr/cni/testing/node.ts';
import { run } from '../../../lab/command.ts';
import { type NodeParts, PlayedNode, type Sandbox } from '../played-node.ts';
import { DAEMON_ADDRESS } from './config.ts';

const PATIENCE_MS = 300_000;
/** What it writes at each of its ports in Open vSwitch. */
const MARK = 'external_ids:vm-uuid=kuryr';
/** Answers of its daemon: done, of ADD and of DEL; and failed, from here on. */
const [ADDED, REMOVED, FAILED] = [202, 204, 500];

/**
 * This machine as a node of the original. Its daemon is asked by HTTP for what its executable asks, so that the start of the executable, a
 * program of Go that PyPI does not have, is in no figure.
 */
export class OriginalNode extends PlayedNode {
  readonly #ovsdb: string;

  /** `ovsdb`: how Open vSwitch is reached, for what a pod may leave there. */
  static async open(parts: NodeParts, ovsdb: string): Promise<OriginalNode> {
    return new OriginalNode(parts, await TestNode.open(), ovsdb);
  }

  private constructor(parts: NodeParts, node: TestNode, ovsdb: string) {
    super(parts, node);
    this.#ovsdb = ovsdb;
  }

  protected override async add(sandbox: Sandbox): Promise<string> {
    return addressIn(await this.#until('ADD', sandbox, ADDED));
  }

  protected override async remove(sandbox: Sandbox): Promise<void> {
    await this.#until('DEL', sandbox, REMOVED);
  }

  /** Whatever it refuses the kubelet tries again: of many pods at once, pyroute2 fails at some, since the kernel's list changes under it. */
  async #until(verb: 'ADD' | 'DEL', sandbox: Sandbox, done: number): Promise<string> {
    for (const deadline = performance.now() + PATIENCE_MS; ; this.retries += 1) {
      const { status, text } = await this.#ask(verb, sandbox);
      if (status === done) return text;
      if (status < FAILED || performance.now() > deadline)
        throw new Error(`${verb} of ${sandbox.pod}: ${status} ${text}`);
    }
  }

  async #ask(verb: 'ADD' | 'DEL', sandbox: Sandbox): Promise<{ readonly status: number; readonly text: string }> {
    const body = {
      CNI_COMMAND: verb,
      CNI_CONTAINERID: `c-${sandbox.pod}`,
      CNI_NETNS: sandbox.netns,
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/opt/cni/bin',
      CNI_ARGS: this.args(sandbox),
      config_kuryr: { cniVersion: '0.3.1', name: 'kuryr', type: 'kuryr-cni' },
    };
    const answer = await fetch(`http://${DAEMON_ADDRESS}/${verb.toLowerCase()}Network`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { status: answer.status, text: await answer.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
    const vsctl = ['ovs-vsctl', `--db=${this.#ovsdb}`, '--timeout=30'] as const;
    const left = await run([...vsctl, '--bare', '--columns=name', 'find', 'Interface', MARK]);
    for (const name of left.split(/\s+/).filter(Boolean)) await run([...vsctl, '--if-exists', 'del-port', name]);
  }
}

/** The only field `address` that is none of Ethernet is that of the port. */
export function addressIn(vif: string): string {
  const address = /"address": ?"(\d+\.\d+\.\d+\.\d+)"/.exec(vif)?.[1];
  if (address === undefined) throw new Error(`no address in ${vif}`);
  return address;
}
