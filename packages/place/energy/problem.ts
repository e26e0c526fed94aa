/**
 * Chains of functions on a network whose nodes take power when they are on (Tajiki et al., "Joint energy efficient and
 * QoS-aware path allocation and VNF placement for service function chaining", IEEE TNSM 2018).
 */
export interface EnergyProblem {
  readonly name: string;
  readonly nodes: readonly EnergyNode[];
  /** Each direction is a link of its own. */
  readonly links: readonly EnergyLink[];
  readonly flows: readonly Flow[];
  /** Parts of links and of processors that may be used: mu and mu2 of the paper. */
  readonly linkUse: number;
  readonly cpuUse: number;
  /** Whether a path may come to a node twice. */
  readonly loops: boolean;
}

export interface EnergyNode {
  readonly name: string;
  readonly cpu: number;
  /** What it takes when it is on. */
  readonly watts: number;
  readonly on: boolean;
  /** Kinds of functions that it can run. */
  readonly functions: readonly string[];
}

export interface EnergyLink {
  readonly from: number;
  readonly to: number;
  readonly mbps: number;
  readonly delayMs: number;
}

export interface Flow {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly mbps: number;
  readonly delayMaxMs: number;
  /** In the order in which packets pass; `cpuPerMbps` is what one takes of its node. */
  readonly functions: readonly { readonly kind: string; readonly cpuPerMbps: number }[];
}

/** Where a flow goes. */
export interface Route {
  /** Links in their order. */
  readonly links: readonly number[];
  /** Node of each function. */
  readonly at: readonly number[];
  readonly delayMs: number;
}

/** Nodes that take power although no function is on them are those that were on. */
export const wattsOf = ({ nodes }: EnergyProblem, on: readonly boolean[]): number =>
  nodes.reduce((sum, { watts }, node) => sum + (on[node]! ? watts : 0), 0);
