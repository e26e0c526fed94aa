import {
  inheritRequirements,
  modelLimits,
  qualitiesOf,
  qualityOf,
  type Balancer,
  type Block,
  type Port,
  type PortQuality,
  type Requirements,
  type Service,
} from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { given, groupAt, type Group } from '../groups.ts';
import { isMark, isRate, qualityResources } from './quality.ts';
import { securityRules } from './security.ts';
import { MARKS } from './stack.ts';
import { userData } from './user-data.ts';
import { VERSION } from './version.ts';
import { joinWords } from './words.ts';

export interface Within {
  readonly service: Service;
  readonly lose: Lose;
  /** Balancers by the path of their unit. */
  readonly poolsOf: ReadonlyMap<string, readonly Balancer[]>;
  /** Addresses that chains end at, by `fn/unit.port`. */
  readonly ends: ReadonlyMap<string, string>;
}

export interface WrittenFunction {
  readonly name: string;
  /** The nested stack in the template of the service. */
  readonly nested: Group;
  readonly files: readonly { readonly path: string; readonly value: object }[];
}

export const isScaled = (unit: Block | undefined): boolean => unit?.scale !== undefined;

type Say = (path: string, what: string) => void;

/** Names that are made of others have an underscore between labels, and two before what is no label: none comes twice. */

/** A unit with all that its resources are made of. */
export interface Unit {
  readonly unit: Block;
  readonly path: string;
  readonly asked: Requirements;
  readonly say: Say;
  readonly within: Within;
}

/** The template of a function, and one for each unit of which there may be several. */
export function functionTemplates(fn: Block, index: number, within: Within): WrittenFunction {
  const { service, lose } = within;
  const units = fn.children.map((unit, j): Unit => {
    const path = `${fn.name}/${unit.name}`;
    const at = `functions[${index}].units[${j}]`;
    const say: Say = (field, what) => lose(field === '' ? at : `${at}.${field}`, `${what} of unit '${path}'`);
    return { unit, path, asked: inheritRequirements([fn, unit]), say, within };
  });
  const parts = units.map((one) => unitResources(one));
  const parameters = merged(parts.map((part) => part.parameters));
  const resources: Record<string, unknown> = {};
  const outputs: Record<string, unknown> = {};
  const files: { readonly path: string; readonly value: object }[] = [];
  units.forEach((one, j) => {
    const part = parts[j]!;
    const { unit } = one;
    const after = orderIn(one, fn);
    const ordered = after.length === 0 ? {} : { depends_on: after };
    if (!isScaled(unit)) {
      Object.assign(resources, part.resources, { [unit.name]: { ...groupAt(part.resources, unit.name), ...ordered } });
      Object.assign(outputs, part.outputs);
      return;
    }
    const path = `functions/${fn.name}.${unit.name}.yaml`;
    files.push({ path, value: template(undefined, part.parameters, part.resources, {}) });
    const properties = Object.fromEntries(Object.keys(part.parameters).map((name) => [name, { get_param: name }]));
    Object.assign(resources, several(unit, { type: `${fn.name}.${unit.name}.yaml`, properties }, ordered));
  });
  const given_ = Object.fromEntries(Object.keys(parameters).flatMap((name) => parent(name, parameters)));
  const used = new Set(fn.children.flatMap(({ ports }) => ports.flatMap(({ network }) => network ?? [])));
  const known = service.networks.filter(({ name }) => used.has(name)).map(({ name }) => `subnet_${name}`);
  const before = orderOutside(units, fn, within);
  const depends = [...known, ...before];
  const path = `functions/${fn.name}.yaml`;
  return {
    name: fn.name,
    nested: {
      type: path,
      ...(depends.length === 0 ? {} : { depends_on: depends }),
      ...(Object.keys(given_).length === 0 ? {} : { properties: given_ }),
    },
    files: [{ path, value: template(fn.description, parameters, resources, outputs) }, ...files],
  };
}

function template(description: string | undefined, parameters: Group, resources: Group, outputs: Group): object {
  const filled = (name: string, section: Group) => (Object.keys(section).length === 0 ? {} : { [name]: section });
  return {
    heat_template_version: VERSION,
    ...given({ description }),
    ...filled('parameters', parameters),
    resources,
    ...filled('outputs', outputs),
  };
}

