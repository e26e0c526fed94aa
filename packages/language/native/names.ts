import { isScalar, type Node, type Scalar } from 'yaml';
import type { LanguageDocument, Span } from '../document.ts';
import type { Name, NameSymbol } from '../names.ts';
import { definedAt, roleAt, type Role } from './roles.ts';
import { hasAt, leavesOf, lengthAt, lettersOf, nodeAt, type Path, textAt, treeOf } from '../yaml/tree.ts';

/** Names of a native descriptor: what its lists define, and what refers to that. */
export function nativeNames(document: LanguageDocument): readonly Name[] {
  return new Naming(document).names();
}

/** A function, unit or element, with what is in it. */
interface Place {
  readonly symbol: NameSymbol;
  readonly children: Map<string, Place>;
  readonly ports: Map<string, NameSymbol>;
}

/** A word of a text, with the offset of its first letter in that. */
interface Word {
  readonly text: string;
  readonly at: number;
}

/** What a formula calls by name: `at x`, `port == x`, `port in {x, y}`. */
const FORMULA_PLACES = /\bat\s+([\w/.-]+)|\bport\s*(?:==|!=|=)\s*([\w/.-]+)|\bport\s+(?:not\s+)?in\s*\{([^}]*)\}/g;

class Naming {
  readonly #text: string;
  readonly #root: Node | null;
  readonly #symbols = new Map<string, NameSymbol>();
  readonly #functions = new Map<string, Place>();
  /** Blocks by where they are written: what a link names is inside of one. */
  readonly #places = new Map<string, Place>();
  readonly #names: Name[] = [];

  constructor(document: LanguageDocument) {
    this.#text = document.text;
    this.#root = treeOf(document);
  }

