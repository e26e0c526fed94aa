import {
  type Bindings,
  clickLimits,
  ClickMistake,
  type Declared,
  type Edge,
  Growth,
  INPUT,
  instances,
  OUTPUT,
  type Scope,
} from '@superfluidity/click';
import { type Block, type Link, modelLimits, type Port } from '@superfluidity/model';
import { dialectLimits } from '../errors.ts';
import { Names, renamed } from '../names.ts';

/** What elements say of themselves in `carried.click`. */
export interface CarriedElement {
  /** The name as it is written, or as Click makes it of class and number. */
  readonly id?: string;
  /** Absent where a compound stands between braces in the place of an element. */
  readonly class?: string;
  /** As it is written between the parentheses. */
  readonly configuration?: string;
  /** Of a compound: `$rate, LIMIT $limit`. */
  readonly parameters?: string;
}

/** Where packets come in from outside, or go out. */
export interface ClickDevice {
  readonly name: string;
  /** The first element that uses it. */
  readonly declared: Declared;
  /** Those that lie directly in the unit. */
  readonly elements: readonly string[];
}

/** Elements of one scope, as blocks of the model. */
export interface ClickGraph {
  readonly elements: readonly Block[];
  readonly links: readonly Link[];
  /** Ports of the scope itself that are used in it: those of `input` and `output`. */
  readonly own: UsedPorts;
  /** What each element was made of. */
  readonly declared: readonly Declared[];
}

/** Numbers of ports that are connected, each once. */
interface UsedPorts {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

export interface WholeGraph extends ClickGraph {
  readonly devices: readonly ClickDevice[];
  /** More elements than a service may hold, so that none is told apart. */
  readonly tooMany: boolean;
}

/** Port by which an element of the network card is joined with the port of the unit. */
export const DEVICE = 'device';

/** Service, function and unit are around the elements. */
const DEPTH_MAX = modelLimits.depth - 3;

/** Elements that are a network interface, and the words by which they name it where that is not their first argument. */
const deviceClasses: ReadonlySet<string> = new Set([
  'FromDevice',
  'ToDevice',
  'PollDevice',
  'FromDPDKDevice',
  'ToDPDKDevice',
]);
const DEVICE_NAME = /^(?:DEVNAME|PORT)\s+(.*)$/s;

/**
 * The graph that a configuration comes to: elements with the ports that are connected, compound ones with those inside,
 * links from output to input. Ports are called `in0`, `out0` and so on.
 * @throws ClickMistake for a compound element without a fitting form, and for too much
 */
export function graphOf(scope: Scope): WholeGraph {
  const builder = new GraphBuilder();
  const graph = builder.scope(scope, new Map(), 0);
  const all = builder.tooMany ? { ...graph, elements: [], links: [], declared: [] } : graph;
  return { ...all, devices: builder.devices, tooMany: builder.tooMany };
}

/** The graph as it is inside of a unit: with the ports of the unit, and what joins them with its elements. */
export interface UnitGraph {
  readonly name: string;
  readonly ports: readonly UnitPort[];
  readonly elements: readonly Block[];
  readonly links: readonly Link[];
}

export interface UnitPort {
  readonly name: string;
  /** Name of the interface inside, where it is not that of the port. */
  readonly internalIf?: string;
  /** Absent on ports that are `input` or `output`. */
  readonly device?: ClickDevice;
}

export function unitGraph(graph: WholeGraph, name: string): UnitGraph {
  const names = new Names();
  const ports: UnitPort[] = [...portList(graph.own)];
  for (const port of ports) names.fresh(port.name);
  const links = [...graph.links];
  for (const device of graph.devices) {
    const label = names.fresh(device.name);
    const isInterface = label === device.name && label.length <= modelLimits.interfaceName;
    ports.push({ name: label, ...(isInterface ? {} : interfaceOf(device.name, ports.length)), device });
    for (const element of device.elements)
      links.push({ name: `l${links.length + 1}`, ends: [label, `${element}.${DEVICE}`] });
  }
  return { name, ports, elements: graph.elements, links };
}

/** A device whose name is no name of a port is called otherwise outside. */
function interfaceOf(name: string, index: number): { readonly internalIf: string } {
  const isUsable = name.length <= modelLimits.interfaceName && /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(name);
  return { internalIf: isUsable ? name : `eth${index}` };
}

class GraphBuilder {
  readonly #devices = new Map<string, { readonly declared: Declared; readonly elements: string[] }>();
  readonly #growth = new Growth();
  #elements = 0;

