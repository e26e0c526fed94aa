import { type Clock, SuperfluidityError } from '@superfluidity/core';
import type {
  BalancerSpec,
  FabricBackend,
  FabricCall,
  NetworkSpec,
  SiteLinkSpec,
  SitePath,
} from '@superfluidity/fabric';
import type { Act } from './commands.ts';
import type { SimulatedConfig } from './config.ts';
import { measureChains, oneWayLatency } from './path-latency.ts';
import { sampleLatency } from './random.ts';
import type { SharedSite } from './shared-site.ts';

/** Networks, links and chains without packets: kept, checked and, for telemetry, followed. */
export class SimulatedFabric implements FabricBackend {
  readonly #shared: SharedSite;
  readonly #config: SimulatedConfig;
  readonly #clock: Clock;
  readonly #world: () => readonly SharedSite[];

  constructor(shared: SharedSite, config: SimulatedConfig, clock: Clock, world: () => readonly SharedSite[]) {
    this.#shared = shared;
    this.#config = config;
    this.#clock = clock;
    this.#world = world;
  }

  async ensureNetwork(spec: NetworkSpec, call: FabricCall): Promise<undefined> {
    await this.#act({ verb: 'ensureNetwork', spec }, call);
  }

  removeNetwork(id: string, call: FabricCall): Promise<void> {
    return this.#act({ verb: 'removeNetwork', id }, call);
  }

  async listNetworks(): Promise<readonly NetworkSpec[]> {
    this.#shared.refresh();
    return [...this.#shared.state.fabric.networks.values()].map((network) => network.spec);
  }

  ensureLink(spec: SiteLinkSpec, call: FabricCall): Promise<void> {
    return this.#act({ verb: 'ensureLink', spec }, call);
  }

  removeLink(id: string, call: FabricCall): Promise<void> {
    return this.#act({ verb: 'removeLink', id }, call);
  }

  ensurePath(path: SitePath, call: FabricCall): Promise<void> {
    return this.#act({ verb: 'ensurePath', path }, call);
  }

  activatePath(chainId: string, version: number, call: FabricCall): Promise<void> {
    const world = this.#world();
    for (const site of world) site.refresh();
    const oneWayMs = oneWayLatency(world, chainId, version);
    return this.#act({ verb: 'activatePath', chainId, version, oneWayMs }, call);
  }

  /** Flows that were there when a version was replaced end evenly over their lifetime. */
  async countFlows(chainId: string, version: number): Promise<number> {
    this.#shared.refresh();
    const chain = this.#shared.state.fabric.chains.get(chainId);
    if (chain === undefined || (chain.versions.get(version)?.classifiers.length ?? 0) === 0) return 0;
    const at = chain.activations.findLastIndex((one) => one.version === version);
    if (at === -1) return 0;
    const { flows, flowLifetimeMs } = this.#config.traffic;
    const replaced = chain.activations[at + 1];
    if (replaced === undefined) return flows;
    const left = 1 - (this.#clock.now() - replaced.atMs) / Math.max(1, flowLifetimeMs);
    return Math.max(0, Math.ceil(flows * left));
  }

  removePath(chainId: string, version: number, call: FabricCall): Promise<void> {
    return this.#act({ verb: 'removePath', chainId, version }, call);
  }

  ensureBalancer(spec: BalancerSpec, call: FabricCall): Promise<void> {
    return this.#act({ verb: 'ensureBalancer', spec }, call);
  }

  removeBalancer(id: string, call: FabricCall): Promise<void> {
    return this.#act({ verb: 'removeBalancer', id }, call);
  }

  async #act(act: Act, { key, fence, signal }: FabricCall): Promise<void> {
    if (signal.aborted) {
      throw new SuperfluidityError('SF-CORE-CANCELLED', {
        doing: `${act.verb} on ${this.#shared.state.site}`,
        reason: 'cancelled',
      });
    }
    const waitMs = sampleLatency(this.#config.latency.fabric, this.#config.seed, act.verb, key);
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
    this.#shared.commit({ kind: 'call', key, fence, atMs: this.#clock.now(), act });
    if (act.verb === 'ensureLink' || act.verb === 'removeLink') measureChains(this.#world(), this.#clock.now());
  }
}
