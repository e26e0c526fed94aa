import {
  splitPortReference,
  type Block,
  type Chain,
  type Network,
  type Port,
  type Service,
} from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { FreeNames } from '../free-names.ts';
import { nameIn } from '../names.ts';
import { builtIns, type unitProperties } from './models.ts';
import { INSIDE } from './read.ts';
import { formatProperties, formatValue, type ParameterType, type Value } from './syntax.ts';

type Fields = Readonly<Record<string, unknown>>;
type Properties = readonly (readonly [string, Value])[];

/**
 * One script: a model for each unit and each function of several, a node for each function and network, a connection for
 * each port, and a flow with an operation for each chain. Nodes of types that others defined are written as such again.
 */
export function writeNemo(service: Service, lose: Lose): readonly DescriptorFile[] {
  const text = new Script(service, lose).text();
  return [{ path: `${nameIn('nemo', service.block)}.nemo`, bytes: new TextEncoder().encode(text) }];
}

/** A port as others name it: `node.point`, or the node alone. */
interface Attached {
  readonly end: string;
  readonly port: Port;
  /** Name that the connection must have, as the port is called after it. */
  readonly connection?: string;
  readonly otherwise: string;
}

class Script {
  readonly #service: Service;
  readonly #lose: Lose;
  readonly #models: string[] = [];
  readonly #nodes: string[] = [];
  readonly #connections: string[] = [];
  readonly #flows: string[] = [];
  readonly #taken = {
    models: new FreeNames(),
    nodes: new FreeNames(),
    connections: new FreeNames(),
    flows: new FreeNames(),
  };
  readonly #types = new Map<string, Map<string, ParameterType>>();
  /** By network. */
  readonly #attached = new Map<string, Attached[]>();
  /** Ends of units by their path, and by path and port. */
  readonly #ends = new Map<string, string>();
  /** Networks that are part of a node of a type of groups outside. */
  readonly #outside = new Set<string>();

  constructor(service: Service, lose: Lose) {
    this.#service = service;
    this.#lose = lose;
  }

  text(): string {
    const { block, networks, chains } = this.#service;
    block.children.forEach((fn, i) => this.#function(fn, `functions[${i}]`));
    networks.forEach((network, i) => this.#network(network, `networks[${i}]`));
    chains.forEach((chain, i) => this.#chain(chain, `chains[${i}]`));
    const types = [...this.#types].flatMap(([name, parameters]) => typeModel(name, parameters));
    const { statements } = said(block);
    const kept = Array.isArray(statements) ? statements.map((one) => `${String(one).replace(/;?\s*$/, '')};`) : [];
    const parts = [[...types, ...this.#models], this.#nodes, this.#connections, this.#flows, kept];
    return parts
      .filter((lines) => lines.length > 0)
      .map((lines) => `${lines.join('\n')}\n`)
      .join('\n');
  }

  #function(fn: Block, at: string): void {
    const node = this.#unique('nodes', nameIn('nemo', fn));
    if (node !== nameIn('nemo', fn)) this.#lose(at, `that two things are called '${node}'`);
    const verb = said(fn)['imported'] === true ? 'IMPORT' : 'CREATE';
    const [only, second] = fn.children;
    const direct = second === undefined && only?.name === fn.name;
    if (direct && this.#typed(only, node, verb)) return;
    if (direct) {
      const [type, properties] = this.#unitModel(only, node, `${at}.units[0]`);
      this.#nodes.push(`${verb} Node ${node} Type ${type}${formatProperties(properties)};`);
      for (const port of only.ports)
        this.#attach(`${fn.name}/${only.name}`, port, `${node}.${port.name}`, `${node}-${port.name}`);
      return;
    }
    const points = new FreeNames();
    const members: string[] = [];
    const shown: string[] = [];
    const inner: string[] = [];
    fn.children.forEach((unit, i) => {
      const [type, properties] = this.#unitModel(unit, `${node}-${unit.name}`, `${at}.units[${i}]`);
      members.push(`  Node ${unit.name} Type ${type}${formatProperties(properties)};`);
      for (const port of unit.ports) {
        const point = points.claim(`${unit.name}-${port.name}`);
        this.#attach(`${fn.name}/${unit.name}`, port, `${node}.${point}`, `${node}-${point}`);
        if (port.network === undefined) continue;
        shown.push(`  ConnectionPoint ${point};`);
        inner.push(`  Connection ${point} Type p2p Endnodes ${unit.name}.${port.name}, ${point};`);
      }
    });
    const model = this.#unique('models', modelName(node));
    this.#models.push([`CREATE NodeModel ${model};`, ...members, ...shown, ...inner].join('\n'));
    this.#nodes.push(`${verb} Node ${node} Type ${model};`);
  }

  /** A unit as a node of the type that it was read as, if nothing is said of it that the type does not. */
  #typed(unit: Block, node: string, verb: string): boolean {
    const { type, properties } = said(unit);
    const { environment, image, forwards, ...execution } = unit.execution!;
    if (typeof type !== 'string' || environment !== 'vm' || image !== `name:${type}`) return false;
    if (Object.keys(execution).length > 0 || Object.values(unit.requirements).length > 0) return false;
    const path = `${unit.name}/${unit.name}`;
    const external = builtIns.get(type)?.role === 'external';
    const passed = this.#service.chains.some(({ through }) =>
      through.some((hop) => splitPortReference(hop).path === path),
    );
    if (forwards !== (external || passed ? true : undefined)) return false;
    const [first, ...others] = unit.ports;
    const own = external
      ? this.#service.networks.find(({ name }) => name === first?.network && first?.name === INSIDE)
      : undefined;
    if (external && (own === undefined || said(own)['outside'] !== true)) return false;
    const ports = external ? others : unit.ports;
    if (!ports.every((port) => this.#calledAfterConnection(port))) return false;
    const prefix: Properties = own === undefined || isAssumed('nemo', own) ? [] : [['ip-prefix', own.prefix]];
    const [only, ...more] = unit.ports.flatMap(({ mac }) => mac ?? []);
    if (only !== undefined && (more.length > 0 || unit.ports.length > 1 || type !== 'host')) return false;
    const mac: Properties = only === undefined ? [] : [['mac-address', only]];
    const all: Properties = [...prefix, ...mac, ...valuesOf(properties)];
    this.#use(type, all);
    if (own !== undefined) this.#outside.add(own.name);
    this.#nodes.push(`${verb} Node ${node} Type ${type}${formatProperties(all)};`);
    this.#ends.set(path, node);
    if (own !== undefined) this.#ends.set(`${path}.${INSIDE}`, node);
    for (const port of ports) {
      const connection = nameIn('nemo', port);
      this.#ends.set(`${path}.${port.name}`, `${node}.${connection}`);
      this.#list(port).push({ end: node, port, connection, otherwise: connection });
    }
    return true;
  }

  #calledAfterConnection(port: Port): boolean {
    const network = this.#service.networks.find(({ name }) => name === port.network);
    if (network === undefined) return false;
    return said(network)['connection'] === undefined || nameIn('nemo', network) === nameIn('nemo', port);
  }

  /** The model of one unit, and what a node of it says. */
  #unitModel(unit: Block, name: string, at: string): readonly [string, Properties] {
    const before = said(unit);
    if (before['type'] !== undefined)
      this.#lose(`${at}.carried`, `that '${unit.name}' is of type '${String(before['type'])}'`);
    const properties: Properties = [...propertiesOf(unit), ...valuesOf(before['properties'])];
    unit.ports.forEach((port, i) => {
      if (port.mac !== undefined && unit.ports.length > 1)
        this.#lose(`${at}.ports[${i}].mac`, `mac of port '${port.name}' of '${unit.name}', which has several`);
    });
    const parameters = properties.map(([property, value]) => `${typeOf(value)}: ${property}`);
    const points = unit.ports.map((port) => `  ConnectionPoint ${port.name};`);
    const model = this.#unique('models', modelName(name));
    const header = parameters.length === 0 ? '' : ` Property ${parameters.join(', ')}`;
    this.#models.push([`CREATE NodeModel ${model}${header};`, ...points].join('\n'));
    return [model, properties];
  }

  #use(type: string, properties: Properties): void {
    const parameters = this.#types.get(type) ?? new Map<string, ParameterType>();
    for (const [name, value] of properties) parameters.set(name, typeOf(value));
    // What one node of a type does not say need not be said by others.
    const builtIn = builtIns.get(type);
    const said = new Set(properties.map(([name]) => name));
    if (builtIn?.required.some((name) => !said.has(name)) === true) parameters.set('', 'string');
    this.#types.set(type, parameters);
  }

  #attach(path: string, port: Port, end: string, otherwise: string): void {
    if (port.network === undefined) return;
    if (!this.#ends.has(path)) this.#ends.set(path, end);
    this.#ends.set(`${path}.${port.name}`, end);
    this.#list(port).push({ end, port, otherwise });
  }

  #list(port: Port): Attached[] {
    const list = this.#attached.get(port.network!) ?? [];
    this.#attached.set(port.network!, list);
    return list;
  }

  #network(network: Network, at: string): void {
    const attached = this.#attached.get(network.name) ?? [];
    const { connection, type, properties } = said(network);
    const name = nameIn('nemo', network);
    const rates = new Set(attached.map(({ port }) => port.bandwidthMbps));
    if (this.#outside.has(network.name)) {
      for (const one of attached)
        if (one.port.name !== INSIDE) this.#lose(at, `that '${one.end}' is on the network of '${name}'`);
      return;
    }
    if (typeof connection === 'string' && attached.length >= 2 && rates.size === 1 && isAssumed('nemo', network)) {
      const kind = attached.length > 2 && connection === 'p2p' ? 'mesh' : connection;
      const ends = attached.map(({ end }) => end).join(', ');
      this.#connections.push(
        `CREATE Connection ${this.#unique('connections', name)} Type ${kind} Endnodes ${ends}${bandwidth(attached[0]!.port)};`,
      );
      return;
    }
    const node = this.#unique('nodes', name);
    if (node !== name) this.#lose(`${at}.name`, `that two things are called '${name}'`);
    const group = typeof type === 'string' && builtIns.get(type)?.role === 'network' ? type : 'l2-group';
    const prefix: Properties = isAssumed('nemo', network) ? [] : [['ip-prefix', network.prefix]];
    const all = [...prefix, ...valuesOf(properties)];
    this.#use(group, all);
    this.#nodes.push(`CREATE Node ${node} Type ${group}${formatProperties(all)};`);
    for (const { end, port, connection: fixed, otherwise } of attached) {
      const before = said(port)['connection'];
      const wanted = fixed ?? (typeof before === 'string' ? before : otherwise);
      const unique = this.#unique('connections', wanted);
      this.#connections.push(`CREATE Connection ${unique} Type p2p Endnodes ${end}, ${node}${bandwidth(port)};`);
    }
  }

  #chain(chain: Chain, at: string): void {
    const before = said(chain);
    const name = nameIn('nemo', chain);
    const end = (hop: string) => this.#ends.get(hop) ?? this.#ends.get(splitPortReference(hop).path);
    const through = chain.through.flatMap((hop) => end(hop) ?? []);
    const [from, to] = [end(chain.from), end(chain.to)];
    if (from === undefined || to === undefined || through.length !== chain.through.length)
      return this.#lose(at, `chain '${chain.name}', which passes what is on no network`);
    const matched: Properties = [
      ...valuesOf(before['match']),
      ...(before['addressAssumed'] === true ? [] : [['dst-ip', chain.address] as const]),
      ...(chain.protocol === 'any' || valuesOf(before['match']).some(([item]) => item === 'proto')
        ? []
        : [['proto', chain.protocol] as const]),
      ...(chain.ports.length === 0 ? [] : [['dst-port', chain.ports.map(String)] as const]),
    ];
    const match =
      matched.length === 0
        ? ''
        : ` Match ${matched.map(([item, value]) => `${item}: ${formatValue(value)}`).join(', ')}`;
    const path: Properties = [['path', [from, ...through, to]], ...valuesOf(before['properties'])];
    const flow = this.#unique('flows', typeof before['flow'] === 'string' ? before['flow'] : name);
    this.#flows.push(`CREATE Flow ${flow}${match}${formatProperties(path)};`);
    const actions: Properties = [
      through.length === 0 ? ['allow', []] : ['go-through', this.#group(before['group'], through) ?? through],
      ...(chain.bandwidthMbps === undefined ? [] : [['qos-bandwidth', String(chain.bandwidthMbps)] as const]),
      ...actionsOf(before['actions']),
    ];
    const written = actions.map(([action, value]) =>
      Array.isArray(value) && value.length === 0 ? action : `${action}: ${formatValue(value)}`,
    );
    const priority = typeof before['priority'] === 'number' ? before['priority'] : 0;
    const condition = typeof before['condition'] === 'string' ? ` Condition ${before['condition']}` : '';
    this.#flows.push(
      `CREATE Operation ${name} Target ${flow} Priority ${priority}${condition} Action ${written.join(', ')};`,
    );
  }

  /** The chain-group that was read, if it can contain these nodes. */
  #group(name: unknown, through: readonly string[]): string | undefined {
    if (typeof name !== 'string' || through.some((end) => end.includes('.'))) return undefined;
    const node = this.#unique('nodes', name);
    this.#nodes.push(`CREATE Node ${node} Type chain-group Contain ${through.join(', ')};`);
    return node;
  }

  #unique(kind: 'models' | 'nodes' | 'connections' | 'flows', name: string): string {
    return this.#taken[kind].claim(name);
  }
}