/** What the template of the service gives to that of a function. What has a default is left to whoever creates the stack. */
function parent(name: string, parameters: Group): readonly [string, unknown][] {
  if (groupAt(parameters, name)['default'] !== undefined) return [];
  // Names of networks have no underscore.
  const pool = /^(.+)_pool$/.exec(name);
  if (pool !== null) return [[name, { get_resource: `balancer_${pool[1]!}_pool` }]];
  return [[name, { get_resource: `network_${name}` }]];
}

function merged(groups: readonly Group[]): Group {
  return Object.assign({}, ...groups) as Group;
}

/** A unit of a fixed number, or one that is scaled by the two policies beside it. */
function several(unit: Block, definition: Group, ordered: Group): Group {
  const { initial, min, max } = unit.scale!;
  if (min === max) {
    return {
      [unit.name]: {
        type: 'OS::Heat::ResourceGroup',
        ...ordered,
        properties: { count: min, resource_def: definition },
      },
    };
  }
  const policy = (adjustment: number) => ({
    type: 'OS::Heat::ScalingPolicy',
    properties: {
      adjustment_type: 'change_in_capacity',
      auto_scaling_group_id: { get_resource: unit.name },
      scaling_adjustment: adjustment,
    },
  });
  return {
    [unit.name]: {
      type: 'OS::Heat::AutoScalingGroup',
      ...ordered,
      properties: { min_size: min, max_size: max, desired_capacity: initial, resource: definition },
    },
    [`${unit.name}__scale_out`]: policy(1),
    [`${unit.name}__scale_in`]: policy(-1),
  };
}

/** Units of this function that have to be there first. */
function orderIn({ asked }: Unit, fn: Block): readonly string[] {
  return (asked.after ?? []).flatMap((path) => {
    const [name, unit = ''] = path.split('/');
    return name === fn.name && fn.children.some((one) => one.name === unit) ? [unit] : [];
  });
}

/** Functions that have to be there first. Of units of functions that have several, Heat cannot tell. */
function orderOutside(units: readonly Unit[], fn: Block, { service }: Within): readonly string[] {
  const names = units.flatMap(({ asked, say }) =>
    (asked.after ?? []).flatMap((path) => {
      const [name = ''] = path.split('/');
      if (name === fn.name) return [];
      const other = service.block.children.find((one) => one.name === name);
      if (units.length === 1 && other?.children.length === 1) return [`function_${name}`];
      say('requirements.after', `that '${path}' starts first`);
      return [];
    }),
  );
  return [...new Set(names)];
}

export interface Part {
  readonly parameters: Group;
  readonly resources: Group;
  readonly outputs: Group;
}

const isContainer = ({ execution }: Block) =>
  execution?.environment === 'container' || execution?.environment === 'pod';

/** The resources of one unit, as a template of its function has them. */
export function unitResources(one: Unit): Part {
  const { unit, path, within } = one;
  const parts = unit.ports.map((port, k) => portResources(port, k, one));
  const attached = unit.ports.filter(({ network }) => network !== undefined);
  const networks = attached.map((port) => ({ port: { get_resource: `${unit.name}_${port.name}` } }));
  const server = isContainer(unit) ? container(one) : machine(one);
  const pools = within.poolsOf.get(path) ?? [];
  const first = attached[0];
  const members = pools.map((balancer) => [
    `${unit.name}__member_${balancer.name}`,
    {
      type: 'OS::Octavia::PoolMember',
      properties: {
        pool: { get_param: `${balancer.name}_pool` },
        address: { get_attr: [`${unit.name}_${first?.name ?? ''}`, 'fixed_ips', 0, 'ip_address'] },
        protocol_port: balancer.targetPort,
        ...monitored(balancer),
        ...(balancer.weight === undefined ? {} : { weight: balancer.weight }),
      },
    },
  ]);
  const parameters = {
    ...merged(parts.map((part) => part.parameters)),
    ...Object.fromEntries(
      pools.map(({ name }) => [`${name}_pool`, { type: 'string', description: `Pool of balancer ${name}` }]),
    ),
    ...server.parameters,
  };
  const whole = { ...groupAt(server.resource, 'properties'), ...(networks.length === 0 ? {} : { networks }) };
  return {
    parameters,
    resources: {
      ...merged(parts.map((part) => part.resources)),
      ...server.beside,
      [unit.name]: { ...server.resource, properties: whole, metadata: { [MARKS]: server.marks } },
      ...Object.fromEntries(members),
    },
    outputs: merged(parts.map((part) => part.outputs)),
  };
}

function monitored({ health, targetPort }: Balancer): Group {
  const port = health !== undefined && 'port' in health ? health.port : targetPort;
  return port === targetPort ? {} : { monitor_port: port };
}

