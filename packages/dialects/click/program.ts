import { append } from '@superfluidity/core';
import { type ClickFile, ClickMistake, type Declared, parseClick } from '@superfluidity/click';
import type { Block, Service } from '@superfluidity/model';
import { configurationOf, sameClass, sameElement, sameInside, type Shape, shapeOf, shapeOfGraph } from './compare.ts';
import { FreeNames } from '../free-names.ts';
import { DEVICE, graphOf, type UnitGraph, unitGraph } from './graph.ts';

interface Parsed {
  readonly text: string;
  readonly file: ClickFile;
  readonly graph: UnitGraph;
  /** What each element at the top was made of, by its name in the graph. */
  readonly declared: ReadonlyMap<string, Declared>;
}

/** Files that a program requires, by their paths. */
export type Libraries = Readonly<Record<string, string>>;

function parsed(text: string, libraries: Libraries): Parsed | undefined {
  const library = (name: string) => {
    const path = Object.keys(libraries).find((one) => one === name || one.endsWith(`/${name}`));
    return path === undefined ? undefined : { path: `library ${path}`, text: libraries[path]! };
  };
  try {
    const file = parseClick('program', text, { library });
    const whole = graphOf(file.scope);
    const graph = unitGraph(whole, 'program');
    return { text, file, graph, declared: new Map(graph.elements.map(({ name }, i) => [name, whole.declared[i]!])) };
  } catch (error) {
    if (error instanceof ClickMistake) return undefined;
    throw error;
  }
}

/**
 * The program of a Click unit, with what was changed in its elements and links since they were read from it. Where nothing
 * was, or no elements are told, it is the program as it stands. Where arguments were, they alone are changed in the text.
 * Else the connections are written anew, one in a line, behind the declarations; comments stay before what they stood before.
 */
export function clickProgram(unit: Block, libraries: Libraries = {}): string {
  return settled(unit, libraries).program;
}

/** The same with the graph of that program, which is undefined where it cannot be read. */
export function settled(
  unit: Block,
  libraries: Libraries,
): { readonly program: string; readonly graph: UnitGraph | undefined; readonly isChanged: boolean } {
  const program = unit.execution?.program ?? '';
  const before = parsed(program, libraries);
  const same = { program, graph: before?.graph, isChanged: false };
  if (unit.children.length === 0) return same;
  const wanted = shapeOf(unit);
  const had = before === undefined ? undefined : shapeOfGraph(before.graph);
  if (had !== undefined && sameInside(wanted, had)) return same;
  const changed =
    before === undefined || had === undefined
      ? new Writer(wanted).text()
      : (patched(before, wanted, had) ?? new Writer(wanted, before, had).text());
  return { program: changed, graph: parsed(changed, libraries)?.graph, isChanged: true };
}

/** Files that configurations require, as the service carries them. */
export function librariesOf({ carried }: Block): Libraries {
  const texts = (carried?.['click'] as { readonly libraries?: unknown } | undefined)?.libraries;
  if (texts === null || typeof texts !== 'object') return {};
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => typeof text === 'string')) as Libraries;
}

/** The service with programs that say what is said in their elements, for dialects that have words for programs alone. */
export function withPrograms(service: Service): Service {
  const libraries = librariesOf(service.block);
  const settle = (block: Block): Block => {
    const { execution } = block;
    const isTold = execution?.environment === 'click' && block.children.some(({ carried }) => carried?.['click']);
    if (isTold) return { ...block, execution: { ...execution, program: clickProgram(block, libraries) } };
    return block.children.some(({ kind }) => kind !== 'element')
      ? { ...block, children: block.children.map(settle) }
      : block;
  };
  return { ...service, block: settle(service.block) };
}

/** The unit with the elements, links and ports inside that its program comes to, for whoever draws it. */
export function withElements(unit: Block, libraries: Libraries = {}): Block {
  const graph = unit.children.length > 0 ? undefined : parsed(unit.execution?.program ?? '', libraries)?.graph;
  if (graph === undefined) return unit;
  const known = new Set(unit.ports.map(({ name }) => name));
  const links = graph.links.filter(({ ends }) => ends.every((end) => end.includes('.') || known.has(end)));
  return { ...unit, children: graph.elements, links: [...unit.links, ...links] };
}