/** A type of somebody else has to be defined where it is not built in, or asks for less. */
function typeModel(name: string, parameters: ReadonlyMap<string, ParameterType>): readonly string[] {
  const builtIn = builtIns.get(name);
  if (builtIn !== undefined && [...parameters.keys()].every((parameter) => builtIn.parameters.has(parameter)))
    return [];
  const known = [...(builtIn?.parameters ?? []), ...parameters].filter(([parameter]) => parameter !== '');
  const listed = [...new Map(known)].map(([parameter, type]) => `${type}: ${parameter}`);
  return [`CREATE NodeModel ${name}${listed.length === 0 ? '' : ` Property ${listed.join(', ')}`};`];
}

/** Names of models that are no names of types: those are the author's, or built in. */
function modelName(name: string): string {
  return `${name}-model`;
}

function propertiesOf({ execution, requirements, ports }: Block): Properties {
  const { environment, image, command, program, files, forwards } = execution!;
  const { cpu, memoryMiB, storageMiB, latencyMaxMs } = requirements;
  const values: Readonly<Record<keyof typeof unitProperties, Value | number | boolean | undefined>> = {
    environment,
    image,
    command,
    program,
    files,
    forwards,
    cpu,
    'memory-mib': memoryMiB,
    'storage-mib': storageMiB,
    'latency-max-ms': latencyMaxMs,
    'mac-address': ports.length === 1 ? ports[0]!.mac : undefined,
  };
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [[name, typeof value === 'number' || typeof value === 'boolean' ? String(value) : value] as const];
  });
}

function bandwidth({ bandwidthMbps }: Port): string {
  return bandwidthMbps === undefined ? '' : ` Property bandwidth: ${formatValue(String(bandwidthMbps))}`;
}

function typeOf(value: Value): ParameterType {
  return typeof value === 'object' && 'from' in value ? 'range' : 'string';
}

function said(thing: { readonly carried?: Fields }): Fields {
  const fields = thing.carried?.['nemo'];
  return fields !== null && typeof fields === 'object' ? (fields as Fields) : {};
}

function valuesOf(carried: unknown): Properties {
  if (carried === null || typeof carried !== 'object') return [];
  return Object.entries(carried).filter((entry): entry is [string, Value] => isValue(entry[1]));
}

function actionsOf(carried: unknown): Properties {
  if (!Array.isArray(carried)) return [];
  return carried.map(
    (action: { readonly name: string; readonly value?: Value }) => [action.name, action.value ?? []] as const,
  );
}

function isValue(value: unknown): value is Value {
  if (typeof value === 'string') return true;
  if (Array.isArray(value)) return value.every((one) => typeof one === 'string');
  return value !== null && typeof value === 'object' && 'from' in value && 'to' in value;
}
