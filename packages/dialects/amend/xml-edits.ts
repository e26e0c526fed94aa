import { isScalar, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isGroup } from '../groups.ts';
import { leafText, xmlElements, type XmlScope } from '../sol006/write-xml.ts';
import type { XmlPlace } from '../sol006/xml.ts';
import type { XmlElement } from '../xml-text.ts';
import { type Edits, Entangled, type Entry, type ItemChanges, TextChanges } from './splice.ts';

/** Nodes that an XML descriptor would have as YAML, so that both are merged alike. */
export class XmlNodes {
  readonly root: Node;
  readonly #places = new Map<Node | Entry, XmlPlace>();

  constructor(value: unknown, place: XmlPlace) {
    this.root = this.#node(value, place);
  }

  placeOf(node: Node | Entry): XmlPlace {
    const place = this.#places.get(node);
    if (place === undefined) throw new Entangled('it is not there');
    return place;
  }

  #node(value: unknown, place: XmlPlace): Node {
    let node: Node;
    if (Array.isArray(value)) {
      const list = new YAMLSeq<Node>();
      list.items = value.map((item, i) => this.#node(item, place.inner.get(i)!));
      node = list;
    } else if (isGroup(value)) {
      const map = new YAMLMap<Node, Node>();
      for (const [name, inner] of Object.entries(value)) {
        const here = place.inner.get(name)!;
        const pair = new Pair<Node, Node>(new Scalar(name), this.#node(inner, here));
        this.#places.set(pair, here);
        map.items.push(pair);
      }
      node = map;
    } else node = new Scalar(value);
    this.#places.set(node, place);
    return node;
  }
}

/** Changes of an XML text: each element that comes or goes has lines of its own, where its neighbours have. */
export class XmlEdits implements Edits {
  readonly #text: string;
  readonly #nodes: XmlNodes;
  readonly #changes: TextChanges;
  readonly #indent: string;

  constructor(text: string, nodes: XmlNodes) {
    this.#text = text;
    this.#nodes = nodes;
    this.#changes = new TextChanges(text);
    this.#indent = /^([ \t]+)</m.exec(text)?.[1] ?? '  ';
  }

  get isEmpty(): boolean {
    return this.#changes.isEmpty;
  }

  result(): string {
    return this.#changes.result();
  }

  renameKey(): void {
    throw new Entangled('an element cannot be called otherwise');
  }

  replace(owner: Entry | Node, value: unknown): void {
    const elements = this.#elementsOf(owner);
    const [first, ...others] = elements;
    if (first === undefined) throw new Entangled('it is not there');
    const node = 'key' in owner ? owner.value : owner;
    const place = this.#nodes.placeOf(owner);
    if (isScalar(node) && !isGroup(value) && !Array.isArray(value)) return this.#leaf(first, value, place.path);
    const { name } = first;
    const list = 'key' in owner || !Array.isArray(value) ? value : [value];
    const text = this.#written(first, name, list, place.path.slice(0, -1)).join(this.#between(first));
    this.#changes.put(first.span.from, first.span.to, text.trimStart());
    for (const element of others) this.#remove(element);
  }

  map(map: YAMLMap, { gone, added }: ItemChanges): void {
    const entries = map.items as Entry[];
    for (const place of gone) for (const element of this.#elementsOf(entries[place]!)) this.#remove(element);
    for (const { after, name, value } of added) {
      const elements = this.#elementsOf(entries[Math.max(0, after)]!);
      const beside = after < 0 ? elements[0]! : elements.at(-1)!;
      const { path } = this.#nodes.placeOf(entries[Math.max(0, after)]!);
      this.#add(beside, after >= 0, this.#written(beside, name!, value, path.slice(0, -1)));
    }
  }

  list(list: YAMLSeq, { gone, added }: ItemChanges): void {
    const items = list.items as Node[];
    for (const place of gone) this.#remove(this.#elementsOf(items[place]!)[0]!);
    for (const { after, value } of added) {
      const item = items[Math.max(0, after)]!;
      const [beside] = this.#elementsOf(item) as [XmlElement];
      const { path } = this.#nodes.placeOf(item);
      this.#add(beside, after >= 0, this.#written(beside, beside.name, [value], path.slice(0, -1)));
    }
  }

  /** Of a list all its items, which may stand between others. */
  #elementsOf(owner: Entry | Node): readonly XmlElement[] {
    const { element, inner } = this.#nodes.placeOf(owner);
    if (element !== undefined) return [element];
    return [...inner.values()].flatMap((one) => one.element ?? []);
  }

  #leaf(element: XmlElement, value: unknown, path: readonly string[]): void {
    const [from, to] = element.span.inner;
    const { text, declared } = leafText(value, path, element);
    if (from === to || declared !== '' || element.children.length > 0) {
      const [line] = this.#written(element, element.name, value, path.slice(0, -1)) as [string];
      return this.#changes.put(element.span.from, element.span.to, line.trimStart());
    }
    const before = this.#text.slice(from, to);
    if (before.includes('<')) throw new Entangled('there is a comment in it');
    const [margin] = /^\s*/.exec(before)!;
    this.#changes.put(from + margin.length, from + margin.length + before.trim().length, text);
  }

  #written(beside: XmlElement, name: string, value: unknown, path: readonly string[]): readonly string[] {
    const { prefix, prefixes, span } = beside;
    const scope: XmlScope = { prefix, prefixes, indent: this.#indent };
    return xmlElements(name, value, path, this.#marginAt(span.from) ?? '', scope);
  }

  #add(beside: XmlElement, isBehind: boolean, lines: readonly string[]): void {
    const gap = this.#between(beside);
    const text = lines.join(gap);
    const { from, to } = beside.span;
    if (!isBehind) return this.#changes.put(from, from, `${text.trimStart()}${gap}${this.#marginAt(from) ?? ''}`);
    // A comment behind it in its line is about it.
    const at = gap === '' ? to : this.#lineEnd(to);
    this.#changes.put(at, at, `${gap}${text}`);
  }

  #remove({ span }: XmlElement): void {
    const isOwn =
      this.#marginAt(span.from) !== undefined &&
      /^[ \t]*(?:<!--[^\n]*-->[ \t]*)?(?:\r?\n|$)/.test(this.#text.slice(span.to, span.to + 400));
    if (!isOwn) return this.#changes.put(span.from, span.to, '');
    const from = this.#text.lastIndexOf('\n', span.from - 1) + 1;
    const end = this.#text.indexOf('\n', span.to);
    this.#changes.put(from, end === -1 ? this.#text.length : end + 1, '');
  }

  #between({ span }: XmlElement): string {
    return this.#marginAt(span.from) === undefined ? '' : '\n';
  }

  /** White space before what begins a line. */
  #marginAt(offset: number): string | undefined {
    const line = this.#text.slice(this.#text.lastIndexOf('\n', offset - 1) + 1, offset);
    return line.trim() === '' ? line : undefined;
  }

  /** The end of the line, where nothing but a comment follows in it. */
  #lineEnd(offset: number): number {
    const rest = /^[ \t]*<!--[^\n]*-->(?=[ \t]*\r?(?:\n|$))/.exec(this.#text.slice(offset));
    return offset + (rest?.[0].length ?? 0);
  }
}
