import { join, resolve } from 'node:path';
import type { OpenSite, SiteEvent } from '@superfluidity/site';
import type { Command, Reserved } from './commands.ts';
import type { SimulatedConfig } from './config.ts';
import { Journal } from './journal.ts';
import { SiteState } from './state.ts';

/**
 * A simulated site as the world would keep it: it is there whether or not a control plane is connected. All drivers of
 * this process that open the same site (the same id, for the same state folder) get the same one.
 */
export class SharedSite {
  readonly state: SiteState;
  readonly #journal: Journal | undefined;
  readonly #listeners = new Set<(event: SiteEvent) => void>();

  constructor(name: string, config: SimulatedConfig, file: string | undefined) {
    this.state = new SiteState(name, config, (event) => {
      for (const listener of this.#listeners) listener(event);
    });
    this.#journal = file === undefined ? undefined : new Journal(file);
    this.refresh();
  }

  /** True when other processes may change the site. */
  get persistent(): boolean {
    return this.#journal !== undefined;
  }

  /** Brings the command into effect, or throws and changes nothing. */
  commit(command: Command): readonly Reserved[] | undefined {
    if (this.#journal === undefined) return this.state.apply(command);
    return this.#journal.commit(command, (one) => this.state.apply(one));
  }

  /** Takes in what other processes did meanwhile. */
  refresh(): void {
    this.#journal?.follow((one) => this.state.apply(one));
  }

  listen(listener: (event: SiteEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** By world, which is a state folder, and id. Bounded by the sites that the operator declares. */
const worlds = new Map<string, Map<string, SharedSite>>();

/** The configuration counts when the site is opened for the first time: a site does not change its hosts by itself. */
export function sharedSite({ id, name, stateFolder }: OpenSite, config: SimulatedConfig): SharedSite {
  const folder = resolve(stateFolder);
  let world = worlds.get(folder);
  if (world === undefined) {
    world = new Map();
    worlds.set(folder, world);
  }
  let site = world.get(id);
  if (site === undefined) {
    // Whatever is in the id stays one component of the path.
    const file = join(folder, `${encodeURIComponent(id)}.simulated.jsonl`);
    site = new SharedSite(name, config, config.persist ? file : undefined);
    world.set(id, site);
  }
  return site;
}

/** The sites of this process that lie in the same world. */
export function neighbours(stateFolder: string): readonly SharedSite[] {
  return [...(worlds.get(resolve(stateFolder))?.values() ?? [])];
}
