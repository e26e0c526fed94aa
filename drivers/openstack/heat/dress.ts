import type { StackNetwork, StackSpec, StackUnit } from '@superfluidity/site';
import { type Flavors, isWholeMachine } from '../flavors.ts';
import type { ServerGroups } from '../groups.ts';
import type { Hosts } from '../hosts.ts';
import type { Images } from '../images.ts';
import { portMac } from '../marks.ts';
import { factsOf, type Networks, providerOf } from '../neutron/networks.ts';
import { qosPrefix } from '../neutron/qos.ts';
import { metadataOf } from '../server-record.ts';
import { plainUserDataOf } from '../user-data.ts';
import type { World } from '../world.ts';

export interface DressParts {
  readonly world: World;
  readonly hosts: Hosts;
  readonly flavors: Flavors;
  readonly images: Images;
  readonly groups: ServerGroups;
  readonly networks: Networks;
}

export type Template = Readonly<Record<string, unknown>>;
type Properties = Readonly<Record<string, unknown>>;

/** What a network has that does not say how large its packets may be: the cloud knows better. */
const USUAL_MTU = 1_500;

/**
 * The template with what only the site knows: flavours, images, hosts, and the marks by which the driver finds servers, ports
 * and networks again as its own, as if it had made them by calls.
 */
export async function dress(parts: DressParts, spec: StackSpec, doing: string, signal: AbortSignal): Promise<Dressed> {
  const resources = new Resources(spec.template);
  for (const network of spec.networks) {
    if (network.isAdopted === true) markNetwork(parts.world, network, resources);
    else await dressNetwork(parts, network, resources, signal);
  }
  const made = spec.units.filter((unit) => unit.isAdopted !== true);
  for (const unit of spec.units) if (unit.isAdopted === true) markUnit(parts.world, unit, resources);
  for (const unit of made) await dressUnit(parts, unit, resources, doing, signal);
  dressShared(parts, spec, resources);
  // Environments of units have secrets in them: Heat shows the values of hidden parameters to nobody.
  const hidden = made.map(({ server }) => [userDataName(server), { type: 'string', hidden: true }]);
  const declared = { ...(spec.template['parameters'] as Properties | undefined), ...Object.fromEntries(hidden) };
  const parameters = Object.keys(declared).length === 0 ? {} : { parameters: declared };
  const values = made.map(({ spec: unit, server }) => [userDataName(server), plainUserDataOf(unit)]);
  return {
    template: { ...spec.template, ...parameters, resources: resources.all },
    parameters: Object.fromEntries(values),
  };
}

export interface Dressed {
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
}

const userDataName = (server: string): string => `${server}__user_data`;

class Resources {
  readonly all: Record<string, Properties>;

  constructor(template: Template) {
    this.all = { ...(template['resources'] as Record<string, Properties>) };
  }

  add(name: string, resource: Properties): void {
    this.all[name] = resource;
  }

  properties(name: string): Properties {
    return (this.all[name]?.['properties'] ?? {}) as Properties;
  }

  change(name: string, properties: Properties): void {
    this.all[name] = { ...this.all[name], properties: { ...this.properties(name), ...properties } };
  }
}

async function dressNetwork(
  { world: { marks, config }, networks }: DressParts,
  { spec, network, subnet }: StackNetwork,
  resources: Resources,
  signal: AbortSignal,
): Promise<void> {
  const name = `${spec.service}.${spec.name}`;
  const description = marks.description(spec.id);
  const mtu = spec.mtu === USUAL_MTU ? {} : { mtu: spec.mtu };
  resources.change(network, {
    name,
    tags: marks.tags(spec.id, factsOf(spec)),
    value_specs: { description, ...mtu, ...providerOf(config) },
  });
  const isRouted = config.externalNetwork !== undefined;
  resources.change(subnet, {
    name,
    tags: marks.tags(spec.id),
    value_specs: { description },
    enable_dhcp: true,
    // Without a router nobody answers at the gateway: empty is none, for Heat.
    ...(isRouted ? {} : { gateway_ip: '' }),
    ...(config.dns.length === 0 ? {} : { dns_nameservers: config.dns }),
  });
  if (!isRouted) return;
  resources.add(routerName(network), {
    type: 'OS::Neutron::Router',
    properties: {
      name,
      external_gateway_info: { network: await networks.externalNetwork(signal) },
      tags: marks.tags(spec.id),
      value_specs: { description },
    },
  });
  resources.add(interfaceName(network), {
    type: 'OS::Neutron::RouterInterface',
    properties: { router: { get_resource: routerName(network) }, subnet: { get_resource: subnet } },
  });
}

const routerName = (network: string): string => `${network}__router`;
const interfaceName = (network: string): string => `${network}__interface`;

