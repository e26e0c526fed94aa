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
import type { Networks } from './networks.ts';
import type { Balancers } from './services/balancers.ts';
import type { World } from './world.ts';

/** The fabric of a site in the words of Kubernetes. */
export class KubernetesBackend implements FabricBackend {
  readonly #world: World;
  readonly #networks: Networks;
  readonly #balancers: Balancers;
  readonly #admit: (call: FabricCall) => Promise<void>;

  constructor(world: World, networks: Networks, balancers: Balancers, admit: (call: FabricCall) => Promise<void>) {
    this.#world = world;
    this.#networks = networks;
    this.#balancers = balancers;
    this.#admit = admit;
  }

  async ensureNetwork(spec: NetworkSpec, call: FabricCall, segment?: NetworkSegment): Promise<undefined> {
    await this.#admit(call);
    await this.#networks.ensure(spec, segment, call.signal);
  }

  async removeNetwork(id: string, call: FabricCall): Promise<void> {
    await this.#admit(call);
    await this.#networks.remove(id, call.signal);
  }

  listNetworks(): Promise<readonly NetworkSpec[]> {
    return this.#networks.list(this.#world.ask());
  }

  /** What lies between clusters is not ours to make: how late packets are there is what the operator says of it. */
  async ensureLink(_spec: SiteLinkSpec, call: FabricCall): Promise<void> {
    await this.#admit(call);
  }

  async removeLink(_id: string, call: FabricCall): Promise<void> {
    await this.#admit(call);
  }

  async ensurePath(path: SitePath, call: FabricCall): Promise<void> {
    await this.#admit(call);
    throw new SuperfluidityError('SF-KUBE-CHAIN', {
      doing: `install chain ${path.chainId} at ${this.#world.name}`,
      reason: 'the network of a cluster brings packets to where they are sent, and not through other pods first',
    });
  }

  async activatePath(chainId: string, version: number, call: FabricCall): Promise<void> {
    await this.#admit(call);
    throw new SuperfluidityError('SF-SITE-NO-PATH', {
      doing: `activate version ${version} of chain ${chainId} at ${this.#world.name}`,
      reason: 'there is no such version',
    });
  }

  async countFlows(): Promise<number> {
    return 0;
  }

  async removePath(_chainId: string, _version: number, call: FabricCall): Promise<void> {
    await this.#admit(call);
  }

  async ensureBalancer(spec: BalancerSpec, call: FabricCall): Promise<void> {
    await this.#admit(call);
    await this.#balancers.ensure(spec, call.signal);
  }

  async removeBalancer(id: string, call: FabricCall): Promise<void> {
    await this.#admit(call);
    await this.#balancers.remove(id, call.signal);
  }
}
