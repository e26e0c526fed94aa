import type { Cores, Fraction, Mbps, MiB, Milliseconds } from '@superfluidity/core';
import type { Autoscale } from './autoscale.ts';
import type { Balancer } from './balancer.ts';
import type { Environment } from './environment.ts';
import type { PortQuality } from './port-quality.ts';

/**
 * Everything that can be deployed is a block (Reusable Functional Block, RFB: seed D6.1 section 4.1). A service
 * contains functions, a function contains units, a unit may contain further units (a pod in a VM) or elements (Click).
 * Blocks are plain frozen values; names are unique among siblings; a path joins names by '/': `radio/bbu`.
 */
export type BlockKind = 'service' | 'function' | 'unit' | 'element';

/** What a dialect could say and the model cannot: carried through unread, by the name of the dialect. */
export interface Carrying {
  readonly carried?: Readonly<Record<string, unknown>>;
}

export interface Block extends Carrying {
  readonly kind: BlockKind;
  readonly name: string;
  readonly description?: string;
  readonly ports: readonly Port[];
  readonly children: readonly Block[];
  readonly links: readonly Link[];
  readonly requirements: Requirements;
  /** How to run it. Present on units and elements. */
  readonly execution?: Execution;
  /** How many, between which bounds. Present on units. */
  readonly scale?: Scale;
  /** When that number is changed without being asked for. Present on units. */
  readonly autoscale?: Autoscale;
}

export interface Port extends Carrying, PortQuality {
  readonly name: string;
  /** Network of the service to which it attaches. Absent on ports that links alone connect. */
  readonly network?: string;
  /** Fixed IPv4 address; else the site gives one out of the network's prefix. */
  readonly address?: string;
  /** Fixed Ethernet address, as in `02:00:5e:10:00:01`; else the site makes one. */
  readonly mac?: string;
  /** Name of the interface inside the unit (internalIfRef of seed B2). Default: the port's name. */
  readonly internalIf?: string;
  /** What may come in. Absent: everything; empty: nothing. */
  readonly allow?: readonly TrafficRule[];
}

/** Unset means any. */
export interface TrafficRule {
  readonly protocol?: 'tcp' | 'udp' | 'icmp';
  readonly from?: string;
  readonly ports?: readonly number[];
}

/** Ends are `child.port` or `port` (the block's own port). */
export interface Link extends Carrying {
  readonly name: string;
  readonly ends: readonly string[];
  readonly latencyMaxMs?: Milliseconds;
  readonly bandwidthMbps?: Mbps;
}

export interface Execution {
  readonly environment: Environment;
  /**
   * Container: `host:`, `folder:PATH`, `oci:PATH`. VM: `guest:` (the host's guest kernel with busybox) or `disk:PATH`.
   * Packet functions have none. PATH is relative to the descriptor. `name:IMAGE` is an image that the site or a registry
   * knows by that name: `name:ubuntu-24.04`, `name:docker.io/library/nginx:1.29`.
   */
  readonly image?: string;
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the package, mounted read-only at /app: path relative to the descriptor. */
  readonly files?: string;
  /** nft: the ruleset. click: the configuration. */
  readonly program?: string;
  /** A packet function or a router: packets pass through it. */
  readonly forwards?: boolean;
  /** It rewrites the source address of what it forwards to its own (source NAT) for this prefix. */
  readonly translates?: string;
  readonly health?: HealthCheck;
  /** How it is asked to finish its work before it is removed. */
  readonly drain?: { readonly signal: 'SIGTERM' | 'SIGUSR1'; readonly timeoutMs: Milliseconds };
  /** Its standard output carries JSON lines that are kept as telemetry. */
  readonly telemetry?: boolean;
  /** How many ready ones a site keeps in its pool. */
  readonly pool?: number;
  readonly nested?: Nesting;
}

