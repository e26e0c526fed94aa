import type { BalancerSpec, NetworkSegment, NetworkSpec, SiteLinkSpec, SitePath } from './types.ts';

/**
 * The port through which a site realises networks. Every verb is idempotent: `ensure` with what is there already does
 * nothing, `remove` of what is not there succeeds. A call that carries a fence lower than one seen before is refused
 * with `SF-SITE-FENCED`: the caller was replaced while it slept.
 */
export interface FabricBackend {
  /** It spreads the flows of a chain over the instances of a function; else chains take the first one. */
  readonly spreadsChains?: boolean;

  /**
   * Tells what other sites have to know of it that are on the same network. `segment` is what such a site was told: its network
   * is that one, and none of its own.
   */
  ensureNetwork(spec: NetworkSpec, call: FabricCall, segment?: NetworkSegment): Promise<NetworkSegment | undefined>;
  removeNetwork(id: string, call: FabricCall): Promise<void>;
  listNetworks(): Promise<readonly NetworkSpec[]>;

  /** The backend that has both ends makes the whole link; called for both sites. */
  ensureLink(spec: SiteLinkSpec, call: FabricCall): Promise<void>;
  removeLink(id: string, call: FabricCall): Promise<void>;

  /** Installs the version beside the ones that are there, without sending traffic into it. */
  ensurePath(path: SitePath, call: FabricCall): Promise<void>;
  /** From now on new flows take this version. Atomic. */
  activatePath(chainId: string, version: number, call: FabricCall): Promise<void>;
  /** Flows that still use the version, counted at its classifiers. */
  countFlows(chainId: string, version: number): Promise<number>;
  removePath(chainId: string, version: number, call: FabricCall): Promise<void>;

  /** Creates, or replaces the members of, a virtual address. A draining member keeps its flows and gets no new ones. */
  ensureBalancer(spec: BalancerSpec, call: FabricCall): Promise<void>;
  removeBalancer(id: string, call: FabricCall): Promise<void>;
}

export interface FabricCall {
  readonly key: string;
  readonly fence: number;
  readonly signal: AbortSignal;
}
