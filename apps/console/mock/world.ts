import { append } from '@superfluidity/core';
import type {
  CallReply,
  Event,
  Operation,
  OperationDetail,
  Sample,
  ScalingDecision,
  Secret,
  ServiceDetail,
  SiteDetail,
  SiteLink,
  Step,
  SystemInfo,
  Token,
  Unit,
  User,
  UnitScaling,
} from '@superfluidity/api';
import { type HostSize, makeSite } from './make-site.ts';
import { SITE_KINDS } from './site-kinds.ts';

/** State of the mock control plane: plain data, changed by scenario.ts, read by handlers.ts. */
export interface World {
  readonly sites: Map<string, SiteDetail>;
  readonly links: SiteLink[];
  readonly services: Map<string, ServiceDetail>;
  readonly operations: Map<string, OperationDetail>;
  readonly events: Event[];
  readonly samples: Map<string, Sample[]>;
  readonly descriptors: Map<string, CallReply<'getDescriptor'>>;
  readonly tokens: Token[];
  readonly users: User[];
  readonly secrets: Map<string, Secret>;
  /** By name of the user. */
  readonly passwords: Map<string, string>;
  /** Browsers that have signed in, by their secret. */
  readonly sessions: Map<string, { readonly id: string; readonly user: string; readonly expiresAt: number }>;
  /** Whether tokens open nothing any more. */
  revoked: boolean;
  /** What units have printed, by id: the mock's units are quiet but for these. */
  readonly output: Map<string, string[]>;
  /** Services whose policies do not hold. */
  readonly violated: Set<string>;
  /** Of units that scale by themselves, by service; and what was decided on them, oldest first. */
  readonly scaling: Map<string, UnitScaling[]>;
  readonly decisions: ScalingDecision[];
  /** Share of a host, `site/host`, that is taken by what this control plane does not know. */
  readonly others: Map<string, number>;
  readonly characterisations: Map<string, CallReply<'getCharacterisation'>>;
  readonly system: SystemInfo;
  readonly eventListeners: Set<(event: Event) => void>;
  readonly sampleListeners: Set<(service: string, batch: Sample[]) => void>;
}

/** With which `admin` signs in. */
export const MOCK_PASSWORD = 'correct horse battery staple';

const firstUser = (): User => ({
  id: 'usr-0mk1',
  name: 'admin',
  role: 'admin',
  disabled: false,
  hasPassword: true,
  tokenCount: 1,
  sessionCount: 0,
  createdAt: Date.now() - 86_400_000 * 30,
});

const EVENTS_MAX = 20_000;
const SAMPLES_MAX = 20_000;

export function makeWorld(): World {
  const edgeHost: Omit<HostSize, 'name'> = {
    cpu: 8,
    memoryMiB: 16_384,
    environments: ['container', 'vm', 'unikernel', 'nft', 'process'],
  };
  const coreHost: Omit<HostSize, 'name'> = { ...edgeHost, cpu: 32, memoryMiB: 131_072 };
  const sites = [
    makeSite('edge', 'edge', [
      { name: 'e1', ...edgeHost },
      { name: 'e2', ...edgeHost },
    ]),
    makeSite('core', 'core', [
      { name: 'c1', ...coreHost },
      { name: 'c2', ...coreHost },
    ]),
  ];
  return {
    sites: new Map(sites.map((site) => [site.name, site])),
    links: [{ a: 'edge', b: 'core', latencyMs: 15, jitterMs: 0.8, loss: 0, bandwidthMbps: 1_000 }],
    services: new Map(),
    operations: new Map(),
    events: [],
    samples: new Map(),
    descriptors: new Map(),
    tokens: [{ id: 'tok-0mk1', name: 'admin', user: 'admin', role: 'admin', createdAt: Date.now() - 86_400_000 * 30 }],
    users: [firstUser()],
    secrets: new Map(),
    passwords: new Map([['admin', MOCK_PASSWORD]]),
    sessions: new Map(),
    revoked: false,
    output: new Map(),
    violated: new Set(),
    scaling: new Map(),
    decisions: [],
    characterisations: new Map(),
    others: new Map(),
    system: {
      name: 'superfluidity',
      version: '0.1.0-mock',
      executor: 'srv-mock',
      database: 'pglite:memory',
      formats: ['native', 'sol006', 'osm', 'tosca', 'nemo'],
      siteKinds: SITE_KINDS,
    },
    eventListeners: new Set(),
    sampleListeners: new Set(),
  };
}

