import { nearest, type Position } from '@superfluidity/core';
import { dialectLimits } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import type { Report } from '../report.ts';
import { shorten } from '../yaml-text.ts';
import type { Intent } from './intent.ts';
import { Nets } from './nets.ts';
import { builtIns, connectionTypes, type Role } from './models.ts';
import {
  isInteger,
  type ConnectionItem,
  type ConnectionPointItem,
  type EndPoint,
  type Item,
  type NodeItem,
  type NodeModelItem,
  type Property,
  type Value,
} from './syntax.ts';
import { readVnfd, type ImportedUnit, type ImportedVnfd } from './vnfd.ts';

/** A node that has no more nodes inside: it runs, or it is a group. */
export interface Leaf {
  /** Names of the nodes around it and its own, from the outermost. */
  readonly path: readonly string[];
  readonly type: string;
  readonly role: Role;
  readonly at: Position;
  readonly properties: ReadonlyMap<string, Value>;
  readonly unit?: ImportedUnit;
  readonly ports: LeafPort[];
  /** Its type names no connection points: every connection makes a port of its own. */
  readonly implicit: boolean;
}

export interface LeafPort {
  readonly name: string;
  readonly pin: Pin;
}

/** What connections join. Joined pins are one network. */
export interface Pin {
  readonly at: Position;
  /** How a network is called that only this pin would give a name. */
  readonly name?: string;
  readonly group?: Leaf;
}

export interface Joint {
  readonly connection: string;
  readonly type: string;
  readonly pins: readonly Pin[];
  /** Within a node: it leads nowhere else. */
  readonly inside: boolean;
  readonly bandwidthMbps?: number;
  readonly at: Position;
}

export interface Expanded {
  readonly leaves: readonly Leaf[];
  readonly joints: readonly Joint[];
  /** What connections inside of nodes join: those outside would lead further. */
  readonly inside: Nets;
  /** A leaf by the name of a top node, where there is one only: ends of flows and chains. */
  readonly at: (end: EndPoint) => { readonly leaf: Leaf; readonly port?: LeafPort } | undefined;
}

/** One node as those around it see it. */
interface Instance {
  readonly role: Role;
  readonly leaf?: Leaf;
  readonly points: ReadonlyMap<string, Pin>;
}

/** Makes the nodes of a script and those inside them, depth first, and joins what connections connect. */
export function expand(intent: Intent, files: readonly DescriptorFile[], report: Report): Expanded {
  const expansion = new Expansion(intent, files, report);
  expansion.checkModels();
  return expansion.run();
}

class Expansion {
  readonly #intent: Intent;
  readonly #files: readonly DescriptorFile[];
  readonly #report: Report;
  readonly #leaves: Leaf[] = [];
  readonly #joints: Joint[] = [];
  readonly #vnfds = new Map<string, ImportedVnfd | undefined>();
  #parts = 0;
  /** Ports by their pins, when all are known. */
  #ends: ReadonlyMap<Pin, { readonly leaf: Leaf; readonly port: LeafPort }> | undefined;

  constructor(intent: Intent, files: readonly DescriptorFile[], report: Report) {
    this.#intent = intent;
    this.#files = files;
    this.#report = report;
  }

  /** Models that contain themselves are refused, whether somebody uses them or not. */
  checkModels(): void {
    const done = new Set<string>();
    const visit = (name: string, above: readonly string[]): void => {
      const model = this.#intent.NodeModel.get(name)?.item;
      if (model === undefined || done.has(name)) return;
      const path = [...above, name];
      for (const member of nodesOf(model)) {
        if (member.type === undefined) continue;
        const from = path.indexOf(member.type);
        if (from !== -1) {
          const circle = [...path.slice(from), member.type].map(shorten).join(' -> ');
          this.#report.error('SF-MODEL-CYCLE', member.at, `node models contain each other: ${circle}`);
        } else if (path.length >= dialectLimits.nemoDepth) {
          this.#report.error(
            'SF-DESCRIPTOR-TOO-DEEP',
            member.at,
            `models lie more than ${dialectLimits.nemoDepth} deep`,
          );
        } else visit(member.type, path);
      }
      done.add(name);
    };
    for (const name of this.#intent.NodeModel.keys()) visit(name, []);
  }

