import { canonicalJson } from '@superfluidity/core';
import type { KubeObject } from '@superfluidity/driver-kubernetes';
import type { KuryrNetworkPolicy } from '../api/network-policy.ts';
import type { Drivers } from './compose.ts';
import type { KuryrConfig } from './config.ts';
import { SUBNET_ANNOTATION } from './drivers/subnets.ts';
import { gathered } from './gathered.ts';
import { BalancerHandler } from './handlers/balancers.ts';
import { Giver } from './handlers/giver.ts';
import { LEFT_NETWORKS, LeftNetworkHandler } from './handlers/left-networks.ts';
import { NamespaceHandler } from './handlers/namespaces.ts';
import { NetworkHandler } from './handlers/networks.ts';
import { NodeHandler } from './handlers/nodes.ts';
import { PodHandler, wants } from './handlers/pods.ts';
import { PolicyHandler } from './handlers/policies.ts';
import { EVERY_POOL, PoolHandler } from './handlers/pools.ts';
import { PortHandler } from './handlers/ports.ts';
import { RulesHandler } from './handlers/rules.ts';
import { ServiceHandler } from './handlers/services.ts';
import { LIMITS } from './limits.ts';
import { keyOf, namespaceIn } from '../kubernetes/objects.ts';
import type { WorkQueue } from './queue.ts';
import { namedKey } from './translate/policies.ts';
import type { Handler, World } from './world.ts';

interface AnyInformer {
  readonly isKnown: boolean;
  start(): void;
  stop(): Promise<void>;
  known(signal: AbortSignal): Promise<void>;
}

export interface Wiring {
  readonly queues: Readonly<Record<string, WorkQueue>>;
  /** Of what the handlers look at. */
  readonly informers: readonly AnyInformer[];
  /** What is looked at though nothing has changed. */
  readonly sources: readonly { readonly all: () => readonly KubeObject[]; readonly queue: WorkQueue }[];
}

export interface WiringParts {
  readonly config: KuryrConfig;
  readonly world: World;
  readonly drivers: Drivers;
  readonly queueOf: (handler: Handler) => WorkQueue;
  /** How long it took from the moment at which its pod was seen on a node. */
  readonly onPortReady: (tookMs: number) => void;
  readonly stopwatch: () => number;
}

type Sources = Wiring['sources'][number];

/** Which change of what makes which handler look at what. */
export function wire(parts: WiringParts): Wiring {
  const { world, queueOf } = parts;
  const queues: Record<string, WorkQueue> = {};
  const informers = new Set<AnyInformer>([world.pods, world.nodes, world.namespaces, world.ports.informer]);
  const sources: Sources[] = [];
  const add = (handler: Handler, of: AnyInformer & { all(): readonly KubeObject[] }): WorkQueue => {
    const queue = queueOf(handler);
    queues[handler.name] = queue;
    informers.add(of);
    sources.push({ all: () => of.all(), queue });
    return queue;
  };
  const ports = wirePods(parts, add, sources);
  wireAttachments(parts, ports, informers);
  wireNodes(parts, add);
  wireNetworks(parts, add, ports);
  wireServices(parts, add, informers);
  wirePolicies(parts, add, ports);
  wirePools(parts, add, sources);
  wireLeftNetworks(parts, queues, sources);
  return { queues, informers: [...informers], sources };
}

type Add = (handler: Handler, of: AnyInformer & { all(): readonly KubeObject[] }) => WorkQueue;

/** Those of a namespace. */
function addAll(queue: WorkQueue, of: { all(): readonly KubeObject[] }, namespace: string): void {
  for (const object of of.all()) if (namespaceIn(keyOf(object)) === namespace) queue.add(keyOf(object));
}

function wirePods({ world, drivers, onPortReady, stopwatch }: WiringParts, add: Add, sources: Sources[]): WorkQueue {
  const seenMs = new Map<string, number>();
  const giver = new Giver({
    world,
    ...drivers,
    onReady: (key) => {
      const sinceMs = seenMs.get(key);
      if (sinceMs !== undefined) onPortReady(stopwatch() - sinceMs);
      seenMs.delete(key);
    },
  });
  const handler = new PortHandler({ world, ...drivers, giver });
  const pods = add(new PodHandler(world, giver), world.pods);
  const ports = add(handler, world.ports.informer);
  // Of pods that went while nobody led: the collector of garbage is not told of those whose deletion orphans what they own.
  sources.push({ all: () => world.ports.informer.all(), queue: pods });
  world.ports.informer.on((key, before, now) => {
    if (before !== undefined && before.metadata.uid !== now?.metadata.uid) handler.gone(before);
    ports.add(key);
    pods.add(key);
  });
  world.pods.on((key, before, now) => {
    if (now === undefined || !wants(now)) seenMs.delete(key);
    else if (before === undefined || !wants(before)) seenMs.set(key, stopwatch());
    pods.add(key);
    ports.add(key);
  });
  // Its label may have come only now.
  world.namespaces.on((key, before, now) => {
    const [was, is] = [before?.metadata.labels, now?.metadata.labels].map((labels) => JSON.stringify(labels));
    if (before === undefined || was !== is) addAll(pods, world.pods, key);
  });
  return ports;
}

