import {
  type Autoscale,
  splitPortReference,
  type Block,
  type Execution,
  type BalancerHealth,
  type Policy,
  type Port,
  type Scale,
  type Service,
} from '@superfluidity/model';
import { Document, isMap, isSeq, visit } from 'yaml';
import { defaults } from './to-model.ts';

/** The service as a native descriptor, in short forms where there are some. Reading it again gives an equal service. */
export function writeNative(service: Service): string {
  const document = new Document(nativeDocument(service), { aliasDuplicateObjects: false });
  // Small groups of plain values read better on one line.
  visit(document, {
    Collection(_key, node) {
      const plain = (item: unknown) => !isMap(item) && !isSeq(item);
      const flat = isSeq(node) ? node.items.every(plain) : isMap(node) && node.items.every(({ value }) => plain(value));
      if (flat && String(node).length <= 80 && !String(node).includes('|')) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** The same as a plain value, for JSON. */
export function nativeDocument(service: Service): Readonly<Record<string, unknown>> {
  const short = shortReferences(service);
  const { block, version, networks, chains, balancers, policies = [] } = service;
  const { name, description, ...common } = commonFields(block, short);
  return {
    superfluidity: 1,
    service: {
      name,
      version,
      ...given({ description }),
      ...common,
      ...filled({ networks }),
      functions: block.children.map((fn) => functionDocument(fn, short)),
      ...filled({
        chains: chains.map(({ from, through, to, ports, ...rest }) => {
          const { name: chain, ...others } = rest;
          return {
            name: chain,
            from: short(from),
            ...filled({ through: through.map(short) }),
            to: short(to),
            ...others,
            ...filled({ ports }),
          };
        }),
        balancers: balancers.map(({ unit, health, also, pools, ...rest }) => ({
          ...rest,
          unit: short(unit),
          ...given({
            health: health === undefined ? undefined : shortHealth(health),
            also: also?.map((share) => ({ ...share, unit: short(share.unit) })),
            pools: pools?.map((share) => ({ ...share, unit: short(share.unit) })),
          }),
        })),
        policies: policiesDocument(policies),
      }),
    },
  };
}

/** Policies as they stand in a descriptor of any dialect: places are named as people wrote them. */
export function policiesDocument(policies: readonly Policy[]): readonly Readonly<Record<string, unknown>>[] {
  const short = (places: readonly string[]) => (places.length === 1 ? places[0] : places);
  return policies.map(({ name, description, claim }) => {
    const { kind, ...said } = claim;
    const from = 'from' in said ? { from: short(said.from) } : {};
    const to = 'to' in said ? { to: short(said.to) } : {};
    return { name, ...given({ description }), [kind]: { ...said, ...from, ...to } };
  });
}

/** How a unit is run and what it asks for, without what other dialects say themselves: name, ports, scale, nesting. */
export function unitFragmentDocument(unit: Block, service: Service): Readonly<Record<string, unknown>> {
  const { execution, requirements } = unit;
  if (execution === undefined) return {};
  const { nested, ...rest } = execution;
  const { parent: _parent, parentMandatory: _mandatory, ...described } = nested ?? {};
  const plain = Object.keys(described).length === 0 ? rest : { ...rest, nested: described };
  const asked = Object.keys(requirements).length === 0 ? undefined : requirements;
  return { ...executionDocument(plain, shortReferences(service)), ...given({ requirements: asked }) };
}

type Short = (reference: string) => string;

/** `video/video` is written `video` where that is the function's only unit. */
function shortReferences(service: Service): Short {
  const only = new Map(
    service.block.children
      .filter(({ children, name }) => children.length === 1 && children[0]!.name === name)
      .map(({ name }) => [`${name}/${name}`, name]),
  );
  return (reference) => {
    const { path, port } = splitPortReference(reference);
    return (only.get(path) ?? path) + (port === undefined ? '' : `.${port}`);
  };
}

function functionDocument(fn: Block, short: Short): Readonly<Record<string, unknown>> {
  const [unit, ...others] = fn.children;
  const bare =
    fn.ports.length + fn.links.length + Object.keys(fn.requirements).length === 0 && fn.carried === undefined;
  const same = unit?.name === fn.name && unit.description === undefined && unit.execution !== undefined;
  if (unit !== undefined && others.length === 0 && bare && same && !unit.children.some(({ kind }) => kind === 'unit')) {
    const { name, ...rest } = unitDocument(unit, short);
    return { name, ...given({ description: fn.description }), ...rest };
  }
  return { ...commonFields(fn, short), units: fn.children.map((child) => unitDocument(child, short)) };
}

/** Units and elements alike. */
function unitDocument(block: Block, short: Short): Readonly<Record<string, unknown>> {
  const { name, description, ...common } = commonFields(block, short);
  const children = (kind: Block['kind']) =>
    block.children.filter((child) => child.kind === kind).map((child) => unitDocument(child, short));
  return {
    name,
    ...given({ description }),
    ...(block.execution === undefined ? {} : executionDocument(block.execution, short)),
    ...given({
      scale: block.scale === undefined ? undefined : shortScale(block.scale),
      autoscale: block.autoscale === undefined ? undefined : referring(block.autoscale, short),
    }),
    ...common,
    ...filled({ units: children('unit'), elements: children('element') }),
  };
}

function commonFields(block: Block, short: Short) {
  const { name, description, ports, links, requirements, carried } = block;
  const after = requirements.after === undefined ? {} : { after: requirements.after.map(short) };
  const asked = { ...requirements, ...after };
  return {
    name,
    ...given({ description }),
    ...filled({ ports: ports.map(shortPort), links }),
    ...(Object.keys(asked).length === 0 ? {} : { requirements: asked }),
    ...given({ carried }),
  };
}

function executionDocument(execution: Execution, short: Short): Readonly<Record<string, unknown>> {
  const { health, drain, nested, ...rest } = execution;
  const plain = drain?.timeoutMs === defaults.drainTimeoutMs ? drain.signal : drain;
  return {
    ...rest,
    ...given({ health: health === undefined ? undefined : shortHealth(health), drain: plain }),
    ...given({ nested: nested?.parent === undefined ? nested : { ...nested, parent: short(nested.parent) } }),
  };
}

function referring(policy: Autoscale, short: Short): Autoscale {
  return policy.measuredBy === undefined ? policy : { ...policy, measuredBy: policy.measuredBy.map(short) };
}

function shortPort(port: Port, index: number): Port | string {
  const plain = Object.keys(port).length === 2 && port.name === `eth${index}` && port.network !== undefined;
  return plain ? port.network : port;
}

function shortScale(scale: Scale): Scale | number {
  return scale.min === scale.max && scale.initial === scale.min ? scale.min : scale;
}

function shortHealth(health: BalancerHealth): BalancerHealth | string {
  const fields = ['kind', 'port', 'path', 'timeoutMs'];
  const more = Object.keys(health).some((field) => !fields.includes(field));
  if (health.timeoutMs !== defaults.healthTimeoutMs || more) return health;
  if (health.kind === 'tcp') return `tcp:${health.port}`;
  if (health.kind === 'ping' || health.kind === 'running') return health.kind;
  if (health.kind !== 'http') return health;
  return /^\/\S*$/.test(health.path) ? `http:${health.port}${health.path}` : health;
}

/** Without what is undefined. */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Without empty lists. */
function filled<T extends Readonly<Record<string, readonly unknown[]>>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value.length > 0)) as Partial<T>;
}