/** Where arguments and classes at the top alone are others. */
function patched({ text, declared }: Parsed, wanted: Shape, had: Shape): string | undefined {
  const isSameGraph =
    wanted.inner.length === had.inner.length &&
    wanted.links.join('\n') === had.links.join('\n') &&
    wanted.inner.every((one, i) => one.name === had.inner[i]!.name && sameInside(one, had.inner[i]!));
  if (!isSameGraph) return undefined;
  const edits: { readonly from: number; readonly to: number; readonly put: string }[] = [];
  for (const [i, one] of wanted.inner.entries()) {
    const old = had.inner[i]!;
    if (sameElement(one, old)) continue;
    const { configuration, classAt, place, anonymous } = declared.get(one.name)!;
    // What several elements share, or a library says, is not changed for one of them.
    const isOwn = classAt !== undefined && place.path === 'program' && configuration.place.path === 'program';
    if (!isOwn || !sameParameters(one, old)) return undefined;
    if (one.said.class !== old.said.class) {
      // Without a name of its own it is called after its class.
      if (anonymous) return undefined;
      const word = /[\w@$/]+/y;
      word.lastIndex = classAt;
      const [written] = word.exec(text) ?? [];
      if (written === undefined || one.said.class === undefined || !CLASS.test(one.said.class)) return undefined;
      edits.push({ from: classAt, to: classAt + written.length, put: one.said.class });
    }
    if (configurationOf(one) === configurationOf(old)) continue;
    const put = one.said.configuration ?? '';
    if (!isClosed(put)) return undefined;
    const from = configuration.place.offset;
    edits.push({ from, to: from + configuration.text.length, put: configuration.written ? put : `(${put})` });
  }
  const shared = new Set(edits.map(({ from }) => from));
  const users = [...declared.values()].filter(({ configuration }) => shared.has(configuration.place.offset));
  if (users.length > edits.length) return undefined;
  let patchedText = text;
  for (const { from, to, put } of edits.toSorted((a, b) => b.from - a.from))
    patchedText = patchedText.slice(0, from) + put + patchedText.slice(to);
  return patchedText;
}

const CLASS = /^[A-Za-z_][\w@/]*$/;

function sameParameters(a: Shape, b: Shape): boolean {
  return a.said.parameters === b.said.parameters;
}

/** Whether a text between parentheses ends where it seems to. */
function isClosed(configuration: string): boolean {
  try {
    const { scope } = parseClick('arguments', `x :: X(${configuration}); y :: Y`);
    return scope.elements.size === 2 && scope.elements.get('x')?.configuration.text === configuration;
  } catch {
    return false;
  }
}

const RESERVED = new Set([
  'input',
  'output',
  'elementclass',
  'define',
  'require',
  'provide',
  'connectiontunnel',
  'true',
  'false',
]);

/** Writes a configuration from its elements, with what of the old one is neither element nor connection. */
class Writer {
  readonly #wanted: Shape;
  readonly #before: Parsed | undefined;
  readonly #had: Shape | undefined;
  /** Compound elements of the old configuration, by class. */
  readonly #classes = new Map<string, Shape[]>();

  constructor(wanted: Shape, before?: Parsed, had?: Shape) {
    this.#wanted = wanted;
    this.#before = before;
    this.#had = had;
    for (const element of had?.inner ?? []) {
      const { class: name } = element.said;
      if (name === undefined || element.inner.length === 0) continue;
      this.#classes.set(name, [...(this.#classes.get(name) ?? []), element]);
    }
  }

