import { NameNumbers } from '../../read/scan.ts';
import { addressOf, ipv4At, lengthOf, type Prefix } from './addresses.ts';

/** Where a route leads. */
export type Target =
  /** Several: the router chooses among them (ECMP). Next hops where the table names them, one for each interface. */
  | {
      readonly kind: 'interfaces';
      readonly names: readonly string[];
      readonly hops?: readonly (number | undefined)[];
    }
  /** To the router itself. */
  | { readonly kind: 'receive' }
  | { readonly kind: 'drop'; readonly why: string }
  /** To where the table does not say. */
  | { readonly kind: 'unknown'; readonly what: string };

/** Columns, as long as the file has lines. */
export class Rows {
  readonly addresses: Uint32Array;
  readonly lengths: Uint8Array;
  readonly target: Uint32Array;
  readonly lines: Uint32Array;
  /** 0: none, the destination is on the link. */
  readonly hops: Uint32Array;
  readonly targets: Target[] = [];
  size = 0;
  readonly #known = new Map<string, number>();
  readonly #interfaces = new NameNumbers();
  readonly #targetOfInterface: number[] = [];
  /** Next hops with their interfaces, as they are written. */
  readonly #hops = new NameNumbers();
  readonly #targetOfHop: number[] = [];

  constructor(most: number) {
    this.addresses = new Uint32Array(most);
    this.lengths = new Uint8Array(most);
    this.target = new Uint32Array(most);
    this.lines = new Uint32Array(most);
    this.hops = new Uint32Array(most);
  }

  add({ address, length }: Prefix, target: number, line: number, hop = 0): void {
    this.addresses[this.size] = address;
    this.lengths[this.size] = length;
    this.target[this.size] = target;
    this.lines[this.size] = line;
    this.hops[this.size] = hop;
    this.size += 1;
  }

  /** A prefix as `prefixAt` gives it. */
  addPacked(packed: number, target: number, line: number, hop = 0): void {
    this.addresses[this.size] = addressOf(packed);
    this.lengths[this.size] = lengthOf(packed);
    this.target[this.size] = target;
    this.lines[this.size] = line;
    this.hops[this.size] = hop;
    this.size += 1;
  }

  /** Most routes have one interface. */
  toInterface(name: string, hop?: number): number {
    if (hop !== undefined) return this.to({ kind: 'interfaces', names: [name], hops: [hop] });
    return this.#toInterface(this.#interfaces.of(name));
  }

  /** The one whose name stands there. */
  toInterfaceAt(text: string, begin: number, end: number): number {
    return this.#toInterface(this.#interfaces.at(text, begin, end));
  }

  /** The same by a next hop, whose address stands before the name. */
  toHopAt(text: string, hopBegin: number, hopEnd: number, begin: number, end: number): number {
    const written = this.#hops.at(text, hopBegin, end);
    return (this.#targetOfHop[written] ??= this.toInterface(text.slice(begin, end), ipv4At(text, hopBegin, hopEnd)));
  }

  #toInterface(number: number): number {
    const names = [this.#interfaces.names[number]!];
    return (this.#targetOfInterface[number] ??= this.to({ kind: 'interfaces', names }));
  }

  to(target: Target): number {
    const key =
      target.kind === 'interfaces' ? `to ${target.names.join(' ')} ${target.hops?.join(' ') ?? ''}` : target.kind;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.targets.push(target);
    this.#known.set(key, this.targets.length - 1);
    return this.targets.length - 1;
  }
}
