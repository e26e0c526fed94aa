import { createHash } from 'node:crypto';
import { SuperfluidityError, canonicalJson } from '@superfluidity/core';
import {
  AddressPool,
  type BalancerSpec,
  type NetworkSpec,
  type PortSpec,
  type PortStatus,
  type SiteLinkSpec,
  type SitePath,
} from '@superfluidity/fabric';
import { type Act, refused, type Refused } from './commands.ts';
import { limits } from './config.ts';

interface NetworkRecord {
  readonly spec: NetworkSpec;
  readonly addresses: AddressPool;
}

/** From when on new flows took a version, and how long a packet travelled in it, one way. Null: it led nowhere. */
export interface Activation {
  readonly version: number;
  readonly atMs: number;
  readonly oneWayMs: number | null;
}

/** What is active after the active version was removed. */
const NO_VERSION = 0;

export interface ChainRecord {
  readonly versions: Map<number, SitePath>;
  /** Oldest first; the last one is active. */
  activations: readonly Activation[];
}

type FabricAct = Exclude<Act, { verb: 'reserve' | 'settle' | 'drain' | 'remove' | 'prepare' }>;

/** The network of a simulated site as its commands make it. */
export class FabricState {
  readonly locator: string;
  readonly routerSid: string;
  readonly networks = new Map<string, NetworkRecord>();
  readonly links = new Map<string, SiteLinkSpec>();
  readonly chains = new Map<string, ChainRecord>();
  readonly balancers = new Map<string, BalancerSpec>();
  readonly #site: string;
  readonly #prefix: string;
  #portsMade = 0;

  constructor(site: string, prefix: string | undefined) {
    this.#site = site;
    this.#prefix = prefix ?? `fd5f:${createHash('sha256').update(site).digest('hex').slice(0, 4)}:0`;
    this.locator = `${this.#prefix}::/48`;
    this.routerSid = `${this.#prefix}::1`;
  }

  apply(act: FabricAct, atMs: number): void {
    switch (act.verb) {
      case 'ensureNetwork':
        this.#same('network', act.spec.id, this.networks.get(act.spec.id)?.spec, act.spec);
        if (!this.networks.has(act.spec.id)) {
          this.networks.set(act.spec.id, { spec: act.spec, addresses: new AddressPool(act.spec.prefix) });
        }
        return;
      case 'removeNetwork':
        return this.#removeNetwork(act.id);
      case 'ensureLink':
        this.links.set(act.spec.id, act.spec);
        return;
      case 'removeLink':
        this.links.delete(act.id);
        return;
      case 'ensurePath':
        return this.#ensurePath(act.path);
      case 'activatePath':
        return this.#activatePath(act, atMs);
      case 'removePath':
        return this.#removePath(act.chainId, act.version, atMs);
      case 'ensureBalancer':
        this.balancers.set(act.spec.id, act.spec);
        return;
      case 'removeBalancer':
        this.balancers.delete(act.id);
        return;
    }
  }

  reach({ chainId, oneWayMs, atMs }: { chainId: string; oneWayMs: number | null; atMs: number }): void {
    const chain = this.chains.get(chainId);
    const last = chain?.activations.at(-1);
    if (chain === undefined || last === undefined || last.oneWayMs === oneWayMs) return;
    activate(chain, { version: last.version, atMs, oneWayMs });
  }

  clear(): void {
    for (const things of [this.networks, this.links, this.chains, this.balancers]) things.clear();
  }

  connect(port: PortSpec, host: string): PortStatus | Refused {
    const network = this.networks.get(port.network);
    if (network === undefined) return refused('SF-SITE-NO-NETWORK', `${this.#site} has no network ${port.network}`);
    const address = addressFor(network, port);
    if (typeof address !== 'string') return address;
    this.#portsMade += 1;
    return {
      id: port.id,
      name: port.name,
      network: port.network,
      host,
      address,
      mac: port.mac ?? this.#mac(this.#portsMade),
      sid: this.#sid(this.#portsMade),
    };
  }

  disconnect(port: PortStatus): void {
    this.networks.get(port.network)?.addresses.giveBack(port.address);
  }

  /** Locally administered (IEEE 802 clause 8.2): second lowest bit of the first octet. */
  #mac(number: number): string {
    const hex = number.toString(16).padStart(10, '0');
    return `02:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}`;
  }

  #sid(number: number): string {
    return `${this.#prefix}::1:${Math.floor(number / 0x10000).toString(16)}:${(number % 0x10000).toString(16)}`;
  }

  #removeNetwork(id: string): void {
    const network = this.networks.get(id);
    if (network === undefined) return;
    if (network.addresses.size > 0) {
      throw new SuperfluidityError('SF-SITE-CONFLICT', {
        doing: `remove network ${network.spec.name} from ${this.#site}`,
        reason: `${network.addresses.size} ports are attached to it`,
        hint: 'Remove the units first.',
      });
    }
    this.networks.delete(id);
  }

  #ensurePath(path: SitePath): void {
    let chain = this.chains.get(path.chainId);
    const there = chain?.versions.get(path.version);
    this.#same('version of the chain', `${path.chainId}/${path.version}`, there, path);
    if (chain === undefined) {
      chain = { versions: new Map(), activations: [] };
      this.chains.set(path.chainId, chain);
    }
    if (there === undefined) chain.versions.set(path.version, path);
  }

  #activatePath(act: Extract<Act, { verb: 'activatePath' }>, atMs: number): void {
    const { chainId, version, oneWayMs } = act;
    const chain = this.chains.get(chainId);
    if (chain?.versions.has(version) !== true) {
      throw new SuperfluidityError('SF-SITE-NO-PATH', {
        doing: `activate chain ${chainId} on ${this.#site}`,
        reason: `version ${version} is not installed`,
      });
    }
    if (chain.activations.at(-1)?.version === version) return;
    activate(chain, { version, atMs, oneWayMs });
  }

  #removePath(chainId: string, version: number, atMs: number): void {
    const chain = this.chains.get(chainId);
    if (chain?.versions.delete(version) !== true) return;
    if (chain.versions.size === 0) this.chains.delete(chainId);
    else if (chain.activations.at(-1)?.version === version)
      activate(chain, { version: NO_VERSION, atMs, oneWayMs: null });
  }

  #same(what: string, id: string, there: unknown, wanted: unknown): void {
    if (there === undefined || canonicalJson(there) === canonicalJson(wanted)) return;
    throw new SuperfluidityError('SF-SITE-CONFLICT', {
      doing: `ensure ${what} ${id} on ${this.#site}`,
      reason: 'it is there already and differs',
    });
  }
}

function activate(chain: ChainRecord, activation: Activation): void {
  chain.activations = [...chain.activations.slice(1 - limits.activationsKept), activation];
}

function addressFor({ spec, addresses }: NetworkRecord, port: PortSpec): string | Refused {
  if (port.address === undefined) {
    return (
      addresses.take() ??
      refused('SF-SITE-ADDRESS-EXHAUSTED', `network ${spec.name} has no free address in ${spec.prefix}`)
    );
  }
  switch (addresses.takeFixed(port.address)) {
    case 'ok':
      return port.address;
    case 'in-use':
      return refused('SF-SITE-ADDRESS-IN-USE', `${port.address} is in use in network ${spec.name}`);
    case 'outside':
      return refused(
        'SF-SITE-ADDRESS-OUTSIDE',
        `${port.address} does not lie in ${spec.prefix} of network ${spec.name}`,
      );
  }
}
