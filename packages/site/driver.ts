import type { Logger, Clock, ErrorReport } from '@superfluidity/core';
import type { FabricBackend, FabricCall, PoolCounts, PoolStats, PortSpec, PortStatus } from '@superfluidity/fabric';
import type { BalancerBackend, Environment, Execution, Host, PortQualityKind, StorageTier } from '@superfluidity/model';
import type { SiteStacks, Tell } from './stacks.ts';
import type { UnitTerminals } from './terminal.ts';
import type { SiteWorkflows } from './workflows.ts';

/** A kind of site. Apps hold the table of kinds; everything else sees `SiteDriver`. */
export interface DriverKind {
  readonly kind: string;
  /** JSON Schema (draft 2020-12) of the configuration: forms and validation follow from it. */
  readonly configSchema: Readonly<Record<string, unknown>>;
  /**
   * Kinds of sites to which a site of this configuration can be linked, so that packets go between them. Absent: those that
   * allow it.
   */
  readonly joins?: (config: Readonly<Record<string, unknown>>) => Joins;
  /** Whose networks a site of this configuration has: units of both are on one segment. Absent: each site has its own. */
  readonly sharesNetworks?: (config: Readonly<Record<string, unknown>>) => SharedNetworks | undefined;
  /** What this machine lacks for it, by name, with what each is for. Empty: it can run here. */
  missing(): Promise<readonly MissingCapability[]>;
  /** Connects to the site, which keeps what runs in it: a restart of the control plane finds it again. */
  open(options: OpenSite): Promise<SiteDriver>;
}

export interface Joins {
  readonly kinds: readonly string[];
  /** What people can do so that there are more. */
  readonly hint?: string;
}

export interface SharedNetworks {
  /** The site that makes them, and the kind that it has to be of. */
  readonly site: string;
  readonly kind: string;
  /** In how many networks of services the other one can be at once. */
  readonly atMost: number;
}

export interface MissingCapability {
  readonly name: string;
  readonly neededFor: string;
  /** Debian package that brings it, where there is one. */
  readonly package?: string;
  readonly reason: string;
  /** False: something works without it, less well. */
  readonly required: boolean;
}

export interface OpenSite {
  /** Unique and lasting, made when the site was added; what the driver names on the machine derives from it. */
  readonly id: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Folder of the control plane in which the driver may keep files of this site. */
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * One site. Verbs are idempotent and carry the caller's key and fence: asking twice makes one thing, and a caller that
 * has been replaced is refused (`SF-SITE-FENCED`). All waits are bounded by `call.signal` and the driver's limits.
 */
export interface SiteDriver {
  readonly name: string;
  readonly kind: string;
  readonly fabric: FabricBackend;

  fingerprint(): Promise<Fingerprint>;

  /**
   * Creates and starts the unit, and resolves when its health check passes. On failure nothing is left of it. A site that hears
   * what happens meanwhile tells it.
   */
  ensureUnit(spec: UnitSpec, call: FabricCall, tell?: Tell): Promise<UnitStatus>;
  /** Many at once: sites that can do better than one by one do. Outcomes in the order of the specs. */
  ensureUnits(specs: readonly UnitSpec[], call: FabricCall, tell?: Tell): Promise<readonly UnitOutcome[]>;
  /** Sends the drain signal and returns; the unit finishes what it has. */
  drainUnit(id: string, call: FabricCall): Promise<void>;
  removeUnit(id: string, call: FabricCall): Promise<void>;
  removeUnits(ids: readonly string[], call: FabricCall): Promise<void>;
  getUnit(id: string): Promise<UnitStatus | undefined>;
  listUnits(): Promise<readonly UnitStatus[]>;
  /** Lines of the unit's output from byte `offset` on, as they are now; `next` is the offset to go on from. */
  readOutput(id: string, offset: number): Promise<{ readonly lines: readonly string[]; readonly next: number }>;

  /** Tells the pools what will be asked for; they fill in the background. Replaces what was said for the service before. */
  prepare(service: string, classes: readonly PoolClass[], call: FabricCall): Promise<void>;
  poolStatus(): Promise<readonly PoolStatus[]>;
  /** Absent where pools take no orders by hand. */
  readonly pools?: PoolOrders;