  get devices(): readonly ClickDevice[] {
    return [...this.#devices].map(([name, device]) => ({ name, ...device }));
  }

  get tooMany(): boolean {
    return this.#elements > dialectLimits.clickElements;
  }

  scope(scope: Scope, outer: Bindings, depth: number): ClickGraph {
    const names = new Names();
    const labels = new Map<string, string>();
    /** Groups, and at the top `input` and `output` that nobody declared: ports instead of elements. */
    const pseudo = new Map<string, string>();
    const elements: Block[] = [];
    const declarations: Declared[] = [];
    const connected = connectedPorts(scope.connections);
    for (const { declared, given, inside } of instances(scope, outer, this.#growth)) {
      const { name, className, anonymous, place } = declared;
      if (inside === undefined && depth === 0 && anonymous && (className === INPUT || className === OUTPUT)) {
        pseudo.set(name, className);
        continue;
      }
      if (declared.compound?.name === '()') {
        pseudo.set(name, '()');
        continue;
      }
      const inner =
        inside === undefined
          ? undefined
          : this.#growth.inside(place, () => this.scope(inside.overload.scope, inside.bindings, depth + 1));
      this.#elements += 1;
      const isTold = !this.tooMany && depth < DEPTH_MAX;
      const label = isTold ? names.fresh(name) : '';
      const isDevice = inside === undefined && deviceClasses.has(className) && given[0] !== undefined;
      if (isDevice) this.#device(given[0]!.text, declared, depth === 0 && isTold ? label : undefined);
      if (!isTold) continue;
      const connectedTo = portList(connected.get(name), inner?.own);
      const ports = isDevice && depth === 0 ? [...connectedTo, { name: DEVICE }] : connectedTo;
      labels.set(name, label);
      declarations.push(declared);
      elements.push(elementOf(declared, label, ports, inner, inside?.overload.formals));
    }
    const edges = pseudo.size === 0 ? scope.connections : withoutGroups(scope.connections, pseudo);
    const inputs = connected.get(INPUT)?.outputs ?? NONE;
    const outputs = connected.get(OUTPUT)?.inputs ?? NONE;
    const own = depth === 0 ? ownOf(edges) : { inputs, outputs };
    return { elements, links: linksOf(edges, labels), own, declared: declarations };
  }

  #device(argument: string, declared: Declared, label: string | undefined): void {
    const name = DEVICE_NAME.exec(argument)?.[1]?.trim() ?? argument;
    const device = this.#devices.get(name) ?? { declared, elements: [] };
    this.#devices.set(name, device);
    if (label !== undefined) device.elements.push(label);
  }
}

const NONE: readonly number[] = Object.freeze([]);
const NOTHING: UsedPorts = Object.freeze({ inputs: NONE, outputs: NONE });

function connectedPorts(edges: readonly Edge[]): ReadonlyMap<string, UsedPorts> {
  const found = new Map<string, { readonly inputs: number[]; readonly outputs: number[] }>();
  /** Ports of elements that have so many of them that looking through a list takes long. */
  const many = new Map<number[], Set<number>>();
  const of = (name: string) => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const ports = { inputs: [], outputs: [] };
    found.set(name, ports);
    return ports;
  };
  const add = (list: number[], port: number) => {
    if (list.length < FEW) {
      if (!list.includes(port)) list.push(port);
      return;
    }
    const all = many.get(list) ?? new Set(list);
    many.set(list, all);
    if (!all.has(port)) list.push(port);
    all.add(port);
  };
  for (const { from, fromPort, to, toPort } of edges) {
    add(of(from).outputs, fromPort);
    add(of(to).inputs, toPort);
  }
  return found;
}

const FEW = 8;

function ownOf(edges: readonly Edge[]): UsedPorts {
  const [inputs, outputs] = [new Set<number>(), new Set<number>()];
  for (const { from, fromPort, to, toPort } of edges) {
    if (from === INPUT) inputs.add(fromPort);
    if (to === OUTPUT) outputs.add(toPort);
  }
  return { inputs: [...inputs], outputs: [...outputs] };
}

type Formals = readonly { readonly name: string; readonly keyword?: string }[];

function elementOf(
  { name, className, compound, configuration }: Declared,
  label: string,
  ports: readonly Port[],
  inner: ClickGraph | undefined,
  formals: Formals = [],
): Block {
  const parameters = formals.map((one) => `${one.keyword === undefined ? '' : `${one.keyword} `}$${one.name}`);
  const said: CarriedElement = {
    ...renamed(name, label),
    ...(compound !== undefined && className === '' ? {} : { class: className }),
    ...(configuration.written ? { configuration: configuration.text } : {}),
    ...(parameters.length === 0 ? {} : { parameters: parameters.join(', ') }),
  };
  return {
    kind: 'element',
    name: label,
    ports,
    children: inner?.elements ?? NO_BLOCKS,
    links: inner?.links ?? NO_LINKS,
    requirements: NO_REQUIREMENTS,
    carried: { click: said },
  };
}

const NO_BLOCKS: readonly Block[] = Object.freeze([]);
const NO_LINKS: readonly Link[] = Object.freeze([]);
const NO_REQUIREMENTS = Object.freeze({});

/** Lists of ports are the same again and again: most elements have an input and an output. */
const lists = new Map<string, readonly Port[]>();
const LISTS_MAX = 1_000;

/** Ports in the order of their numbers, inputs first. */
export function portList(used: UsedPorts = NOTHING, more: UsedPorts = NOTHING): readonly Port[] {
  const [inputs, outputs] = [numbers(used.inputs, more.inputs), numbers(used.outputs, more.outputs)];
  const key = `${inputs.join(' ')}/${outputs.join(' ')}`;
  const known = lists.get(key);
  if (known !== undefined) return known;
  const list = Object.freeze([
    ...inputs.map((port) => Object.freeze({ name: `in${port}` })),
    ...outputs.map((port) => Object.freeze({ name: `out${port}` })),
  ]);
  if (lists.size < LISTS_MAX && list.length < FEW) lists.set(key, list);
  return list;
}

function numbers(some: readonly number[], others: readonly number[]): readonly number[] {
  if (others.length === 0 && some.length < 2) return some;
  return [...new Set([...some, ...others])].toSorted((a, b) => a - b);
}

function linksOf(edges: readonly Edge[], labels: ReadonlyMap<string, string>): readonly Link[] {
  const links: Link[] = [];
  for (const { from, fromPort, to, toPort } of edges) {
    const [source, target] = [labels.get(from), labels.get(to)];
    if ((source === undefined && from !== INPUT) || (target === undefined && to !== OUTPUT)) continue;
    links.push({
      name: `l${links.length + 1}`,
      ends: [
        source === undefined ? `in${fromPort}` : `${source}.out${fromPort}`,
        target === undefined ? `out${toPort}` : `${target}.in${toPort}`,
      ],
    });
  }
  return links;
}

/** Connections that lead through groups, from element to element; and those of `input` and `output` at the top. */
function withoutGroups(edges: readonly Edge[], pseudo: ReadonlyMap<string, string>): readonly Edge[] {
  const named = (name: string, side: string) => {
    const kind = pseudo.get(name);
    if (kind === undefined) return name;
    return kind === '()' ? `${name}/${side}` : kind;
  };
  const all = edges.map((edge) => ({ ...edge, from: named(edge.from, OUTPUT), to: named(edge.to, INPUT) }));
  const groups = new Set(
    [...pseudo].flatMap(([name, kind]) => (kind === '()' ? [`${name}/${INPUT}`, `${name}/${OUTPUT}`] : [])),
  );
  if (groups.size === 0) return all;
  const onward = Map.groupBy(
    all.filter(({ from }) => groups.has(from)),
    ({ from, fromPort }) => `${from} ${fromPort}`,
  );
  let steps = 0;
  return all.flatMap((edge) => {
    if (groups.has(edge.from)) return [];
    const found: Edge[] = [];
    const waiting: Edge[] = [edge];
    const seen = new Set<string>();
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      steps += 1;
      if (steps > clickLimits.parts)
        throw new ClickMistake('limit', edge.place, `more than ${clickLimits.parts} connections`);
      const key = `${at.to} ${at.toPort}`;
      if (!groups.has(at.to)) found.push({ ...edge, to: at.to, toPort: at.toPort });
      else if (!seen.has(key)) {
        seen.add(key);
        for (const next of onward.get(key) ?? []) waiting.push(next);
      }
    }
    return found;
  });
}
