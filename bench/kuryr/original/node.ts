import { TestNode } from '../../../apps/kuryr/cni/testing/node.ts';
import { run } from '../../../lab/command.ts';
import { type NodeParts, PlayedNode, type Sandbox } from '../played-node.ts';
import { DAEMON_ADDRESS } from './config.ts';

const PATIENCE_MS = 300_000;
/** What it writes at each of its ports in Open vSwitch. */
const MARK = 'external_ids:vm-uuid=kuryr';
/** Answers of its daemon: done, of ADD and of DEL; and what its executable makes an error of that the kubelet tries again. */
const [ADDED, REMOVED, LATER] = [202, 204, 504];

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
    for (const deadline = performance.now() + PATIENCE_MS; ; this.retries += 1) {
      const { status, text } = await this.#ask('ADD', sandbox);
      if (status === ADDED) return addressIn(text);
      if (status !== LATER || performance.now() > deadline) throw new Error(`ADD of ${sandbox.pod}: ${status} ${text}`);
    }
  }

  protected override async remove(sandbox: Sandbox): Promise<void> {
    const { status, text } = await this.#ask('DEL', sandbox);
    if (status !== REMOVED) throw new Error(`DEL of ${sandbox.pod}: ${status} ${text}`);
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
