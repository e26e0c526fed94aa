import { SuperfluidityError } from '@superfluidity/core';
import type {
  BalancerSpec,
  FabricBackend,
  FabricCall,
  NetworkSegment,
  NetworkSpec,
  SiteLinkSpec,
  SitePath,
} from '@superfluidity/fabric';
import type { Gateway } from '../gateway/gateway.ts';
import type { OctaviaBalancers } from '../octavia/balancers.ts';
import type { World } from '../world.ts';
import type { NeutronChains } from './chains.ts';
import type { Networks } from './networks.ts';
import type { PortSource } from './port-source.ts';
import type { SecurityGroups } from './security-groups.ts';

export interface BackendParts {
  readonly world: World;
  readonly networks: Networks;
  readonly groups: SecurityGroups;
  readonly ports: PortSource;
  readonly chains: NeutronChains;
  readonly balancers: OctaviaBalancers;
  /** Where the site has one. */
  readonly gateway: Gateway | undefined;
  /** Whether Neutron has the extension `sfc`. */
  readonly steers: () => Promise<boolean>;
  /** Refuses callers that were replaced. */
  readonly admit: (call: FabricCall) => Promise<void>;
}

/** The fabric of a site in the words of Neutron. */
export class NeutronBackend implements FabricBackend {
  readonly spreadsChains = true;
  readonly #parts: BackendParts;

  constructor(parts: BackendParts) {
    this.#parts = parts;
  }

  async ensureNetwork(spec: NetworkSpec, call: FabricCall): Promise<NetworkSegment> {
    await this.#parts.admit(call);
    const { networkId, subnetId } = await this.#parts.networks.ensure(spec, call.signal);
    await this.#parts.gateway?.settle(call);
    return { network: networkId, subnet: subnetId };
  }

  async removeNetwork(id: string, call: FabricCall): Promise<void> {
    const { admit, networks, ports, groups, gateway } = this.#parts;
    await admit(call);
    await networks.remove(id, (networkId) => ports.leave(networkId, call.signal), call.signal);
    await gateway?.settle(call);
    if ((await networks.list(call.signal)).length === 0) await groups.removeUnused(call.signal);
  }

  listNetworks(): Promise<readonly NetworkSpec[]> {
    const { networks, world } = this.#parts;
    return networks.list(world.ask());
  }

  /** Without a gateway, what lies between clouds is not ours to make: how late packets are there is what the operator says of it. */
  async ensureLink(spec: SiteLinkSpec, call: FabricCall): Promise<void> {
    await this.#parts.admit(call);
    await this.#parts.gateway?.ensureLink(spec, call);
  }

  async removeLink(id: string, call: FabricCall): Promise<void> {
    await this.#parts.admit(call);
    await this.#parts.gateway?.removeLink(id, call);
  }

  async ensurePath(path: SitePath, call: FabricCall): Promise<void> {
    const { admit, chains, gateway, steers, world } = this.#parts;
    await admit(call);
    if (gateway !== undefined && crosses(path)) return gateway.ensurePath(path, call);
    if (await steers()) return chains.ensurePath(path, call);
    throw new SuperfluidityError('SF-CLOUD-CHAIN', {
      doing: `install chain ${path.chainId} at ${world.name}`,
      reason: 'Neutron of this cloud has no extension `sfc`',
    });
  }

  async activatePath(chainId: string, version: number, call: FabricCall): Promise<void> {
    const { admit, chains, gateway, steers, world } = this.#parts;
    await admit(call);
    if ((await gateway?.activatePath(chainId, version, call)) === true) return;
    if (await steers()) return chains.activatePath(chainId, version, call);
    throw new SuperfluidityError('SF-SITE-NO-PATH', {
      doing: `activate version ${version} of chain ${chainId} at ${world.name}`,
      reason: 'there is no such version',
    });
  }

  async countFlows(chainId: string, version: number): Promise<number> {
    const { chains, gateway } = this.#parts;
    return ((await gateway?.countFlows(chainId, version)) ?? 0) + (await chains.countFlows());
  }

  async removePath(chainId: string, version: number, call: FabricCall): Promise<void> {
    const { admit, chains, gateway, steers } = this.#parts;
    await admit(call);
    await gateway?.removePath(chainId, version, call);
    if (await steers()) await chains.removePath(chainId, version, call);
  }

  async ensureBalancer(spec: BalancerSpec, call: FabricCall): Promise<void> {
    await this.#parts.admit(call);
    await this.#parts.balancers.ensure(spec, call.signal);
  }

  async removeBalancer(id: string, call: FabricCall): Promise<void> {
    await this.#parts.admit(call);
    await this.#parts.balancers.remove(id, call.signal);
  }
}

/** Whether other sites have a part of the chain: what leads there goes by the router of that site first. */
const crosses = ({ classifiers, steers }: SitePath): boolean =>
  [...classifiers, ...steers].some(({ segments }) => segments.length > 1);
