import type { ListShape } from './lists.ts';
import { rackKey } from './racks.ts';
import type {
  CharacterisationSummary,
  Descriptor,
  Duration,
  Event,
  ListedHost,
  ListedNetwork,
  ListedPool,
  ListedStorage,
  ListedUnit,
  Operation,
  Rack,
  ScalingDecision,
  Secret,
  Service,
  Site,
  SiteLink,
  Token,
  User,
} from './types.ts';

const share = (used: number, all: number): number => (all > 0 ? used / all : 0);

const sites: ListShape<Site> = {
  key: (site) => site.name,
  sorts: {
    name: (site) => site.name,
    kind: (site) => site.kind,
    tier: (site) => site.tier ?? '',
    hostCount: (site) => site.hostCount,
    unitCount: (site) => site.unitCount,
    cpu: (site) => share(site.used.cpu, site.capacity.cpu),
    memory: (site) => share(site.used.memoryMiB, site.capacity.memoryMiB),
  },
  text: ({ name, kind, tier = '', cells }) => [name, kind, tier, ...cells].join(' '),
  filters: { kind: (site) => site.kind, tier: (site) => site.tier ?? '', healthy: (site) => String(site.healthy) },
};

/** Of whatever holds a host and its site: a hundred thousand hosts are looked through without making an item of each. */
export function hostShape<T>(of: {
  readonly host: (item: T) => Omit<ListedHost, 'site' | 'unitCount' | 'environments' | 'accelerators'> & {
    readonly environments: readonly string[];
    readonly accelerators: readonly string[];
  };
  readonly site: (item: T) => string;
  readonly unitCount: (item: T) => number;
}): ListShape<T> {
  const { host, site, unitCount } = of;
  const name = (item: T) => `${site(item)}/${host(item).name}`;
  return {
    key: name,
    sorts: {
      name: (item) => host(item).name,
      site,
      cpu: (item) => share(host(item).used.cpu, host(item).cpu),
      memory: (item) => share(host(item).used.memoryMiB, host(item).memoryMiB),
      unitCount,
    },
    text: (item) => {
      const { accelerators } = host(item);
      return accelerators.length === 0 ? name(item) : [name(item), ...accelerators].join(' ');
    },
    filters: {
      site,
      environment: (item) => host(item).environments,
      schedulable: (item) => String(host(item).schedulable),
      rack: (item) => host(item).rack ?? '',
    },
  };
}

const hosts = hostShape<ListedHost>({
  host: (item) => item,
  site: (item) => item.site,
  unitCount: (item) => item.unitCount,
});

const racks: ListShape<Rack> = {
  key: (rack) => `${rack.site} ${rackKey(rack)}`,
  sorts: { name: rackKey, site: ({ site }) => site, cpu: ({ cpu }) => cpu, memory: ({ memory }) => memory },
  text: ({ site, name, servers }) => [site, name, ...servers.map(({ host }) => host)].join(' '),
  filters: { site: ({ site }) => site },
};

/** Written out: the browser has this file, and not the model. */
const SPEED: Readonly<Record<ListedStorage['kind'], number>> = {
  memory: 0,
  nvme: 1,
  ssd: 2,
  hdd: 3,
  network: 4,
  unknown: 5,
};

const storage: ListShape<ListedStorage> = {
  key: ({ site, host = '', name }) => `${site}/${host}/${name}`,
  sorts: {
    name: ({ name }) => name,
    site: ({ site }) => site,
    // The fastest first.
    kind: ({ kind }) => SPEED[kind],
    capacity: ({ capacityMiB }) => capacityMiB,
    fill: ({ usedMiB, capacityMiB }) => share(usedMiB, capacityMiB),
  },
  text: ({ site, name, rack = '', host = '', uses }) =>
    [site, name, rack, host, ...uses.map(({ what }) => what)].join(' '),
  filters: { site: ({ site }) => site, kind: ({ kind }) => kind, rack: ({ rack }) => rack ?? '' },
};

const pools: ListShape<ListedPool> = {
  key: ({ site, name }) => `${site} ${name}`,
  sorts: {
    name: ({ name }) => name,
    site: ({ site }) => site,
    ready: ({ ready, wanted }) => share(ready, wanted),
    hitRate: ({ hits, misses }) => share(hits, hits + misses),
    asked: ({ hits, misses }) => hits + misses,
  },
  text: ({ site, name }) => `${site} ${name}`,
  filters: { site: ({ site }) => site },
};

const networks: ListShape<ListedNetwork> = {
  key: ({ of, id }) => `${of} ${id}`,
  sorts: {
    name: ({ name }) => name,
    owner: ({ owner }) => owner,
    prefix: ({ prefix }) => prefix,
    mtu: ({ mtu = 0 }) => mtu,
    portCount: ({ portCount }) => portCount,
  },
  text: ({ id, prefix, sites }) => [id, prefix, ...sites].join(' '),
  filters: { of: ({ of }) => of, owner: ({ owner }) => owner, site: ({ sites }) => sites },
};

const units: ListShape<ListedUnit> = {
  key: (unit) => unit.id,
  sorts: {
    name: (unit) => `${unit.path}#${unit.index}`,
    service: (unit) => unit.service,
    site: (unit) => unit.site,
    host: (unit) => unit.host,
    state: (unit) => unit.state,
    updatedAt: (unit) => unit.updatedAt,
  },
  text: (unit) => [unit.service, `${unit.path}#${unit.index}`, unit.host, unit.id].join(' '),
  filters: {
    service: (unit) => unit.service,
    site: (unit) => unit.site,
    host: (unit) => unit.host,
    state: (unit) => unit.state,
    environment: (unit) => unit.environment,
  },
};

