/**
 * A network of reusable functional blocks (RFB) of 5G that is to be managed: the model of Chiaraviglio et al., "Optimal
 * management of reusable functional blocks in 5G superfluid networks" (IJNM 2019). A user is served by a radio head (RRH)
 * at a node; each RRH needs one baseband unit (BBU) and one edge server (MEC) at nodes that it may be joined with, and
 * these share the hardware of the nodes. Rates are in Mb/s, processors and memory in units of the node's capacity.
 */
export interface RfbInstance {
  readonly name: string;
  readonly nodes: readonly RfbNode[];
  readonly rrhTypes: readonly RrhType[];
  readonly bbuTypes: readonly BbuType[];
  readonly mecTypes: readonly MecType[];
  readonly users: number;
  /** Where radio heads can be: each pair of node and type that covers a user. */
  readonly cells: readonly Cell[];
}

export interface RfbNode {
  readonly name: string;
  /** Of dedicated hardware, Mb/s. */
  readonly dedicatedMbps: number;
  readonly cpu: number;
  readonly memory: number;
  /** What each BBU and each MEC takes, and what it takes more by Mb/s and by user that it serves. */
  readonly bbu: Taking;
  readonly mec: Taking;
  /** Nodes at which the BBU and the MEC of a radio head here may be. */
  readonly bbuAt: readonly number[];
  readonly mecAt: readonly number[];
}

export interface Taking {
  readonly cpu: number;
  readonly cpuPerMbps: number;
  readonly memory: number;
  readonly memoryPerUser: number;
}

export interface RrhType {
  readonly name: string;
  /** How many of them there may be at most, in the whole network. */
  readonly most: number;
  readonly users: number;
  /** Sum of the peak rates of its users. */
  readonly rateMbps: number;
}

export interface BbuType {
  readonly name: string;
  readonly most: number;
  /** What it takes of dedicated hardware. */
  readonly rateMbps: number;
  /** Types of radio heads that it goes with. */
  readonly rrhTypes: readonly number[];
}

export interface MecType {
  readonly name: string;
  readonly most: number;
  /** Bound of the rate of each user that it serves. */
  readonly userMbps: number;
}

export interface Cell {
  readonly node: number;
  readonly type: number;
  /** Ascending numbers of users that it covers. */
  readonly covers: Int32Array;
  /** Peak rate of each of them. */
  readonly rates: Float64Array;
}

/** What runs where. Nodes without a radio head have -1 in `cell`. */
export interface RfbSolution {
  /** Powered on, by node. */
  readonly on: readonly boolean[];
  /** Number of the cell whose radio head a node has. */
  readonly cell: readonly number[];
  /** By the node of the radio head. */
  readonly bbu: readonly (Hosted | undefined)[];
  readonly mec: readonly (Hosted | undefined)[];
  /** Node that serves a user, or -1 where the share of users allows it. */
  readonly servedAt: Int32Array;
  readonly rates: Float64Array;
}

export interface Hosted {
  readonly node: number;
  readonly type: number;
}

export const totalRate = ({ rates }: RfbSolution): number => rates.reduce((sum, rate) => sum + rate, 0);

export const nodesOn = ({ on }: RfbSolution): number => on.filter(Boolean).length;

/** Pairs of a user and a radio head that could serve it. */
export const linksOf = ({ cells }: RfbInstance): number => cells.reduce((sum, { covers }) => sum + covers.length, 0);
