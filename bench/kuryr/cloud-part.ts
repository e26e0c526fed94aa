import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@superfluidity/core';
import {
  agents,
  type Cloud,
  networks,
  type Port,
  ports,
  securityGroupRules,
  securityGroups,
  setNetworkQuotas,
  subnets,
  trunks,
} from '@superfluidity/openstack';
import {
  authWords,
  labCloud,
  laboratory,
  OPERATOR,
  type OwnProject,
  ownProject,
} from '@superfluidity/openstack/testing';
import { run } from '../../lab/command.ts';
import type { Lab } from '../../lab/openstack/lab.ts';
import { ovsSocket } from '../../lab/openstack/services/ovs.ts';

const never = new AbortController().signal;
const NAME = 'superfluidity-bench-kuryr';
const WAIT_MS = 300_000;
const POLL_MS = 200;
/** The laboratory looks ten times in a second. */
const PLUG_MS = 3_000;
const AT_ONCE = 8;
const CLOUD = 'bench';

/** A project of a real Neutron with one network of pods, and the port of a virtual machine that is a node: parent of a trunk. */
export class CloudPart {
  readonly cloud: Cloud;
  readonly project: OwnProject;
  /** As Neutron calls the machine with its agent. */
  readonly host: string;
  readonly network: string;
  readonly subnet: string;
  readonly group: string;
  readonly parent: Port;
  readonly trunk: string;

  private constructor(
    parts: Omit<CloudPart, 'settings' | 'device' | 'address' | 'until' | 'untilOnlyNode' | 'isPlugged' | 'close'>,
  ) {
    this.cloud = parts.cloud;
    this.project = parts.project;
    this.host = parts.host;
    this.network = parts.network;
    this.subnet = parts.subnet;
    this.group = parts.group;
    this.parent = parts.parent;
    this.trunk = parts.trunk;
  }

  static async open(): Promise<CloudPart> {
    const lab = laboratory();
    if (lab === undefined) throw new Error('no OpenStack laboratory runs here: name one by OS_* variables');
    const project = await ownProject(lab, NAME, OPERATOR);
    const cloud = labCloud(project.config);
    try {
      await clear(cloud, project.id);
      return await CloudPart.#make(cloud, project);
    } catch (error) {
      await clear(cloud, project.id);
      await cloud.close();
      await project.remove();
      throw error;
    }
  }

  static async #make(cloud: Cloud, project: OwnProject): Promise<CloudPart> {
    await setNetworkQuotas(cloud, project.id, { port: -1 }, never);
    const agent = await agents.find(cloud, { agent_type: 'Open vSwitch agent' }, never);
    if (agent === undefined) throw new Error('the laboratory has no Open vSwitch agent');
    const { id: network } = await networks.create(cloud, { name: NAME }, never);
    const shape = { network_id: network, ip_version: 4, cidr: '10.88.0.0/20', enable_dhcp: false } as const;
    const { id: subnet } = await subnets.create(cloud, shape, never);
    const { id: group } = await securityGroups.create(cloud, { name: NAME }, never);
    const rule = { security_group_id: group, direction: 'ingress', ethertype: 'IPv4' } as const;
    await securityGroupRules.create(cloud, rule, never);
    // A port that is bound already is no parent of a trunk that is made after it.
    const fields = { network_id: network, name: 'node', device_owner: 'compute:bench', security_groups: [group] };
    const { id } = await ports.create(cloud, fields, never);
    const { id: trunk } = await trunks.create(cloud, { port_id: id, name: 'node' }, never);
    const parent = await ports.update(cloud, id, { 'binding:host_id': agent.host }, never);
    const part = new CloudPart({ cloud, project, host: agent.host, network, subnet, group, parent, trunk });
    // The laboratory plugs what is bound to its host.
    await part.until('the port of the node is ACTIVE', (all) =>
      all.some((port) => port.id === id && port.status === 'ACTIVE'),
    );
    return part;
  }

  /** What a controller needs of it: its configuration, and where it finds the credentials, of which `folder` gets a file. */
  settings(folder: string): { readonly neutron: object; readonly env: Readonly<Record<string, string>> } {
    const { config, id } = this.project;
    const region = config.region === undefined ? {} : { region_name: config.region };
    const file = join(folder, 'clouds.yaml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ clouds: { [CLOUD]: { auth: authWords(config), ...region } } }), {
      mode: 0o600,
    });
    const neutron = { cloud: CLOUD, subnet: this.subnet, groups: [this.group], project: id };
    return { neutron, env: { OS_CLIENT_CONFIG_FILE: file } };
  }

  /** Of the virtual machine, as the laboratory plugged it. */
  get device(): string {
    return `tap${this.parent.id.slice(0, 11)}`;
  }

  get address(): string {
    return this.parent.fixed_ips[0]!.ip_address;
  }

  /** Waits until what Neutron has in the network is as wanted: the ports of pods, and that of the node. */
  async until(what: string, isSo: (all: readonly Port[]) => boolean): Promise<void> {
    for (const deadline = performance.now() + WAIT_MS; ; ) {
      if (isSo(await ports.list(this.cloud, { network_id: this.network }, never))) return;
      if (performance.now() > deadline) throw new Error(`not in ${WAIT_MS / 1_000} s: ${what}`);
      await systemClock.sleep(POLL_MS);
    }
  }

  /** Until the ports of all pods are gone. */
  async untilOnlyNode(): Promise<void> {
    await this.until('only the port of the node is left', (all) => all.length === 1);
  }

  /** Whether somebody else plugs ports of this owner that are bound to the host. */
  async isPlugged(lab: Lab, owner: string): Promise<boolean> {
    const fields = { network_id: this.network, device_owner: owner, 'binding:host_id': this.host };
    const { id } = await ports.create(this.cloud, { ...fields, name: 'probe' }, never);
    try {
      await systemClock.sleep(PLUG_MS);
      const find = ['--columns=name', 'find', 'Interface', `external_ids:iface-id=${id}`] as const;
      return (await run(['ovs-vsctl', `--db=${ovsSocket(lab)}`, '--timeout=10', ...find])).trim() !== '';
    } finally {
      await ports.delete(this.cloud, id, never);
    }
  }

  /** With all that is in it. */
  async close(): Promise<void> {
    await clear(this.cloud, this.project.id);
    await this.cloud.close();
    await this.project.remove();
  }
}

/** Also what a run before this one left. */
async function clear(cloud: Cloud, project: string): Promise<void> {
  for (const { id, port_id: parent } of await trunks.list(cloud, { project_id: project }, never)) {
    // A trunk whose parent is bound cannot be deleted.
    await ports.update(cloud, parent, { 'binding:host_id': '' }, never);
    await trunks.delete(cloud, id, never);
  }
  const left = (await ports.list(cloud, { project_id: project }, never)).map(({ id }) => id);
  const work = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) await ports.delete(cloud, id, never);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const { id } of await networks.list(cloud, { project_id: project }, never))
    await networks.delete(cloud, id, never);
  for (const { id, name } of await securityGroups.list(cloud, { project_id: project }, never))
    if (name !== 'default') await securityGroups.delete(cloud, id, never);
}