  run(): Expanded {
    const instances = new Map<string, Instance>();
    const nothing: Expanded = { leaves: [], joints: [], inside: new Nets([]), at: () => undefined };
    if (this.#report.failed) return nothing;
    for (const { item } of this.#intent.Node.values()) {
      const instance = this.#node(item, [], new Map());
      if (instance !== undefined) instances.set(item.name, instance);
    }
    // What connects nodes that could not be made is no mistake.
    if (instances.size < this.#intent.Node.size) return nothing;
    const points = new Map<string, Pin>();
    for (const { item } of this.#intent.ConnectionPoint.values())
      points.set(item.name, { at: item.at, name: item.name });
    for (const { item } of this.#intent.Node.values()) this.#contain(item, instances);
    for (const { item } of this.#intent.Connection.values()) this.#connect(item, [], instances, points);
    if (this.#report.failed) return nothing;
    const inside = new Nets(this.#joints.filter((joint) => joint.inside));
    const known = new Map<string, ReturnType<Expanded['at']>>();
    const at = (end: EndPoint) => {
      const key = `${end.node}.${end.point ?? ''}`;
      if (!known.has(key)) known.set(key, this.#find(end, instances, inside));
      return known.get(key);
    };
    return { leaves: this.#leaves, joints: this.#joints, inside, at };
  }

  #node(node: NodeItem, above: readonly string[], given: ReadonlyMap<string, Value>): Instance | undefined {
    if (!this.#counts(node, 1)) return undefined;
    const { type } = node;
    if (type === undefined) {
      this.#report.error('SF-DESCRIPTOR-MISSING', node.at, `node '${shorten(node.name)}' has no type`);
      return undefined;
    }
    const model = this.#intent.NodeModel.get(type)?.item;
    const builtIn = builtIns.get(type);
    if (model === undefined && builtIn === undefined) {
      this.#report.missing(node.at, 'type of nodes', type, [...this.#intent.NodeModel.keys(), ...builtIns.keys()]);
      return undefined;
    }
    const properties = new Map(node.properties.map(({ name, value }) => [name, substitute(value, given)]));
    this.#checkProperties(node, model, type);
    if (model !== undefined && !this.#counts(node, model.members.length)) return undefined;
    const path = [...above, node.name];
    if (path.length > dialectLimits.nemoDepth) {
      const message = `nodes lie more than ${dialectLimits.nemoDepth} deep inside each other`;
      this.#report.error('SF-DESCRIPTOR-TOO-DEEP', node.at, message);
      return undefined;
    }
    if (model !== undefined && (model.vnfd !== undefined || nodesOf(model).length > 0))
      return this.#instance(model, node, path, properties);
    const role = builtIn?.role ?? 'function';
    const points = model === undefined ? [] : pointsOf(model);
    const ports = points.map((point): LeafPort => ({ name: point.name, pin: { at: point.at } }));
    const leaf: Leaf = { path, type, role, at: node.at, properties, ports, implicit: points.length === 0 };
    this.#leaves.push(leaf);
    return { role, leaf, points: new Map(ports.map(({ name, pin }) => [name, pin])) };
  }

  /** Whether so many more parts are bearable. */
  #counts({ at }: NodeItem, parts: number): boolean {
    this.#parts += parts;
    if (this.#parts <= dialectLimits.nemoParts) return true;
    if (!this.#report.failed) {
      const message = `the models come to more than ${dialectLimits.nemoParts} nodes, points and connections`;
      this.#report.error('SF-DESCRIPTOR-TOO-LARGE', at, message);
    }
    return false;
  }

  #checkProperties(node: NodeItem, model: NodeModelItem | undefined, type: string): void {
    const builtIn = builtIns.get(type);
    const parameters = model?.parameters ?? builtIn!.parameters;
    for (const { name, value, at } of node.properties) {
      const wanted = parameters.get(name);
      if (wanted === undefined) {
        const near = nearest(name, parameters.keys());
        const suggestion = near === undefined ? undefined : `did you mean '${near}'?`;
        this.#report.error(
          'SF-DESCRIPTOR-UNKNOWN-FIELD',
          at,
          `'${shorten(type)}' has no property '${shorten(name)}'`,
          suggestion,
        );
      } else if (wanted === 'integer' && !isInteger(value)) {
        this.#report.error('SF-DESCRIPTOR-TYPE', at, `'${shorten(name)}' must be a whole number`);
      } else if (wanted === 'range' && (typeof value === 'string' || !('from' in value))) {
        this.#report.error('SF-DESCRIPTOR-TYPE', at, `'${shorten(name)}' must be a range, as in (1, 5)`);
      }
    }
    for (const name of model === undefined ? builtIn!.required : []) {
      if (node.properties.some((property) => property.name === name)) continue;
      this.#report.error('SF-DESCRIPTOR-MISSING', node.at, `a node of type '${type}' needs the property '${name}'`);
    }
  }

  /** A node of a model that has something inside: nodes, or what its VNFD describes. */
  #instance(
    model: NodeModelItem,
    node: NodeItem,
    path: readonly string[],
    given: ReadonlyMap<string, Value>,
  ): Instance | undefined {
    const members = new Map<string, Instance>();
    const interfaces = this.#vnfd(model, node, path, given);
    if (model.vnfd !== undefined && interfaces === undefined) return undefined;
    const points = new Map<string, Pin>();
    for (const point of pointsOf(model)) {
      const bound = point.vnfdInterface === undefined ? undefined : this.#bound(point, model, interfaces, given);
      if (points.has(point.name))
        this.#report.error(
          'SF-DESCRIPTOR-DUPLICATE-KEY',
          point.at,
          `there is a connection point '${shorten(point.name)}' already`,
        );
      // Only what the node shows to those around it gives a network its name.
      const named = path.length === 1 ? { name: `${path[0]!}-${point.name}` } : {};
      const pin: Pin = { at: point.at, ...named };
      points.set(point.name, pin);
      if (bound !== undefined)
        this.#joints.push({ connection: '', type: 'p2p', pins: [bound, pin], inside: true, at: point.at });
    }
    for (const member of nodesOf(model)) {
      if (members.has(member.name))
        this.#report.error(
          'SF-DESCRIPTOR-DUPLICATE-KEY',
          member.at,
          `there is a node '${shorten(member.name)}' already`,
        );
      const instance = this.#node(member, path, given);
      if (instance !== undefined) members.set(member.name, instance);
    }
    if (this.#report.failed) return undefined;
    for (const member of nodesOf(model)) this.#contain(member, members);
    for (const member of model.members) if (member.kind === 'Connection') this.#connect(member, path, members, points);
    for (const member of model.members)
      if (member.kind === 'Flow' || member.kind === 'Operation')
        this.#report.warn(
          'SF-DESCRIPTOR-UNSUPPORTED',
          member.at,
          `flows and operations inside a model are not carried out`,
        );
    return { role: 'function', points };
  }

  /** The units of the VNFD of a model, and the pins of its interfaces by every name that they have. */
  #vnfd(
    model: NodeModelItem,
    node: NodeItem,
    path: readonly string[],
    properties: ReadonlyMap<string, Value>,
  ): ReadonlyMap<string, Pin | 'several'> | undefined {
    if (model.vnfd === undefined) return undefined;
    const vnfd = this.#imported(model.vnfd);
    if (vnfd === undefined) return undefined;
    const pins = new Map<string, Pin>();
    const names = new Map<string, Pin | 'several'>();
    for (const unit of vnfd.units) {
      if (!this.#counts(node, 1 + unit.interfaces.length)) return undefined;
      const ports = [...new Set(unit.interfaces)].map((name): LeafPort => {
        const pin: Pin = { at: node.at };
        pins.set(`${unit.name} ${name}`, pin);
        names.set(name, names.has(name) ? 'several' : pin);
        return { name, pin };
      });
      const own = vnfd.units.length === 1 ? path : [...path, unit.name];
      this.#leaves.push({
        path: own,
        type: model.name,
        role: 'function',
        at: node.at,
        properties,
        unit,
        ports,
        implicit: false,
      });
    }
    const pinOf = (end: { readonly unit: string; readonly interface: string }) =>
      pins.get(`${end.unit} ${end.interface}`);
    for (const [name, end] of vnfd.external) {
      const pin = pinOf(end);
      if (pin !== undefined) names.set(name, pin);
    }
    for (const { name, ends } of vnfd.connections) {
      const joined = ends.flatMap((end) => pinOf(end) ?? []);
      this.#joints.push({
        connection: [...path, name].join('-'),
        type: 'p2mp',
        pins: joined,
        inside: true,
        at: node.at,
      });
    }
    return names;
  }

  #imported({ uri, at }: NonNullable<NodeModelItem['vnfd']>): ImportedVnfd | undefined {
    if (this.#vnfds.has(uri)) return this.#vnfds.get(uri);
    // Addresses in scripts are those of the author's machine: the file of that name in the package is meant.
    const name = uri.slice(uri.lastIndexOf('/') + 1).replace(/^file:/, '');
    const file =
      this.#files.find(({ path }) => uri.endsWith(`/${path}`)) ??
      this.#files.find(({ path }) => path.slice(path.lastIndexOf('/') + 1) === name);
    const result = file === undefined ? undefined : readVnfd(file);
    if (result === undefined)
      this.#report.error(
        'SF-DESCRIPTOR-REFERENCE',
        at,
        `there is no file '${shorten(name)}' in the package: give it together with the script`,
      );
    else if ('problems' in result) this.#report.addAll(result.problems);
    const vnfd = result !== undefined && 'vnfd' in result ? result.vnfd : undefined;
    this.#vnfds.set(uri, vnfd);
    return vnfd;
  }