const links: ListShape<SiteLink> = {
  key: ({ a, b }) => `${a} ${b}`,
  sorts: {
    name: ({ a, b }) => `${a} ${b}`,
    latencyMs: ({ latencyMs }) => latencyMs,
    jitterMs: ({ jitterMs }) => jitterMs,
    bandwidthMbps: ({ bandwidthMbps }) => bandwidthMbps,
    loss: ({ loss }) => loss,
  },
  text: ({ a, b }) => `${a} ${b}`,
  filters: { site: ({ a, b }) => [a, b] },
};

const durations: ListShape<Duration> = {
  key: ({ of, name }) => `${of} ${name}`,
  sorts: {
    name: ({ name }) => name,
    count: ({ count }) => count,
    meanMs: ({ meanMs }) => meanMs,
    // What lies beyond the scale is the longest.
    p95Ms: ({ p95Ms }) => p95Ms ?? Number.MAX_VALUE,
  },
  text: ({ name }) => name,
  filters: { of: ({ of }) => of },
};

const descriptors: ListShape<Descriptor> = {
  key: (descriptor) => descriptor.id,
  sorts: {
    name: (descriptor) => descriptor.name,
    version: (descriptor) => descriptor.version,
    format: (descriptor) => descriptor.format,
    createdAt: (descriptor) => descriptor.createdAt,
  },
  text: ({ name, id }) => `${name} ${id}`,
  filters: {
    format: (descriptor) => descriptor.format,
    operationalState: (descriptor) => descriptor.operationalState,
    usageState: (descriptor) => descriptor.usageState,
  },
};

const services: ListShape<Service> = {
  key: (service) => service.name,
  sorts: {
    name: (service) => service.name,
    state: (service) => service.state,
    unitCount: (service) => service.unitCount,
    createdAt: (service) => service.createdAt,
  },
  text: (service) => service.name,
  filters: {
    state: (service) => service.state,
    healthy: (service) => String(service.healthy),
    busy: (service) => String(service.busy !== undefined),
    site: (service) => service.sites,
    descriptor: (service) => service.descriptorId,
  },
};

const operations: ListShape<Operation> = {
  key: (operation) => operation.id,
  sorts: {
    startedAt: (operation) => operation.startedAt,
    stateEnteredAt: (operation) => operation.stateEnteredAt,
    service: (operation) => operation.service,
    kind: (operation) => operation.kind,
    state: (operation) => operation.state,
  },
  text: ({ service, id }) => `${service} ${id}`,
  filters: {
    service: (operation) => operation.service,
    state: (operation) => operation.state,
    kind: (operation) => operation.kind,
    automatic: (operation) => String(operation.automatic),
  },
};

const characterisations: ListShape<CharacterisationSummary> = {
  key: (one) => one.name,
  sorts: {
    name: (one) => one.name,
    service: (one) => one.service,
    experiments: (one) => one.experiments,
    samples: (one) => one.samples,
    accuracy: (one) => one.accuracy,
    updatedAt: (one) => one.updatedAt,
  },
  text: ({ name, service }) => `${name} ${service}`,
  filters: { service: (one) => one.service },
};

const events: ListShape<Event> = {
  key: (event) => event.id,
  sorts: { id: (event) => event.id },
  text: ({ message, subject }) => `${message} ${subject}`,
  filters: {
    kind: (event) => event.kind,
    severity: (event) => event.severity,
    service: (event) => event.service ?? '',
    subject: (event) => event.subject,
    by: (event) => event.by ?? '',
  },
};

const scalingDecisions: ListShape<ScalingDecision> = {
  key: (decision) => decision.id,
  sorts: { at: (decision) => decision.id },
  text: ({ service, unit, reasons }) => [service, unit, ...reasons].join(' '),
  filters: {
    service: (decision) => decision.service,
    unit: (decision) => decision.unit,
    outcome: (decision) => decision.outcome,
  },
};

const tokens: ListShape<Token> = {
  key: (token) => token.id,
  sorts: {
    name: (token) => token.name,
    user: (token) => token.user,
    role: (token) => token.role,
    createdAt: (token) => token.createdAt,
  },
  text: (token) => `${token.name} ${token.user}`,
  filters: { role: (token) => token.role, user: (token) => token.user },
};

const users: ListShape<User> = {
  key: (user) => user.id,
  sorts: {
    name: (user) => user.name,
    role: (user) => user.role,
    createdAt: (user) => user.createdAt,
    signedInAt: (user) => user.signedInAt ?? 0,
  },
  text: (user) => user.name,
  filters: { role: (user) => user.role, disabled: (user) => String(user.disabled) },
};

const secrets: ListShape<Secret> = {
  key: (secret) => secret.name,
  sorts: {
    name: (secret) => secret.name,
    kind: (secret) => secret.kind,
    createdAt: (secret) => secret.createdAt,
    updatedAt: (secret) => secret.updatedAt,
  },
  text: (secret) => secret.name,
  filters: { kind: (secret) => secret.kind },
};

/** What each list of the API can be searched, filtered and sorted by: for lists in memory, and to hold the others against. */
export const listShapes = {
  characterisations,
  sites,
  hosts,
  racks,
  storage,
  pools,
  networks,
  links,
  durations,
  units,
  descriptors,
  services,
  operations,
  events,
  tokens,
  users,
  scalingDecisions,
  secrets,
} as const;
