import {
  type Bindings,
  clickLimits,
  ClickMistake,
  type Declared,
  type Edge,
  type Growth,
  INPUT,
  instances,
  OUTPUT,
  portsUsed,
  type Scope,
} from '@superfluidity/click';
import { modelLimits } from '@superfluidity/model';
import { dialectLimits } from '../errors.ts';
import { Names, renamed } from '../names.ts';
import type { NativeElement } from '../native/schema.ts';

export type NativeLink = NonNullable<NativeElement['links']>[number];

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
}

/** Elements of one scope, as blocks of the model. */
export interface ClickGraph {
  readonly elements: NativeElement[];
  readonly links: NativeLink[];
  /** How many ports the scope itself has: those of `input` and `output`. */
  readonly inputs: number;
  readonly outputs: number;
  /** What each element was made of. */
  readonly declared: readonly Declared[];
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

class GraphBuilder {
  readonly devices: ClickDevice[] = [];
  readonly #known = new Set<string>();
  readonly #growth: Growth = { characters: 0 };
  #parts = 0;
  #elements = 0;

  get tooMany(): boolean {
    return this.#elements > dialectLimits.clickElements;
  }

  scope(scope: Scope, outer: Bindings, depth: number): ClickGraph {
    const names = new Names();
    const labels = new Map<string, string>();
    /** Groups, and at the top `input` and `output` that nobody declared: ports instead of elements. */
    const pseudo = new Map<string, string>();
    const elements: NativeElement[] = [];
    const declarations: Declared[] = [];
    const used = portsUsed(scope.connections);
    for (const { declared, given, inside } of instances(scope, outer, this.#growth)) {
      const { name, className, anonymous, place } = declared;
      this.#parts += 1 + (inside?.overload.scope.connections.length ?? 0);
      if (this.#parts > clickLimits.parts)
        throw new ClickMistake('limit', place, `more than ${clickLimits.parts} elements and connections`);
      if (inside === undefined && depth === 0 && anonymous && (className === INPUT || className === OUTPUT)) {
        pseudo.set(name, className);
        continue;
      }
      if (declared.compound?.name === '()') {
        pseudo.set(name, '()');
        continue;
      }
      const inner =
        inside === undefined ? undefined : this.scope(inside.overload.scope, inside.bindings, depth + 1);
      const counts = used.get(name) ?? { inputs: 0, outputs: 0 };
      const ports = portList(Math.max(counts.inputs, inner?.inputs ?? 0), Math.max(counts.outputs, inner?.outputs ?? 0));
      if (inside === undefined && deviceClasses.has(className) && given[0] !== undefined) {
        const device = DEVICE_NAME.exec(given[0].text)?.[1]?.trim() ?? given[0].text;
        if (!this.#known.has(device)) this.devices.push({ name: device, declared });
        this.#known.add(device);
        if (depth === 0) ports.push({ name: DEVICE });
      }
      this.#elements += 1;
      if (this.tooMany || depth >= DEPTH_MAX) continue;
      const label = names.fresh(name);
      labels.set(name, label);
      declarations.push(declared);
      elements.push(elementOf(declared, label, ports, inner, inside?.overload.formals));
    }
    const edges = pseudo.size === 0 ? scope.connections : withoutGroups(scope.connections, pseudo);
    const [own, links] = linksOf(edges, labels);
    return { elements, links, ...own, declared: declarations };
  }
}

type Formals = readonly { readonly name: string; readonly keyword?: string }[];

function elementOf(
  { name, className, compound, configuration }: Declared,
  label: string,
  ports: { name: string }[],
  inner: ClickGraph | undefined,
  formals: Formals = [],
): NativeElement {
  const parameters = formals.map((one) => `${one.keyword === undefined ? '' : `${one.keyword} `}$${one.name}`);
  const said: CarriedElement = {
    ...renamed(name, label),
    ...(compound !== undefined && className === '' ? {} : { class: className }),
    ...(configuration.written ? { configuration: configuration.text } : {}),
    ...(parameters.length === 0 ? {} : { parameters: parameters.join(', ') }),
  };
  return {
    name: label,
    ...(ports.length === 0 ? {} : { ports }),
    ...(inner === undefined || inner.elements.length === 0 ? {} : { elements: inner.elements }),
    ...(inner === undefined || inner.links.length === 0 ? {} : { links: inner.links }),
    carried: { click: said },
  };
}

export function portList(inputs: number, outputs: number): { name: string }[] {
  return [
    ...Array.from({ length: inputs }, (_, i) => ({ name: `in${i}` })),
    ...Array.from({ length: outputs }, (_, i) => ({ name: `out${i}` })),
  ];
}

/** Links between labels, and how many ports the scope itself has. */
function linksOf(
  edges: readonly Edge[],
  labels: ReadonlyMap<string, string>,
): readonly [{ readonly inputs: number; readonly outputs: number }, NativeLink[]] {
  const links: NativeLink[] = [];
  let [inputs, outputs] = [0, 0];
  for (const { from, fromPort, to, toPort } of edges) {
    if (from === INPUT) inputs = Math.max(inputs, fromPort + 1);
    if (to === OUTPUT) outputs = Math.max(outputs, toPort + 1);
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
  return [{ inputs, outputs }, links];
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
        waiting.push(...(onward.get(key) ?? []));
      }
    }
    return found;
  });
}
