import { changeLink, createTap, deleteLink, transact } from '@superfluidity/netlink';
import { type Port, ports, trunks } from '@superfluidity/openstack';
import { run } from '../../../lab/command.ts';
import { Guest } from '../../../lab/guest/guest.ts';
import type { Lab } from '../../../lab/openstack/lab.ts';
import { ovsSocket } from '../../../lab/openstack/services/ovs.ts';
import { EXECUTABLE } from '../install/pods.ts';
import { type OwnNetwork, untilActive } from './own-network.ts';
import { workerRoot } from './worker-root.ts';

const never = new AbortController().signal;
/** Where a guest finds this machine, and an API server that listens on its loopback. */
const MACHINE = '10.97.0.1';
const MEMORY_MIB = 768;
/** An interpreted processor takes its time. */
const ADD_MS = 180_000;

interface WorkerParts {
  readonly lab: Lab;
  readonly network: OwnNetwork;
  /** Of the network, which is one of a tunnel. */
  readonly mtu: number;
}

/** A pod that a runtime in the guest would ask the network of. */
export interface GuestPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/**
 * A virtual machine that is a node: its port is the parent of a trunk, and is plugged into the bridge of the trunk as Nova does it.
 * In it are Node, the daemon and the executable of the plugin.
 */
export class Worker {
  readonly guest: Guest;
  readonly port: Port;
  readonly trunk: string;
  readonly #parts: WorkerParts;

  static async start(parts: WorkerParts): Promise<Worker> {
    const { network, lab, mtu } = parts;
    const { cloud, host } = network;
    // A port that is bound already is no parent of a trunk that is made after it.
    const made = await network.port('worker', {}, false);
    const trunk = await trunks.create(cloud, { port_id: made.id, name: 'worker' }, never);
    const port = await ports.update(cloud, made.id, { 'binding:host_id': host }, never);
    const tap = tapOf(port);
    const address = `${port.fixed_ips[0]!.ip_address}/24`;
    createTap(undefined, tap);
    try {
      transact(undefined, [changeLink(tap, { up: true, mtu: mtu + 4 })]);
      await plug(lab, port, tap);
      const device = { tap, mac: port.mac_address, name: 'eth0', address, mtu };
      const guest = await Guest.start({ fill: workerRoot, device, machine: MACHINE, memoryMiB: MEMORY_MIB });
      try {
        await untilActive(cloud, port.id);
      } catch (error) {
        await guest.stop();
        throw error;
      }
      return new Worker(guest, port, trunk.id, parts);
    } catch (error) {
      await unplug(lab, tap);
      throw error;
    }
  }

  private constructor(guest: Guest, port: Port, trunk: string, parts: WorkerParts) {
    this.guest = guest;
    this.port = port;
    this.trunk = trunk;
    this.#parts = parts;
  }

  get tap(): string {
    return tapOf(this.port);
  }

  get address(): string {
    return this.port.fixed_ips[0]!.ip_address;
  }

  /** The executable of the plugin, as a runtime calls it; for ADD, with a namespace for the pod. What it answered. */
  async cni(verb: 'ADD' | 'CHECK' | 'DEL', pod: GuestPod, more: object = {}): Promise<unknown> {
    const configuration = { cniVersion: '1.1.0', name: 'kuryr', type: 'superfluidity-kuryr', ...more };
    const { namespace, name, uid } = pod;
    const args = `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=${uid}`;
    const netns = `/run/netns/${name}`;
    const { code, output } = await this.guest.ask(
      [
        ...(verb === 'ADD' ? [`touch ${netns} && unshare --net=${netns} ip link set lo up`] : []),
        `export CNI_COMMAND=${verb} CNI_CONTAINERID=${name} CNI_NETNS=${netns} CNI_IFNAME=eth0 CNI_PATH=/none`,
        `export CNI_ARGS='${args}'`,
        `${EXECUTABLE} <<'end'\n${JSON.stringify(configuration)}\nend`,
      ].join('\n'),
      ADD_MS,
    );
    if (code !== 0) throw new Error(`${verb} of ${name} ended with ${code}: ${output}`);
    return output === '' ? undefined : JSON.parse(output);
  }

  /** Inside of a pod. */
  inside(pod: GuestPod, command: string): Promise<string> {
    return this.guest.run(`nsenter --net=/run/netns/${pod.name} ${command}`);
  }

  async stop(): Promise<void> {
    const { lab, network } = this.#parts;
    const { cloud } = network;
    await this.guest.stop();
    await unplug(lab, this.tap);
    await ports.update(cloud, this.port.id, { 'binding:host_id': '' }, never);
    await trunks.delete(cloud, this.trunk, never);
    await ports.delete(cloud, this.port.id, never);
  }
}

export const tapOf = ({ id }: Port): string => `tap${id.slice(0, 11)}`;

/** As os-vif does it: into the bridge that Neutron names in the binding, which the agent then connects. */
export async function plug(lab: Lab, port: Port, tap: string): Promise<void> {
  const bridge = port['binding:vif_details']?.['bridge_name'];
  if (typeof bridge !== 'string' || !bridge.startsWith('tbr-')) throw new Error(`no bridge of a trunk: ${bridge}`);
  await vsctl(
    lab,
    '--may-exist',
    'add-br',
    bridge,
    '--',
    'set',
    'bridge',
    bridge,
    'datapath_type=netdev',
    '--',
    '--may-exist',
    'add-port',
    bridge,
    tap,
    '--',
    'set',
    'Interface',
    tap,
    `external_ids:iface-id=${port.id}`,
    `external_ids:attached-mac="${port.mac_address}"`,
    'external_ids:iface-status=active',
    `external_ids:vm-uuid=${port.id}`,
  );
}

export async function unplug(lab: Lab, tap: string): Promise<void> {
  await vsctl(lab, '--if-exists', 'del-port', tap);
  transact(undefined, [deleteLink(tap)]);
}

export const vsctl = (lab: Lab, ...args: readonly string[]): Promise<string> =>
  run(['ovs-vsctl', `--db=${ovsSocket(lab)}`, '--timeout=30', ...args]);