/** Nested execution (vduNestedDesc and its kin, seed B2.1). */
export interface Nesting {
  readonly descriptor?: string;
  readonly descriptorType?: string;
  /** Unit in which it runs. `none`: bare metal only. Absent: the site chooses. */
  readonly parent?: string;
  /** In its parent alone; where none is named, in some virtual machine. */
  readonly parentMandatory?: boolean;
}

export type HealthCheck =
  | { readonly kind: 'ping' | 'running'; readonly timeoutMs: Milliseconds }
  | { readonly kind: 'tcp'; readonly port: number; readonly timeoutMs: Milliseconds }
  | { readonly kind: 'http'; readonly port: number; readonly path: string; readonly timeoutMs: Milliseconds };

export interface Scale {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

/** What a block asks of where it runs. Children inherit what they do not state themselves. */
export interface Requirements {
  readonly cpu?: Cores;
  readonly memoryMiB?: MiB;
  readonly storageMiB?: MiB;
  readonly bandwidthMbps?: Mbps;
  readonly accelerators?: readonly string[];
  /** To the users of the cells served. */
  readonly latencyMaxMs?: Milliseconds;
  readonly latencyDesiredMs?: Milliseconds;
  readonly location?: {
    readonly sites?: readonly string[];
    readonly cells?: readonly string[];
    readonly tier?: string;
  };
  /** Per hour, in the site's price unit. */
  readonly costMax?: number;
  readonly affinity?: readonly AffinityRule[];
  readonly services?: { readonly mandatory?: readonly string[]; readonly optional?: readonly string[] };
  /** Paths of units that must be running first. */
  readonly after?: readonly string[];
}

export interface AffinityRule {
  readonly kind: 'together' | 'apart';
  readonly scope: 'host' | 'site';
  /** Paths of the other blocks. */
  readonly with: readonly string[];
}

export interface Network extends Carrying {
  readonly name: string;
  /** IPv4 prefix from which every site takes its part. */
  readonly prefix: string;
  readonly mtu?: number;
}

/** An ordered path through functions (RFC 7665), with a stable address at its end. */
export interface Chain extends Carrying {
  readonly name: string;
  /** Unit path, optionally with a port: `ue/client` or `ue/client.eth0`. */
  readonly from: string;
  readonly through: readonly string[];
  readonly to: string;
  /** The service address: it stays when the unit behind it moves. */
  readonly address: string;
  readonly protocol: 'tcp' | 'udp' | 'any';
  readonly ports: readonly number[];
  readonly latencyMaxMs?: Milliseconds;
  readonly latencyDesiredMs?: Milliseconds;
  readonly bandwidthMbps?: Mbps;
  readonly lossMax?: Fraction;
}

/** The root of a descriptor: a block of kind `service` and what spans its functions. */
export interface Service {
  readonly block: Block;
  readonly version: string;
  readonly networks: readonly Network[];
  readonly chains: readonly Chain[];
  readonly balancers: readonly Balancer[];
  /** Absent: none. */
  readonly policies?: readonly Policy[];
}

/**
 * What the data plane of the service must always do. It is proven for all packets before a deployment, and again of what
 * is there after it. Places are functions, units or networks of the service; a network means the units with a port on it.
 */
export interface Policy {
  readonly name: string;
  readonly description?: string;
  readonly claim: Claim;
}

/** `packet` is a filter of tcpdump. Packets are those with which a place opens connections from its own addresses. */
export type Claim =
  /** All of them arrive, sent to an address of `to`, and their answers come back; or none arrives, whatever it is sent to. */
  | {
      readonly kind: 'reach' | 'deny';
      readonly from: readonly string[];
      readonly to: readonly string[];
      readonly packet?: string;
    }
  /** Packets of the chain pass the waypoints in this order and arrive at its end, and answers come back the same way. */
  | { readonly kind: 'through'; readonly chain: string; readonly waypoints: readonly string[] }
  /** NetCTL (D6.1 of Superfluidity, section 5.1.2), in the language of `verify policy`. */
  | { readonly kind: 'check'; readonly from: readonly string[]; readonly packet?: string; readonly formula: string };
