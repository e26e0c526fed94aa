import type { Block, Network, Service } from '@superfluidity/model';
import { inheritRequirements, qualityOf } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { at, groupAt, isGroup, listOf, put, same, type Group } from '../groups.ts';
import { heatSources, type Sources } from './read.ts';
import { Template } from './references.ts';
import { MARKS } from './stack.ts';
import { unitResources, type Within } from './write-function.ts';

/** What changed lies where this cannot change it: in nested stacks, or in groups of servers. */
class Elsewhere extends Error {}

interface Place {
  readonly fn: string;
  readonly unit: Block;
  readonly path: string;
  readonly at: string;
  readonly own: Block;
}

/**
 * The files of a stack in which what has changed since they were read is changed, and nothing else: resources of units, ports and
 * networks come, go and get other properties. Undefined where that cannot be.
 */
export function changedStack(
  files: readonly DescriptorFile[],
  after: Service,
  lose: Lose,
): ReadonlyMap<string, Group> | undefined {
  const sources = heatSources(files);
  if (sources === undefined) return undefined;
  const losses: Parameters<Lose>[] = [];
  try {
    const template = new Change(sources, after, (...loss) => losses.push(loss)).run();
    for (const loss of losses) lose(...loss);
    return new Map([[sources.entry.path, template]]);
  } catch (error) {
    if (error instanceof Elsewhere) return undefined;
    throw error;
  }
}

class Change {
  readonly #before: Service;
  readonly #after: Service;
  readonly #sources: Sources;
  readonly #template: Template;
  readonly #lose: Lose;
  /** Resources of networks by their names in the service, and what a port says of others. */
  readonly #networks = new Map<string, unknown>();
  /** Resources of units that are new or others now. */
  readonly #servers = new Map<string, string>();

  constructor(sources: Sources, after: Service, lose: Lose) {
    this.#before = sources.service;
    this.#after = after;
    this.#sources = sources;
    this.#template = new Template(sources.entry.value);
    this.#lose = lose;
  }

  run(): Group {
    const gone = this.#changeNetworks();
    this.#changeUnits();
    for (const name of gone) this.#template.drop(name);
    this.#changeLists();
    return this.#head(this.#template.value);
  }

