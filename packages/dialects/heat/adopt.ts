import type { Problem } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import type { DescriptorFile } from '../files.ts';
import { groupAt, isGroup, listOf, type Group } from '../groups.ts';
import { shorten } from '../yaml-text.ts';
import { heatSources, readHeat, type Sources } from './read.ts';
import type { Resource } from './stack.ts';

/** Which resources of a stack the networks and units of its service are, by name and by path. */
export interface StackParts {
  readonly networks: Readonly<Record<string, { readonly network: string; readonly subnet: string }>>;
  readonly units: Readonly<Record<string, { readonly server: string; readonly ports: readonly string[] }>>;
}

export type Adopted =
  | {
      readonly service: Service;
      readonly parts: StackParts;
      /** What of the stack is carried: it stays in it, and no unit or network of the service is it. */
      readonly problems: readonly Problem[];
    }
  | { readonly service?: undefined; readonly problems: readonly Problem[] };

/**
 * Reads the template of a stack that is there, so that the stack can go on as that of a service. What has no place in a
 * service that keeps every resource as it is, is refused here by its name: nothing was touched yet.
 */
export function readStack(file: DescriptorFile): Adopted {
  const { service, problems } = readHeat([file]);
  const sources = service === undefined ? undefined : heatSources([file]);
  if (service === undefined || sources === undefined) return { problems };
  const refused: Problem[] = [];
  const refuse = ({ position }: Resource, message: string) =>
    void refused.push({
      severity: 'error',
      code: 'SF-DESCRIPTOR-UNSUPPORTED',
      message,
      path: '',
      position: position(),
    });
  const units = unitsIn(sources, refuse);
  const networks = networksIn(sources, refuse);
  for (const resource of sources.resources.all) {
    const kind = BESIDE[resource.type];
    if (kind !== undefined)
      refuse(resource, `'${shorten(resource.name)}' is a ${kind}: services make theirs by calls, beside a stack`);
  }
  if (refused.length > 0) return { problems: [...refused, ...problems] };
  return { service, parts: { networks, units }, problems };
}

/** What a service with these would make once more. */
const BESIDE: Readonly<Record<string, string>> = {
  'OS::Octavia::LoadBalancer': 'balancer',
  'OS::Neutron::PortChain': 'chain of ports',
};

type Refuse = (resource: Resource, message: string) => void;

function unitsIn({ units, entry }: Sources, refuse: Refuse): StackParts['units'] {
  return Object.fromEntries(
    [...units].map(([path, { resource, group, ports }]) => {
      const name = shorten(resource.name);
      const isOfEntry = resource.stack.template === entry && resource.stack.resources.get(resource.name) === resource;
      if (resource.type !== 'OS::Nova::Server') refuse(resource, `'${name}' is a ${resource.type}, and not a server`);
      else if (!isOfEntry || group !== undefined)
        refuse(resource, `'${name}' is in a stack inside of the stack: of such, units cannot be changed one by one`);
      for (const [at, port] of ports.entries()) {
        if (port === undefined)
          refuse(resource, `port ${at} of '${name}' is none of the resources: give it an OS::Neutron::Port of its own`);
        else refuseFunctions(port, entry.value, ['tags', 'value_specs'], refuse);
      }
      refuseFunctions(resource, entry.value, ['metadata', 'tags'], refuse);
      return [path, { server: resource.name, ports: ports.flatMap((port) => port?.name ?? []) }] as const;
    }),
  );
}

function networksIn({ service, networks, isMade, resources, entry }: Sources, refuse: Refuse): StackParts['networks'] {
  return Object.fromEntries(
    service.networks.flatMap(({ name }) => {
      const made = resources.all.find((one) => isMade.has(name) && one.name === networks.get(name));
      if (made === undefined) {
        const user = resources.ofType('OS::Nova::Server')[0]!;
        refuse(
          user,
          `network '${shorten(networks.get(name) ?? name)}' is none of the resources: others may use it too`,
        );
        return [];
      }
      const subnets = ['network', 'network_id'].flatMap((key) => resources.of('OS::Neutron::Subnet', [key], made));
      const [subnet, ...more] = [...new Set(subnets)];
      if (subnet === undefined || more.length > 0) {
        const found = subnet === undefined ? 'no subnet' : `${more.length + 1} subnets`;
        refuse(made, `network '${shorten(made.name)}' has ${found}: a network of a service has one`);
        return [];
      }
      for (const one of [made, subnet]) refuseFunctions(one, entry.value, ['tags', 'value_specs'], refuse);
      return [[name, { network: made.name, subnet: subnet.name }] as const];
    }),
  );
}

/** The marks of a service are added to what is written out: what a function gives at last, only Heat knows. */
function refuseFunctions(resource: Resource, template: Group, names: readonly string[], refuse: Refuse): void {
  for (const name of names) {
    const value = groupAt(template, 'resources', resource.name, 'properties')[name];
    const isPlain = name === 'tags' ? value === undefined || Array.isArray(value) : !isFunction(value);
    if (!isPlain) refuse(resource, `${name} of '${shorten(resource.name)}' is a function: write out what it gives`);
  }
}

const FUNCTION = /^(?:get_|list_|map_|str_|yaql$|if$|repeat$|filter$|contains$|digest$|Fn::)/;
const isFunction = (value: unknown): boolean =>
  isGroup(value) && Object.keys(value).length === 1 && FUNCTION.test(Object.keys(value)[0]!);

/**
 * The template without some resources, and without what is there for them alone: an attachment, a floating IP, an output.
 * `keep` are those that have to stay; the first of them that refers to what goes is told instead.
 */
export function withoutResources(
  template: Group,
  names: ReadonlySet<string>,
  keep: ReadonlySet<string>,
): { readonly template: Group } | { readonly holder: string; readonly held: string } {
  const resources = groupAt(template, 'resources');
  const gone = new Set([...names].filter((name) => resources[name] !== undefined));
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const [name, resource] of Object.entries(resources)) {
      if (gone.has(name)) continue;
      const held = referred(isGroup(resource) ? { ...resource, depends_on: undefined } : resource).find((one) =>
        gone.has(one),
      );
      if (held === undefined) continue;
      if (keep.has(name)) return { holder: name, held };
      gone.add(name);
    }
  }
  const stay = (value: unknown) => !referred(value).some((one) => gone.has(one));
  const outputs = Object.entries(groupAt(template, 'outputs')).filter(([, output]) => stay(output));
  const left = Object.entries(resources).filter(([name]) => !gone.has(name));
  return {
    template: {
      ...template,
      resources: Object.fromEntries(left.map(([name, resource]) => [name, waitingFor(resource, gone)])),
      ...(template['outputs'] === undefined ? {} : { outputs: Object.fromEntries(outputs) }),
    },
  };
}

function waitingFor(resource: unknown, gone: ReadonlySet<string>): unknown {
  if (!isGroup(resource) || resource['depends_on'] === undefined) return resource;
  const { depends_on: after, ...rest } = resource;
  const left = (typeof after === 'string' ? [after] : listOf(after)).filter((name) => !gone.has(String(name)));
  return left.length === 0 ? rest : { ...rest, depends_on: left };
}

/** Names of resources that functions in a value take something of. */
function referred(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referred);
  if (!isGroup(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'get_resource' && typeof inner === 'string') return [inner];
    if (key === 'get_attr' && Array.isArray(inner) && typeof inner[0] === 'string')
      return [inner[0], ...referred(inner)];
    return referred(inner);
  });
}
