import { isGroup, listOf, type Group } from '../groups.ts';

/** Whether a value names a resource: by `get_resource`, or by one of its attributes. */
export function refersTo(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((item) => refersTo(item, name));
  if (!isGroup(value)) return false;
  return (
    value['get_resource'] === name ||
    listOf(value['get_attr'])[0] === name ||
    Object.values(value).some((inner) => refersTo(inner, name))
  );
}

/** Names of the resources that a value names. */
export function namedIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namedIn);
  if (!isGroup(value)) return [];
  const own = [value['get_resource'], listOf(value['get_attr'])[0]].filter((one) => typeof one === 'string');
  return [...own, ...Object.values(value).flatMap(namedIn)];
}

/** The value without items of lists that name a resource. */
export function withoutItems(value: unknown, name: string): unknown {
  if (Array.isArray(value))
    return value.filter((item) => !refersTo(item, name)).map((item) => withoutItems(item, name));
  if (!isGroup(value)) return value;
  if (listOf(value['get_attr'])[0] === name) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, withoutItems(inner, name)]));
}

/** The value with another name of a resource. */
export function withName(value: unknown, was: string, is: string): unknown {
  if (Array.isArray(value)) return value.map((item) => withName(item, was, is));
  if (!isGroup(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => {
      if (field === 'get_resource' && inner === was) return [field, is];
      if (field === 'get_attr' && Array.isArray(inner) && inner[0] === was) return [field, [is, ...inner.slice(1)]];
      return [field, withName(inner, was, is)];
    }),
  );
}

/** The resources of a template on their way to another one. */
export class Template {
  readonly resources: Map<string, Group>;
  readonly outputs: Map<string, unknown>;
  readonly parameters: Map<string, unknown>;
  readonly #value: Group;

  constructor(value: Group) {
    this.#value = value;
    const section = (name: string) => (isGroup(value[name]) ? Object.entries(value[name]) : []);
    this.resources = new Map(section('resources') as [string, Group][]);
    this.outputs = new Map(section('outputs'));
    this.parameters = new Map(section('parameters'));
  }

  get value(): Group {
    const sections = Object.entries({ parameters: this.parameters, resources: this.resources, outputs: this.outputs });
    const some = sections.filter(([name, section]) => section.size > 0 || name in this.#value);
    const written = some.flatMap(([name, section]) =>
      section.size === 0 && name !== 'resources' ? [] : [[name, Object.fromEntries(section)] as const],
    );
    const others = Object.entries(this.#value).filter(([name]) => !sections.some(([section]) => section === name));
    return { ...Object.fromEntries(others), ...Object.fromEntries(written) };
  }

  /** A name that nothing has yet. */
  free(wanted: string): string {
    for (let n = 1; ; n += 1) {
      const name = n === 1 ? wanted : `${wanted}_${n}`;
      if (!this.resources.has(name)) return name;
    }
  }

  setProperty(name: string, property: string, value: unknown): void {
    const resource = this.resources.get(name)!;
    const { [property]: _before, ...others } = (resource['properties'] ?? {}) as Group;
    const properties =
      value === undefined ? others : { ...((resource['properties'] ?? {}) as Group), [property]: value };
    this.resources.set(name, { ...resource, properties });
  }

  rename(was: string, is: string): void {
    const entries = [...this.resources];
    this.resources.clear();
    for (const [name, resource] of entries) {
      const depends = resource['depends_on'];
      const ordered = Array.isArray(depends)
        ? depends.map((one: unknown) => (one === was ? is : one))
        : depends === was
          ? is
          : depends;
      const changed = withName(resource, was, is) as Group;
      this.resources.set(
        name === was ? is : name,
        depends === undefined ? changed : { ...changed, depends_on: ordered },
      );
    }
    for (const [name, output] of this.outputs) this.outputs.set(name, withName(output, was, is));
  }

  /** Takes a resource away, with what can only be of it, and with what only it needed. */
  drop(name: string): void {
    const resource = this.resources.get(name);
    if (resource === undefined) return;
    this.resources.delete(name);
    for (const [other, before] of Array.from(this.resources)) {
      if (!this.resources.has(other)) continue;
      const pruned = withoutItems(withoutOrder(before, name), name) as Group;
      if (refersTo(pruned, name) || isEmptied(before, pruned)) this.drop(other);
      else if (pruned !== before) this.resources.set(other, pruned);
    }
    for (const [output, value] of this.outputs) if (refersTo(value, name)) this.outputs.delete(output);
    for (const needed of new Set(namedIn(resource))) this.#dropUnused(needed);
  }

  #dropUnused(name: string): void {
    const type = String(this.resources.get(name)?.['type']);
    if (!HELPERS.test(type)) return;
    const isUsed = [...this.resources.values(), ...this.outputs.values()].some((one) => refersTo(one, name));
    if (!isUsed) this.drop(name);
  }
}

/** What is there for others alone. */
const HELPERS =
  /^OS::(?:Neutron::(?:Port|SecurityGroup|QoSPolicy|PortPair|PortPairGroup|FlowClassifier)|Nova::Flavor|Cinder::Volume)$/;

function withoutOrder(resource: Group, name: string): Group {
  const { depends_on: depends, ...rest } = resource;
  if (depends === name) return rest;
  if (!Array.isArray(depends) || !depends.includes(name)) return resource;
  const left = depends.filter((one) => one !== name);
  return left.length === 0 ? rest : { ...rest, depends_on: left };
}

/** A list that has nothing left means something else: it goes with what it was in, but for the networks of a server. */
function isEmptied(before: Group, after: Group): boolean {
  if (/::(?:Server|Container)$/.test(String(before['type']))) return false;
  const lists = (value: unknown): number => {
    if (Array.isArray(value)) return value.length === 0 ? 1 : value.map(lists).reduce((a, b) => a + b, 0);
    return isGroup(value) ? Object.values(value).reduce<number>((sum, inner) => sum + lists(inner), 0) : 0;
  };
  return lists(after) > lists(before);
}
