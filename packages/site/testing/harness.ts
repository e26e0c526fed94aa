import type { FabricCall, NetworkSpec, PortSpec } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import type { SiteDriver, UnitSpec } from '../driver.ts';

/** What a driver has to provide so that the suite can try it. */
export interface ConformanceHarness {
  /** Opens the site under test: empty the first time, the same one again after `close`. */
  open(): Promise<SiteDriver>;
  /** After the last test, when the site was purged and closed. */
  cleanup?(): Promise<void>;
  /** Why the whole suite cannot run here. */
  readonly skip?: string;
  /** What the driver does not do, with the reason: those tests are skipped by name. */
  readonly unsupported?: Partial<Record<Feature, string>>;

  /** Runs, and passes its health check. It prints at least one line when `output` is supported. */
  readonly healthy: UnitKind;
  /** Starts, and never passes its health check, whose `timeoutMs` should be short: the suite waits for it. */
  readonly neverReady?: UnitKind;
  readonly imageMissing?: UnitKind;
  /** Of each unit; every host has room for `burst` of them. */
  readonly size: Pick<UnitSpec, 'cpu' | 'memoryMiB' | 'storageMiB'>;
  /** Has room for `burst` units. */
  readonly network: NetworkSpec;
  /** Lies outside the networks. */
  readonly serviceAddress: string;
  /** Of a balancer, where that has to be one of the network; else it is the address above. */
  readonly balancerAddress?: string;
  /** How many units are asked for at once. */
  readonly burst: number;
  /** Of one test. */
  readonly timeoutMs: number;
}

export type Feature =
  | 'pool'
  | 'fixed addresses'
  | 'paths'
  | 'balancer'
  | 'output'
  | 'drain'
  | 'recovery'
  | 'data plane'
  | 'metrics'
  | 'terminal';

export interface UnitKind {
  readonly execution: Execution;
  /** For drivers that tell by the path what shall become of a unit. */
  readonly path?: string;
  readonly baseFolder?: string;
}

/** How long the suite waits for what happens in the background, and for a cancelled call to come back. */
const PATIENCE_MS = 10_000;
const POLL_MS = 20;

/** The site under test, and shorthands. */
export class Bench {
  readonly harness: ConformanceHarness;
  /** Grows when the suite plays a successor. */
  fence = 1;
  #driver: SiteDriver | undefined;
  #host: string | undefined;
  #made = 0;

  constructor(harness: ConformanceHarness) {
    this.harness = harness;
  }

  get driver(): SiteDriver {
    return this.#driver!;
  }

  get host(): string {
    return this.#host!;
  }

  async open(): Promise<void> {
    this.#driver = await this.harness.open();
    this.#host = (await this.driver.fingerprint()).hosts[0]!.name;
  }

  async reopen(): Promise<void> {
    await this.driver.close();
    await this.open();
  }

  call(options: { readonly fence?: number; readonly signal?: AbortSignal } = {}): FabricCall {
    this.#made += 1;
    return {
      key: `conformance/${this.#made}`,
      fence: options.fence ?? this.fence,
      signal: options.signal ?? AbortSignal.timeout(this.harness.timeoutMs),
    };
  }

  unit(
    id: string,
    changes: Partial<UnitSpec> & { readonly kind?: UnitKind; readonly address?: string } = {},
  ): UnitSpec {
    const { kind = this.harness.healthy, address, ...rest } = changes;
    return {
      id: `unit-${id}`,
      service: 'svc-conformance',
      path: kind.path ?? 'function/unit',
      index: 0,
      host: this.host,
      execution: kind.execution,
      ...(kind.baseFolder === undefined ? {} : { baseFolder: kind.baseFolder }),
      ...this.harness.size,
      ports: [this.port(id, address)],
      facts: {},
      ...rest,
    };
  }

  port(id: string, address?: string): PortSpec {
    const port = { id: `port-${id}`, name: 'eth0', network: this.harness.network.id, serviceAddresses: [] };
    return address === undefined ? port : { ...port, address };
  }

  async removeAll(): Promise<void> {
    const units = await this.driver.listUnits();
    await this.driver.removeUnits(
      units.map((unit) => unit.id),
      this.call(),
    );
  }
}

/** Asks again until the answer is true, for a bounded time; resolves to the last answer. */
export async function eventually(ask: () => Promise<boolean>): Promise<boolean> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    if (await ask()) return true;
    if (Date.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Rejects when the work takes longer than a cancelled call may. */
export async function soon<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not back after ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