  /** The interface to which a point is bound; a parameter of the model may say which. */
  #bound(
    point: ConnectionPointItem,
    model: NodeModelItem,
    interfaces: ReadonlyMap<string, Pin | 'several'> | undefined,
    given: ReadonlyMap<string, Value>,
  ): Pin | undefined {
    const { name: written, at } = point.vnfdInterface!;
    if (interfaces === undefined) {
      this.#report.error('SF-DESCRIPTOR-REFERENCE', at, `model '${shorten(model.name)}' imports no VNFD`);
      return undefined;
    }
    const name = given.get(written) ?? written;
    const pin = typeof name === 'string' ? interfaces.get(name) : undefined;
    if (pin === 'several')
      this.#report.error(
        'SF-DESCRIPTOR-VALUE',
        at,
        `several units of the VNFD have an interface '${shorten(written)}': name the connection point of the VNFD`,
      );
    else if (pin === undefined)
      this.#report.missing(at, 'interface of the VNFD', typeof name === 'string' ? name : written, interfaces.keys());
    return pin === 'several' ? undefined : pin;
  }

  /** What a group of layer 2 or 3 contains is connected to it. What a chain contains is its business. */
  #contain(node: NodeItem, nodes: ReadonlyMap<string, Instance>): void {
    const instance = nodes.get(node.name);
    const group = instance?.leaf;
    for (const end of node.contain ?? []) {
      const inner = nodes.get(end.node);
      if (inner === undefined) this.#report.missing(end.at, 'node', end.node, nodes.keys());
      else if (group?.role === 'network') {
        const pin = this.#pin(end, nodes, new Map(), node.name);
        const pins = [...(pin === undefined ? [] : [pin]), { at: node.at, group }];
        this.#joints.push({ connection: node.name, type: 'p2p', pins, inside: false, at: node.at });
      } else if (group?.role !== 'chain')
        this.#report.error(
          'SF-DESCRIPTOR-VALUE',
          end.at,
          `a node of type '${shorten(node.type ?? '')}' contains no others`,
        );
    }
  }

  #connect(
    connection: ConnectionItem,
    path: readonly string[],
    nodes: ReadonlyMap<string, Instance>,
    points: ReadonlyMap<string, Pin>,
  ): void {
    const { type = 'p2p', ends = [], at } = connection;
    if (!connectionTypes.some((one) => one === type))
      this.#report.missing(at, 'type of connections', type, connectionTypes);
    if (ends.length < 2 || (connection.type === 'p2p' && ends.length !== 2)) {
      const message = `connection '${shorten(connection.name)}' has ${ends.length} ends: ${ends.length < 2 ? 'it needs two' : 'p2p has two'}`;
      this.#report.error('SF-DESCRIPTOR-VALUE', at, message);
      return;
    }
    const bandwidth = connection.properties.find(({ name }) => name === 'bandwidth');
    const number = bandwidth === undefined ? undefined : this.#bandwidth(bandwidth);
    const rate = number === undefined ? {} : { bandwidthMbps: number };
    const segments = type === 'chain' ? ends.slice(1).map((end, i) => [ends[i]!, end]) : [ends];
    segments.forEach((segment, i) => {
      const name = i === 0 ? connection.name : `${connection.name}-${i + 1}`;
      const pins = segment.flatMap((end, j) => this.#pin(end, nodes, points, name, j === 0) ?? []);
      this.#joints.push({
        connection: [...path, name].join('-'),
        type: type === 'chain' ? 'p2p' : type,
        pins,
        inside: path.length > 0,
        at,
        ...rate,
      });
    });
  }

  #bandwidth({ value, at }: Property): number | undefined {
    const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
    if (Number.isFinite(number) && number >= 0) return number;
    this.#report.error('SF-DESCRIPTOR-TYPE', at, "'bandwidth' must be a number of Mbit/s");
    return undefined;
  }

  /** An end of a connection: a point of the model around, a node, or a point of a node. */
  #pin(
    end: EndPoint,
    nodes: ReadonlyMap<string, Instance>,
    points: ReadonlyMap<string, Pin>,
    connection: string,
    first = false,
  ): Pin | undefined {
    const own = end.point === undefined ? points.get(end.node) : undefined;
    if (own !== undefined) return own;
    const instance = nodes.get(end.node);
    if (instance === undefined) {
      this.#report.missing(end.at, 'node or connection point', end.node, [...nodes.keys(), ...points.keys()]);
      return undefined;
    }
    if (end.point !== undefined) {
      const pin = instance.points.get(end.point);
      if (pin === undefined)
        this.#report.missing(end.at, `connection point of '${shorten(end.node)}'`, end.point, instance.points.keys());
      return pin;
    }
    const { leaf, role } = instance;
    if (leaf !== undefined && role === 'network') return { at: end.at, group: leaf };
    if (leaf !== undefined && role === 'chain') return this.#chainEnd(leaf, nodes, connection, first, end);
    if (leaf?.implicit === true) {
      const pin: Pin = { at: end.at };
      leaf.ports.push({ name: connection, pin });
      return pin;
    }
    const [only, second] = instance.points.values();
    if (only !== undefined && second === undefined) return only;
    const message = `'${shorten(end.node)}' has ${instance.points.size} connection points: say which, as in ${shorten(end.node)}.NAME`;
    this.#report.error('SF-DESCRIPTOR-REFERENCE', end.at, message);
    return undefined;
  }

  /** What goes to a chain goes to its first node, what comes from it comes from its last. */
  #chainEnd(
    chain: Leaf,
    nodes: ReadonlyMap<string, Instance>,
    connection: string,
    first: boolean,
    end: EndPoint,
  ): Pin | undefined {
    const contained = this.#intent.Node.get(chain.path.at(-1)!)?.item.contain ?? [];
    const meant = first ? contained.at(-1) : contained[0];
    if (meant === undefined || nodes.get(meant.node)?.role === 'chain') {
      this.#report.error(
        'SF-DESCRIPTOR-VALUE',
        end.at,
        `chain '${shorten(end.node)}' contains no nodes that could be connected`,
      );
      return undefined;
    }
    return this.#pin(meant, nodes, new Map(), connection);
  }

  #find(
    end: EndPoint,
    instances: ReadonlyMap<string, Instance>,
    inside: Nets,
  ): { leaf: Leaf; port?: LeafPort } | undefined {
    const instance = instances.get(end.node);
    if (instance?.leaf !== undefined) {
      const port = instance.leaf.ports.find(({ name }) => name === end.point);
      return end.point !== undefined && port === undefined
        ? undefined
        : { leaf: instance.leaf, ...(port === undefined ? {} : { port }) };
    }
    const [only, second] = instance?.points.values() ?? [];
    const pin = end.point === undefined ? (second === undefined ? only : undefined) : instance?.points.get(end.point);
    if (pin === undefined) return undefined;
    this.#ends ??= new Map(
      this.#leaves.flatMap((leaf) => leaf.ports.map((port) => [port.pin, { leaf, port }] as const)),
    );
    for (const one of inside.members(pin)) {
      const found = this.#ends.get(one);
      if (found !== undefined && found.leaf.path[0] === end.node) return found;
    }
    return undefined;
  }
}

function substitute(value: Value, given: ReadonlyMap<string, Value>): Value {
  if (typeof value === 'string') return given.get(value) ?? value;
  if ('from' in value) return value;
  return value.map((one) => {
    const meant = given.get(one);
    return typeof meant === 'string' ? meant : one;
  });
}

function nodesOf({ members }: NodeModelItem): readonly NodeItem[] {
  return members.filter((member: Item) => member.kind === 'Node');
}

function pointsOf({ members }: NodeModelItem): readonly ConnectionPointItem[] {
  return members.filter((member: Item) => member.kind === 'ConnectionPoint');
}