/** A port that lets everything in is not guarded; one that has rules is, by a group of its own. */
function portResources(port: Port, k: number, { unit, path, say, within }: Unit): Part {
  const { name, network, address, allow } = port;
  if (network === undefined) {
    say(`ports[${k}]`, `port '${name}', which is on no network,`);
    return { parameters: {}, resources: {}, outputs: {} };
  }
  const base = `${unit.name}_${name}`;
  const quality = Object.fromEntries(
    Object.entries(qualityOf(port)).filter(([aspect, value]) => {
      const isSaid = aspect === 'dscp' ? isMark(value) : isRate(value);
      if (!isSaid) say(`ports[${k}].${aspect}`, `${aspect} ${value} of port '${name}'`);
      return isSaid;
    }),
  ) as PortQuality;
  const isTreated = qualitiesOf(quality).length > 0;
  const end = within.ends.get(`${path}.${name}`);
  const pairs =
    allow === undefined
      ? []
      : [...(unit.execution?.forwards === true ? ['0.0.0.0/0'] : []), ...(end === undefined ? [] : [end])];
  const resources: Record<string, unknown> = isTreated ? { ...qualityResources(`${base}__qos`, quality) } : {};
  if (allow !== undefined)
    resources[`${base}__security`] = {
      type: 'OS::Neutron::SecurityGroup',
      properties: { rules: securityRules(allow) },
    };
  resources[base] = {
    type: 'OS::Neutron::Port',
    properties: {
      network: { get_param: network },
      ...(address === undefined ? {} : { fixed_ips: [{ ip_address: address }] }),
      ...given({ mac_address: port.mac }),
      ...(allow === undefined
        ? { port_security_enabled: false }
        : { security_groups: [{ get_resource: `${base}__security` }] }),
      ...(pairs.length === 0 ? {} : { allowed_address_pairs: pairs.map((ip_address) => ({ ip_address })) }),
      ...(isTreated ? { qos_policy: { get_resource: `${base}__qos` } } : {}),
    },
  };
  return {
    parameters: { [network]: { type: 'string', description: `Network ${network}` } },
    resources,
    outputs: {
      [base]: { value: { get_resource: base } },
      [`${base}_address`]: { value: { get_attr: [base, 'fixed_ips', 0, 'ip_address'] } },
    },
  };
}

interface Server {
  readonly resource: Group;
  readonly parameters: Group;
  /** Resources beside it. */
  readonly beside: Group;
  readonly marks: Group;
}

/** What Heat has no property for, and what stands there only because something has to: `assumed`. */
function marksOf({ unit, path }: Unit, assumed: readonly string[]): Group {
  const { execution, description } = unit;
  const usual = isContainer(unit) ? 'container' : 'vm';
  const attached = unit.ports.filter(({ network }) => network !== undefined);
  return {
    function: path.split('/')[0],
    unit: unit.name,
    ...given({ description }),
    ...(execution?.environment === usual ? {} : { environment: execution?.environment }),
    ...(execution?.forwards === undefined || isContainer(unit) ? {} : { forwards: execution.forwards }),
    ports: attached.map(({ name, internalIf }, i) => {
      const fallback = name.length <= modelLimits.interfaceName ? undefined : `eth${i}`;
      return internalIf === undefined && fallback === undefined ? [name] : [name, internalIf ?? fallback];
    }),
    ...(assumed.length === 0 ? {} : { assumed }),
  };
}

function container(one: Unit): Server {
  const { unit, asked, say } = one;
  const { image, command, env, program, forwards } = unit.execution ?? { environment: 'container' };
  const assumed: string[] = [];
  if (program !== undefined) say('program', 'the program beside a container');
  if (forwards === true) say('forwards', 'that the network stack of a container forwards');
  if (asked.storageMiB !== undefined) say('requirements.storageMiB', 'storageMiB of a container');
  const memory = asked.memoryMiB === undefined ? undefined : Math.max(4, Math.ceil(asked.memoryMiB));
  if (memory !== asked.memoryMiB)
    say('requirements.memoryMiB', `memoryMiB ${asked.memoryMiB!}, which is no whole number from 4 on,`);
  const named = imageOf(image, say, assumed);
  return {
    resource: {
      type: 'OS::Zun::Container',
      properties: {
        ...carriedProperties(unit),
        image: named,
        ...(command === undefined ? {} : { command: joinWords(command) }),
        ...(env === undefined || Object.keys(env).length === 0 ? {} : { environment: env }),
        ...(asked.cpu === undefined ? {} : { cpu: asked.cpu }),
        ...(memory === undefined ? {} : { memory }),
      },
    },
    parameters: assumed.includes('image') ? IMAGE : {},
    beside: {},
    marks: marksOf(one, assumed),
  };
}