  text(): string {
    const names = identifiers(this.#wanted.inner, this.#had);
    const waiting = new Map(this.#wanted.inner.map((element) => [element.name, element]));
    const lines = [...this.#statements(names, waiting)];
    for (const element of waiting.values()) lines.push(`${this.#declaration(element, names, true)};`);
    append(lines, connectionLines(this.#wanted, names));
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }

  /** The statements of the old configuration, each with the comments before it, without their connections. */
  *#statements(names: ReadonlyMap<string, string>, waiting: Map<string, Shape>): Generator<string> {
    if (this.#before === undefined) return;
    const { text, file, declared } = this.#before;
    const labels = new Map([...declared].map(([label, { name }]) => [name, label]));
    const comments = [...file.comments];
    for (const { kind, from, to, elements } of file.statements) {
      const newline = text.indexOf('\n', to);
      while (comments[0] !== undefined && comments[0][0] < (newline < 0 ? text.length : newline)) {
        const [begin, end] = comments.shift()!;
        // Those inside of what is kept are kept with it.
        if (kind === 'chain' || begin < from || begin >= to) yield text.slice(begin, end);
      }
      if (kind !== 'chain') yield text.slice(from, to).replace(/;?$/, kind === 'class' ? '' : ';');
      for (const name of elements) {
        const label = labels.get(name);
        const element = label === undefined ? undefined : waiting.get(label);
        if (element === undefined) continue;
        waiting.delete(label!);
        yield `${this.#declaration(element, names, true)};`;
      }
    }
    for (const [begin, end] of comments) yield text.slice(begin, end);
  }

  #declaration(element: Shape, names: ReadonlyMap<string, string>, isTop: boolean): string {
    const written = element.said.configuration;
    const configuration = written === undefined ? '' : `(${isClosed(written) ? written : ''})`;
    return `${names.get(element.name)!} :: ${this.#class(element, isTop)}${configuration}`;
  }

  /** Whether a class that is this element's serves for that too: of several forms, the ports that are used choose one. */
  #isLike(element: Shape, one: Shape): boolean {
    const forms = this.#before?.declared.get(one.name)?.compound?.overloads.length ?? 1;
    const isFitting = forms === 1 || portsOf(this.#wanted, element.name) === portsOf(this.#had!, one.name);
    return isFitting && sameClass(one, element) && sameInside(one, element);
  }

  /** The class by its name, or where the inside is not that of the class, between braces. */
  #class(element: Shape, isTop: boolean): string {
    const { class: name, parameters } = element.said;
    const isKnown = name !== undefined && CLASS.test(name);
    const like = isTop && isKnown ? this.#classes.get(name) : undefined;
    const isClass = like?.some((one) => this.#isLike(element, one)) ?? false;
    if (isKnown && (element.inner.length === 0 || isClass)) return name;
    if (element.inner.length === 0 && element.links.length === 0) return 'Null';
    const names = identifiers(element.inner);
    const inside = [
      ...element.inner.map((one) => `${this.#declaration(one, names, false)};`),
      ...connectionLines(element, names),
    ];
    const head = parameters === undefined || !PARAMETERS.test(parameters) ? '{' : `{ ${parameters} |`;
    return [head, ...inside.map((line) => `  ${line.replaceAll('\n', '\n  ')}`), '}'].join('\n');
  }
}

/** Ports of an element to which something around it is linked. */
function portsOf({ links }: Shape, name: string): string {
  const ends = links.flatMap((link) => link.split(' ')).filter((end) => end.startsWith(`${name}.`));
  return [...new Set(ends.map((end) => end.slice(name.length)))].toSorted().join(' ');
}

const PARAMETERS = /^(?:\w+ )?\$\w+(?:, (?:\w+ )?\$\w+)*$/;

/** Names by which elements are declared: as they were written where that can be. What had none gets one. */
function identifiers(elements: readonly Shape[], had?: Shape): ReadonlyMap<string, string> {
  const classes = [...(had?.inner ?? []), ...elements].flatMap(({ said }) => said.class ?? []);
  const names = new FreeNames([...RESERVED, ...classes]);
  return new Map(
    elements.map(({ name, said }) => {
      const base = (said.id ?? name)
        .replace(/[^\w/]/g, '_')
        .replaceAll('/', '_')
        .replace(/^(?![A-Za-z_])/, '_');
      return [name, names.claim(base, (n) => `${base}_${n}`)];
    }),
  );
}

function connectionLines({ links }: Shape, names: ReadonlyMap<string, string>): readonly string[] {
  return links.flatMap((link) => {
    const [from, to, ...more] = link.split(' ').map((end) => endOf(end, names));
    if (from?.isSource !== true || to?.isSource !== false || more.length > 0) return [];
    const [output, input] = [from.port === 0 ? '' : ` [${from.port}]`, to.port === 0 ? '' : `[${to.port}] `];
    return [`${from.name}${output} -> ${input}${to.name};`];
  });
}

interface End {
  readonly name: string;
  readonly port: number;
  readonly isSource: boolean;
}

function endOf(end: string, names: ReadonlyMap<string, string>): End | undefined {
  const dot = end.indexOf('.');
  const [, side, digits] = /^(in|out)(\d{1,5})$/.exec(end.slice(dot + 1)) ?? [];
  if (side === undefined || end.slice(dot + 1) === DEVICE) return undefined;
  const port = Number(digits);
  if (dot < 0) return { name: side === 'in' ? 'input' : 'output', port, isSource: side === 'in' };
  const name = names.get(end.slice(0, dot));
  return name === undefined ? undefined : { name, port, isSource: side === 'out' };
}
