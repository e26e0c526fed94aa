import { type Clock, isSuperfluidityError, SuperfluidityError, Turnstile } from '@superfluidity/core';
import type { PoolPort, PortChange, PortPlace, PortsBackend } from '../backend.ts';

/** What a cloud knows of ports, against which pools are tested: it takes time, refuses, and others change it. */
export class ModelCloud {
  readonly clock: Clock;
  readonly ports = new Map<string, PoolPort>();
  quota = Number.POSITIVE_INFINITY;
  callMs = 50;
  portMs = 10;
  activeMs = 100;
  calls = 0;
  underWay = 0;
  creations = 0;
  creationsMost = 0;
  fails: () => boolean = () => false;
  /** Each works on one call at a time. */
  readonly workers: Turnstile;
  #made = 0;

  constructor(clock: Clock, workers = Number.POSITIVE_INFINITY) {
    this.clock = clock;
    this.workers = new Turnstile(workers);
  }

  /** Dies with the program that uses it: what was begun takes effect or not, and is never answered. */
  connect(): ModelConnection {
    return new ModelConnection(this);
  }

  make(place: PortPlace, groups: readonly string[], count: number): readonly PoolPort[] {
    if (this.ports.size + count > this.quota) {
      throw new SuperfluidityError('SF-FABRIC-POOL-QUOTA', { reason: `quota of ${this.quota} exceeded` });
    }
    return Array.from({ length: count }, () => {
      this.#made += 1;
      const id = `port-${this.#made}`;
      const port = {
        id,
        place,
        groups: groups.toSorted(),
        owner: '',
        mac: '02:00:00:00:00:01',
        addresses: [],
        ready: this.activeMs === 0,
        used: false,
      };
      this.ports.set(id, port);
      if (this.activeMs > 0) {
        void this.clock.sleep(this.activeMs).then(() => this.ports.has(id) && this.change(id, { ready: true }));
      }
      return port;
    });
  }

  change(id: string, change: Partial<PoolPort>): PoolPort {
    const port = this.ports.get(id);
    if (port === undefined) throw new SuperfluidityError('SF-FABRIC-PORT-NOT-READY', { reason: `no port ${id}` });
    const changed = { ...port, ...change };
    this.ports.set(id, changed);
    return changed;
  }
}

const never = new Promise<never>(() => {});

export class ModelConnection implements PortsBackend {
  readonly #cloud: ModelCloud;
  dead = false;

  constructor(cloud: ModelCloud) {
    this.#cloud = cloud;
  }

  async createMany(place: PortPlace, groups: readonly string[], count: number): Promise<readonly PoolPort[]> {
    const cloud = this.#cloud;
    cloud.creations += 1;
    cloud.creationsMost = Math.max(cloud.creationsMost, cloud.creations);
    try {
      return await this.#call(() => cloud.make(place, groups, count), count * cloud.portMs);
    } finally {
      cloud.creations -= 1;
    }
  }

  isOverQuota(error: unknown): boolean {
    return isSuperfluidityError(error, 'SF-FABRIC-POOL-QUOTA');
  }

  update(id: string, { owner, groups }: PortChange): Promise<PoolPort> {
    const change = {
      ...(owner === undefined ? {} : { owner }),
      ...(groups === undefined ? {} : { groups: groups.toSorted() }),
    };
    return this.#call(() => this.#cloud.change(id, change));
  }

  show(id: string): Promise<PoolPort | undefined> {
    return this.#call(() => this.#cloud.ports.get(id));
  }

  async remove({ id }: PoolPort): Promise<void> {
    await this.#call(() => this.#cloud.ports.delete(id));
  }

  list(): Promise<readonly PoolPort[]> {
    return this.#call(() => [...this.#cloud.ports.values()]);
  }

  async watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void> {
    const left = new Set(ids);
    while (left.size > 0) {
      await this.#cloud.clock.sleep(20, signal);
      if (this.dead) return never;
      for (const id of left) {
        const port = this.#cloud.ports.get(id);
        if (port?.ready !== true) continue;
        left.delete(id);
        tell(port);
      }
    }
  }

  async room(): Promise<number> {
    return this.#call(() => this.#cloud.quota - this.#cloud.ports.size);
  }

  #call<T>(effect: () => T, moreMs = 0): Promise<T> {
    return this.#cloud.workers.pass('call', undefined, () => this.#work(effect, moreMs));
  }

  async #work<T>(effect: () => T, moreMs: number): Promise<T> {
    const { clock, callMs } = this.#cloud;
    this.#cloud.calls += 1;
    this.#cloud.underWay += 1;
    try {
      await clock.sleep(callMs / 2 + moreMs);
      if (this.dead) return await never;
      if (this.#cloud.fails()) throw new SuperfluidityError('SF-FABRIC-POOL-BUSY', { reason: 'no luck' });
      const result = effect();
      await clock.sleep(callMs / 2);
      return this.dead ? await never : result;
    } finally {
      this.#cloud.underWay -= 1;
    }
  }
}