/** A definition may come after the pods that name it, and so may the kind of object itself. */
function wireAttachments({ world, drivers }: WiringParts, ports: WorkQueue, informers: Set<AnyInformer>): void {
  if (drivers.attachments.kind === 'none') return;
  informers.add(world.definitions);
  world.definitions.on(() => {
    for (const { metadata, status } of world.ports.all()) if (status === undefined) ports.add(keyOf({ metadata }));
  });
}

function wireNodes({ config, world, drivers }: WiringParts, add: Add): void {
  const fallback = config.neutron?.groups ?? [];
  const handler = new NodeHandler({ world, ...drivers, fallback, prepares: config.pool.prepare });
  const nodes = add(handler, world.nodes);
  // Kubelets tell that they live every few seconds: that is no change.
  world.nodes.on((key, before, now) => {
    if (now === undefined && before !== undefined) handler.gone(before);
    if (before === undefined || now === undefined || before === now) nodes.add(key);
  });
  if (config.pool.prepare)
    world.networks.informer.on(() => {
      for (const node of world.nodes.all()) nodes.add(keyOf(node));
    });
}

function wireNetworks({ world, drivers }: WiringParts, add: Add, ports: WorkQueue): void {
  const { networks: driver, projects, vifs } = drivers;
  if (driver === undefined) return;
  const namespaces = add(new NamespaceHandler(world, projects), world.namespaces);
  const networks = add(new NetworkHandler(world, driver, vifs), world.networks.informer);
  world.namespaces.on((key) => namespaces.add(key));
  world.networks.informer.on((key) => {
    networks.add(key);
    namespaces.add(namespaceIn(key));
    addAll(ports, world.ports.informer, namespaceIn(key));
  });
  // The last one makes way for the end of the network.
  world.ports.informer.on((key, _before, now) => {
    if (now === undefined) networks.add(`${namespaceIn(key)}/${namespaceIn(key)}`);
  });
}

function wireServices({ world, drivers }: WiringParts, add: Add, informers: Set<AnyInformer>): void {
  const { balancer: driver, projects } = drivers;
  if (driver === undefined) return;
  const services = add(new ServiceHandler(world, projects, (key) => services.add(key)), world.services);
  const balancers = add(new BalancerHandler(world, driver), world.balancers.informer);
  informers.add(world.slices);
  world.services.on((key) => services.add(key));
  world.balancers.informer.on((key) => {
    balancers.add(key);
    services.add(key);
  });
}

function wirePolicies({ world, drivers }: WiringParts, add: Add, ports: WorkQueue): void {
  const { policies: driver, projects, vifs } = drivers;
  if (driver === undefined) return;
  const again = gathered(world.clock, LIMITS.policiesMs, (key) => policies.add(key));
  const policies = add(new PolicyHandler(world, again), world.policies);
  const rules = add(new RulesHandler(world, driver, projects, vifs), world.rules.informer);
  world.policies.on((key) => {
    policies.add(key);
    addAll(ports, world.ports.informer, namespaceIn(key));
  });
  world.rules.informer.on((key, before, now) => {
    rules.add(key);
    // Mostly it was written here, of what was known then.
    again(key);
    const [was, is] = [before, now].map((object) => groupsIn(world.rules.parse(object)));
    if (was !== is) addAll(ports, world.ports.informer, namespaceIn(key));
  });
}

/** All that ports see of it. Its rules change with each pod that its peers are, and are none of theirs. */
function groupsIn(resolved: Pick<KuryrNetworkPolicy, 'spec' | 'status'> | undefined): string | undefined {
  if (resolved === undefined) return undefined;
  const { spec, status = null } = resolved;
  return canonicalJson([(spec.named ?? []).map(namedKey), status && [status.groupId, status.named ?? {}]]);
}

/** Whenever a namespace names another subnet, or none, or goes. */
function wireLeftNetworks(
  { world, drivers, queueOf }: WiringParts,
  queues: Record<string, WorkQueue>,
  sources: Sources[],
): void {
  const { subnets, vifs } = drivers;
  if (subnets.networks === undefined) return;
  const handler = new LeftNetworkHandler(subnets.networks, vifs);
  const queue = queueOf(handler);
  queues[handler.name] = queue;
  sources.push({ all: () => [{ metadata: { name: LEFT_NETWORKS } }], queue });
  const named = (namespace: KubeObject | undefined) => namespace?.metadata.annotations?.[SUBNET_ANNOTATION];
  world.namespaces.on((_key, before, now) => {
    if (named(before) !== named(now)) queue.add(LEFT_NETWORKS);
  });
}

/**
 * Told of again and again, since pools change without an object of the cluster that does. Orders are carried out at once, and daemons are
 * told soon of ports that are to be plugged: of all that come together in one go.
 */
function wirePools({ config, world, drivers }: WiringParts, add: Add, sources: Sources[]): void {
  const { cluster, lease } = config;
  const place = { cluster, namespace: lease.namespace };
  const pools = add(new PoolHandler(world, drivers.vifs, place, (key) => pools.add(key)), world.pools.informer);
  world.pools.informer.on((key) => pools.add(key));
  let isSoon = false;
  drivers.vifs.onReady(() => {
    if (isSoon) return;
    isSoon = true;
    void world.clock.sleep(LIMITS.sparesMs).then(() => {
      isSoon = false;
      pools.add(EVERY_POOL);
    });
  });
  sources.push({ all: () => [{ metadata: { name: EVERY_POOL } }], queue: pools });
}
