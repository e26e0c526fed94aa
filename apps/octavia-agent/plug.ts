import type { Cloud } from '@superfluidity/openstack';
import { networks, ports, subnets } from '@superfluidity/openstack';
import { command } from './command.ts';
import type { Tree } from './things.ts';

/** Where the proxy of a load balancer lives: a namespace with the port of its VIP. */
export interface Plug {
  ensure(tree: Tree, signal: AbortSignal): Promise<void>;
  remove(tree: Tree): Promise<void>;
}

export const namespaceOf = (tree: Tree): string => `sf-lb-${tree.balancer.loadbalancer_id.slice(0, 13)}`;

export interface OpenVSwitchOptions {
  readonly cloud: Cloud;
  /** As the agent of Neutron on this machine calls it. */
  readonly host: string;
  /** Of Open vSwitch: `unix:/run/openvswitch/db.sock`. */
  readonly ovsdb: string;
  readonly bridge: string;
}

/**
 * The port of the VIP as an internal port of Open vSwitch, as Nova does it for servers: the agent of Neutron on this machine
 * wires it when the port is bound here.
 */
export class OpenVSwitchPlug implements Plug {
  readonly #options: OpenVSwitchOptions;

  constructor(options: OpenVSwitchOptions) {
    this.#options = options;
  }

  async ensure(tree: Tree, signal: AbortSignal): Promise<void> {
    const { cloud, host, bridge } = this.#options;
    const namespace = namespaceOf(tree);
    const portId = tree.balancer.vip_port_id ?? '';
    const inside = await list(namespace);
    const device = deviceOf(portId);
    if (inside?.includes(device) === true) return;

    const port = await ports.show(cloud, portId, signal);
    // The proxy itself lets in whom a listener allows. A port without a group of its own would let in nobody.
    const binding = {
      'binding:host_id': host,
      // Octavia makes it switched off, since its own machines have the address beside theirs.
      admin_state_up: true,
      security_groups: [],
      port_security_enabled: false,
    };
    await ports.update(cloud, portId, binding as Parameters<typeof ports.update>[2], signal);
    const { subnet_id: subnetId, ip_address: address } = port.fixed_ips[0]!;
    const subnet = await subnets.show(cloud, subnetId, signal);
    const { mtu } = (await networks.show(cloud, port.network_id, signal)) as { readonly mtu?: number };
    const ids = { 'iface-id': portId, 'attached-mac': port.mac_address, 'iface-status': 'active', 'vm-uuid': portId };
    const add = ['--may-exist', 'add-port', bridge, device, '--', 'set', 'Interface', device, 'type=internal'];
    await this.#vsctl(...add, ...Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`));
    if (inside === undefined) await command('ip', 'netns', 'add', namespace);
    await command('ip', 'link', 'set', device, 'netns', namespace);
    const ip = (...args: readonly string[]) => command('ip', '-n', namespace, ...args);
    await ip('link', 'set', 'lo', 'up');
    await ip('link', 'set', device, 'address', port.mac_address, 'mtu', String(mtu ?? 1_450));
    await ip('addr', 'replace', `${address}/${subnet.cidr.split('/')[1]!}`, 'dev', device);
    await ip('link', 'set', device, 'up');
    if (subnet.gateway_ip !== null && subnet.gateway_ip !== undefined)
      await ip('route', 'replace', 'default', 'via', subnet.gateway_ip);
    // Who had the address before is forgotten by those who knew it.
    await command('ip', 'netns', 'exec', namespace, 'arping', '-c', '1', '-A', '-I', device, address).catch(() => {});
  }

  async remove(tree: Tree): Promise<void> {
    const portId = tree.balancer.vip_port_id;
    if (portId !== null && portId !== undefined) await this.#vsctl('--if-exists', 'del-port', deviceOf(portId));
    const namespace = namespaceOf(tree);
    if ((await list(namespace)) !== undefined) await command('ip', 'netns', 'del', namespace);
  }

  async #vsctl(...args: readonly string[]): Promise<void> {
    await command('ovs-vsctl', `--db=${this.#options.ovsdb}`, '--timeout=10', ...args);
  }
}

/** As os-vif names it, so that nobody plugs the port a second time. */
const deviceOf = (portId: string): string => `tap${portId.slice(0, 11)}`;

/** Names of the links inside; undefined where there is no such namespace. */
async function list(namespace: string): Promise<readonly string[] | undefined> {
  try {
    const links = JSON.parse(await command('ip', '-n', namespace, '-json', 'link')) as { readonly ifname: string }[];
    return links.map(({ ifname }) => ifname);
  } catch {
    return undefined;
  }
}
