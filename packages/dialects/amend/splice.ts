import { isMap, isSeq, type CST, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { blockText, endOf, endOfPair, flowText, type Layout, scalarText } from './layout.ts';

/** A part of a text, and what stands there instead. */
interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What becomes of the items of a list or the fields of a group, by their places. */
export interface ItemChanges {
  readonly gone: ReadonlySet<number>;
  /** Behind the item of that place; -1 is before all. In the order in which they are to stand. */
  readonly added: readonly { readonly after: number; readonly name?: string; readonly value: unknown }[];
}

/** What is to be changed is written in a way that cannot be changed by itself. */
export class Entangled extends Error {}

export type Entry = Pair<Node, Node | null>;

/** What can be done with a text, by the nodes that stand in it. */
export interface Edits {
  readonly isEmpty: boolean;
  result(): string;
  /** Another name of a field. */
  renameKey(entry: Entry, name: string): void;
  /** Another value of a field, or of an item of a list. */
  replace(owner: Entry | Node, value: unknown, isInFlow: boolean): void;
  /** Fields of a group that has some, and keeps some. */
  map(map: YAMLMap, changes: ItemChanges): void;
  /** Items of a list that has some, and keeps some. */
  list(list: YAMLSeq, changes: ItemChanges): void;
}

/** Changes of a text by the places in it, so that every other letter stays as it was written. */
export class TextChanges {
  readonly #text: string;
  readonly #splices: Splice[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  put(from: number, to: number, text: string): void {
    this.#splices.push({ from, to, text });
  }

  get isEmpty(): boolean {
    return this.#splices.length === 0;
  }

  result(): string {
    let [whole, end] = ['', 0];
    // Stable: what is added at one place stays in its order.
    for (const { from, to, text } of this.#splices.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
      if (from < end) throw new Entangled('changes lie over each other');
      whole += this.#text.slice(end, from) + text;
      end = to;
    }
    return whole + this.#text.slice(end);
  }
}

/** Changes of a YAML or JSON text. */
export class Splices implements Edits {
  readonly #text: string;
  readonly #layout: Layout;
  readonly #changes: TextChanges;

  constructor(text: string, layout: Layout) {
    this.#text = text;
    this.#layout = layout;
    this.#changes = new TextChanges(text);
  }

  get isEmpty(): boolean {
    return this.#changes.isEmpty;
  }

  result(): string {
    return this.#changes.result();
  }

  renameKey({ key }: Entry, name: string): void {
    const [from, to] = key.range!;
    this.#put(from, to, this.#layout.isJson ? JSON.stringify(name) : flowText(name, 0, false, this.#layout));
  }

