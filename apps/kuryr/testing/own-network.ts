import {
  agents,
  type Cloud,
  networks,
  type Port,
  type PortFields,
  ports,
  securityGroupRules,
  securityGroups,
  subnets,
  trunks,
} from '@superfluidity/openstack';
import { labCloud, laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';

const never = new AbortController().signal;
/** The laboratory leaves these ports to who made them: see lab/openstack/plug.ts. */
const PLUGGED_BY_TEST = 'compute:test-plugs';

/** A project of the laboratory's Neutron with one network, and a security group that lets everything in. */
export class OwnNetwork {
  readonly project: OwnProject;
  readonly cloud: Cloud;
  /** As Neutron calls this machine. */
  readonly host: string;
  readonly id: string;
  readonly subnet: string;
  readonly group: string;

  private constructor(parts: Pick<OwnNetwork, 'project' | 'cloud' | 'host' | 'id' | 'subnet' | 'group'>) {
    this.project = parts.project;
    this.cloud = parts.cloud;
    this.host = parts.host;
    this.id = parts.id;
    this.subnet = parts.subnet;
    this.group = parts.group;
  }

  static async open(name: string, cidr: string): Promise<OwnNetwork> {
    const project = await ownProject(laboratory()!, name, OPERATOR);
    const cloud = labCloud(project.config);
    await clear(cloud, project.id);
    const { host } = (await agents.find(cloud, { agent_type: 'Open vSwitch agent' }, never))!;
    const { id } = await networks.create(cloud, { name }, never);
    const shape = { network_id: id, ip_version: 4, cidr, enable_dhcp: false } as const;
    const { id: subnet } = await subnets.create(cloud, shape, never);
    const { id: group } = await securityGroups.create(cloud, { name }, never);
    const rule = { security_group_id: group, direction: 'ingress', ethertype: 'IPv4' } as const;
    await securityGroupRules.create(cloud, rule, never);
    return new OwnNetwork({ project, cloud, host, id, subnet, group });
  }

  /** Bound to this machine at once, unless `bound` is false; the test plugs it. */
  async port(name: string, more: Partial<PortFields> = {}, bound = true): Promise<Port> {
    const fields = {
      network_id: this.id,
      name,
      device_owner: PLUGGED_BY_TEST,
      device_id: name,
      security_groups: [this.group],
      ...(bound ? { 'binding:host_id': this.host } : {}),
      ...more,
    };
    return ports.create(this.cloud, fields, never);
  }

  /** All that the tests and the controller count. */
  all(): Promise<readonly Port[]> {
    return ports.list(this.cloud, { network_id: this.id }, never);
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
  for (const { id } of await ports.list(cloud, { project_id: project }, never)) await ports.delete(cloud, id, never);
  for (const { id } of await networks.list(cloud, { project_id: project }, never))
    await networks.delete(cloud, id, never);
  for (const { id, name } of await securityGroups.list(cloud, { project_id: project }, never))
    if (name !== 'default') await securityGroups.delete(cloud, id, never);
}

/** A port that is to be ACTIVE soon, once it is plugged. */
export async function untilActive(cloud: Cloud, id: string, withinMs = 120_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { status } = await ports.show(cloud, id, never);
    if (status === 'ACTIVE') return;
    if (performance.now() >= deadline) throw new Error(`port ${id} is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
