import { append, smallest } from '@superfluidity/core';
import { modelLimits, parseIpv4, type TrafficRule } from '@superfluidity/model';
import { macOf } from '../ethernet.ts';
import { given, listOf, same, textOf, type Group } from '../groups.ts';
import { Names } from '../names.ts';
import type { NativePort, NativeRequirements, NativeUnit } from '../native/schema.ts';
import { shorten } from '../yaml-text.ts';
import type { Around } from './read.ts';
import { rulesOf } from './security.ts';
import type { Resources } from './resources.ts';
import { fileName, isTemplate, type Resource, type Scaled, type Stack } from './stack.ts';
import { toldBy } from './user-data.ts';
import { isConstant, isPlainGroup, Reference } from './values.ts';
import { splitWords } from './words.ts';

export interface ReadUnit {
  readonly path: string;
  readonly unit: NativeUnit;
  readonly resource: Resource;
  /** What makes several of it. */
  readonly group?: Resource;
  /** The resources of its ports, where they have some of their own. */
  readonly ports: readonly (Resource | undefined)[];
}

export interface ReadFunction {
  readonly name: string;
  readonly description?: string;
  readonly resource: Resource;
  readonly units: readonly ReadUnit[];
}

const isUnit = ({ type }: Resource) => type === 'OS::Nova::Server' || type === 'OS::Zun::Container';

interface Place {
  readonly resource: Resource;
  readonly group: Resource | undefined;
  readonly scale: Scaled | undefined;
  /** The resource of the entry that is its function, and what groups others with it. */
  readonly key: string;
  readonly function: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly root: Resource;
}

/** The servers and containers of a stack: those of one nested template are one function, others are one each. */
export function readUnits(stack: Stack, around: Around): readonly ReadFunction[] {
  const places = [...stack.resources.values()].flatMap((resource) => placesIn(resource, stack));
  const functions = new Map<
    string,
    {
      readonly place: Place;
      readonly name: string;
      readonly names: Names;
      readonly members: { readonly place: Place; readonly name: string }[];
    }
  >();
  const names = new Names();
  for (const place of places) {
    let fn = functions.get(place.key);
    if (fn === undefined) {
      fn = { place, name: names.fresh(place.function), names: new Names(), members: [] };
      functions.set(place.key, fn);
    }
    fn.members.push({ place, name: fn.names.fresh(place.name) });
  }
  const paths = new Map<Resource, string>();
  for (const { name, members } of functions.values()) {
    for (const { place, name: unit } of members) paths.set(place.group ?? place.resource, `${name}/${unit}`);
  }
  return [...functions.values()].map(({ place, name, members }) => ({
    name,
    ...given({ description: place.description?.slice(0, 4_096) }),
    resource: place.root,
    units: members.map((member) =>
      readUnit(member.place, `${name}/${member.name}`, member.name, paths, functions.size, around),
    ),
  }));
}

/** Units that a resource of the entry is, or has inside. */
function placesIn(root: Resource, entry: Stack): readonly Place[] {
  const places: Place[] = [];
  const visit = (resource: Resource, group: Resource | undefined, scale: Scaled | undefined, depth: number): void => {
    const own = resource.scale();
    for (const inner of resource.inner() ?? []) {
      for (const member of inner.resources.values())
        visit(member, own === undefined ? group : resource, own ?? scale, depth + 1);
    }
    if (!isUnit(resource)) return;
    const marked = textOf(resource.metadata['function']);
    const nested = isTemplate(root.type);
    const stack = nested ? root.inner()?.[0] : entry;
    const fn = nested ? fileName(root.type) : root.name;
    places.push({
      resource,
      group,
      scale,
      key: marked === undefined || nested ? root.name : `function ${marked}`,
      function: marked ?? fn,
      name: textOf(resource.metadata['unit']) ?? (nested ? (group ?? resource).name : root.name),
      description: marked === undefined && !nested ? undefined : textOf(stack?.template.value['description']),
      root,
    });
  };
  visit(root, undefined, undefined, 0);
  return places;
}

const ENVIRONMENTS = ['container', 'pod', 'vm', 'unikernel', 'click', 'nft', 'process'] as const;

