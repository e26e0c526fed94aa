import type { Clock, Logger } from '@superfluidity/core';
import type { Environment } from '@superfluidity/model';
import { clearDrafts, Links, Paths, type Scope, type SiteRecord, writeSite } from '@superfluidity/router';
import { Balancers } from './balancers.ts';
import type { HostConfig } from './config.ts';
import type { Events } from '@superfluidity/site';
import { Networks } from './networks.ts';
import { Proxies } from './proxies.ts';
import { openReach, routeTo } from './reach.ts';
import { sweepImageCache } from './runtime/images.ts';
import { Slots } from './slots.ts';
import { clearTerminals } from './terminals.ts';
import { describeHosts, openTopology, type SiteHost } from './topology.ts';
import { Units } from './units.ts';
import { imageCache } from './workload.ts';

export interface WorldOptions {
  readonly scope: Scope;
  readonly site: SiteRecord;
  readonly hosts: readonly HostConfig[];
  readonly reachable: boolean;
  readonly environments: () => Promise<readonly Environment[]>;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Everything of a site as it is written down, read at one moment: what one control plane works with while in charge. */
export class World {
  readonly hosts: ReadonlyMap<string, SiteHost>;
  readonly networks: Networks;
  readonly slots: Slots;
  readonly units: Units;
  readonly paths: Paths;
  readonly links: Links;
  readonly balancers: Balancers;
  readonly #proxies: Proxies;

  /** Only reads. */
  constructor(options: WorldOptions, hosts: ReadonlyMap<string, SiteHost>) {
    const { scope, site, log } = options;
    this.hosts = hosts;
    this.links = new Links(scope, site, log);
    const announce = (verb: 'add' | 'delete', prefix: string) => {
      if (options.reachable) routeTo(scope, verb, prefix);
      this.links.announce(verb, prefix);
    };
    this.networks = new Networks(scope, hosts, announce, log);
    this.slots = new Slots(scope, hosts, this.networks, log);
    this.units = new Units({ ...options, slots: this.slots });
    this.paths = new Paths(scope, hosts, (portId) => this.slots.findPort(portId), log);
    this.#proxies = new Proxies(scope, hosts, this.networks, (host) => this.slots.numbers(host), log);
    this.balancers = new Balancers(
      scope,
      hosts,
      this.#proxies,
      this.networks,
      (network, address) => this.units.release(network, address),
      log,
    );
  }

  /** For those who only look. */
  static read(options: WorldOptions): World {
    return new World(options, describeHosts(options.scope, options.hosts, options.log));
  }

  /** For the one in charge: makes the wires of the site where they lack, and goes on with what its predecessor left. */
  static async takeOver(options: WorldOptions): Promise<World> {
    const { scope, site, log } = options;
    clearDrafts(scope.folder);
    const hosts = await openTopology(scope, options.hosts, log);
    writeSite(scope, site);
    sweepImageCache(imageCache(scope));
    const world = new World(options, hosts);
    openReach(
      scope,
      options.reachable,
      world.networks.list().map(({ prefix }) => prefix),
    );
    await world.slots.clearLeftovers(world.#proxies.slots().map(({ id }) => id));
    await clearTerminals(
      scope,
      world.slots.records().map(({ slot }) => slot.id),
    );
    world.units.recover();
    return world;
  }

  close(): Promise<void> {
    return this.units.close();
  }
}