  names(): readonly Name[] {
    this.#lists();
    const functions = ['service', 'functions'];
    for (let i = 0; i < lengthAt(this.#root, functions); i += 1) this.#function([...functions, i]);
    const top: Place = { symbol: { kind: 'service', name: '' }, children: this.#functions, ports: new Map() };
    this.#places.set(keyOf(['service']), top);
    this.#ports(['service'], top);
    for (const { path, isKey, node } of leavesOf(this.#root)) {
      if (isKey || typeof node.value !== 'string') continue;
      const role = roleAt(path);
      if (role !== undefined) this.#reference(role, path, node);
      else if (definedAt(path) === 'link')
        this.#definition(node, this.#symbol(`link ${keyOf(path)}`, 'link', node.value));
    }
    return this.#names;
  }

  /** Things of the service that are no blocks. */
  #lists(): void {
    for (const list of ['networks', 'chains', 'balancers', 'policies']) {
      const path = ['service', list];
      for (let i = 0; i < lengthAt(this.#root, path); i += 1) {
        const node = nodeAt(this.#root, [...path, i, 'name']);
        const kind = definedAt([...path, i, 'name'])!;
        if (!isScalar(node) || typeof node.value !== 'string') continue;
        const detail = textAt(this.#root, [...path, i, kind === 'network' ? 'prefix' : 'address']);
        this.#definition(node, this.#symbol(`${kind} ${node.value}`, kind, node.value, detail));
      }
    }
  }

  #function(path: Path): void {
    const place = this.#place(path, 'function', '', this.#functions);
    if (place === undefined) return;
    if (hasAt(this.#root, [...path, 'units'])) {
      this.#children(path, place, `${place.symbol.name}`);
      this.#ports(path, place);
      return;
    }
    // Written as its only unit, it is both: what the unit has is what it has.
    place.children.set(place.symbol.name, place);
    this.#inside(path, place, place.symbol.name);
  }

  #children(path: Path, place: Place, above: string): void {
    for (const list of ['units', 'elements'] as const) {
      for (let i = 0; i < lengthAt(this.#root, [...path, list]); i += 1) {
        const at = [...path, list, i];
        const child = this.#place(at, list === 'units' ? 'unit' : 'element', above, place.children);
        if (child !== undefined) this.#inside(at, child, `${above}/${child.symbol.name}`);
      }
    }
  }

  #inside(path: Path, place: Place, above: string): void {
    this.#ports(path, place);
    this.#children(path, place, above);
  }

  /** A block with a name, among others; of two with one name, the first is meant by who names it. */
  #place(path: Path, kind: string, above: string, among: Map<string, Place>): Place | undefined {
    const node = nodeAt(this.#root, [...path, 'name']);
    if (!isScalar(node) || typeof node.value !== 'string') return undefined;
    const environment = textAt(this.#root, [...path, 'environment']);
    const known = among.get(node.value);
    const symbol = known?.symbol ?? this.#symbol(`block ${above}/${node.value}`, kind, node.value, environment);
    this.#definition(node, symbol);
    const place = known ?? { symbol, children: new Map(), ports: new Map() };
    if (known === undefined) among.set(node.value, place);
    this.#places.set(keyOf(path), place);
    return place;
  }

  #ports(path: Path, place: Place): void {
    const list = [...path, 'ports'];
    for (let i = 0; i < lengthAt(this.#root, list); i += 1) {
      const item = nodeAt(this.#root, [...list, i]);
      if (isScalar(item)) {
        // The name of a network alone: the port is called by its place in the list.
        const span = lettersOf(item, this.#text);
        const name = `eth${i}`;
        if (span === undefined || place.ports.has(name)) continue;
        const detail = `on ${String(item.value)}`;
        place.ports.set(name, { kind: 'port', name, detail, place: { from: span.from, to: span.to } });
        continue;
      }
      const node = nodeAt(this.#root, [...list, i, 'name']);
      if (!isScalar(node) || typeof node.value !== 'string') continue;
      const network = textAt(this.#root, [...list, i, 'network']);
      const symbol = place.ports.get(node.value) ?? {
        kind: 'port',
        name: node.value,
        ...(network === undefined ? {} : { detail: `on ${network}` }),
      };
      place.ports.set(node.value, symbol);
      this.#definition(node, symbol);
    }
  }

  #reference(role: Role, path: Path, node: Scalar): void {
    const value = node.value as string;
    if (role === 'formula') return this.#formula(node);
    const letters = lettersOf(node, this.#text);
    if (letters === undefined) return;
    const whole = { text: value, at: letters.from };
    switch (role) {
      case 'network':
        return this.#refer('network', whole, this.#symbols.get(`network ${value}`), letters.isPlain);
      case 'chain':
        return this.#refer('chain', whole, this.#symbols.get(`chain ${value}`), letters.isPlain);
      case 'end':
        return this.#end(path, whole, letters.isPlain);
      case 'place':
        return this.#placeName(whole, letters.isPlain);
      default:
        if (path.at(-1) === 'parent' && value === 'none') return;
        return this.#path(whole, letters.isPlain, role === 'hop');
    }
  }

  /** In policies, a function is meant before a network of the same name. */
  #placeName(word: Word, isPlain: boolean): void {
    const network = this.#symbols.get(`network ${word.text}`);
    const isNetwork = network !== undefined && !this.#functions.has(word.text);
    if (isNetwork) this.#refer('network', word, network, isPlain);
    else this.#path(word, isPlain, false);
  }

  /** `function/unit.port`: each step is a name of its own. The function alone is its only unit. */
  #path({ text, at }: Word, isWholePlain: boolean, withPort: boolean): void {
    const dot = withPort ? text.indexOf('.') : -1;
    const steps = (dot < 0 ? text : text.slice(0, dot)).split('/');
    let among: ReadonlyMap<string, Place> | undefined = this.#functions;
    let place: Place | undefined;
    let from = at;
    for (const [i, step] of steps.entries()) {
      place = among?.get(step);
      // Alone it is all of the value, and may need quotes.
      const isPlain = isWholePlain && steps.length === 1 && dot < 0;
      this.#refer(i === 0 ? 'function' : 'unit', { text: step, at: from }, place?.symbol, isPlain);
      among = place?.children;
      from += step.length + 1;
    }
    if (dot < 0) return;
    const [only, ...others] = place === undefined || steps.length > 1 ? [] : place.children.values();
    const unit = only !== undefined && others.length === 0 ? only : place;
    const port = text.slice(dot + 1);
    this.#refer('port', { text: port, at: at + dot + 1 }, unit?.ports.get(port), false);
  }

  /** `child.port`, or `port` of the block whose link it is. */
  #end(path: Path, { text, at }: Word, isPlain: boolean): void {
    const place = this.#places.get(keyOf(path.slice(0, -4)));
    const dot = text.indexOf('.');
    if (dot < 0) return this.#refer('port', { text, at }, place?.ports.get(text), isPlain);
    const child = place?.children.get(text.slice(0, dot));
    this.#refer('unit', { text: text.slice(0, dot), at }, child?.symbol, false);
    const port = text.slice(dot + 1);
    this.#refer('port', { text: port, at: at + dot + 1 }, child?.ports.get(port), false);
  }

  /** Where the words of a formula stand is seen in the source: they are in no other form there. */
  #formula({ range }: Scalar): void {
    if (range === null || range === undefined) return;
    const source = this.#text.slice(range[0], range[1]);
    for (const found of source.matchAll(FORMULA_PLACES)) {
      const [, at, is, among] = found;
      const list = at ?? is ?? among!;
      const start = range[0] + found.index + found[0].lastIndexOf(list);
      for (const word of list.matchAll(/[\w/.-]+/g)) this.#placeName({ text: word[0], at: start + word.index }, false);
    }
  }

  #definition(node: Scalar, symbol: NameSymbol): void {
    const letters = lettersOf(node, this.#text);
    if (letters === undefined) return;
    const { name, kind } = symbol;
    this.#names.push({
      ...spanOf(letters),
      kind,
      name,
      symbol,
      isDefinition: true,
      ...(letters.isPlain ? { write: plain } : {}),
    });
  }

  #refer(kind: string, { text, at }: Word, symbol: NameSymbol | undefined, isPlain: boolean): void {
    this.#names.push({
      from: at,
      to: at + text.length,
      kind: symbol?.kind ?? kind,
      name: text,
      isDefinition: false,
      ...(symbol === undefined ? {} : { symbol }),
      ...(isPlain ? { write: plain } : {}),
    });
  }

  #symbol(key: string, kind: string, name: string, detail?: string): NameSymbol {
    const symbol = this.#symbols.get(key) ?? { kind, name, ...(detail === undefined ? {} : { detail }) };
    this.#symbols.set(key, symbol);
    return symbol;
  }
}

const keyOf = (path: Path) => path.join('\0');
const spanOf = ({ from, to }: Span): Span => ({ from, to });

/** A name that YAML takes for something else than text needs quotes. */
function plain(name: string): string {
  return /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(name)
    ? name
    : `"${name}"`;
}
