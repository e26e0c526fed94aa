import type { Cores, MiB, Milliseconds } from '@superfluidity/core';
import type { CostModel } from './choices.ts';
import type { SwitchModel } from './switch-model.ts';

/** Chains that come one after the other, and the hosts that are there for them. Pure data. */
export interface ChainsRequest {
  readonly sites: readonly ChainSite[];
  /** Both directions alike, one way. Chains go by the shortest ways. */
  readonly links: readonly { readonly a: string; readonly b: string; readonly latencyMs: Milliseconds }[];
  readonly chains: readonly ChainToPlace[];
  readonly switches: readonly SwitchModel[];
  /** Model of hosts that name none. */
  readonly switch: string;
  readonly costModel?: CostModel;
}

export interface ChainSite {
  readonly name: string;
  /** One way between two hosts of the site (default: 0). */
  readonly hostLatencyMs?: Milliseconds;
  readonly hosts: readonly ChainHost[];
}

export interface ChainHost {
  readonly name: string;
  /** For functions and for the virtual switch. */
  readonly cpu: Cores;
  /** Absent: it is not counted. */
  readonly memoryMiB?: MiB;
  readonly accelerators?: readonly string[];
  readonly switch?: string;
}

export interface ChainToPlace {
  readonly name: string;
  /** Packets a second through the whole chain. */
  readonly ratePps: number;
  /** In the order in which packets pass. */
  readonly functions: readonly ChainFunction[];
  /** Sites at which packets enter and leave. */
  readonly from?: string;
  readonly to?: string;
  /** One way, from where they enter to where they leave; links and hosts, not the functions. */
  readonly latencyMaxMs?: Milliseconds;
}

export interface ChainFunction {
  readonly name: string;
  readonly cpu: Cores;
  readonly memoryMiB?: MiB;
  readonly accelerators?: readonly string[];
  /** Sites at which it may run (default: all). */
  readonly sites?: readonly string[];
  /** Hosts on which it may run, as `site/host` (default: all). */
  readonly hosts?: readonly string[];
  readonly affinity?: readonly ChainAffinity[];
}

export interface ChainAffinity {
  readonly kind: 'together' | 'apart';
  readonly scope: 'host' | 'site';
  /** `function` of this chain, `chain/function`, or `chain`. */
  readonly with: readonly string[];
}