/** Of the sites of the demo. */
export function tell(world: World, event: Omit<Event, 'id' | 'at'>): void {
  const told: Event = { ...event, id: (world.events.at(-1)?.id ?? 0) + 1, at: Date.now() };
  world.events.push(told);
  if (world.events.length > EVENTS_MAX) world.events.shift();
  for (const listener of world.eventListeners) listener(told);
}

export function record(world: World, service: string, batch: Sample[]): void {
  const kept = world.samples.get(service) ?? [];
  append(kept, batch);
  if (kept.length > SAMPLES_MAX) kept.splice(0, kept.length - SAMPLES_MAX);
  world.samples.set(service, kept);
  for (const listener of world.sampleListeners) listener(service, batch);
}

export function putUnit(world: World, service: ServiceDetail, unit: Unit): void {
  const known = service.units.findIndex((one) => one.id === unit.id);
  if (known === -1) service.units.push(unit);
  else service.units[known] = unit;
  account(world, service);
  tell(world, {
    kind: 'unit',
    subject: unit.id,
    service: service.name,
    severity: unit.state === 'failed' ? 'error' : 'info',
    message: `${unit.path}#${unit.index} is ${unit.state} on ${unit.site}/${unit.host}`,
    body: { ...unit },
  });
}

export function dropUnit(world: World, service: ServiceDetail, id: string): void {
  const at = service.units.findIndex((unit) => unit.id === id);
  if (at === -1) return;
  const [unit] = service.units.splice(at, 1);
  account(world, service);
  tell(world, {
    kind: 'unit',
    subject: id,
    service: service.name,
    severity: 'info',
    message: `${unit!.path}#${unit!.index} is gone from ${unit!.site}/${unit!.host}`,
    body: {},
  });
}

/** What units use of their hosts, and the counts that follow from them. */
function account(world: World, service: ServiceDetail): void {
  service.unitCount = service.units.length;
  service.runningCount = service.units.filter((unit) => unit.state === 'running').length;
  service.sites = [...new Set(service.units.map((unit) => unit.site))].sort();
  service.healthy = service.units.every((unit) => unit.state !== 'failed' && unit.state !== 'stopped');
  for (const site of world.sites.values()) {
    const all = [...world.services.values()].flatMap((one) => one.units).filter((unit) => unit.site === site.name);
    for (const host of site.hosts) {
      const here = all.filter((unit) => unit.host === host.name);
      const others = world.others.get(`${site.name}/${host.name}`) ?? 0;
      host.used.cpu = Math.min(
        host.cpu,
        here.reduce((sum, unit) => sum + (unit.environment === 'vm' ? 2 : 0.5), others * host.cpu),
      );
      host.used.memoryMiB = Math.min(
        host.memoryMiB,
        here.reduce((sum, unit) => sum + (unit.environment === 'vm' ? 2_048 : 512), others * 0.8 * host.memoryMiB),
      );
    }
    site.unitCount = all.length;
    site.used.cpu = site.hosts.reduce((sum, host) => sum + host.used.cpu, 0);
    site.used.memoryMiB = site.hosts.reduce((sum, host) => sum + host.used.memoryMiB, 0);
  }
}

export function takeFromPool(world: World, siteName: string, environment: Unit['environment']): boolean {
  const pool = world.sites.get(siteName)!.pools[environment === 'vm' ? 1 : 0]!;
  const pooled = pool.ready > 0;
  if (pooled) {
    pool.ready -= 1;
    pool.hits += 1;
    setTimeout(() => {
      pool.ready = Math.min(pool.wanted, pool.ready + 1);
    }, 1_500).unref();
  } else pool.misses += 1;
  return pooled;
}

export function setLink(world: World, link: SiteLink): void {
  const at = world.links.findIndex((one) => [one.a, one.b].toSorted().join() === [link.a, link.b].toSorted().join());
  if (at === -1) world.links.push(link);
  else world.links[at] = link;
}

export function putStep(world: World, operation: OperationDetail, step: Step): void {
  operation.steps[operation.steps.findIndex((one) => one.id === step.id)] = step;
  tell(world, {
    kind: 'step',
    subject: operation.id,
    service: operation.service,
    severity: step.state === 'failed' ? 'error' : 'info',
    message: `${step.title}: ${step.state}`,
    body: { ...step },
  });
}

export function putOperation(world: World, operation: OperationDetail, state: Operation['state']): void {
  operation.state = state;
  operation.stateEnteredAt = Date.now();
  world.operations.set(operation.id, operation);
  tell(world, {
    kind: 'operation',
    subject: operation.id,
    service: operation.service,
    severity: state === 'FAILED' || state === 'FAILED_TEMP' ? 'error' : 'info',
    message: `${operation.kind.toLowerCase()} of ${operation.service}: ${state}`,
    body: { id: operation.id, state },
  });
}