async function dressUnit(
  parts: DressParts,
  { spec, server, ports }: StackUnit,
  resources: Resources,
  doing: string,
  signal: AbortSignal,
): Promise<void> {
  const { world, hosts, flavors, images, groups } = parts;
  const { marks, config, siteId } = world;
  const [{ kind }, flavor, image, group] = await Promise.all([
    hosts.of(spec, doing),
    flavors.of(spec, doing),
    images.of(spec, doing, signal),
    groups.of(spec.service, spec.path, signal),
  ]);
  spec.ports.forEach((port, at) => {
    resources.change(ports[at]!, {
      name: `${spec.service}.${spec.path}.${port.name}`,
      mac_address: port.mac ?? portMac(port.id),
      tags: marks.tags(port.id, { unit: spec.id }),
      value_specs: { description: marks.description(port.id) },
    });
  });
  const metadata = metadataOf(siteId, spec, spec.ports.map(toBeTold), undefined);
  const portFacts = spec.ports.map((port, at) => [portKey(at), told(port, ports[at]!)]);
  resources.change(server, {
    name: `${spec.service}.${spec.path.replaceAll('/', '.')}-${spec.index}`,
    flavor: flavor.id,
    ...bootFrom(config, image),
    metadata: {
      ...metadata,
      ...Object.fromEntries(portFacts),
      ...(floats(world) && ports[0] !== undefined
        ? { 'superfluidity:floatingIp': { get_attr: [floatingName(server), 'floating_ip_address'] } }
        : {}),
    },
    tags: marks.serverTags(spec.id),
    user_data_format: 'RAW',
    user_data: { get_param: userDataName(server) },
    config_drive: true,
    ...(config.keyName === undefined ? {} : { key_name: config.keyName }),
    ...(group === undefined ? {} : { scheduler_hints: { group } }),
    // The middle is the service that Nova runs there: the node says it all. Which of its machines it gives is the cloud's.
    ...(kind === 'zone'
      ? { availability_zone: spec.host }
      : isWholeMachine(flavor)
        ? {}
        : { availability_zone: `nova::${spec.host}` }),
  });
  if (!floats(world) || ports[0] === undefined) return;
  const network = resources.properties(ports[0])['network'] as { readonly get_resource: string };
  resources.add(floatingName(server), {
    type: 'OS::Neutron::FloatingIP',
    depends_on: [interfaceName(network.get_resource)],
    properties: {
      floating_network: await parts.networks.externalNetwork(signal),
      port_id: { get_resource: ports[0] },
      value_specs: { description: marks.description(spec.id), tags: marks.tags(spec.id, { unit: spec.id }) },
    },
  });
}

const floats = ({ config }: World): boolean => config.health.reach.kind === 'floating-ip';
const floatingName = (server: string): string => `${server}__floating_ip`;

/** For the length of the metadata; the values are Heat's to fill in. */
const toBeTold = () =>
  ({ id: 'x'.repeat(36), fixed_ips: [{ ip_address: '255.255.255.255' }], mac_address: '' }) as never;

const portKey = (at: number): string => `superfluidity:port.${at}`;

/** The entry of a port in the metadata, in which Neutron's id and the address are what Heat finds out. */
function told(
  port: StackUnit['spec']['ports'][number],
  resource: string,
  mac: unknown = port.mac ?? portMac(port.id),
): unknown {
  const before = JSON.stringify([port.id, port.name, port.network]).slice(0, -1);
  const address = { get_attr: [resource, 'fixed_ips', 0, 'ip_address'] };
  return { list_join: ['', [`${before},"`, { get_resource: resource }, '","', address, '","', mac, '"]']] };
}

/** Marks beside what a resource says already. Of a resource that somebody else wrote nothing is replaced. */
function mark(resources: Resources, name: string, tags: readonly string[], description?: string): void {
  const { tags: own = [], value_specs: specs = {} } = resources.properties(name);
  resources.change(name, {
    tags: [...(own as readonly string[]), ...tags],
    ...(description === undefined ? {} : { value_specs: { ...(specs as Properties), description } }),
  });
}

/** The template as it was found. A description that was a mark has to be said to be empty: else Heat leaves it. */
export function unmarked(found: Template, now: Template): Template {
  const resources = new Resources(found);
  const marked = new Resources(now);
  for (const name of Object.keys(resources.all)) {
    const specs = resources.properties(name)['value_specs'] as Properties | undefined;
    const said = (marked.properties(name)['value_specs'] as Properties | undefined)?.['description'];
    if (specs?.['description'] === undefined && said !== undefined)
      resources.change(name, { value_specs: { ...specs, description: '' } });
  }
  return { ...found, resources: resources.all };
}

function markNetwork({ marks }: World, { spec, network, subnet }: StackNetwork, resources: Resources): void {
  mark(resources, network, marks.tags(spec.id, factsOf(spec)), marks.description(spec.id));
  mark(resources, subnet, marks.tags(spec.id), marks.description(spec.id));
}

function markUnit({ marks, siteId }: World, { spec, server, ports }: StackUnit, resources: Resources): void {
  const facts = spec.ports.map((port, at) => {
    const resource = ports[at]!;
    mark(resources, resource, marks.tags(port.id, { unit: spec.id }), marks.description(port.id));
    return [portKey(at), told(port, resource, { get_attr: [resource, 'mac_address'] })] as const;
  });
  mark(resources, server, marks.serverTags(spec.id));
  const own = resources.properties(server)['metadata'] as Properties | undefined;
  const metadata = metadataOf(siteId, spec, spec.ports.map(toBeTold), undefined);
  resources.change(server, { metadata: { ...own, ...metadata, ...Object.fromEntries(facts) } });
}

function bootFrom(config: World['config'], image: string): Properties {
  if (config.bootFromVolume === undefined) return { image };
  const { sizeGiB: volume_size } = config.bootFromVolume;
  return { block_device_mapping_v2: [{ image, volume_size, boot_index: 0, delete_on_termination: true }] };
}

/** Groups of rules and policies of the stack are its own: those that direct calls share have other names. */
function dressShared({ world: { marks, siteId } }: DressParts, spec: StackSpec, resources: Resources): void {
  const found = (spec.adopted?.template['resources'] ?? {}) as Properties;
  for (const [name, resource] of Object.entries(resources.all)) {
    if (Object.hasOwn(found, name)) continue;
    const id = `${spec.id}.${name}`;
    if (resource['type'] === 'OS::Neutron::SecurityGroup')
      resources.change(name, { name: `superfluidity.${id}`, description: marks.description(id) });
    if (resource['type'] === 'OS::Neutron::QoSPolicy')
      resources.change(name, { name: `${qosPrefix(siteId)}${name}.${spec.id}` });
  }
}