/** Any image that runs cloud-init will do for packet functions and for what is only a command. */
const IMAGE = {
  default_image: { type: 'string', description: 'Image of what brings none of its own', default: 'debian-12' },
} as const;
const FLAVOR = {
  default_flavor: { type: 'string', description: 'Flavor of what asks for nothing', default: 'm1.small' },
} as const;

function imageOf(image: string | undefined, say: Say, assumed: string[]): unknown {
  if (image?.startsWith('name:') === true) return image.slice('name:'.length);
  if (image === undefined || image === 'host:' || image === 'guest:') {
    if (image !== undefined) say('image', `image '${image}', which no site has,`);
    assumed.push('image');
    return { get_param: 'default_image' };
  }
  say('image', `image '${image}', which has to be uploaded first: it is taken by its name`);
  return (
    image
      .replace(/^[a-z]+:/, '')
      .replace(/^.*\//, '')
      .replace(/\.[A-Za-z0-9]+$/, '') || 'image'
  );
}

function machine(one: Unit): Server {
  const { unit, say } = one;
  const { environment, image, command, env, program, forwards } = unit.execution ?? { environment: 'vm' };
  const assumed: string[] = [];
  const packets = environment === 'nft' || environment === 'process';
  if (environment === 'click') say('environment', "environment 'click', which no image is known to run,");
  if (packets && image !== undefined) say('image', `image '${image}'`);
  const named = imageOf(packets || environment === 'click' ? undefined : image, say, assumed);
  if (environment === 'unikernel' && (command !== undefined || program !== undefined))
    say('program', 'what is told to a unikernel');
  if (env !== undefined && Object.keys(env).length > 0 && command === undefined)
    say('env', 'variables without a command');
  const told =
    environment === 'unikernel'
      ? {}
      : { command, env, program: environment === 'click' ? undefined : program, forwards };
  if (environment === 'click' && program !== undefined) say('program', 'the program');
  const data = userData(given(told));
  const { flavor, beside, parameters } = flavorOf(one, assumed);
  return {
    resource: {
      type: 'OS::Nova::Server',
      properties: {
        ...carriedProperties(unit),
        image: named,
        flavor,
        ...(data === undefined ? {} : { user_data_format: 'RAW', user_data: data }),
      },
    },
    parameters: { ...(assumed.includes('image') ? IMAGE : {}), ...parameters },
    beside,
    marks: marksOf(one, assumed),
  };
}

/** A flavor of its own, which needs an administrator where the site does not say otherwise. */
function flavorOf(
  { unit, asked, say }: Unit,
  assumed: string[],
): { readonly flavor: unknown; readonly beside: Group; readonly parameters: Group } {
  const { cpu, memoryMiB, storageMiB } = asked;
  if (cpu === undefined && memoryMiB === undefined && storageMiB === undefined) {
    assumed.push('flavor');
    return { flavor: { get_param: 'default_flavor' }, beside: {}, parameters: FLAVOR };
  }
  const whole = (name: string, amount: number | undefined, least: number, otherwise: number) => {
    if (amount === undefined) {
      assumed.push(name);
      return otherwise;
    }
    const rounded = Math.max(least, Math.ceil(amount));
    if (rounded !== amount)
      say(`requirements.${name}`, `${name} ${amount}, where whole numbers from ${least} on are known,`);
    return rounded;
  };
  const gigabytes = (storageMiB ?? 0) / 1_024;
  const disk = Math.ceil(gigabytes);
  if (storageMiB !== undefined && (disk !== gigabytes || disk === 0))
    say('requirements.storageMiB', `storageMiB ${storageMiB}, where GiB are known,`);
  const properties = {
    vcpus: whole('cpu', cpu, 1, 1),
    ram: whole('memoryMiB', memoryMiB, 1, 512),
    ...(storageMiB === undefined ? {} : { disk }),
  };
  return {
    flavor: { get_resource: `${unit.name}__flavor` },
    beside: { [`${unit.name}__flavor`]: { type: 'OS::Nova::Flavor', properties } },
    parameters: {},
  };
}

/** What a server that was read says beside what is read of it. */
function carriedProperties({ carried }: Block): Group {
  return groupAt(carried, 'heat', 'properties');
}