function readUnit(
  place: Place,
  path: string,
  name: string,
  paths: ReadonlyMap<Resource, string>,
  functions: number,
  around: Around,
): ReadUnit {
  const { resource, group, scale } = place;
  const { metadata } = resource;
  const properties = resource.properties();
  const container = resource.type === 'OS::Zun::Container';
  const said = textOf(metadata['environment']);
  const environment = ENVIRONMENTS.find((one) => one === said) ?? (container ? 'container' : 'vm');
  const ports = portsOf(resource, around);
  const running = container
    ? containerOf(properties, path, resource, around)
    : serverOf(properties, path, resource, around);
  const { image, ...rest } = running;
  // What runs a packet function, or a command, is any image that can.
  const imageless =
    environment !== 'container' && environment !== 'vm' && listOf(metadata['assumed']).includes('image');
  const forwards =
    rest.forwards ?? (metadata['forwards'] === true || (metadata['unit'] === undefined && passes(ports)));
  const asked = amounts(resource, around);
  const after = [...new Set(orderOf(place, paths, functions))];
  const requirements = { ...asked, ...(after.length === 0 ? {} : { after }) };
  const description = textOf(metadata['description'])?.slice(0, 4_096);
  // Written by hand for sites that have the package: Heat itself gives no folder to anybody.
  const files = textOf(metadata['files']);
  const unread = unreadOf(properties);
  const unit: NativeUnit = {
    name,
    ...given({ description }),
    environment,
    ...(imageless ? {} : { image }),
    ...rest,
    ...given({ files }),
    ...(forwards ? { forwards } : {}),
    ports: ports.map(({ port }) => port),
    ...(Object.keys(requirements).length === 0 ? {} : { requirements }),
    ...given({ scale }),
    ...(Object.keys(unread).length === 0 ? {} : { carried: { heat: { properties: unread } } }),
  };
  return { path, unit, resource, ...given({ group }), ports: ports.map((one) => one.resource) };
}

type Running = Pick<NativeUnit, 'image' | 'command' | 'env' | 'program' | 'forwards'>;

function serverOf(properties: Group, path: string, resource: Resource, around: Around): Running {
  const data = properties['user_data'];
  const told = typeof data === 'string' ? toldBy(data) : undefined;
  if (data !== undefined && told === undefined) {
    const message = `'${shorten(path)}': what its guest is told to do is carried, and not read`;
    around.report.warn('SF-DESCRIPTOR-UNSUPPORTED', resource.position('properties', 'user_data'), message);
  }
  const disks = listOf(properties['block_device_mapping_v2']).filter(isPlainGroup);
  const image =
    properties['image'] ?? disks.map((disk) => disk['image'] ?? disk['image_id']).find((one) => one !== undefined);
  const { command, env, program, forwards } = told ?? {};
  return {
    image: imageOf(image ?? volumeImage(disks), path, resource, around),
    ...given({
      command: command === undefined ? undefined : [...command],
      env: env === undefined ? undefined : { ...env },
      program,
      forwards,
    }),
  };
}

/** A volume that is made of an image, where the server boots from that. */
function volumeImage(disks: readonly Group[]): unknown {
  const volumes = disks.map((disk) => disk['volume_id']).filter((one) => one instanceof Reference);
  return volumes.map(({ resource }) => resource.properties()['image']).find((one) => one !== undefined);
}

function imageOf(value: unknown, path: string, resource: Resource, { report }: Around): string {
  if (value instanceof Reference) return `name:${textOf(value.resource.properties()['name']) ?? value.resource.name}`;
  const name = textOf(value);
  if (name !== undefined) return `name:${name}`;
  const assumed = `name:${path.slice(path.indexOf('/') + 1)}`;
  const message = `the image of '${shorten(path)}' is not in the templates: ${assumed} is assumed`;
  report.warn('SF-DESCRIPTOR-ASSUMED', resource.position('properties', 'image'), message);
  return assumed;
}

function containerOf(properties: Group, path: string, resource: Resource, around: Around): Running {
  const command = textOf(properties['command']);
  const env =
    isPlainGroup(properties['environment']) && isConstant(properties['environment']) ? properties['environment'] : {};
  const texts = Object.entries(env).map(([name, value]) => [name, String(value)] as const);
  return {
    image: imageOf(properties['image'], path, resource, around),
    ...given({
      command: command === undefined ? undefined : splitWords(command),
      env: texts.length === 0 ? undefined : Object.fromEntries(texts),
    }),
  };
}

