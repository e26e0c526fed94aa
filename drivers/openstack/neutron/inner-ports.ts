import { type Logger, reportError } from '@superfluidity/core';
import type { PoolPort, PortChange, PortPlace, PortsBackend } from '@superfluidity/fabric';
import { NeutronPorts, type NeutronPortsOptions, type PortBinding } from './ports-backend.ts';

export type InnerPortsOptions = Omit<NeutronPortsOptions, 'binding'> & { readonly log: Logger };

/** Where a port is: its outer one, and its VLAN where it has one there. */
interface Seen {
  readonly at: string;
  readonly vlan?: number;
}

/**
 * Ports of pools for what runs inside of a server, behind something of the server's own that is their place: many are created in one
 * request, and attached there in another. How, is a matter of those that extend this.
 */
export abstract class InnerPorts implements PortsBackend {
  protected readonly options: InnerPortsOptions;
  readonly #ports: NeutronPorts;
  /** By port, as far as it was seen. */
  readonly #seen = new Map<string, Seen>();
  #creations = 0;

  constructor(options: InnerPortsOptions, binding: PortBinding) {
    this.options = options;
    this.#ports = new NeutronPorts({ ...options, binding });
  }

  /** All of them or none; each is noted. */
  protected abstract attach(at: string, made: readonly PoolPort[]): Promise<void>;
  /** Resolves also where what they are attached to is gone. */
  protected abstract detach(at: string, port: PoolPort, signal: AbortSignal): Promise<void>;
  /** Notes where ports are attached. */
  protected abstract look(all: Promise<readonly PoolPort[]>, signal: AbortSignal): Promise<void>;

  protected note(id: string, seen: Seen | undefined): void {
    if (seen === undefined) this.#seen.delete(id);
    else this.#seen.set(id, seen);
  }

  protected whereIs(id: string): string | undefined {
    return this.#seen.get(id)?.at;
  }

  async createMany(
    place: PortPlace,
    groups: readonly string[],
    count: number,
    signal: AbortSignal,
  ): Promise<readonly PoolPort[]> {
    this.#creations += 1;
    try {
      const made = await this.#ports.createMany(place, groups, count, signal);
      try {
        await this.attach(place.at, made);
        return made.map((port) => this.#placed(port));
      } catch (error) {
        await Promise.all(made.map((port) => this.#ports.remove(port, lasting())));
        throw error;
      }
    } finally {
      this.#creations -= 1;
    }
  }

  isOverQuota(error: unknown): boolean {
    return this.#ports.isOverQuota(error);
  }

  async update(id: string, change: PortChange, signal: AbortSignal): Promise<PoolPort> {
    return this.#placed(await this.#ports.update(id, change, signal));
  }

  async show(id: string, signal: AbortSignal): Promise<PoolPort | undefined> {
    const port = await this.#ports.show(id, signal);
    return port === undefined ? undefined : this.#placed(port);
  }

  async remove(port: PoolPort, signal: AbortSignal): Promise<void> {
    const at = this.#seen.get(port.id)?.at ?? port.place.at;
    if (at !== '') await this.detach(at, port, signal);
    await this.#ports.remove(port, signal);
    this.#seen.delete(port.id);
  }

  async list(signal: AbortSignal): Promise<readonly PoolPort[]> {
    const reading = this.#ports.list(signal);
    const [all] = await Promise.all([reading, this.look(reading, signal)]);
    const placed = all.map((port) => this.#placed(port));
    // Attached to nothing: a crash came between. Nobody was given them.
    if (this.#creations === 0) for (const port of placed) if (port.place.at === '') this.#removeStray(port);
    return placed.filter(({ place }) => place.at !== '');
  }

  watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void> {
    return this.#ports.watch(ids, (port) => tell(this.#placed(port)), signal);
  }

  room(project: string, signal: AbortSignal): Promise<number> {
    return this.#ports.room(project, signal);
  }

  #placed(port: PoolPort): PoolPort {
    const { at, ...vlan } = this.#seen.get(port.id) ?? { at: '' };
    return { ...port, place: { ...port.place, at }, ...vlan };
  }

  #removeStray(port: PoolPort): void {
    this.#ports.remove(port, lasting()).catch((error: unknown) => {
      this.options.log.warn({ port: port.id, error: reportError(error) }, 'a stray port could not be removed');
    });
  }
}

/** What is begun is ended. */
export const lasting = (): AbortSignal => AbortSignal.timeout(180_000);
