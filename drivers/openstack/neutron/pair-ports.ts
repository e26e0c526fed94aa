import { isSuperfluidityError } from '@superfluidity/core';
import type { PoolPort } from '@superfluidity/fabric';
import { mayBeDone, ports } from '@superfluidity/openstack';
import { InnerPorts, type InnerPortsOptions, lasting } from './inner-ports.ts';

/** Others change the parent between our look at it and our request; as often as Kuryr tries it (`rev_update_attempts`), and more. */
const TRIES = 8;
const PAUSE_MS = 50;

/**
 * Ports of pools whose addresses a server may use besides its own: what runs inside of the server has a port of its own, that
 * nothing is plugged into, and the server's port, its parent, allows the pair of addresses (`allowed_address_pairs`). The place of
 * such a port is its parent. The parent is changed under its revision (`If-Match`): two who add pairs at a time lose none.
 */
export class PairPorts extends InnerPorts {
  /** Changes of a parent come one after the other: our own need not disturb each other. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(options: InnerPortsOptions) {
    super(options, 'free');
  }

  protected async attach(parent: string, made: readonly PoolPort[]): Promise<void> {
    const pairs = made.flatMap(pairsOf);
    const words = new Set(pairs.map(wordOf));
    await this.#change(parent, (before) => [...before.filter((pair) => !words.has(wordOf(pair))), ...pairs]);
    for (const { id } of made) this.note(id, { at: parent });
  }

  protected async detach(parent: string, port: PoolPort): Promise<void> {
    const gone = new Set(pairsOf(port).map(wordOf));
    try {
      await this.#change(parent, (before) => before.filter((pair) => !gone.has(wordOf(pair))));
    } catch (error) {
      // The server is gone, and its port with it.
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) throw error;
    }
  }

  protected async look(reading: Promise<readonly PoolPort[]>, signal: AbortSignal): Promise<void> {
    const all = await reading;
    if (all.length === 0) return;
    const networks = [...new Set(all.map(({ place }) => place.network))];
    const parents = new Map<string, string>();
    for (const parent of await ports.list(this.options.cloud, { network_id: networks }, signal))
      for (const pair of parent.allowed_address_pairs) parents.set(wordOf(pair), parent.id);
    for (const port of all) {
      const at = pairsOf(port)
        .map((pair) => parents.get(wordOf(pair)))
        .find((one) => one !== undefined);
      this.note(port.id, at === undefined ? undefined : { at });
    }
  }

  #change(parent: string, change: (before: readonly Allowed[]) => readonly Allowed[]): Promise<void> {
    const before = this.#turns.get(parent) ?? Promise.resolve();
    const work = before.catch(() => {}).then(() => this.#write(parent, change));
    const done = work.catch(() => {}).then(() => void (this.#turns.get(parent) === done && this.#turns.delete(parent)));
    this.#turns.set(parent, done);
    return work;
  }

  async #write(parent: string, change: (before: readonly Allowed[]) => readonly Allowed[]): Promise<void> {
    const { cloud, clock } = this.options;
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
