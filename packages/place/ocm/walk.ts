import { placeLimits } from '../errors.ts';
import { type Block, type Chain, type FunctionFacts, LATENCY_SLACK_MS, latencyBetween } from './chain.ts';
import { isBound, mayRun, type Reason, refuseBlock, refuseFunction } from './constraints.ts';
import type { HostPool } from './host-pool.ts';
import { switchingWork } from './switch-model.ts';

/** A chain that is placed one function after the other, as schedulers do that know nothing of chains. */
export class Walk {
  readonly pool: HostPool;
  readonly chain: Chain;
  /** Of the functions so far. */
  readonly hostOf: number[] = [];
  /** Of the functions so far, by host: what they take of it, and what its switch then takes. */
  readonly #own = new Map<number, { functions: number[]; guest: number; memoryMiB: number }>();
  readonly #single: readonly number[];
  #latencyMs = 0;

  constructor(pool: HostPool, chain: Chain) {
    this.pool = pool;
    this.chain = chain;
    this.#single = pool.problem.models.map((model) => switchingWork(model, { length: 1, ratePps: chain.ratePps }));
  }

  /** The next function goes to the host that `choose` picks of those that it fits; false where it picks none. */
  next(choose: (walk: Walk, hosts: readonly number[]) => number | undefined): boolean {
    const fitting: number[] = [];
    for (let host = 0; host < this.pool.problem.hosts.length; host += 1) {
      if (this.obstacle(host) === undefined) fitting.push(host);
    }
    const host = fitting.length === 0 ? undefined : choose(this, fitting);
    if (host === undefined) return false;
    this.#put(host);
    return true;
  }

  get blocks(): readonly Block[] {
    return [...this.#own].map(([host, { functions }]) => ({ host, functions }));
  }

  uses(host: number): boolean {
    return this.#own.has(host);
  }

  /** Millionths of a core: of guests only, and with what the switch takes. */
  freeForGuests(host: number): number {
    return this.pool.freeForGuests(host) - (this.#own.get(host)?.guest ?? 0);
  }

  free(host: number): number {
    return this.freeForGuests(host) - this.#switching(host, this.#own.get(host)?.functions ?? []);
  }

  freeMemoryMiB(host: number): number {
    return this.pool.memoryFree[host]! - (this.#own.get(host)?.memoryMiB ?? 0);
  }

  /** What the next function would add to the switching of the host. */
  added(host: number): number {
    const own = this.#own.get(host)?.functions ?? [];
    return this.#switching(host, [...own, this.hostOf.length]) - this.#switching(host, own);
  }

  /** What keeps the next function from the host. */
  obstacle(host: number): 'rules' | 'chain' | 'latency' | 'capacity' | undefined {
    const { pool, chain } = this;
    const at = this.hostOf.length;
    const wanted = chain.functions[at]!;
    const own = this.#own.size === 0 ? undefined : this.#own.get(host);
    if (wanted.guest > pool.freeForGuests(host) - (own?.guest ?? 0)) return 'capacity';
    if (isBound(wanted)) {
      if (!mayRun(pool, wanted, host)) return 'rules';
      if (this.#isTorn(wanted, host)) return 'chain';
    }
    if (Number.isFinite(chain.latencyMaxMs) && this.latencyWith(host) > chain.latencyMaxMs + LATENCY_SLACK_MS) {
      return 'latency';
    }
    if (wanted.memoryMiB > pool.memoryFree[host]! - (own?.memoryMiB ?? 0)) return 'capacity';
    const switching =
      own === undefined
        ? pool.costWithOne(host, this.#single[pool.problem.hosts[host]!.model]!)
        : this.#switching(host, [...own.functions, at]);
    if (wanted.guest + switching > pool.freeForGuests(host) - (own?.guest ?? 0)) return 'capacity';
    return pool.runs[host]! + (own?.functions.length ?? 0) >= placeLimits.subChains ? 'capacity' : undefined;
  }

  /** Affinity with functions before it in the chain. */
  #isTorn({ partners }: FunctionFacts, host: number): boolean {
    const { hosts } = this.pool.problem;
    return partners.some(({ kind, scope, chain, function: partner }) => {
      if (chain !== this.chain.number || partner >= this.hostOf.length) return false;
      const there = this.hostOf[partner]!;
      const alike = scope === 'host' ? there === host : hosts[there]!.site === hosts[host]!.site;
      return alike !== (kind === 'together');
    });
  }

  /** Least latency of the whole chain if the next function went to the host. */
  latencyWith(host: number): number {
    const { problem } = this.pool;
    const { to } = this.chain;
    const { site } = problem.hosts[host]!;
    return this.#latencyMs + this.#step(host) + (to === undefined ? 0 : latencyBetween(problem, site, to));
  }

  /** The same as `obstacle`, in words. */
  refuse(host: number): Reason | undefined {
    const { pool, chain } = this;
    const at = this.hostOf.length;
    switch (this.obstacle(host)) {
      case undefined:
        return undefined;
      case 'rules':
        return refuseFunction(pool, chain.functions[at]!, host);
      case 'chain':
        return {
          kind: 'affinity',
          reason: `${chain.functions[at]!.name} may not be there with the functions before it where they are`,
        };
      case 'latency': {
        const latencyMs = Math.round(this.latencyWith(host) * 1_000) / 1_000;
        return {
          kind: 'latency',
          reason: `${chain.name} would take ${latencyMs} ms, allowed are ${chain.latencyMaxMs}`,
        };
      }
      case 'capacity':
        return refuseBlock(pool, chain, host, [...(this.#own.get(host)?.functions ?? []), at]);
    }
  }

  #put(host: number): void {
    const at = this.hostOf.length;
    this.#latencyMs += this.#step(host);
    const { guest, memoryMiB } = this.chain.functions[at]!;
    const own = this.#own.get(host) ?? { functions: [], guest: 0, memoryMiB: 0 };
    own.functions.push(at);
    own.guest += guest;
    own.memoryMiB += memoryMiB;
    this.#own.set(host, own);
    this.hostOf.push(host);
  }

  #step(host: number): number {
    const { problem } = this.pool;
    const { site } = problem.hosts[host]!;
    const before = this.hostOf.at(-1);
    if (before === undefined) {
      return this.chain.from === undefined ? 0 : latencyBetween(problem, this.chain.from, site);
    }
    if (problem.hosts[before]!.site !== site) return latencyBetween(problem, problem.hosts[before]!.site, site);
    return before === host ? 0 : problem.sites[site]!.hostLatencyMs;
  }

  #switching(host: number, functions: readonly number[]): number {
    if (functions.length === 0) return this.pool.switching[host]!;
    return this.pool.costWith(host, this.pool.worksOf(this.chain, host, functions));
  }
}
