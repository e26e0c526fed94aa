import { hostname } from 'node:os';
import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';

/** What a user may ask for. Kept in the folder of the laboratory, so that `down`, `status` and the next `up` know it. */
export interface LabOptions {
  readonly services: readonly ServiceName[];
  readonly network: (typeof NETWORKS)[number];
  readonly compute: (typeof COMPUTES)[number];
  readonly firewall: (typeof FIREWALLS)[number];
  /** All listeners are here. */
  readonly address: string;
  /** Name of the compute host, to which ports are bound. */
  readonly host: string;
  readonly region: string;
  /** Providers of Octavia beside `amphora`: `NAME:description`. */
  readonly providers: readonly string[];
  /** Folders of Python packages that OpenStack's processes find: where entry points of own drivers are. */
  readonly pythonPath: readonly string[];
  readonly debug: boolean;
}

/** `ovs`: ML2/Open vSwitch with the real agent. `ovn`: OVN's databases, northd and controller. */
export const NETWORKS = ['ovs', 'ovn'] as const;
/** `fake`: servers without a machine, whose ports are plugged all the same. `libvirt`: real ones, on QEMU. */
export const COMPUTES = ['fake', 'libvirt'] as const;
/** Of ML2/Open vSwitch: whether security groups are enforced. OVN always does. */
export const FIREWALLS = ['noop', 'openvswitch'] as const;

/** In the order in which they are best started. `ovs` is the data plane of either network. */
export const SERVICES = [
  'keystone',
  'neutron',
  'ovs',
  'placement',
  'glance',
  'nova',
  'heat',
  'octavia',
  'mistral',
  'routing',
  'ironic',
] as const;
/** Without what few tests need. */
const DEFAULT_SERVICES = SERVICES.filter((name) => name !== 'routing' && name !== 'ironic');
export type ServiceName = (typeof SERVICES)[number];

const REQUIRED: Readonly<Record<ServiceName, readonly ServiceName[]>> = {
  keystone: [],
  neutron: ['keystone'],
  ovs: ['neutron'],
  placement: ['keystone'],
  glance: ['keystone'],
  nova: ['placement', 'glance', 'ovs'],
  heat: ['keystone'],
  octavia: ['neutron'],
  mistral: ['keystone'],
  routing: ['ovs'],
  ironic: ['keystone', 'glance'],
};

export function defaultOptions(): LabOptions {
  return {
    services: DEFAULT_SERVICES,
    network: 'ovs',
    compute: 'fake',
    firewall: 'noop',
    address: '127.0.0.1',
    host: hostname(),
    region: 'RegionOne',
    providers: [],
    pythonPath: [],
    debug: false,
  };
}

export function isServiceName(text: string): text is ServiceName {
  return SERVICES.some((name) => name === text);
}

/** The services and all that they need, in the order of starting. */
export function withRequired(wanted: Iterable<ServiceName>): readonly ServiceName[] {
  const all = new Set<ServiceName>();
  const add = (name: ServiceName) => {
    if (all.has(name)) return;
    all.add(name);
    REQUIRED[name].forEach(add);
  };
  for (const name of wanted) add(name);
  return SERVICES.filter((name) => all.has(name));
}

const LOOPBACK = /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** Those that are in each laboratory. */
const OWN_PROVIDERS = ['amphora', 'superfluidity'] as const;
const PROVIDER = /^[a-z0-9_-]{1,60}:[\w .()/-]{1,200}$/;
/** These texts become lines of configuration files: what could begin another line is refused. */
export function checkOptions(options: LabOptions): LabOptions {
  const refuse = (reason: string): never => {
    throw new SuperfluidityError('SF-LAB-OPTION', { doing: 'read the options of the laboratory', reason });
  };
  const oneOf = (name: string, value: string, known: readonly string[]) => {
    if (!known.includes(value)) refuse(`${name} is one of ${known.join(', ')}, not '${value}'`);
  };
  oneOf('the network', options.network, NETWORKS);
  oneOf('the compute driver', options.compute, COMPUTES);
  oneOf('the firewall', options.firewall, FIREWALLS);
  for (const service of options.services) oneOf('a service', service, SERVICES);
  if (!LOOPBACK.test(options.address)) refuse(`'${options.address}' is no address of 127.0.0.0/8`);
  if (!NAME.test(options.host)) refuse(`'${options.host}' is no name of a host`);
  if (!NAME.test(options.region)) refuse(`'${options.region}' is no name of a region`);
  for (const provider of options.providers)
    if (!PROVIDER.test(provider)) refuse(`'${provider}' is no provider of Octavia: NAME:description`);
  // Octavia does not start when it reads a name twice.
  const names = [...OWN_PROVIDERS, ...options.providers.map((provider) => provider.slice(0, provider.indexOf(':')))];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) refuse(`there is a provider '${twice}' of Octavia already`);
  for (const folder of options.pythonPath)
    if (!/^\/[\w./@+-]+$/.test(folder)) refuse(`'${folder}' is no absolute path that Python can be given`);
  // The databases of OVN belong to its data plane, and Neutron does not start without them.
  const more: readonly ServiceName[] = options.network === 'ovn' && options.services.includes('neutron') ? ['ovs'] : [];
  return { ...options, services: withRequired([...options.services, ...more]) };
}