function amounts(resource: Resource, { resources, report }: Around): NativeRequirements {
  const properties = resource.properties();
  const assumed = listOf(resource.metadata['assumed']);
  const said = (name: string, value: number | undefined) => (assumed.includes(name) ? undefined : value);
  if (resource.type === 'OS::Zun::Container')
    return given({ cpu: amount(properties['cpu']), memoryMiB: amount(properties['memory']) });
  const { flavor } = properties;
  const volumes = gigabytes(resource, resources);
  const storage = (disk: number | undefined) =>
    disk === undefined && volumes === 0 ? undefined : ((disk ?? 0) + volumes) * 1_024;
  if (!(flavor instanceof Reference)) {
    if (textOf(flavor) !== undefined && !assumed.includes('flavor')) {
      const message = `what flavor '${shorten(textOf(flavor)!)}' has is known to the site only: it is carried`;
      report.warn('SF-DESCRIPTOR-UNSUPPORTED', resource.position('properties', 'flavor'), message);
    }
    return given({ storageMiB: storage(undefined) });
  }
  const { vcpus, ram, disk } = flavor.resource.properties();
  const size = amount(disk);
  return given({
    cpu: said('cpu', amount(vcpus)),
    memoryMiB: said('memoryMiB', amount(ram)),
    storageMiB: storage(size === 0 ? undefined : size),
  });
}

const amount = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
};

/** Volumes that the server boots from, or that are attached to it. */
function gigabytes(server: Resource, resources: Resources): number {
  const own = listOf(server.properties()['block_device_mapping_v2']).filter(isPlainGroup);
  const attached = resources.of('OS::Cinder::VolumeAttachment', ['instance_uuid'], server);
  const sizeOf = (volume: unknown) =>
    (volume instanceof Reference ? amount(volume.resource.properties()['size']) : undefined) ?? 0;
  const all = [
    ...own.map((disk) => amount(disk['volume_size']) ?? sizeOf(disk['volume_id'])),
    ...attached.map((one) => sizeOf(one.properties()['volume_id'])),
  ];
  return all.reduce((sum, size) => sum + size, 0);
}

/** Units that have to be there first: by name in its own template, or as the only unit of another. */
function orderOf(
  { resource, group, root }: Place,
  paths: ReadonlyMap<Resource, string>,
  functions: number,
): readonly string[] {
  const inner = group ?? resource;
  const own = inner.dependsOn.flatMap((name) => {
    const other = inner.stack.resources.get(name);
    return other === undefined ? [] : (paths.get(other) ?? []);
  });
  if (inner === root || functions === 1) return own;
  const outer = root.dependsOn.flatMap((name) => {
    const members = [...(root.stack.resources.get(name)?.inner()?.[0]?.resources.values() ?? [])];
    return members.flatMap((member) => paths.get(member) ?? []);
  });
  return [...own, ...outer];
}

interface ReadPort {
  readonly port: Exclude<NativePort, string>;
  readonly resource: Resource | undefined;
  readonly open: boolean;
}

/** A server between networks whose ports nobody guards passes packets on. */
const passes = (ports: readonly ReadPort[]) => ports.length > 1 && ports.every(({ open }) => open);

function portsOf(server: Resource, around: Around): readonly ReadPort[] {
  const written = listOf(server.metadata['ports']).map((pair) => listOf(pair));
  const networks = listOf(server.properties()['networks']).filter((one) => isPlainGroup(one));
  const names = new Names();
  const attached = networks.flatMap(
    (one): readonly { readonly resource: Resource | undefined; readonly properties: Group }[] => {
      const { port } = one;
      if (port instanceof Reference && port.resource.type === 'OS::Neutron::Port') {
        const subports = around.resources.of('OS::Neutron::Trunk', ['port'], port.resource).flatMap(subportsOf);
        return [port.resource, ...subports].map((resource) => ({ resource, properties: resource.properties() }));
      }
      const guarded = { security_groups: server.properties()['security_groups'] };
      const fixed = one['fixed_ip'] === undefined ? {} : { fixed_ips: [{ ip_address: one['fixed_ip'] }] };
      const network = one['network'] ?? one['uuid'] ?? one['subnet'] ?? port;
      return network === undefined ? [] : [{ resource: undefined, properties: { network, ...fixed, ...guarded } }];
    },
  );
  return attached.map(({ resource, properties }, i): ReadPort => {
    const [label, inside] = written[i] ?? [];
    const name = textOf(label) ?? names.fresh(resource?.name ?? `eth${i}`);
    const own = textOf(inside) ?? (name.length <= modelLimits.interfaceName ? undefined : `eth${i}`);
    const ips = listOf(properties['fixed_ips']).filter(isPlainGroup);
    const address = ips
      .map((ip) => textOf(ip['ip_address']))
      .find((text) => text !== undefined && parseIpv4(text) !== undefined);
    const from = resource ?? server;
    const subnet = ips.map((ip) => ip['subnet'] ?? ip['subnet_id']).find((one) => one !== undefined);
    const allow = allowOf(properties, from, around);
    const pairs = listOf(properties['allowed_address_pairs']).map((pair) =>
      isPlainGroup(pair) ? pair['ip_address'] : undefined,
    );
    return {
      resource,
      open: String(properties['port_security_enabled']).toLowerCase() === 'false' || pairs.includes('0.0.0.0/0'),
      port: {
        name,
        network: around.network(properties['network'] ?? properties['network_id'] ?? subnet, from),
        ...given({
          address,
          mac: macOf(properties['mac_address']),
          internalIf: own === name ? undefined : own,
          ...qualityOfPolicy(properties['qos_policy'], around.resources),
        }),
        ...(allow === undefined
          ? {}
          : {
              allow: allow.map(({ ports, ...rule }) => ({
                ...rule,
                ...(ports === undefined ? {} : { ports: [...ports] }),
              })),
            }),
      },
    };
  });
}

