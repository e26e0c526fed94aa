import type { Environment, Requirements, Site, SitePath } from '@superfluidity/model';
import type { ErrorReport } from '@superfluidity/core';

/** Everything that decides where units go. Pure data: the same request gives the same result. */
export interface PlacementRequest {
  readonly units: readonly UnitToPlace[];
  /** Units that run already and stay where they are: they matter to affinity and to chains. */
  readonly placed?: readonly PlacedUnit[];
  readonly sites: readonly Site[];
  readonly paths: readonly SitePath[];
  readonly chains?: readonly PlacementChain[];
  readonly weights?: Partial<PlacementWeights>;
}

/** One instance of a unit. Instances with one path are alike, but for what they are pinned to. */
export interface UnitToPlace {
  readonly path: string;
  readonly index: number;
  readonly environment: Environment;
  /** Its own and the inherited ones. */
  readonly requirements: Requirements;
  /** Unit inside which it runs: it shares that unit's host and its resources. */
  readonly inside?: string;
  /** Only on a host that is a virtual machine, or only on one that is none. Absent: on either. */
  readonly on?: 'virtual' | 'metal';
  /** Where it must go: the operator said so. */
  readonly pinned?: { readonly site: string; readonly host?: string };
  /** Where it runs now. It needs no further room there, and goes elsewhere only where that is worth the move. */
  readonly previous?: { readonly site: string; readonly host: string };
}

export interface PlacedUnit {
  readonly path: string;
  readonly index: number;
  readonly site: string;
  readonly host: string;
}

/** Unit paths in the order in which packets pass. */
export interface PlacementChain {
  readonly name: string;
  readonly hops: readonly string[];
  readonly latencyMaxMs?: number;
  readonly latencyDesiredMs?: number;
  readonly bandwidthMbps?: number;
}

/**
 * How much each aim counts. All terms are relative, so that price units do not matter: the cost of a unit to its cost at
 * the dearest site that qualifies, the latency of a chain to the bound that it has.
 */
export interface PlacementWeights {
  readonly cost: number;
  readonly latency: number;
  /** Latency above what is desired. */
  readonly desired: number;
  /** Each optional platform service that the site lacks. */
  readonly services: number;
  /** Leaving the host on which the unit runs. */
  readonly move: number;
}

export const defaultWeights: PlacementWeights = { cost: 1, latency: 1, desired: 4, services: 0.25, move: 0.1 };

export interface Assignment extends PlacedUnit {
  /** For people: `core/h1: the cheapest of 2 sites that qualify ...; 3 of 8 cores free`. */
  readonly reason: string;
  /** Per hour, in the site's price unit. */
  readonly cost: number;
}

export interface ChainLatency {
  readonly name: string;
  /** One way, between the worst placed instances. */
  readonly latencyMs: number;
}

export type RefusalKind =
  | 'health'
  | 'pinned'
  | 'location'
  | 'services'
  | 'latency'
  | 'cost'
  | 'schedulable'
  | 'environment'
  | 'nesting'
  | 'accelerators'
  | 'capacity'
  | 'affinity'
  | 'chain';

/** Why a site, or a host of it, was not taken. */
export interface Refusal {
  readonly site: string;
  readonly host?: string;
  readonly kind: RefusalKind;
  readonly reason: string;
}

export type PlacementResult =
  | {
      readonly ok: true;
      /** In the order of the request's units. */
      readonly assignments: readonly Assignment[];
      readonly chains: readonly ChainLatency[];
      /** What the solver minimises; only differences mean something. */
      readonly score: number;
      /** True when it is proven that there is none better. */
      readonly optimal: boolean;
    }
  | {
      readonly ok: false;
      readonly error: ErrorReport;
      /** The unit for which there is no place. */
      readonly unit?: { readonly path: string; readonly index: number };
      readonly refusals: readonly Refusal[];
    };
