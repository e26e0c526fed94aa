import type { Cores, Fraction, Mbps, MiB, Milliseconds } from '@superfluidity/core';
import type { Environment } from './environment.ts';

/** What the planner knows of a site: made from the driver's fingerprint and the operator's declaration. */
export interface Site {
  readonly name: string;
  readonly kind: string;
  /** `edge`, `aggregation`, `core`, or the operator's own. */
  readonly tier?: string;
  /** Radio cells whose users it serves directly. */
  readonly cells: readonly string[];
  /** Platform services it offers (MEC). */
  readonly services: readonly string[];
  /** Price of one core and of one GiB for one hour. */
  readonly price: { readonly core: number; readonly gib: number };
  readonly latitude?: number;
  readonly longitude?: number;
  readonly hosts: readonly Host[];
  readonly healthy: boolean;
}

export interface Host {
  readonly name: string;
  readonly environments: readonly Environment[];
  readonly accelerators: readonly string[];
  readonly cpu: Cores;
  readonly memoryMiB: MiB;
  readonly storageMiB: MiB;
  readonly used: { readonly cpu: Cores; readonly memoryMiB: MiB; readonly storageMiB: MiB };
  /** False: takes no new units. */
  readonly schedulable: boolean;
}

/** The link between two sites, both directions alike. Latency is one way. */
export interface SitePath {
  readonly a: string;
  readonly b: string;
  readonly latencyMs: Milliseconds;
  readonly jitterMs?: Milliseconds;
  readonly loss?: Fraction;
  readonly bandwidthMbps: Mbps;
}