  #head(value: Group): Group {
    const { block, version } = this.#after;
    let changed = value;
    if (block.description !== this.#before.block.description)
      changed = put(changed, ['description'], block.description);
    if (version === this.#before.version && block.name === this.#before.block.name) return changed;
    const said = { name: block.name, version };
    const output = groupAt(value, 'outputs', 'service');
    return put(changed, ['outputs', 'service'], { ...output, value: { ...groupAt(output, 'value'), ...said } });
  }

  /** Returns the resources that are to go, as soon as no port is on them. */
  #changeNetworks(): readonly string[] {
    const pairs = paired(this.#before.networks, this.#after.networks);
    const gone: string[] = [];
    for (const [was, is] of pairs) {
      const source = was === undefined ? undefined : this.#sources.networks.get(was.name);
      if (was === undefined) this.#addNetwork(is!);
      else if (source === undefined || !this.#sources.isMade.has(was.name)) {
        if (is === undefined) continue;
        const reference = this.#template.parameters.has(source ?? '') ? { get_param: source } : (source ?? is.name);
        this.#networks.set(is.name, reference);
        if (!same({ ...was, carried: 0 }, { ...is, carried: 0 }))
          this.#lose('networks', `what changed of network '${was.name}', which is not in the template`);
      } else if (is === undefined) gone.push(source);
      else {
        this.#networks.set(is.name, { get_resource: source });
        this.#changeNetwork(source, was, is);
      }
    }
    return gone;
  }

  #addNetwork({ name, prefix, mtu }: Network): void {
    const net = this.#template.free(name);
    const value = mtu === undefined ? {} : { properties: { value_specs: { mtu } } };
    this.#template.resources.set(net, { type: 'OS::Neutron::Net', ...value });
    if (net !== name) this.#template.setProperty(net, 'name', name);
    this.#template.resources.set(this.#template.free(`${net}_subnet`), {
      type: 'OS::Neutron::Subnet',
      properties: { network: { get_resource: net }, ip_version: 4, cidr: prefix },
    });
    this.#networks.set(name, { get_resource: net });
  }

  #changeNetwork(source: string, was: Network, is: Network): void {
    if (was.name !== is.name) this.#template.setProperty(source, 'name', is.name);
    if (was.mtu !== is.mtu)
      this.#template.setProperty(source, 'value_specs', is.mtu === undefined ? undefined : { mtu: is.mtu });
    if (was.prefix === is.prefix) return;
    const subnet = [...this.#template.resources].find(
      ([, resource]) =>
        resource['type'] === 'OS::Neutron::Subnet' &&
        [at(resource, 'properties', 'network'), at(resource, 'properties', 'network_id')].some((one) =>
          same(one ?? null, { get_resource: source }),
        ),
    );
    if (subnet !== undefined) return this.#template.setProperty(subnet[0], 'cidr', is.prefix);
    this.#template.resources.set(this.#template.free(`${source}_subnet`), {
      type: 'OS::Neutron::Subnet',
      properties: { network: { get_resource: source }, ip_version: 4, cidr: is.prefix },
    });
  }

  #changeUnits(): void {
    const pairs = paired(placesIn(this.#before), placesIn(this.#after), ({ path }) => path);
    const names = new Map(
      pairs.flatMap(([was, is]) => (was === undefined || is === undefined ? [] : [[was.path, is.path]])),
    );
    for (const [was, is] of pairs) {
      if (was === undefined) this.#addUnit(is!);
      else if (is === undefined) this.#template.drop(this.#serverOf(was));
      else this.#changeUnit(was, is);
    }
    for (const [was, is] of pairs) if (is !== undefined) this.#order(was, is, names);
  }

  #serverOf({ path }: Place): string {
    const source = this.#sources.units.get(path);
    if (source === undefined || source.group !== undefined || !this.#template.resources.has(source.resource.name))
      throw new Elsewhere();
    if (source.resource.stack.template !== this.#sources.entry) throw new Elsewhere();
    return source.resource.name;
  }

  #written({ unit, path, own, at: place }: Place, service: Service, lose: Lose | undefined) {
    const within: Within = { service, lose: lose ?? (() => {}), poolsOf: new Map(), ends: new Map() };
    const asked = inheritRequirements([own, unit]);
    const say = (field: string, what: string) =>
      lose?.(field === '' ? place : `${place}.${field}`, `${what} of unit '${path}'`);
    return unitResources({ unit, path, asked, say, within });
  }

  #addUnit(place: Place): void {
    const { fn, unit } = place;
    const { resources, parameters } = this.#written(place, this.#after, this.#lose);
    const server = this.#template.free(fn === unit.name ? fn : `${fn}_${unit.name}`);
    const names = new Map(
      Object.keys(resources).map((name) => [
        name,
        name === unit.name
          ? server
          : this.#template.free(`${server}_${name.slice(unit.name.length).replace(/^_+/, '')}`),
      ]),
    );
    const { function: marked, ...marks } = groupAt(resources, unit.name, 'metadata', MARKS);
    for (const [name, resource] of Object.entries(resources)) {
      const whole = this.#translated(resource, names) as Group;
      const isServer = name === unit.name;
      const metadata = { [MARKS]: server === fn ? marks : { function: marked, ...marks } };
      this.#template.resources.set(names.get(name)!, isServer ? { ...whole, metadata } : whole);
    }
    this.#servers.set(place.path, server);
    this.#declare(server, parameters);
  }

  /** Parameters of what is not said, where something asks for them. */
  #declare(server: string, parameters: Group): void {
    const resource = JSON.stringify(this.#template.resources.get(server));
    for (const [name, value] of Object.entries(parameters))
      if (name.startsWith('default_') && resource.includes(`"get_param":"${name}"`))
        this.#template.parameters.set(name, value);
  }

  #changeUnit(was: Place, is: Place): void {
    const stays = was.path === is.path && same(plainOf(was), plainOf(is)) && !this.#movesNetworks(was.unit);
    if (stays) return;
    let server = this.#serverOf(was);
    const [b, a] = [this.#written(was, this.#before, undefined), this.#written(is, this.#after, this.#lose)];
    if (was.path !== is.path) server = this.#renameUnit(server, is);
    this.#servers.set(is.path, server);
    const names = new Map([[is.unit.name, server]]);
    this.#changePorts(server, was, is, b.resources, a.resources, names);
    const [old, now] = [groupAt(b.resources, was.unit.name), groupAt(a.resources, is.unit.name)];
    if (old['type'] !== now['type']) throw new Elsewhere();
    const [before, after] = [groupAt(old, 'properties'), groupAt(now, 'properties')];
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (name === 'networks' || name === 'flavor' || same(before[name] ?? null, after[name] ?? null)) continue;
      this.#template.setProperty(server, name, this.#translated(after[name], names));
    }
    this.#changeFlavor(
      server,
      groupAt(b.resources, `${was.unit.name}__flavor`),
      groupAt(a.resources, `${is.unit.name}__flavor`),
      after['flavor'],
    );
    this.#mark(server, groupAt(old, 'metadata', MARKS), groupAt(now, 'metadata', MARKS));
    this.#declare(server, a.parameters);
    if (!same(was.unit.scale ?? null, is.unit.scale ?? null)) throw new Elsewhere();
  }

  #movesNetworks({ ports }: Block): boolean {
    return ports.some(({ network }) => network !== undefined && !this.#networks.has(network));
  }

  /** A server that is called by its resource gets another; one with marks gets other marks. */
  #renameUnit(server: string, { fn, unit }: Place): string {
    const marks = groupAt(this.#template.resources.get(server), 'metadata', MARKS);
    if (marks['unit'] !== undefined || marks['function'] !== undefined) {
      const changed = { ...marks, ...(marks['function'] === undefined ? {} : { function: fn }), unit: unit.name };
      this.#template.resources.set(server, put(this.#template.resources.get(server)!, ['metadata', MARKS], changed));
      if (marks['function'] !== undefined || fn === server) return server;
    } else if (fn !== unit.name) throw new Elsewhere();
    if (this.#template.resources.has(fn)) throw new Elsewhere();
    this.#template.rename(server, fn);
    return fn;
  }

  #changeFlavor(server: string, before: Group, after: Group, reference: unknown): void {
    if (same(before, after)) return;
    const properties = groupAt(after, 'properties');
    if (Object.keys(properties).length === 0) return this.#template.setProperty(server, 'flavor', reference);
    const own = at(this.#template.resources.get(server), 'properties', 'flavor', 'get_resource');
    const users = [...this.#template.resources.values()].filter(
      (one) => at(one, 'properties', 'flavor', 'get_resource') === own,
    );
    if (typeof own === 'string' && users.length === 1 && this.#template.resources.has(own)) {
      const old = groupAt(before, 'properties');
      for (const name of new Set([...Object.keys(old), ...Object.keys(properties)]))
        if (!same(old[name] ?? null, properties[name] ?? null)) this.#template.setProperty(own, name, properties[name]);
      return;
    }
    const name = this.#template.free(`${server}_flavor`);
    this.#template.resources.set(name, after);
    this.#template.setProperty(server, 'flavor', { get_resource: name });
  }

  /** Marks that are others now. Of ports only where their resources do not say their names. */
  #mark(server: string, before: Group, after: Group): void {
    let resource = this.#template.resources.get(server)!;
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      if (!['function', 'unit', 'ports'].includes(name) && !same(before[name] ?? null, after[name] ?? null))
        resource = put(resource, ['metadata', MARKS, name], after[name]);
    const ports = listOf(at(resource, 'properties', 'networks')).map((one) => at(one, 'port', 'get_resource'));
    const isMarked = at(resource, 'metadata', MARKS, 'ports') !== undefined;
    const names = listOf(after['ports']);
    const isOtherwise = names.some((pair, i) => ports[i] !== listOf(pair)[0]);
    if (!same(before['ports'] ?? null, after['ports'] ?? null) && (isMarked || isOtherwise))
      resource = put(resource, ['metadata', MARKS, 'ports'], names);
    this.#template.resources.set(server, resource);
  }

  /** What has to be there first, where that has changed beyond names. */
  #order(was: Place | undefined, is: Place, renamed: ReadonlyMap<string, string>): void {
    const { after = [] } = is.unit.requirements;
    const before = (was?.unit.requirements.after ?? []).flatMap((path) => renamed.get(path) ?? []);
    if (same(before, after)) return;
    const resourceOf = (path: string) => this.#servers.get(path) ?? this.#sources.units.get(path)?.resource.name;
    const names = after.map((path) => {
      const name = resourceOf(path);
      if (name === undefined || !this.#template.resources.has(name)) throw new Elsewhere();
      return name;
    });
    const server = resourceOf(is.path);
    if (server === undefined || !this.#template.resources.has(server)) throw new Elsewhere();
    const resource = this.#template.resources.get(server)!;
    const units = new Set([
      ...this.#servers.values(),
      ...[...this.#sources.units.values()].map((one) => one.resource.name),
    ]);
    const others = [resource['depends_on'] ?? []].flat().filter((one) => !units.has(String(one)));
    const all = [...others, ...names];
    this.#template.resources.set(server, put(resource, ['depends_on'], all.length === 0 ? undefined : all));
  }

  #changePorts(server: string, was: Place, is: Place, before: Group, after: Group, names: Map<string, string>): void {
    const source = this.#sources.units.get(was.path)!;
    const left = was.unit.ports.filter(({ network }) => network !== undefined);
    const resourceOf = new Map(was.unit.ports.map((port, i) => [port.name, source.ports[i]?.name]));
    for (const port of left) {
      const now = is.unit.ports.find(({ name }) => name === port.name);
      const own = resourceOf.get(port.name);
      const [b, a] = [`${was.unit.name}_${port.name}`, `${is.unit.name}_${port.name}`];
      if (now?.network === undefined) {
        if (own === undefined) throw new Elsewhere();
        this.#template.drop(own);
        continue;
      }
      if (own !== undefined) names.set(a, own);
      const [old, fresh] = [groupAt(before, b, 'properties'), groupAt(after, a, 'properties')];
      const isMoved = port.network !== now.network || !this.#networks.has(port.network!);
      const changed = ['fixed_ips', 'mac_address', 'port_security_enabled', 'allowed_address_pairs'].filter(
        (name) => !same(old[name] ?? null, fresh[name] ?? null),
      );
      const guards = `${a}__security`;
      const isGuarded = !same(groupAt(before, `${b}__security`), groupAt(after, guards));
      const isLimited = !same(qualityOf(port), qualityOf(now));
      if (!isMoved && changed.length === 0 && !isGuarded && !isLimited) continue;
      if (own === undefined || !this.#template.resources.has(own)) throw new Elsewhere();
      if (isMoved) {
        const said = groupAt(this.#template.resources.get(own), 'properties');
        const field = 'network_id' in said ? 'network_id' : 'network';
        this.#template.setProperty(own, field, this.#networks.get(now.network));
      }
      for (const name of changed) this.#template.setProperty(own, name, fresh[name]);
      if (isGuarded) this.#guard(own, groupAt(after, guards));
      if (isLimited) this.#limit(own, a, after);
    }
    const known = new Set(left.map(({ name }) => name));
    for (const { name, network } of is.unit.ports) {
      if (network === undefined || known.has(name)) continue;
      const canonical = `${is.unit.name}_${name}`;
      const own = this.#template.free(this.#template.resources.has(name) ? `${server}_${name}` : name);
      names.set(canonical, own);
      for (const [other, resource] of Object.entries(after)) {
        if (other !== canonical && !other.startsWith(`${canonical}__`)) continue;
        if (other !== canonical) names.set(other, this.#template.free(`${own}_${other.slice(canonical.length + 2)}`));
        this.#template.resources.set(names.get(other)!, resource as Group);
      }
      for (const other of Object.keys(after))
        if (other === canonical || other.startsWith(`${canonical}__`))
          this.#template.resources.set(
            names.get(other)!,
            this.#translated(this.#template.resources.get(names.get(other)!), names) as Group,
          );
      const networks = listOf(at(this.#template.resources.get(server), 'properties', 'networks'));
      this.#template.setProperty(server, 'networks', [...networks, { port: { get_resource: own } }]);
    }
  }

  #guard(port: string, group: Group): void {
    if (Object.keys(group).length === 0) return this.#template.setProperty(port, 'security_groups', undefined);
    const name = `${port}_security`;
    const own = this.#template.resources.has(name) ? name : this.#template.free(name);
    this.#template.resources.set(own, group);
    this.#template.setProperty(port, 'security_groups', [{ get_resource: own }]);
  }

  #limit(port: string, canonical: string, after: Group): void {
    const rules = Object.entries(after).filter(([name]) => name.startsWith(`${canonical}__qos`));
    if (rules.length === 0) return this.#template.setProperty(port, 'qos_policy', undefined);
    const names = new Map(
      rules.map(([name]) => [name, this.#template.free(`${port}_${name.slice(canonical.length + 2)}`)]),
    );
    for (const [name, resource] of rules)
      this.#template.resources.set(names.get(name)!, this.#translated(resource, names) as Group);
    this.#template.setProperty(port, 'qos_policy', { get_resource: names.get(`${canonical}__qos`) });
  }

  /** Chains and balancers go with their resources; those that are new or others now have no words in a stack of one template. */
  #changeLists(): void {
    const lists = [
      ['chains', this.#before.chains, this.#after.chains, this.#sources.chains],
      ['balancers', this.#before.balancers, this.#after.balancers, this.#sources.balancers],
    ] as const;
    for (const [list, before, after, sources] of lists) {
      before.forEach((was, i) => {
        if (!after.some(({ name }) => name === was.name) && sources[i] !== undefined) this.#template.drop(sources[i]);
      });
      after.forEach((is, i) => {
        const was = before.find(({ name }) => name === is.name);
        if (was === undefined || !same({ ...was, carried: 0 }, { ...is, carried: 0 }))
          this.#lose(`${list}[${i}]`, `${list === 'chains' ? 'chain' : 'balancer'} '${is.name}', as it is now`);
      });
    }
  }

  /** Names of resources as they are here, and networks by what they are. */
  #translated(value: unknown, names: ReadonlyMap<string, string>): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#translated(item, names));
    if (!isGroup(value)) return value;
    const { get_param: parameter, get_resource: resource } = value;
    if (typeof parameter === 'string' && this.#networks.has(parameter)) return this.#networks.get(parameter);
    if (typeof resource === 'string') return { get_resource: names.get(resource) ?? resource };
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.#translated(inner, names)]));
  }
}

const plainOf = ({ unit, own }: Place) => [unit, own.requirements];

function placesIn({ block }: Service): readonly Place[] {
  return block.children.flatMap((fn, i) =>
    fn.children.map((unit, j) => ({
      fn: fn.name,
      unit,
      own: fn,
      path: `${fn.name}/${unit.name}`,
      at: `functions[${i}].units[${j}]`,
    })),
  );
}

/** What was and what is, by name; as many as are left on both sides were renamed. */
function paired<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (one: T) => string = (one) => (one as { readonly name: string }).name,
): readonly (readonly [T | undefined, T | undefined])[] {
  const now = new Map(after.map((one) => [nameOf(one), one]));
  const was = new Set(before.map(nameOf));
  const left = before.filter((one) => !now.has(nameOf(one)));
  const fresh = after.filter((one) => !was.has(nameOf(one)));
  const isRenamed = left.length === fresh.length && before.length === after.length;
  return [
    ...before.flatMap((one) => {
      const is = now.get(nameOf(one)) ?? (isRenamed ? fresh[left.indexOf(one)] : undefined);
      return [[one, is] as const];
    }),
    ...(isRenamed ? [] : fresh.map((one) => [undefined, one] as const)),
  ];
}
