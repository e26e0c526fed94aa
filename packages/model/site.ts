import type { Cores, Fraction, Mbps, MiB, Milliseconds } from '@superfluidity/core';
import type { BalancerBackend } from './balancer-features.ts';
import type { Environment } from './environment.ts';
import type { PortQualityKind } from './port-quality.ts';

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
  /** Absent: the site does not tell what its disks are. */
  readonly storage?: readonly StorageTier[];
  /** Kinds of balancers that it has. Absent: it does not tell. */
  readonly balancing?: readonly BalancerBackend[];
  /** What it can do for the packets of a port. Absent: it does not tell. */
  readonly qualities?: readonly PortQualityKind[];
  /** Of a chain over several sites, which hops it can have. Absent: any. `ends`: the first or the last, and not both. */
  readonly crossing?: 'ends';
  readonly healthy: boolean;
}

export const storageKinds = ['memory', 'nvme', 'ssd', 'hdd', 'network', 'unknown'] as const;
export type StorageKind = (typeof storageKinds)[number];

/** Storage of one speed: a disk, a file system, a pool of disks. Fast kinds come first in `storageKinds`. */
export interface StorageTier {
  readonly name: string;
  readonly kind: StorageKind;
  readonly capacityMiB: MiB;
  readonly usedMiB: MiB;
  /** Where it is, where that is not the whole site. */
  readonly rack?: string;
  readonly host?: string;
  /** Who takes how much of it, as far as that is known. */
  readonly uses: readonly { readonly what: string; readonly mib: MiB }[];
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
  /** It is a virtual machine itself: what has to be nested in one goes there. */
  readonly virtual?: boolean;
  readonly rack?: string;
  /** From the bottom of the rack, counted from 1. */
  readonly rackUnit?: number;
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
