import { keyOfPlace, type PoolPort } from './backend.ts';

/** Each port that the pool knows is in one state. */
export type PortState = 'making' | 'ready' | 'used' | 'returning' | 'doomed';

export interface Entry {
  readonly port: PoolPort;
  readonly state: PortState;
}

/** What became of each port, and which creations are under way, of which the ports are not known yet. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Given away by others, and not seen yet: by id. */
  readonly #claims = new Set<string>();
  readonly #creations = new Set<{ readonly sinceMs: number }>();

  set(port: PoolPort, state: PortState): void {
    this.#claims.delete(port.id);
    this.#entries.set(port.id, { port, state });
  }

  claim(id: string): void {
    this.#claims.add(id);
  }

  /** False: it was not claimed. */
  unclaim(id: string): boolean {
    return this.#claims.delete(id);
  }

  isClaimed(id: string): boolean {
    return this.#claims.has(id);
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  forget(id: string): void {
    this.#entries.delete(id);
  }

  of(state: PortState): readonly PoolPort[] {
    return [...this.#entries.values()].flatMap((entry) => (entry.state === state ? [entry.port] : []));
  }

  /** Of ports that are there, whoever has them. */
  networks(): ReadonlySet<string> {
    return new Set([...this.#entries.values()].map(({ port }) => port.place.network));
  }

  usedByPlace(): ReadonlyMap<string, number> {
    const used = new Map<string, number>();
    for (const { place } of this.of('used')) used.set(keyOfPlace(place), (used.get(keyOfPlace(place)) ?? 0) + 1);
    return used;
  }

  begin(sinceMs: number): { readonly sinceMs: number } {
    const creation = { sinceMs };
    this.#creations.add(creation);
    return creation;
  }

  end(creation: { readonly sinceMs: number }): void {
    this.#creations.delete(creation);
  }

  /** Whether what was there at the time may come from a creation that has not answered yet. */
  mayBeOurs(atMs: number): boolean {
    return [...this.#creations].some(({ sinceMs }) => sinceMs <= atMs);
  }
}
