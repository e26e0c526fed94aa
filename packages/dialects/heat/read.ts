import { parseIpv4Prefix, type Service } from '@superfluidity/model';
import { ASSUMED, assumedAddress, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { at, given, groupAt, textOf, type Group } from '../groups.ts';
import type { InputValues } from '../inputs.ts';
import { Names, renamed } from '../names.ts';
import type { NativeService } from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { Report } from '../report.ts';
import { toService } from '../to-service.ts';
import { shorten } from '../yaml-text.ts';
import { readBalancers, readChains } from './paths.ts';
import { entriesOf, sortFiles, type Files } from './package.ts';
import { isNetwork, isRead, Resources } from './resources.ts';
import { fileName, isTemplate, Stack, TooMuch, type Resource, type Template } from './stack.ts';
import { readUnits, type ReadUnit } from './units.ts';
import { Reference, Unknown } from './values.ts';

type NativeNetwork = NonNullable<NativeService['networks']>[number];

/**
 * Reads Heat Orchestration Templates: one stack with the stacks inside of it. Servers and containers become units, those of a
 * nested template one function; networks, ports, security groups, scaling groups, balancers and port chains what they are here.
 * Never throws.
 */
export function readHeat(files: readonly DescriptorFile[], inputs: InputValues = {}): ReadResult {
  const sorted = sortFiles(files, inputs);
  if (sorted.problems.length > 0) return { problems: sorted.problems };
  try {
    return new Reader(sorted).read();
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
    const message = 'what the functions of the templates stand for is more than can be looked at';
    return {
      problems: [{ severity: 'error', code: 'SF-DESCRIPTOR-TOO-LARGE', message, path: '', position: error.position }],
    };
  }
}

/** What of the template of a stack the parts of a service were made of. */
export interface Sources {
  readonly entry: Template;
  readonly service: Service;
  /** Of all stacks. */
  readonly resources: Resources;
  /** By `function/unit`. */
  readonly units: ReadonlyMap<string, ReadUnit>;
  /** Resources by the name of the network; those that are only named by how they are. */
  readonly networks: ReadonlyMap<string, string | undefined>;
  readonly isMade: ReadonlySet<string>;
  readonly chains: readonly string[];
  readonly balancers: readonly string[];
}

/** Undefined where the files are no service. */
export function heatSources(files: readonly DescriptorFile[]): Sources | undefined {
  const sorted = sortFiles(files);
  if (sorted.problems.length > 0) return undefined;
  const reader = new Reader(sorted);
  const { service } = reader.read();
  return service === undefined ? undefined : reader.sourcesOf(service);
}

/** What the parts of a reading ask of each other. */
export interface Around {
  readonly report: Report;
  readonly resources: Resources;
  /** Label of the network that a property names. */
  readonly network: (value: unknown, from: Resource) => string;
}

class Reader {
  readonly #files: Files;
  readonly #report = new Report();
  readonly #origins = new Origins();
  readonly #networks: NativeNetwork[] = [];
  readonly #names = new Names();
  readonly #labels = new Map<Resource | string, string>();
  #resources = new Resources([]);
  /** The first network of each name. */
  #named: ReadonlyMap<unknown, Resource> = new Map();

  #read:
    | {
        readonly entry: Template;
        readonly units: readonly ReadUnit[];
        readonly chains: readonly { readonly resource: Resource }[];
        readonly balancers: readonly { readonly resource: Resource }[];
      }
    | undefined;

  constructor(files: Files) {
    this.#files = files;
  }

  sourcesOf(service: Service): Sources {
    const { entry, units, chains, balancers } = this.#read!;
    const named = (list: readonly { readonly resource: Resource }[]) => list.map(({ resource }) => resource.name);
    const labels = [...this.#labels].map(([source, label]) => [label, source] as const);
    return {
      entry,
      service,
      resources: this.#resources,
      units: new Map(units.map((unit) => [unit.path, unit])),
      networks: new Map(labels.map(([label, source]) => [label, typeof source === 'string' ? source : source.name])),
      isMade: new Set(labels.flatMap(([label, source]) => (typeof source === 'string' ? [] : [label]))),
      chains: named(chains),
      balancers: named(balancers),
    };
  }

  read(): ReadResult {
    const report = this.#report;
    const [entry, ...more] = entriesOf(this.#files);
    if (entry === undefined) {
      const position = [...this.#files.templates.values()][0]?.text.locate([]);
      report.error('SF-DESCRIPTOR-REFERENCE', position, 'every template is inside of another: none is the stack');
      return { problems: report.problems };
    }
    if (more.length > 0) {
      const message = `'${shorten(more[0]!.path)}' is a stack of its own beside '${shorten(entry.path)}': give one`;
      report.error('SF-DESCRIPTOR-UNSUPPORTED', more[0]!.text.locate([]), message);
      return { problems: report.problems };
    }
    const { templates, others, parameters } = this.#files;
    const stack = new Stack(entry, {}, { templates, others, parameters, report, steps: 0 });
    const all: Resource[] = [];
    this.#gather(stack, all);
    this.#resources = new Resources(all);
    const nets = all.filter(isNetwork);
    this.#named = new Map(nets.toReversed().map((net) => [net.properties()['name'] ?? net.name, net]));
    for (const net of nets) this.#network(net);
    const around: Around = {
      report,
      resources: this.#resources,
      network: (value, from) => this.#networkOf(value, from),
    };
    const functions = readUnits(stack, around);
    if (functions.length === 0) {
      report.error(
        'SF-DESCRIPTOR-MISSING',
        entry.text.locate(['resources'], 'key'),
        'there is no server and no container in it',
      );
      return { problems: report.problems };
    }
    const units = functions.flatMap((fn) => fn.units);
    const balancers = readBalancers(units, around);
    const chains = readChains(units, around);
    const description = textOf(entry.value['description']);
    this.#noteAll(functions, entry);
    this.#read = { entry, units, chains, balancers };
    chains.forEach(({ resource }, i) => this.#origins.note(`chains[${i}]`, resource.position()));
    balancers.forEach(({ resource }, i) => this.#origins.note(`balancers[${i}]`, resource.position()));
    for (const resource of all) this.#tell(resource);
    const said = groupAt(entry.value, 'outputs', 'service', 'value');
    const id = textOf(said['name']) ?? fileName(entry.path);
    const name = new Names().label(id);
    const service: NativeService = {
      name,
      version: textOf(said['version']) ?? '1.0',
      ...given({ description: description?.slice(0, 4_096) }),
      networks: this.#networks,
      functions: functions.map(({ name: fn, description: about, units: inside }) => ({
        name: fn,
        ...given({ description: about }),
        units: inside.map(({ unit }) => unit),
      })),
      chains: chains.map(({ chain }, i) => ({
        ...chain,
        address: chain.address ?? assumedAddress(i + balancers.length),
      })),
      balancers: balancers.map(({ balancer }, i) => ({ ...balancer, address: balancer.address ?? assumedAddress(i) })),
      carried: { heat: { ...renamed(id, name), files: this.#carried() } },
    };
    return toService(service, this.#origins, report.problems);
  }

  /** The files as they were: unchanged, they are written again. */
  #carried(): Group {
    const { templates, others } = this.#files;
    return Object.fromEntries([...[...templates].map(([path, { value }]) => [path, value]), ...others]) as Group;
  }

  #gather(stack: Stack, all: Resource[]): void {
    for (const resource of stack.resources.values()) {
      stack.step();
      all.push(resource);
      for (const inner of resource.inner() ?? []) this.#gather(inner, all);
    }
  }

  /** Resources that nothing here carries out are kept in the files, and said so. */
  #tell(resource: Resource): void {
    const { type, name } = resource;
    const nested = isTemplate(type);
    if (isRead(resource) || (nested && resource.inner()?.length !== 0)) return;
    const what = nested ? 'its template is not in the package' : 'nothing here carries it out';
    this.#report.warn(
      'SF-DESCRIPTOR-UNSUPPORTED',
      resource.position(),
      `'${shorten(name)}' (${shorten(type)}) is carried: ${what}`,
    );
  }

  #network(net: Resource): string {
    const known = this.#labels.get(net);
    if (known !== undefined) return known;
    const label = this.#names.fresh(textOf(net.properties()['name']) ?? net.name);
    this.#labels.set(net, label);
    const subnetsOf = (wanted: unknown) => this.#resources.of('OS::Neutron::Subnet', ['network', 'network_id'], wanted);
    const subnets = [...subnetsOf(net), ...subnetsOf(net.properties()['name'])];
    const prefixes = subnets
      .map((one) => textOf(one.properties()['cidr']))
      .filter((cidr) => cidr !== undefined && parseIpv4Prefix(cidr) !== undefined);
    for (const { name, position } of subnets.slice(1)) {
      const message = `subnet '${shorten(name)}' is carried: a network has one prefix here, of IPv4`;
      this.#report.warn('SF-DESCRIPTOR-UNSUPPORTED', position(), message);
    }
    const mtu = Number(at(net.properties(), 'value_specs', 'mtu'));
    const size = Number.isInteger(mtu) && mtu >= 576 && mtu <= 65_535 ? mtu : undefined;
    this.#push(
      label,
      prefixes[0],
      size,
      net,
      `network '${shorten(net.name)}' has no subnet of IPv4 that says its prefix`,
    );
    return label;
  }

  /** By reference, or by the name or parameter of a network that is there already. */
  #networkOf(value: unknown, from: Resource): string {
    if (value instanceof Reference) {
      const { resource } = value;
      if (isNetwork(resource)) return this.#network(resource);
      // One step only: a subnet may name itself.
      const { network, network_id: id } = resource.type === 'OS::Neutron::Subnet' ? resource.properties() : {};
      const around = network ?? id;
      if (around instanceof Reference && isNetwork(around.resource)) return this.#network(around.resource);
      if (around !== undefined && !(around instanceof Reference)) return this.#networkOf(around, from);
    }
    const name =
      value instanceof Unknown ? value.name : value instanceof Reference ? value.resource.name : textOf(value);
    const key = name ?? 'network';
    const own = this.#named.get(key);
    if (own !== undefined) return this.#network(own);
    const known = this.#labels.get(key);
    if (known !== undefined) return known;
    const label = this.#names.fresh(key);
    this.#labels.set(key, label);
    this.#push(label, undefined, undefined, from, `the prefix of network '${shorten(key)}' is not in the templates`);
    return label;
  }

  #push(name: string, said: string | undefined, mtu: number | undefined, { position }: Resource, doubt: string): void {
    const prefix = said ?? assumedPrefix(this.#networks.length);
    if (said === undefined) this.#report.warn('SF-DESCRIPTOR-ASSUMED', position(), `${doubt}: ${prefix} is assumed`);
    this.#origins.note(`networks[${this.#networks.length}]`, position());
    this.#networks.push({
      name,
      prefix,
      ...given({ mtu }),
      ...(said === undefined ? { carried: { heat: { ...ASSUMED } } } : {}),
    });
  }

  #noteAll(functions: ReturnType<typeof readUnits>, entry: Template): void {
    this.#origins.note('', entry.text.locate([]));
    functions.forEach(({ resource, units }, i) => {
      this.#origins.note(`functions[${i}]`, resource.position());
      units.forEach((unit, j) => this.#noteUnit(unit, `functions[${i}].units[${j}]`));
    });
  }

  #noteUnit({ resource, group, ports }: ReadUnit, path: string): void {
    this.#origins.note(path, resource.position());
    this.#origins.note(`${path}.image`, () => resource.position('properties', 'image'));
    this.#origins.note(`${path}.requirements`, () => resource.position('properties', 'flavor'));
    this.#origins.note(`${path}.scale`, () => (group ?? resource).position());
    ports.forEach((port, k) => this.#origins.note(`${path}.ports[${k}]`, () => (port ?? resource).position()));
  }
}