  /** Changes as they happen; ends when the signal fires. Bounded: a slow reader gets `overflow` and must list again. */
  watch(signal: AbortSignal): AsyncIterable<SiteEvent>;
  /**
   * The data plane as it is now, without disturbing it: what the boxes of the site say of their rules, routes and wires.
   * Absent where there is none to read, as of simulated packets.
   */
  readDataPlane?(): Promise<DataPlaneDump>;
  /**
   * What was asked of those who realise the site's data plane, as they tell it: of a cloud, what the tenant has in its API.
   * Absent where there is nobody else to ask. Each file is of a format that `assemble` of packages/verify recognises.
   */
  readIntent?(): Promise<readonly DataPlaneFile[]>;
  /**
   * What units take of their host, now. In the order of the ids; those that do not run are left out, and of more than
   * `METRICS_UNITS_MAX` nobody is told. Absent where nothing is measured.
   */
  readMetrics?(ids: readonly string[]): Promise<readonly UnitMetrics[]>;
  /** What there is at the site and how much room, for people; asked of the site when somebody looks. Absent: no more than the fingerprint says. */
  describe?(): Promise<SiteDescription>;
  /** Absent where nobody can look into units. */
  readonly terminals?: UnitTerminals;
  /** Absent where nothing takes templates. */
  readonly stacks?: SiteStacks | undefined;
  /** Absent where nothing runs workflows. */
  readonly workflows?: SiteWorkflows | undefined;
  /** Lets go of the site without changing anything in it. */
  close(): Promise<void>;
  /** Removes everything that this driver ever made in the site, known to it or not. */
  purge(): Promise<readonly string[]>;
}

/** What a site says of itself in its own words, as tables. */
export interface SiteDescription {
  readonly tables: readonly DescriptionTable[];
}

export interface DescriptionTable {
  /** `Flavours`. */
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Why it is empty, or not whole. */
  readonly note?: string;
}

/** What the driver found out about the site: capabilities are data. */
export interface Fingerprint {
  readonly hosts: readonly Host[];
  readonly environments: readonly Environment[];
  /** Kinds of balancers that it has. Absent: the driver cannot tell. */
  readonly balancing?: readonly BalancerBackend[];
  /** What it can do for the packets of a port. Absent: the driver cannot tell. */
  readonly qualities?: readonly PortQualityKind[];
  /** Absent: the driver cannot tell. */
  readonly storage?: readonly StorageTier[];
  /** Things that work, or do not, with the reason: `netem: absent, links are emulated in user space`. */
  readonly capabilities: readonly { readonly name: string; readonly present: boolean; readonly note?: string }[];
  /** Of a chain over several sites, which hops it can have. Absent: any. `ends`: the first or the last, and not both. */
  readonly crossing?: 'ends';
  /** True when packets are packets. */
  readonly realPackets: boolean;
  /** IPv6 prefix of the site's segment identifiers. */
  readonly locator: string;
  /** SID of the site's router (End), to which paths from other sites go first. */
  readonly routerSid: string;
}

export interface UnitSpec {
  /** The caller's id; the key of idempotency. */
  readonly id: string;
  readonly service: string;
  /** `video/server` and which of its instances: readable names for people. */
  readonly path: string;
  readonly index: number;
  readonly host: string;
  readonly execution: Execution;
  /** Absolute folder to which paths in `execution` are relative. */
  readonly baseFolder?: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly storageMiB: number;
  readonly ports: readonly PortSpec[];
  /** Facts for the unit, as environment-like pairs: in /run/superfluidity/facts.json, changed never after the start. */
  readonly facts: Readonly<Record<string, string>>;
}

export type UnitState = 'starting' | 'running' | 'draining' | 'failed' | 'stopped';

export interface UnitStatus {
  readonly id: string;
  readonly service: string;
  readonly path: string;
  readonly index: number;
  readonly host: string;
  readonly environment: Environment;
  readonly state: UnitState;
  readonly ports: readonly PortStatus[];
  /** Whether it came out of a pool. */
  readonly pooled: boolean;
  /** What the site calls it: a container id, a process id, a namespace. */
  readonly handles: Readonly<Record<string, string>>;
  readonly error?: ErrorReport;
}

export type UnitOutcome =
  | { readonly ok: true; readonly status: UnitStatus }
  | { readonly ok: false; readonly error: unknown };

/** Units of one class are alike but for their id and addresses, so that one can be made before it is asked for. */
export interface PoolClass {
  readonly template: Omit<UnitSpec, 'id' | 'index' | 'ports' | 'facts'> & {
    readonly ports: readonly Omit<PortSpec, 'id' | 'address' | 'mac'>[];
  };
  readonly size: number;
}

export type PoolStatus = PoolStats;

/** What people may order of pools by hand. False: there is no pool of that name. */
export interface PoolOrders {
  /** Makes so many more now, in the background, up to the maximum of the pool. */
  populate(name: string, count: number, call: FabricCall): Promise<boolean>;
  /** Gives up what lies ready in the pool, or in all of them; it refills when somebody asks again. */
  free(name: string | undefined, call: FabricCall): Promise<boolean>;
}

/** How many units may be asked about at once. */
export const METRICS_UNITS_MAX = 1_000;

/**
 * Counters grow from when the unit was made (one that comes from a pool may have some already) and begin anew with its
 * successor: take differences. What the site cannot tell is absent, never zero.
 */
export interface UnitMetrics {
  readonly id: string;
  /** When it was read, in ms since the epoch. */
  readonly atMs: number;
  /** Time of processors that it has used, all of them together. */
  readonly cpuMs?: number;
  /** How long it was held back because it had used what it may. */
  readonly throttledMs?: number;
  /** Memory that could not be taken from it without harm: without caches of files that nobody uses. */
  readonly memoryBytes?: number;
  readonly processes?: number;
  /** What it may use. */
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly ports: readonly PortMetrics[];
}

/** Seen from the unit: `rx` is what came to it. */
export interface PortMetrics {
  /** That of the port of the fabric. */
  readonly id: string;
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly txBytes: number;
  readonly txPackets: number;
  /** Lost in either direction at the end of its wire. */
  readonly dropped: number;
}

/**
 * The data plane of a site as text, which holds no secrets. Names of boxes carry the site's own key, so that the files of
 * several sites can be put together.
 */
export interface DataPlaneDump {
  /** Each of a format that `assemble` of packages/verify recognises; all together make one network of it. */
  readonly files: readonly DataPlaneFile[];
  /**
   * For the ports of all units: `portId` is that of the fabric, `place` is `box:port` of that network, as its links say it.
   * Where the box is the unit itself, its programs send at `box:local:in` and receive at `box:local:out`; where it is not, a
   * virtual machine for instance, the unit sends at `box:port:in` and receives at `box:port:out`.
   */
  readonly ports: readonly { readonly portId: string; readonly place: string }[];
}

export interface DataPlaneFile {
  readonly name: string;
  readonly text: string;
}

export type SiteEvent =
  | { readonly kind: 'unit'; readonly unitId: string; readonly state: UnitState; readonly reason?: string }
  | { readonly kind: 'host'; readonly host: string; readonly up: boolean }
  | { readonly kind: 'pool'; readonly pool: PoolCounts }
  | { readonly kind: 'overflow' };
