import { isSuperfluidityError, reportError, SuperfluidityError } from '@superfluidity/core';
import type { Host } from '@superfluidity/model';
import {
  computeLimits,
  type Hypervisor,
  type Inventory,
  inventoriesOf,
  listAvailabilityZones,
  listHypervisors,
  listResourceProviders,
  listServers,
  type Server,
} from '@superfluidity/openstack';
import type { UnitSpec } from '@superfluidity/site';
import { isAmong, LIMITS } from './config.ts';
import type { World } from './world.ts';

/** What stands for room without a bound: JSON has no infinity. */
const ENDLESS = { cpu: 1_000_000, memoryMiB: 1_000_000_000, storageMiB: 1_000_000_000 } as const;
/** In which Nova's own services are. */
const INTERNAL_ZONE = 'internal';

export interface SiteHost {
  readonly kind: 'hypervisor' | 'zone';
  readonly host: Host;
}

/** Hypervisors, where the credentials show them; else availability zones, each with the quota of the project as its room. */
export class Hosts {
  readonly #world: World;
  #known: { readonly untilMs: number; readonly hosts: Promise<readonly SiteHost[]> } | undefined;
  #inventories: { readonly untilMs: number; readonly of: Promise<ReadonlyMap<string, Inventories>> } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  list(): Promise<readonly SiteHost[]> {
    const now = this.#world.clock.now();
    if (this.#known === undefined || this.#known.untilMs <= now) {
      const hosts = this.#read();
      const known = { untilMs: now + LIMITS.hostsKeptMs, hosts };
      this.#known = known;
      hosts.catch(() => {
        if (this.#known === known) this.#known = undefined;
      });
    }
    return this.#known.hosts;
  }

  /** Something was made or removed: what was read is not true any more. */
  changed(): void {
    this.#known = undefined;
  }

  /** The host that the unit shall be on. What is taken at this moment is Nova's to know. */
  async of(spec: UnitSpec, doing: string): Promise<SiteHost> {
    const hosts = await this.list();
    const found = hosts.find(({ host }) => host.name === spec.host);
    if (found === undefined) {
      throw new SuperfluidityError('SF-SITE-NO-HOST', {
        doing,
        reason: `${this.#world.name} has no host ${spec.host}`,
        data: { host: spec.host, known: hosts.slice(0, 100).map(({ host }) => host.name) },
      });
    }
    for (const what of ['cpu', 'memoryMiB', 'storageMiB'] as const) {
      if (spec[what] <= found.host[what]) continue;
      throw new SuperfluidityError('SF-SITE-NO-CAPACITY', {
        doing,
        reason: `${spec[what]} ${what} are asked for, ${found.host.name} has ${found.host[what]}`,
        data: { host: spec.host, what, asked: spec[what], total: found.host[what] },
      });
    }
    return found;
  }

  async #read(): Promise<readonly SiteHost[]> {
    const { config, cloud } = this.#world;
    const signal = this.#world.ask();
    if (config.hosts !== 'zones') {
      try {
        const [found, inventories] = await Promise.all([listHypervisors(cloud, signal), this.#readInventories()]);
        const usable = found.filter(
          ({ hypervisor_hostname: name, hypervisor_type: type }) => type !== 'ironic' && isAmong(config.only, name),
        );
        if (usable.length > 0 || config.hosts === 'hypervisors')
          return usable.map((one) => ofHypervisor(one, inventories.get(one.hypervisor_hostname)));
      } catch (error) {
        if (config.hosts === 'hypervisors' || !isSuperfluidityError(error, 'SF-OPENSTACK-FORBIDDEN')) throw error;
      }
    }
    return this.#readZones(signal);
  }

  async #readZones(signal: AbortSignal): Promise<readonly SiteHost[]> {
    const { config, cloud } = this.#world;
    const [zones, limits] = await Promise.all([listAvailabilityZones(cloud, signal), computeLimits(cloud, signal)]);
    // Clouds without quotas do not count.
    const isCounted = limits.totalCoresUsed >= 0 && limits.totalRAMUsed >= 0;
    const used = isCounted
      ? { cpu: limits.totalCoresUsed, memoryMiB: limits.totalRAMUsed, storageMiB: 0 }
      : usedBy(await listServers(cloud, {}, signal));
    const room = (limit: number, endless: number) => (limit < 0 ? endless : limit);
    const isFull = limits.maxTotalInstances >= 0 && limits.totalInstancesUsed >= limits.maxTotalInstances;
    return zones
      .filter((name) => name !== INTERNAL_ZONE && isAmong(config.only, name))
      .map((name) => ({
        kind: 'zone',
        host: {
          name,
          environments: ['vm'],
          accelerators: [],
          cpu: room(limits.maxTotalCores, ENDLESS.cpu),
          memoryMiB: room(limits.maxTotalRAMSize, ENDLESS.memoryMiB),
          storageMiB: ENDLESS.storageMiB,
          used,
          schedulable: !isFull,
        },
      }));
  }

  /** How much more than it has a hypervisor gives, by its name. Who may see hypervisors may not see this everywhere. */
  #readInventories(): Promise<ReadonlyMap<string, Inventories>> {
    const now = this.#world.clock.now();
    if (this.#inventories === undefined || this.#inventories.untilMs <= now) {
      const { cloud, name, log } = this.#world;
      const signal = this.#world.ask();
      const of = listResourceProviders(cloud, {}, signal)
        .then(async (providers) => {
          const roots = providers.filter(({ uuid, root_provider_uuid: root }) => uuid === root);
          const read = roots
            .slice(0, LIMITS.hostsWithRatios)
            .map(async (one) => [one.name, await inventoriesOf(cloud, one.uuid, signal)] as const);
          return new Map(await Promise.all(read));
        })
        .catch((error: unknown) => {
          log.debug({ site: name, error: reportError(error) }, 'Placement does not say what hosts may give');
          return new Map<string, Inventories>();
        });
      this.#inventories = { untilMs: now + LIMITS.capabilitiesKeptMs, of };
    }
    return this.#inventories.of;
  }
}

function usedBy(servers: readonly Server[]): Host['used'] {
  const sum = { cpu: 0, memoryMiB: 0, storageMiB: 0 };
  for (const { flavor } of servers) {
    sum.cpu += flavor.vcpus;
    sum.memoryMiB += flavor.ram;
  }
  return sum;
}

type Inventories = Readonly<Record<string, Inventory>>;

function ofHypervisor(found: Hypervisor, inventories: Inventories = {}): SiteHost {
  const room = (name: string, plain: number) => {
    const inventory = inventories[name];
    return inventory === undefined
      ? plain
      : Math.floor((inventory.total - inventory.reserved) * inventory.allocation_ratio);
  };
  return {
    kind: 'hypervisor',
    host: {
      name: found.hypervisor_hostname,
      environments: ['vm'],
      accelerators: [],
      cpu: room('VCPU', found.vcpus ?? 0),
      memoryMiB: room('MEMORY_MB', found.memory_mb ?? 0),
      storageMiB: room('DISK_GB', found.local_gb ?? 0) * 1_024,
      used: {
        cpu: found.vcpus_used ?? 0,
        memoryMiB: found.memory_mb_used ?? 0,
        storageMiB: (found.local_gb_used ?? 0) * 1_024,
      },
      schedulable: found.state === 'up' && found.status === 'enabled',
    },
  };
}