/** Ports that a trunk carries beside the port that it is made of. */
function subportsOf(trunk: Resource): readonly Resource[] {
  return listOf(trunk.properties()['sub_ports']).flatMap((one) => {
    const sub = isPlainGroup(one) ? one['port'] : undefined;
    return sub instanceof Reference ? [sub.resource] : [];
  });
}

/** What the security groups of a port let in together. Of a group that is not in the templates nobody knows. */
function allowOf(properties: Group, from: Resource, { resources, report }: Around): readonly TrafficRule[] | undefined {
  const groups = listOf(properties['security_groups']);
  if (groups.length === 0 || String(properties['port_security_enabled']).toLowerCase() === 'false') return undefined;
  const known = groups.flatMap((group) => {
    if (group instanceof Reference) return group.resource.type === 'OS::Neutron::SecurityGroup' ? [group.resource] : [];
    return typeof group === 'string' ? resources.of('OS::Neutron::SecurityGroup', ['name'], group) : [];
  });
  if (known.length < groups.length) {
    const message = `a security group of '${shorten(from.name)}' is not in the templates: what it lets in is not known`;
    report.warn('SF-DESCRIPTOR-UNSUPPORTED', from.position(), message);
    return undefined;
  }
  const rules = [...new Set(known)].flatMap((group) =>
    rulesOf(group, resources, (resource, what) => {
      const message = `'${shorten(resource.name)}' has a rule for ${what}: that has no words here, and is carried`;
      report.warn('SF-DESCRIPTOR-UNSUPPORTED', resource.position(), message);
    }),
  );
  return joined(rules);
}

/** Rules one after the other that differ in their ports are one. */
function joined(rules: readonly TrafficRule[]): readonly TrafficRule[] {
  const all: (Omit<TrafficRule, 'ports'> & { ports?: number[] })[] = [];
  for (const { ports, ...rule } of rules) {
    const { ports: before, ...last } = all.at(-1) ?? { ports: undefined, from: '' };
    if (ports !== undefined && before !== undefined && same(rule, last)) append(before, ports);
    else all.push({ ...rule, ...(ports === undefined ? {} : { ports: [...ports] }) });
  }
  return all;
}

/** Of rules in both directions the stricter one is what both have. */
function qualityOfPolicy(policy: unknown, resources: Resources) {
  if (!(policy instanceof Reference)) return {};
  const values = (kind: string, property: string): readonly number[] =>
    resources
      .of(`OS::Neutron::QoS${kind}Rule`, ['policy'], policy.resource)
      .flatMap((rule) => amount(rule.properties()[property]) ?? []);
  const limits = values('BandwidthLimit', 'max_kbps');
  const guarantees = values('MinimumBandwidth', 'min_kbps');
  const [dscp] = values('DscpMarking', 'dscp_mark');
  return {
    bandwidthMbps: limits.length === 0 ? undefined : smallest(limits) / 1_000,
    guaranteedMbps: guarantees.length === 0 ? undefined : smallest(guarantees) / 1_000,
    dscp,
  };
}

const OWN = [
  'name',
  'image',
  'flavor',
  'networks',
  'user_data',
  'user_data_format',
  'security_groups',
  'command',
  'environment',
  'cpu',
  'memory',
  'block_device_mapping_v2',
];

/** What a server says beside what is read of it, as far as it is said in its template alone. */
function unreadOf(properties: Group): Group {
  return Object.fromEntries(
    Object.entries(properties).filter(([name, value]) => !OWN.includes(name) && isConstant(value)),
  );
}
