import type { BalancerHealth, BalancerSettings } from './balancer.ts';

/** What a balancer may ask for, by the names that refusals say. */
export const balancerFeatures = [
  'layer tcp',
  'layer udp',
  'layer http',
  'algorithm round-robin',
  'algorithm least-connections',
  'algorithm random',
  'algorithm source-ip',
  'algorithm source-ip-port',
  'algorithm uri',
  'algorithm header',
  'algorithm parameter',
  'persistence source-ip',
  'persistence cookie',
  'persistence app-cookie',
  'persistence timeout',
  'persistence cookie name',
  'health ping',
  'health tcp',
  'health http',
  'health https',
  'health tls-hello',
  'health udp-connect',
  'weights',
  'backup members',
  'routes',
  'tls',
  'tls client certificates',
  'connection limit',
  'timeouts',
  'allowed sources',
  'proxy protocol',
  'forwarded headers',
] as const;
export type BalancerFeature = (typeof balancerFeatures)[number];

/** Both a balancer of a descriptor and one that a site is asked for. */
export interface Balanced extends BalancerSettings {
  readonly layer: 'tcp' | 'udp' | 'http';
  readonly health?: BalancerHealth;
  readonly weight?: number;
  readonly also?: readonly Weighted[];
  readonly pools?: readonly (Weighted & { readonly members?: readonly Weighted[] })[];
  readonly members?: readonly Weighted[];
}
interface Weighted {
  readonly weight?: number;
  readonly backup?: boolean;
}

/** What it asks for. */
export function featuresOf(balancer: Balanced): ReadonlySet<BalancerFeature> {
  const { layer, algorithm = 'round-robin', persistence, health, tls } = balancer;
  const members = [balancer, ...(balancer.also ?? []), ...(balancer.members ?? []), ...(balancer.pools ?? [])].flatMap(
    (one): readonly Weighted[] => [one, ...('members' in one ? (one.members ?? []) : [])],
  );
  const asked: readonly (BalancerFeature | false)[] = [
    `layer ${layer}`,
    `algorithm ${algorithm.replace(/:.*/, '') as 'uri'}`,
    persistence !== undefined && `persistence ${persistence.kind}`,
    persistence?.timeoutMs !== undefined && 'persistence timeout',
    persistence?.kind === 'cookie' && persistence.cookie !== undefined && 'persistence cookie name',
    health !== undefined && health.kind !== 'running' && `health ${health.kind}`,
    members.some(({ weight = 1 }) => weight !== 1) && 'weights',
    members.some(({ backup }) => backup === true) && 'backup members',
    (balancer.routes?.length ?? 0) > 0 && 'routes',
    tls !== undefined && 'tls',
    tls?.clients !== undefined && 'tls client certificates',
    balancer.connectionLimit !== undefined && 'connection limit',
    balancer.timeouts !== undefined && 'timeouts',
    balancer.allow !== undefined && 'allowed sources',
    balancer.proxyProtocol !== undefined && 'proxy protocol',
    balancer.forwarded === true && 'forwarded headers',
  ];
  return new Set(asked.filter((feature) => feature !== false));
}

const without = (all: Iterable<BalancerFeature>, ...names: readonly BalancerFeature[]) =>
  new Set([...all].filter((feature) => !names.includes(feature)));

const haproxy = without(balancerFeatures, 'layer udp', 'health udp-connect');
const amphora = without(
  balancerFeatures,
  'algorithm random',
  'algorithm source-ip-port',
  'algorithm uri',
  'algorithm header',
  'algorithm parameter',
  'persistence timeout',
  'persistence cookie name',
);

const service: readonly BalancerFeature[] = [
  'algorithm round-robin',
  'algorithm random',
  'persistence source-ip',
  'persistence timeout',
];

interface Abilities {
  readonly streams: ReadonlySet<BalancerFeature>;
  /** With layer udp. */
  readonly datagrams: ReadonlySet<BalancerFeature>;
}

/**
 * What each kind of balancer does. `linux` is the kernel with HAProxy, `octavia superfluidity` the HAProxy behind Octavia of
 * this project; `kubernetes service` what a Service of any cluster does; the others as Octavia's table of provider drivers says (release 11).
 */
export const balancerBackends = {
  linux: {
    streams: haproxy,
    // The kernel spreads datagrams by itself, and asks nobody for their health.
    datagrams: new Set<BalancerFeature>([
      'layer udp',
      'algorithm round-robin',
      'algorithm random',
      'algorithm source-ip',
      'algorithm source-ip-port',
      'weights',
    ]),
  },
  'octavia superfluidity': {
    streams: new Set<BalancerFeature>([
      ...without(amphora, 'layer udp', 'health udp-connect'),
      'algorithm source-ip-port',
    ]),
    datagrams: new Set<BalancerFeature>(),
  },
  'octavia amphora': {
    streams: amphora,
    datagrams: new Set<BalancerFeature>([...amphora, 'algorithm source-ip-port']),
  },
  'octavia ovn': {
    streams: new Set<BalancerFeature>(['layer tcp', 'algorithm source-ip-port', 'health tcp']),
    datagrams: new Set<BalancerFeature>(['layer udp', 'algorithm source-ip-port', 'health udp-connect']),
  },
  // Each flow gets any of the members: whoever serves Services takes them in turn, or at random.
  'kubernetes service': {
    streams: new Set<BalancerFeature>(['layer tcp', ...service]),
    datagrams: new Set<BalancerFeature>(['layer udp', ...service]),
  },
  simulated: { streams: new Set(balancerFeatures), datagrams: new Set(balancerFeatures) },
} as const satisfies Readonly<Record<string, Abilities>>;
export type BalancerBackend = keyof typeof balancerBackends;

const backends = Object.keys(balancerBackends) as readonly BalancerBackend[];

export interface BalancerObjection {
  readonly feature: BalancerFeature;
  /** Kinds of balancers that have it. */
  readonly elsewhere: readonly BalancerBackend[];
}

/** What of it this kind of balancer cannot do. */
export function objectionsTo(balancer: Balanced, backend: BalancerBackend): readonly BalancerObjection[] {
  const { layer } = balancer;
  return [...featuresOf(balancer)]
    .filter((feature) => !has(backend, layer, feature))
    .map((feature) => ({ feature, elsewhere: backends.filter((other) => has(other, layer, feature)) }));
}

/** In words: `layer udp (octavia amphora and octavia ovn have it)`. */
export function objectionText({ feature, elsewhere }: BalancerObjection): string {
  return `${feature} (${elsewhere.length === 0 ? 'nothing has it' : `had by: ${elsewhere.join(', ')}`})`;
}

/** Kinds of balancers that can do all of it. */
export function backendsFor(balancer: Balanced): readonly BalancerBackend[] {
  return backends.filter((backend) => objectionsTo(balancer, backend).length === 0);
}

function has(backend: BalancerBackend, layer: Balanced['layer'], feature: BalancerFeature): boolean {
  const { streams, datagrams }: Abilities = balancerBackends[backend];
  return (layer === 'udp' ? datagrams : streams).has(feature);
}
