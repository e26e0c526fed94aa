import { isSuperfluidityError, type Logger, reportError } from '@superfluidity/core';
import type { PoolPort, PortChange, PortPlace, PortsBackend } from '@superfluidity/fabric';
import { mayBeDone, ports } from '@superfluidity/openstack';
import { NeutronPorts, type NeutronPortsOptions } from './ports-backend.ts';

/** Others change the parent between our look at it and our request; as often as Kuryr tries it (`rev_update_attempts`), and more. */
const TRIES = 8;
const PAUSE_MS = 50;

/**
 * Ports of pools whose addresses a server may use besides its own: what runs inside of the server has a port of its own, that
 * nothing is plugged into, and the server's port, its parent, allows the pair of addresses (`allowed_address_pairs`). The place of
 * such a port is its parent. The parent is changed under its revision (`If-Match`): two who add pairs at a time lose none.
 */
export class PairPorts implements PortsBackend {
  readonly #options: Omit<NeutronPortsOptions, 'binding'> & { readonly log: Logger };
  readonly #ports: NeutronPorts;
  /** By port: its parent, as far as it was seen. */
  #parents = new Map<string, string>();
  /** Changes of a parent come one after the other: our own need not disturb each other. */
  readonly #turns = new Map<string, Promise<void>>();
  #creations = 0;

  constructor(options: Omit<NeutronPortsOptions, 'binding'> & { readonly log: Logger }) {
    this.#options = options;
    this.#ports = new NeutronPorts({ ...options, binding: 'free' });
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
        const pairs = made.flatMap(pairsOf);
        const words = new Set(pairs.map(wordOf));
        await this.#change(place.at, (before) => [...before.filter((pair) => !words.has(wordOf(pair))), ...pairs]);
        for (const { id } of made) this.#parents.set(id, place.at);
        return made;
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
    const parent = this.#parents.get(port.id) ?? port.place.at;
    const gone = new Set(pairsOf(port).map(wordOf));
    try {
      if (parent !== '') await this.#change(parent, (before) => before.filter((pair) => !gone.has(wordOf(pair))));
    } catch (error) {
      // The server is gone, and its port with it.
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) throw error;
    }
    await this.#ports.remove(port, signal);
    this.#parents.delete(port.id);
  }

  async list(signal: AbortSignal): Promise<readonly PoolPort[]> {
    const all = await this.#ports.list(signal);
    if (all.length === 0) return [];
    const networks = [...new Set(all.map(({ place }) => place.network))];
    const parents = new Map<string, string>();
    for (const parent of await ports.list(this.#options.cloud, { network_id: networks }, signal))
      for (const pair of parent.allowed_address_pairs) parents.set(wordOf(pair), parent.id);
    for (const port of all) {
      const parent = pairsOf(port)
        .map((pair) => parents.get(wordOf(pair)))
        .find((one) => one !== undefined);
      if (parent === undefined) this.#parents.delete(port.id);
      else this.#parents.set(port.id, parent);
    }
    const placed = all.map((port) => this.#placed(port));
    // No parent allows them: a crash came between. Nobody was given them.
    if (this.#creations === 0) for (const port of placed) if (port.place.at === '') this.#removeStray(port);
    return placed.filter(({ place }) => place.at !== '');
  }

  watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void> {
    return this.#ports.watch(ids, (port) => tell(this.#placed(port)), signal);
  }

  room(project: string, signal: AbortSignal): Promise<number> {
    return this.#ports.room(project, signal);
  }

  #change(parent: string, change: (before: readonly Allowed[]) => readonly Allowed[]): Promise<void> {
    const before = this.#turns.get(parent) ?? Promise.resolve();
    const work = before.catch(() => {}).then(() => this.#write(parent, change));
    const done = work.catch(() => {}).then(() => void (this.#turns.get(parent) === done && this.#turns.delete(parent)));
    this.#turns.set(parent, done);
    return work;
  }

  async #write(parent: string, change: (before: readonly Allowed[]) => readonly Allowed[]): Promise<void> {
    const { cloud, clock } = this.#options;
    for (let tried = 1; ; tried += 1) {
      const { allowed_address_pairs: pairs, revision_number: revision } = await ports.show(cloud, parent, lasting());
      const before = pairs.map(({ ip_address, mac_address: mac }) => ({
        ip_address,
        ...(mac === undefined ? {} : { mac_address: mac }),
      }));
      try {
        await ports.update(
          cloud,
          parent,
          { allowed_address_pairs: change(before) },
          lasting(),
          revision === undefined ? {} : { ifRevision: revision },
        );
        return;
      } catch (error) {
        // Where the answer was lost it may be done: it is asked for again, on top of what is there then.
        const isWorthIt = isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT') || mayBeDone(error);
        if (tried >= TRIES || !isWorthIt) throw error;
        await clock.sleep(PAUSE_MS * tried, lasting());
      }
    }
  }

  #placed(port: PoolPort): PoolPort {
    return { ...port, place: { ...port.place, at: this.#parents.get(port.id) ?? '' } };
  }

  #removeStray(port: PoolPort): void {
    this.#ports.remove(port, lasting()).catch((error: unknown) => {
      this.#options.log.warn({ port: port.id, error: reportError(error) }, 'a port of no parent could not be removed');
    });
  }
}

interface Allowed {
  readonly ip_address: string;
  readonly mac_address?: string;
}

const pairsOf = ({ mac, addresses }: PoolPort): readonly Allowed[] =>
  addresses.map((ip_address) => ({ ip_address, mac_address: mac }));

const wordOf = ({
  ip_address,
  mac_address = '',
}: {
  readonly ip_address: string;
  readonly mac_address?: string | undefined;
}) => `${mac_address} ${ip_address}`;

/** What is begun is ended. */
const lasting = () => AbortSignal.timeout(180_000);
