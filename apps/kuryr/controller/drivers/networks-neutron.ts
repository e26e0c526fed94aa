import {
  addRouterInterface,
  type Cloud,
  findOrCreate,
  isNotFound,
  type Network,
  networks,
  ports,
  removeRouterInterface,
  type Subnet,
  subnets,
} from '@superfluidity/openstack';
import type { KuryrNetwork } from '../../api/network.ts';
import { readSubnet } from './subnets.ts';
import type { NetworkDriver } from './types.ts';

export interface NeutronNetworksOptions {
  readonly cloud: Cloud;
  readonly tags: readonly string[];
  readonly cluster: string;
  readonly subnetPool: string;
  readonly router?: string;
}

/** Each namespace gets a network with a subnet out of a pool of subnets, connected to the router. */
export class NeutronNetworks implements NetworkDriver {
  readonly #options: NeutronNetworksOptions;

  constructor(options: NeutronNetworksOptions) {
    this.#options = options;
  }

  async ensure(network: KuryrNetwork, _taken: readonly string[], signal: AbortSignal) {
    const { cloud, tags, router } = this.#options;
    const made = await this.#network(network, signal);
    if (!tags.every((tag) => made.tags.includes(tag))) await networks.setTags(cloud, made.id, tags, signal);
    const subnet = await this.#subnet(network, made.id, signal);
    if (router !== undefined) {
      const connected = await ports.find(cloud, { network_id: made.id, device_id: router }, signal);
      if (connected === undefined) await addRouterInterface(cloud, router, { subnet_id: subnet.id }, signal);
    }
    const { networkId, subnetId, cidr, gateway, mtu } = await readSubnet(cloud, subnet.id, signal);
    return {
      networkId,
      subnetId,
      cidr,
      ...(gateway === undefined ? {} : { gateway }),
      ...(router === undefined ? {} : { routerId: router }),
      mtu,
    };
  }

  async remove(network: KuryrNetwork, signal: AbortSignal): Promise<void> {
    const { cloud } = this.#options;
    for (const { id } of await networks.list(cloud, { description: this.#description(network) }, signal)) {
      for (const port of await ports.list(cloud, { network_id: id }, signal)) {
        if (!port.device_owner.startsWith('network:router_interface')) continue;
        try {
          await removeRouterInterface(cloud, port.device_id, { port_id: port.id }, signal);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      // Refused (409) as long as anything has a port in it: then it is tried again.
      await networks.delete(cloud, id, signal);
    }
  }

  #description({ metadata }: KuryrNetwork): string {
    return `${this.#options.tags.at(-1)} network ${metadata.uid}`;
  }

  #network(network: KuryrNetwork, signal: AbortSignal): Promise<Network> {
    const { cloud, cluster } = this.#options;
    const { namespace, project } = network.spec;
    const description = this.#description(network);
    const whose = project === '' ? {} : { project_id: project };
    const fields = { name: `kuryr.${cluster}.${namespace}`, description, ...whose };
    return findOrCreate<Network>(cloud, {
      find: () => networks.list(cloud, { description }, signal),
      create: () => networks.create(cloud, fields, signal),
      remove: async ({ id }) => void (await networks.delete(cloud, id, signal)),
      signal,
    });
  }

  #subnet(network: KuryrNetwork, networkId: string, signal: AbortSignal): Promise<Subnet> {
    const { cloud, cluster, subnetPool } = this.#options;
    const { namespace, project } = network.spec;
    const fields = {
      name: `kuryr.${cluster}.${namespace}`,
      description: this.#description(network),
      network_id: networkId,
      ip_version: 4,
      subnetpool_id: subnetPool,
      // Pods are told their addresses by the daemon.
      enable_dhcp: false,
      ...(project === '' ? {} : { project_id: project }),
    } as const;
    return findOrCreate<Subnet>(cloud, {
      find: () => subnets.list(cloud, { network_id: networkId }, signal),
      create: () => subnets.create(cloud, fields, signal),
      remove: async ({ id }) => void (await subnets.delete(cloud, id, signal)),
      signal,
    });
  }
}