  replace(owner: Entry | Node, value: unknown, isInFlow: boolean): void {
    const isPair = 'key' in owner;
    const node = isPair ? owner.value : owner;
    if (node?.range !== null && node?.range !== undefined) {
      const [from, to] = node.range;
      if ('value' in node && !isMap(node) && !isSeq(node)) {
        const text = scalarText(value, node as never, this.#text.slice(from, to), this.#layout);
        if (text !== undefined) return this.#put(from, to, text);
      }
      const isFlow = isInFlow || ((isMap(node) || isSeq(node)) && node.flow === true && !isLarge(value));
      if (isFlow) {
        const isLong = this.#isLong(from, to) || (this.#layout.isJson && isLarge(value));
        return this.#put(from, to, flowText(value, this.#indentAt(from), isLong, this.#layout));
      }
    }
    if (isPair) {
      const from = owner.key.range![0];
      if (isInFlow) {
        const name = this.#text.slice(from, owner.key.range![1]);
        return this.#put(from, endOfPair(owner), `${name}: ${flowText(value, 0, false, this.#layout)}`);
      }
      // As it is spelled, so that its name stays.
      const name = this.#text.slice(from, owner.key.range![1]);
      const text = blockText({ k: value }, this.#column(from), this.#layout);
      return this.#put(from, this.#trimmed(endOfPair(owner)), name + text.slice(1));
    }
    const [from] = owner.range!;
    const column = this.#column(from);
    this.#put(from, this.#trimmed(endOf(owner, from)), blockText(value, column, this.#layout));
  }

  map(map: YAMLMap, changes: ItemChanges): void {
    const entries = map.items as Entry[];
    const places = entries.map((entry) => ({ from: entry.key.range![0], to: endOfPair(entry) }));
    if (map.flow === true) return this.#flow(places, changes);
    if (places.some(({ from }) => this.#text[from - 2] === '?')) throw new Entangled('a key of several lines');
    this.#block(places, changes, (name, value, column) => blockText({ [name!]: value }, column, this.#layout));
  }

  list(list: YAMLSeq, changes: ItemChanges): void {
    const items = list.items as Node[];
    if (list.flow === true) {
      const places = items.map((item) => this.#place(item));
      return this.#flow(places, changes);
    }
    const dashes = (list.srcToken as CST.BlockSequence).items.flatMap(({ start }) =>
      start.filter(({ type }) => type === 'seq-item-ind').map(({ offset }) => offset),
    );
    if (dashes.length !== items.length) throw new Entangled('a list with empty items');
    const places = items.map((item, i) => ({ from: dashes[i]!, to: endOf(item, dashes[i]! + 1) }));
    this.#block(places, changes, (_name, value, column) => blockText([value], column, this.#layout));
  }

  /** A pair between brackets has its key in front. */
  #place(item: Node | Entry) {
    if ('key' in item) return { from: item.key.range![0], to: endOfPair(item) };
    return { from: item.range![0], to: item.range![1] };
  }

  /** Lines of their own, but for the first where it stands behind a dash. */
  #block(
    places: readonly { readonly from: number; readonly to: number }[],
    { gone, added }: ItemChanges,
    write: (name: string | undefined, value: unknown, column: number) => string,
  ): void {
    const column = this.#column(places[0]!.from);
    const margin = ' '.repeat(column);
    const starts = places.map(({ from }) => this.#text.slice(this.#lineStart(from), from).trim() === '');
    if (starts.some((isOwn, i) => i > 0 && !isOwn)) throw new Entangled('several things in one line');
    for (let i = 0; i < places.length; i += 1) {
      if (!gone.has(i)) continue;
      const { from, to } = places[i]!;
      if (starts[i] === true) this.#put(this.#lineStart(from), this.#lineEnd(to), '');
      else {
        let next = i + 1;
        while (gone.has(next)) next += 1;
        this.#put(from, places[next]!.from, '');
        i = next - 1;
      }
    }
    for (const { after, name, value } of added) {
      const text = write(name, value, column);
      if (after < 0) {
        const { from } = places[0]!;
        const line = this.#lineStart(from);
        if (starts[0] === true) this.#put(line, line, `${margin}${text}\n`);
        else this.#put(from, from, `${text}\n${margin}`);
        continue;
      }
      const at = this.#lineEnd(places[after]!.to);
      const isOpen = at > 0 && this.#text[at - 1] !== '\n';
      this.#put(at, at, isOpen ? `\n${margin}${text}` : `${margin}${text}\n`);
    }
  }

  #flow(places: readonly { readonly from: number; readonly to: number }[], { gone, added }: ItemChanges): void {
    const isLong = places.length > 0 && this.#isLong(places[0]!.from, places.at(-1)!.to);
    const written = added.map(({ after, name, value }) => {
      const column = this.#indentAt(places[Math.max(0, after)]!.from);
      const text = flowText(value, column, isLong || (this.#layout.isJson && isLarge(value)), this.#layout);
      const key = name === undefined ? '' : `${flowText(name, 0, false, this.#layout)}: `;
      return { after, text: key + text, gap: isLong ? `,\n${' '.repeat(column)}` : ', ' };
    });
    for (const { after, text, gap } of written) {
      const { from, to } = places[Math.max(0, after)]!;
      if (after < 0) this.#put(from, from, text + gap);
      else this.#put(to, to, gap + text);
    }
    for (let i = 0; i < places.length; i += 1) {
      if (!gone.has(i)) continue;
      let last = i;
      while (gone.has(last + 1)) last += 1;
      if (last + 1 < places.length) this.#put(places[i]!.from, places[last + 1]!.from, '');
      else this.#put(places[i - 1]!.to, places[last]!.to, '');
      i = last;
    }
  }

  /** Takes away what stands between two lines. */
  cut(from: number, to: number): void {
    this.#put(from, to, '');
  }

  /** Documents behind all others. */
  append(documents: readonly unknown[]): void {
    const at = this.#text.length;
    const begins = this.#text === '' || this.#text.endsWith('\n') ? '' : '\n';
    const texts = documents.map((value) => `---\n${blockText(value, 0, this.#layout)}\n`);
    this.#put(at, at, begins + texts.join(''));
  }

  #put(from: number, to: number, text: string): void {
    this.#changes.put(from, to, text);
  }

  #lineStart(offset: number): number {
    return this.#text.lastIndexOf('\n', offset - 1) + 1;
  }

  /** Behind the line, with the comment that stands in it. */
  #lineEnd(offset: number): number {
    if (offset > 0 && this.#text[offset - 1] === '\n') return offset;
    const end = this.#text.indexOf('\n', offset);
    return end === -1 ? this.#text.length : end + 1;
  }

  #column(offset: number): number {
    return offset - this.#lineStart(offset);
  }

  #indentAt(offset: number): number {
    return /^ */.exec(this.#text.slice(this.#lineStart(offset), offset))![0].length;
  }

  #isLong(from: number, to: number): boolean {
    return this.#text.slice(from, to).includes('\n') || this.#text.slice(this.#lineStart(from), from).trim() === '';
  }

  #trimmed(end: number): number {
    return end > 0 && this.#text[end - 1] === '\n' ? end - 1 : end;
  }
}

const isLarge = (value: unknown): boolean =>
  value !== null &&
  typeof value === 'object' &&
  Object.values(value).some((one) => one !== null && typeof one === 'object');
