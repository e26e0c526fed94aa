import { networks, type Port, ports, subnets, trunks } from '@superfluidity/openstack';
import { run } from '../../../lab/command.ts';
import type { LabNode } from '../../../lab/kubernetes/lab.ts';
import type { Lab } from '../../../lab/openstack/lab.ts';
import { type OwnNetwork, untilActive } from './own-network.ts';
import { plug, tapOf, unplug, vsctl } from './worker.ts';

const never = new AbortController().signal;
/** What the tag of a VLAN takes. */
const TAG_BYTES = 4;

/**
 * A node of the laboratory, with its kubelet and its runtime, in the place of one that is a virtual machine: its address is that of a
 * port of the cloud, which is the parent of a trunk. Where a machine would have its port, a pair of devices leads from the bridge of the
 * trunk to a bridge that stands for the node's own Open vSwitch (`--trunk-bridge`). Only the machine around it is missing.
 */
export class NestedNode {
  readonly trunk: string;
  /** In the bridge of the trunk: what passes here has one tag. */
  readonly tap: string;
  /** Options of the daemon of the node. */
  readonly options: Readonly<Record<string, string>>;
  readonly #port: Port;
  readonly #bridge: string;
  readonly #lab: Lab;
  readonly #network: OwnNetwork;

  /** `mtu` of the networks that its pods will be in. */
  static async open(lab: Lab, network: OwnNetwork, node: LabNode, mtu: number): Promise<NestedNode> {
    const { cloud, host } = network;
    const { id: own } = await networks.create(cloud, { name: 'nodes' }, never);
    const cidr = node.address.replace(/\d+$/, '0/24');
    await subnets.create(cloud, { network_id: own, ip_version: 4, cidr, enable_dhcp: false }, never);
    // A port that is bound already is no parent of a trunk that is made after it.
    const wish = { network_id: own, fixed_ips: [{ ip_address: node.address }] };
    const made = await network.port(node.name, wish, false);
    const trunk = await trunks.create(cloud, { port_id: made.id, name: node.name }, never);
    const port = await ports.update(cloud, made.id, { 'binding:host_id': host }, never);
    const nested = new NestedNode(lab, network, port, trunk.id);
    try {
      await nested.#plug(mtu);
      await untilActive(cloud, port.id);
      return nested;
    } catch (error) {
      await nested.close();
      throw error;
    }
  }

  private constructor(lab: Lab, network: OwnNetwork, port: Port, trunk: string) {
    this.#lab = lab;
    this.#network = network;
    this.#port = port;
    this.trunk = trunk;
    this.tap = tapOf(port);
    this.#bridge = `brn${this.tap.slice(3)}`;
    this.options = { 'trunk-bridge': this.#bridge, 'trunk-device': this.#peer };
  }

  get #peer(): string {
    return `sfn${this.tap.slice(3)}`;
  }

  async #plug(mtu: number): Promise<void> {
    const [tap, peer, bridge] = [this.tap, this.#peer, this.#bridge];
    await run(['ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', peer]);
    for (const device of [tap, peer])
      await run(['ip', 'link', 'set', device, 'mtu', String(mtu + TAG_BYTES), 'addrgenmode', 'none', 'up']);
    const own = ['--may-exist', 'add-br', bridge, '--', 'set', 'bridge', bridge, 'datapath_type=netdev'];
    await vsctl(this.#lab, ...own, '--', '--may-exist', 'add-port', bridge, peer);
    await plug(this.#lab, this.#port, tap);
  }

  async close(): Promise<void> {
    const { cloud } = this.#network;
    await vsctl(this.#lab, '--if-exists', 'del-br', this.#bridge);
    await unplug(this.#lab, this.tap);
    await ports.update(cloud, this.#port.id, { 'binding:host_id': '' }, never);
    await trunks.delete(cloud, this.trunk, never);
    await ports.delete(cloud, this.#port.id, never);
  }
}
