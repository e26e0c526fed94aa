import { splitArguments, substitute, type Bindings, type RawConfiguration } from './arguments.ts';
import type { ClickArgument, ClickConfiguration, ClickConnection, ClickElement, ClickSource } from './configuration.ts';
import { Growth } from './growth.ts';
import { ClickMistake, unusable } from './mistake.ts';
import { type CompoundClass, type Declared, type Edge, INPUT, OUTPUT, type Overload, type Scope } from './syntax.ts';
import type { ClickPlace } from './tokens.ts';

/** What following a connection through a compound counts, of a connection. */
const STEP = 0.1;
/** What an argument, or a value that is looked up, counts beside its characters. */
const ENTRY = 16;

/** Takes compound elements apart: their elements get the name of the outer one before theirs. */
export function expand(scope: Scope): ClickConfiguration {
  const expansion = new Expansion();
  expansion.scope(scope, '', new Map());
  return { elements: expansion.elements, connections: expansion.connections() };
}

class Expansion {
  readonly elements: ClickElement[] = [];
  readonly #edges: Edge[] = [];
  readonly #growth = new Growth();
  /** Ports of compound elements: packets go through them from port to the same port. */
  readonly #pseudo = new Set<string>();

  scope(scope: Scope, prefix: string, outer: Bindings): void {
    for (const name of [INPUT, OUTPUT]) if (prefix !== '') this.#pseudo.add(prefix + name);
    const compounds = new Set<string>();
    for (const { declared, given, inside } of instances(scope, outer, this.#growth)) {
      const { className, place } = declared;
      const name = prefix + declared.name;
      if (prefix !== '') this.#growth.characters(name.length, place);
      if (inside === undefined) {
        this.elements.push({ name, className, arguments: given, source: sourceOf(place) });
        continue;
      }
      compounds.add(declared.name);
      this.#growth.inside(place, () => this.scope(inside.overload.scope, `${name}/`, inside.bindings));
    }
    for (const { from, fromPort, to, toPort, place } of scope.connections) {
      const [source, target] = [
        compounds.has(from) ? `${from}/${OUTPUT}` : from,
        compounds.has(to) ? `${to}/${INPUT}` : to,
      ];
      const edge = { from: prefix + source, fromPort, to: prefix + target, toPort, place };
      if (prefix !== '') this.#growth.characters(edge.from.length + edge.to.length, place);
      this.#edges.push(edge);
    }
  }

  /** Connections between elements, with the ports of compound elements skipped. */
  connections(): ClickConnection[] {
    const onward = new Map<string, Edge[]>();
    for (const edge of this.#edges) {
      if (!this.#pseudo.has(edge.from)) continue;
      const key = `${edge.from} ${edge.fromPort}`;
      const list = onward.get(key);
      if (list === undefined) onward.set(key, [edge]);
      else list.push(edge);
    }
    const found: ClickConnection[] = [];
    for (const edge of this.#edges) {
      if (this.#pseudo.has(edge.from)) continue;
      const source = sourceOf(edge.place);
      if (!this.#pseudo.has(edge.to)) {
        found.push({ from: edge.from, fromPort: edge.fromPort, to: edge.to, toPort: edge.toPort, source });
        continue;
      }
      const waiting = [edge];
      const seen = new Set<string>();
      for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
        // Long chains of empty compounds, from many elements.
        this.#growth.parts(STEP, edge.place);
        if (!this.#pseudo.has(at.to)) {
          found.push({ from: edge.from, fromPort: edge.fromPort, to: at.to, toPort: at.toPort, source });
          continue;
        }
        const key = `${at.to} ${at.toPort}`;
        this.#growth.characters(key.length, edge.place);
        if (seen.has(key)) continue;
        seen.add(key);
        for (const next of onward.get(key) ?? []) waiting.push(next);
      }
    }
    return found;
  }
}

function sourceOf({ file, line }: ClickPlace): ClickSource {
  return { file, line };
}

/** An element of a scope with its arguments, and what is inside where it is a compound one. */
export interface Instance {
  readonly declared: Declared;
  readonly given: readonly ClickArgument[];
  readonly inside?: { readonly overload: Overload; readonly bindings: Bindings };
}

/**
 * The elements of a scope, one level deep: values are put in for variables, and of each compound element the form that fits
 * is chosen. All of it counts as growth. Throws ClickMistake where no form fits, and for too much.
 */
export function* instances(scope: Scope, outer: Bindings, growth: Growth): Generator<Instance> {
  const bindings = scope.definitions.length === 0 ? outer : definedIn(scope, outer, growth);
  const used = portsUsed(scope.connections);
  for (const declared of scope.elements.values()) {
    const { configuration, compound, name, place } = declared;
    growth.parts(1, place);
    const given = configuration.text === '' ? [] : argumentsOf(configuration, bindings, growth);
    if (compound === undefined) {
      yield { declared, given };
      continue;
    }
    for (const { formals } of compound.overloads) growth.characters(ENTRY * (2 + formals.length + given.length), place);
    const { overload, values } = choose(declared, compound, given, used.get(name));
    growth.parts(overload.scope.connections.length, place);
    const isNew = bindings.size > 0 && values.size > 0;
    if (isNew) growth.characters(ENTRY * (bindings.size + values.size), place);
    const inner = isNew ? new Map([...bindings, ...values]) : bindings.size === 0 ? values : bindings;
    yield { declared, given, inside: { overload, bindings: inner } };
  }
}

/** Arguments with values for their variables. Those at the top are made once of what is written; all others count. */
function argumentsOf(configuration: RawConfiguration, bindings: Bindings, growth: Growth): readonly ClickArgument[] {
  const { place } = configuration;
  const text = substitute(configuration, bindings, growth);
  if (growth.isInside) growth.characters(text.length, place);
  const given = splitArguments({ text, place });
  if (growth.isInside) growth.characters(ENTRY * given.length, place);
  return given;
}

/** The values of variables in a scope: those around it, and its own. */
function definedIn(scope: Scope, outer: Bindings, growth: Growth): Bindings {
  growth.characters(ENTRY * outer.size, scope.definitions[0]!.place);
  const bindings = new Map(outer);
  for (const definition of scope.definitions) {
    const { place } = definition;
    for (const { text, line } of argumentsOf(definition, bindings, growth)) {
      const found = /^\$?(\w+)(?:\s+(.*))?$/s.exec(text);
      if (found === null) throw unusable({ ...place, line }, `"${text}" is not a name and a value`);
      bindings.set(found[1]!, found[2] ?? '');
    }
  }
  return bindings;
}

export interface PortCounts {
  inputs: number;
  outputs: number;
}

/** By the list of connections, since a compound may be taken apart a thousand times. */
const counted = new WeakMap<readonly Edge[], ReadonlyMap<string, PortCounts>>();

/** How many ports of each element the connections use: the highest number and one. */
export function portsUsed(edges: readonly Edge[]): ReadonlyMap<string, PortCounts> {
  const known = counted.get(edges);
  if (known !== undefined) return known;
  const used = new Map<string, PortCounts>();
  counted.set(edges, used);
  const of = (name: string) => {
    const counts = used.get(name) ?? { inputs: 0, outputs: 0 };
    used.set(name, counts);
    return counts;
  };
  for (const { from, fromPort, to, toPort } of edges) {
    const [source, target] = [of(from), of(to)];
    source.outputs = Math.max(source.outputs, fromPort + 1);
    target.inputs = Math.max(target.inputs, toPort + 1);
  }
  return used;
}

/** The overload with as many ports and parameters as are used; the only one, whatever is used of it. */
function choose(
  { name, place }: Declared,
  { overloads, name: className }: CompoundClass,
  given: readonly ClickArgument[],
  used: PortCounts = { inputs: 0, outputs: 0 },
): { readonly overload: Overload; readonly values: Bindings } {
  const fitting = overloads.flatMap((overload) => {
    const values = bind(overload, given);
    return values === undefined ? [] : [{ overload, values }];
  });
  const exact = fitting.filter(({ overload }) => {
    const inside = portsUsed(overload.scope.connections);
    return (inside.get(INPUT)?.outputs ?? 0) === used.inputs && (inside.get(OUTPUT)?.inputs ?? 0) === used.outputs;
  });
  const found = exact[0] ?? (overloads.length === 1 ? fitting[0] : undefined);
  if (found === undefined) {
    const what = className === '' ? 'the compound element' : className;
    throw new ClickMistake(
      'form',
      place,
      `${name}: no form of ${what} has ${used.inputs} inputs, ${used.outputs} outputs and takes ${given.length} arguments`,
    );
  }
  return found;
}

/** Arguments by position and by keyword; undefined when they do not fit. */
function bind({ formals }: Overload, given: readonly ClickArgument[]): Bindings | undefined {
  const values = new Map<string, string>();
  const positional: string[] = [];
  const rest: string[] = [];
  const keywords = new Map(formals.flatMap(({ name, keyword }) => (keyword === undefined ? [] : [[keyword, name]])));
  for (const { text } of given) {
    const [word = ''] = text.split(' ', 1);
    const keyword = word === '__REST__' ? undefined : keywords.get(word);
    if (keyword === undefined) positional.push(text);
    else values.set(keyword, text.slice(word.length).trim());
  }
  const places = formals.filter(({ keyword }) => keyword === undefined);
  for (const [index, text] of positional.entries()) {
    const place = places[index];
    if (place === undefined) rest.push(text);
    else values.set(place.name, text);
  }
  if (positional.length < places.length) return undefined;
  const restName = keywords.get('__REST__');
  if (restName !== undefined) values.set(restName, rest.join(', '));
  else if (rest.length > 0) return undefined;
  for (const { name } of formals) if (!values.has(name)) values.set(name, '');
  return values;
}
