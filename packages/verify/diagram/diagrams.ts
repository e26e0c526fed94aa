/** A set of assignments to variables: a node of a reduced ordered binary decision diagram (Bryant 1986). */
export type Node = number;
export const FALSE: Node = 0;
export const TRUE: Node = 1;

const FIRST_NODES = 1 << 14;
/** Results that are remembered. What the processor's own cache does not hold is slower than computing most of them again. */
const CACHE = 1 << 14;
const DISJOINTS = 1 << 13;
/** The number of a node and two bits of an operation fit into 32 bits. */
const NODES_MAX = 1 << 28;
/** Results computed between two ticks, less one. */
const TICK_MASK = (1 << 12) - 1;

/** Of more than so many nodes, one question is not answered. */
export class DiagramLimit extends Error {}

/**
 * Decision diagrams that share their nodes: equal sets are equal numbers. Nodes are never taken back; a manager lives as
 * long as the question that it answers. Variable 0 is asked first.
 */
export class Diagrams {
  #limit: number;
  /** Four numbers to a node, so that it is in one line of the processor's cache: variable, low, high, next of the same hash. */
  #nodes = new Int32Array(FIRST_NODES * 4);
  /** The first node of each hash of (variable, low, high); 0 is none. */
  #first = new Int32Array(FIRST_NODES);
  #size = 2;
  /** The largest one that a node asks, and one more. */
  #variables = 0;
  /** Four numbers to a result: the first operand with the operation, the second one, the result, nothing. */
  readonly #cache = new Int32Array(CACHE * 4);
  /** Pairs that are known to have nothing in common. */
  readonly #disjoint = new Int32Array(DISJOINTS * 2);
  readonly #tick: () => void;
  #computed = 0;

  /** `tick` is called now and then during long work, and may throw to end it. */
  constructor(limit: number, tick: () => void = () => undefined) {
    this.#limit = Math.min(limit, NODES_MAX);
    this.#tick = tick;
    this.#nodes[VARIABLE] = this.#nodes[4 + VARIABLE] = 0x7fffffff;
  }

  get size(): number {
    return this.#size;
  }

  /** Does work that may make so many nodes at most; undefined when it would need more. */
  attempt(nodes: number, work: () => Node): Node | undefined {
    const limit = this.#limit;
    this.#limit = Math.min(limit, this.#size + nodes);
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DiagramLimit) || this.#limit === limit) throw error;
      return undefined;
    } finally {
      this.#limit = limit;
    }
  }

  /** Now and then of work beside the diagrams: what ends theirs ends that. */
  tick(): void {
    this.#tick();
  }

  /** The assignments in which the variable is one. */
  variable(index: number): Node {
    return this.#node(index, FALSE, TRUE);
  }

  and(a: Node, b: Node): Node {
    return a < b ? this.#apply(AND, a, b) : this.#apply(AND, b, a);
  }

  or(a: Node, b: Node): Node {
    return a < b ? this.#apply(OR, a, b) : this.#apply(OR, b, a);
  }

  xor(a: Node, b: Node): Node {
    return a < b ? this.#apply(XOR, a, b) : this.#apply(XOR, b, a);
  }

  /** `a` without `b`. */
  minus(a: Node, b: Node): Node {
    return this.#apply(MINUS, a, b);
  }

  not(a: Node): Node {
    return this.#apply(MINUS, TRUE, a);
  }

  /** Whether no assignment is in both. Cheaper than `and`: no node is made, and the first one that is in both ends it. */
  disjoint(a: Node, b: Node): boolean {
    if (a <= TRUE || b <= TRUE || a === b) return a === FALSE || b === FALSE;
    const [first, second] = a < b ? [a, b] : [b, a];
    const slot = (hash(first, second, DISJOINT) & (DISJOINTS - 1)) << 1;
    if (this.#disjoint[slot] === first && this.#disjoint[slot + 1] === second) return true;
    this.#computed += 1;
    if ((this.#computed & TICK_MASK) === 0) this.#tick();
    const nodes = this.#nodes;
    const [atA, atB] = [a << 2, b << 2];
    const [x, y] = [nodes[atA + VARIABLE]!, nodes[atB + VARIABLE]!];
    const [lowA, highA] = x <= y ? [nodes[atA + LOW]!, nodes[atA + HIGH]!] : [a, a];
    const [lowB, highB] = y <= x ? [nodes[atB + LOW]!, nodes[atB + HIGH]!] : [b, b];
    if (!this.disjoint(lowA, lowB) || !this.disjoint(highA, highB)) return false;
    this.#disjoint[slot] = first;
    this.#disjoint[slot + 1] = second;
    return true;
  }

  /** `condition` ? `yes` : `no`. */
  choose(condition: Node, yes: Node, no: Node): Node {
    return this.or(this.and(condition, yes), this.minus(no, condition));
  }

  /** Numbers between the bounds, inclusive; `bits` are the variables of the number, the most significant first. */
  range(bits: readonly number[], low: bigint, high: bigint): Node {
    const width = bits.length;
    const top = (1n << BigInt(width)) - 1n;
    if (low === high) return this.masked(bits, low, top);
    const atLeast = low <= 0n ? TRUE : this.#bound(bits, low, true);
    const atMost = high >= top ? TRUE : this.#bound(bits, high, false);
    return this.and(atLeast, atMost);
  }

  /** From the least significant bit up, so that each bit costs one node. */
  #bound(bits: readonly number[], value: bigint, atLeast: boolean): Node {
    let node: Node = TRUE;
    for (let last = bits.length; last > 0; last -= 32) {
      const ones = word(value, bits.length - last);
      for (let i = last - 1, bit = 0; i >= 0 && bit < 32; i -= 1, bit += 1) {
        const one = ((ones >>> bit) & 1) === 1;
        if (atLeast) node = one ? this.#node(bits[i]!, FALSE, node) : this.#node(bits[i]!, node, TRUE);
        else node = one ? this.#node(bits[i]!, TRUE, node) : this.#node(bits[i]!, node, FALSE);
      }
    }
    return node;
  }

  /** Numbers with `(number & mask) == value`. */
  masked(bits: readonly number[], value: bigint, mask: bigint): Node {
    let node: Node = TRUE;
    for (let last = bits.length; last > 0; last -= 32) {
      const [ones, asked] = [word(value, bits.length - last), word(mask, bits.length - last)];
      for (let i = last - 1, bit = 0; i >= 0 && bit < 32; i -= 1, bit += 1) {
        if (((asked >>> bit) & 1) === 0) continue;
        node = ((ones >>> bit) & 1) === 1 ? this.#node(bits[i]!, FALSE, node) : this.#node(bits[i]!, node, FALSE);
      }
    }
    return node;
  }

  /** The numbers of a list, ascending and each once. Nodes are made, and nothing is joined: the list may be long. */
  oneOf(bits: readonly number[], values: readonly bigint[]): Node {
    const build = (depth: number, from: number, to: number): Node => {
      if (from === to) return FALSE;
      if (depth === bits.length) return TRUE;
      const shift = BigInt(bits.length - 1 - depth);
      let [low, high] = [from, to];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (((values[middle]! >> shift) & 1n) === 1n) high = middle;
        else low = middle + 1;
      }
      return this.#node(bits[depth]!, build(depth + 1, from, low), build(depth + 1, low, to));
    };
    return build(0, 0, values.length);
  }

  /** What remains when the variables may have any value; `variables` has a 1 at each of them. */
  exists(node: Node, variables: Uint8Array): Node {
    const memo = new Map<Node, Node>();
    const walk = (at: Node): Node => {
      if (at <= TRUE) return at;
      const known = memo.get(at);
      if (known !== undefined) return known;
      const [low, high] = [walk(this.#nodes[(at << 2) + LOW]!), walk(this.#nodes[(at << 2) + HIGH]!)];
      const index = this.#nodes[(at << 2) + VARIABLE]!;
      const made = variables[index] === 1 ? this.or(low, high) : this.#node(index, low, high);
      memo.set(at, made);
      return made;
    };
    return walk(node);
  }

  /** Every variable replaced by a set; those that `by` does not name stay. */
  substitute(node: Node, by: ReadonlyMap<number, Node>): Node {
    const memo = new Map<Node, Node>();
    const walk = (at: Node): Node => {
      if (at <= TRUE) return at;
      const known = memo.get(at);
      if (known !== undefined) return known;
      const [low, high] = [walk(this.#nodes[(at << 2) + LOW]!), walk(this.#nodes[(at << 2) + HIGH]!)];
      const index = this.#nodes[(at << 2) + VARIABLE]!;
      const made = this.choose(by.get(index) ?? this.variable(index), high, low);
      memo.set(at, made);
      return made;
    };
    return walk(node);
  }

  /** One assignment, of the variables that matter; undefined when there is none. Prefers zeros. */
  pick(node: Node): ReadonlyMap<number, boolean> | undefined {
    if (node === FALSE) return undefined;
    const values = new Map<number, boolean>();
    for (let at = node; at > TRUE; ) {
      const low = this.#nodes[(at << 2) + LOW]!;
      values.set(this.#nodes[(at << 2) + VARIABLE]!, low === FALSE);
      at = low === FALSE ? this.#nodes[(at << 2) + HIGH]! : low;
    }
    return values;
  }

  /** Inclusive ranges of the number whose bits are given, when nothing else is asked. At most `limit` of them. */
  ranges(node: Node, bits: readonly number[], limit: number): readonly (readonly [bigint, bigint])[] | undefined {
    const found: [bigint, bigint][] = [];
    const width = bits.length;
    const walk = (at: Node, depth: number, prefix: bigint): boolean => {
      if (at === FALSE) return true;
      const left = BigInt(width - depth);
      if (at === TRUE) {
        const [low, high] = [prefix << left, ((prefix + 1n) << left) - 1n];
        const last = found.at(-1);
        if (last !== undefined && last[1] + 1n === low) last[1] = high;
        else if (found.length >= limit) return false;
        else found.push([low, high]);
        return true;
      }
      const asked = this.#nodes[(at << 2) + VARIABLE] === bits[depth];
      return (
        walk(asked ? this.#nodes[(at << 2) + LOW]! : at, depth + 1, prefix << 1n) &&
        walk(asked ? this.#nodes[(at << 2) + HIGH]! : at, depth + 1, (prefix << 1n) | 1n)
      );
    };
    return walk(node, 0, 0n) ? found : undefined;
  }

  /** From the ends up; `memo` has what the ends are worth, and shares what nodes share. */
  fold<T>(node: Node, memo: Map<Node, T>, join: (variable: number, low: T, high: T) => T): T {
    const known = memo.get(node);
    if (known !== undefined) return known;
    const low = this.fold(this.#nodes[(node << 2) + LOW]!, memo, join);
    const made = join(
      this.#nodes[(node << 2) + VARIABLE]!,
      low,
      this.fold(this.#nodes[(node << 2) + HIGH]!, memo, join),
    );
    memo.set(node, made);
    return made;
  }

  /** One assignment, as a value for each variable; of those that do not matter, and when there is none, zero. */
  sample(node: Node): Uint8Array {
    const values = new Uint8Array(this.#variables);
    for (let at = node; at > TRUE; ) {
      const low = this.#nodes[(at << 2) + LOW]!;
      if (low === FALSE) values[this.#nodes[(at << 2) + VARIABLE]!] = 1;
      at = low === FALSE ? this.#nodes[(at << 2) + HIGH]! : low;
    }
    return values;
  }

  /** Whether that assignment is in the set. */
  holds(node: Node, values: Uint8Array): boolean {
    let at = node;
    while (at > TRUE)
      at =
        values[this.#nodes[(at << 2) + VARIABLE]!] === 1
          ? this.#nodes[(at << 2) + HIGH]!
          : this.#nodes[(at << 2) + LOW]!;
    return at === TRUE;
  }

  /** Whether an assignment is in the set. */
  contains(node: Node, valueOf: (variable: number) => boolean): boolean {
    let at = node;
    while (at > TRUE)
      at = valueOf(this.#nodes[(at << 2) + VARIABLE]!) ? this.#nodes[(at << 2) + HIGH]! : this.#nodes[(at << 2) + LOW]!;
    return at === TRUE;
  }

  /** Bryant's algorithm. Operands of the operations that commute come in order, the smaller one first. */
  #apply(operation: number, a: Node, b: Node): Node {
    const simple = simplified(operation, a, b);
    if (simple >= 0) return simple;
    const key = (a << 2) | operation;
    const slot = (hash(key, b, operation) & (CACHE - 1)) << 2;
    const cache = this.#cache;
    if (cache[slot] === key && cache[slot + 1] === b) return cache[slot + 2]!;
    this.#computed += 1;
    if ((this.#computed & TICK_MASK) === 0) this.#tick();
    const nodes = this.#nodes;
    const [atA, atB] = [a << 2, b << 2];
    const [x, y] = [nodes[atA + VARIABLE]!, nodes[atB + VARIABLE]!];
    const index = x < y ? x : y;
    const lowA = x === index ? nodes[atA + LOW]! : a;
    const lowB = y === index ? nodes[atB + LOW]! : b;
    const highA = x === index ? nodes[atA + HIGH]! : a;
    const highB = y === index ? nodes[atB + HIGH]! : b;
    const inOrder = operation === MINUS;
    const low = inOrder || lowA < lowB ? this.#apply(operation, lowA, lowB) : this.#apply(operation, lowB, lowA);
    const high = inOrder || highA < highB ? this.#apply(operation, highA, highB) : this.#apply(operation, highB, highA);
    const made = this.#node(index, low, high);
    cache[slot] = key;
    cache[slot + 1] = b;
    cache[slot + 2] = made;
    return made;
  }

  #node(variable: number, low: Node, high: Node): Node {
    if (low === high) return low;
    const hashed = hash(variable, low, high);
    const nodes = this.#nodes;
    for (let at = this.#first[hashed & (this.#first.length - 1)]!; at !== 0; at = nodes[(at << 2) + NEXT]!) {
      const i = at << 2;
      if (nodes[i + LOW] === low && nodes[i + HIGH] === high && nodes[i + VARIABLE] === variable) return at;
    }
    if (this.#size >= this.#limit) throw new DiagramLimit('diagramNodes');
    if (this.#size >= this.#first.length) this.#grow();
    const made = this.#size;
    this.#size += 1;
    if (variable >= this.#variables) this.#variables = variable + 1;
    this.#nodes[(made << 2) + VARIABLE] = variable;
    this.#nodes[(made << 2) + LOW] = low;
    this.#nodes[(made << 2) + HIGH] = high;
    this.#link(made, hashed);
    return made;
  }

  #link(node: Node, hashed: number): void {
    const slot = hashed & (this.#first.length - 1);
    this.#nodes[(node << 2) + NEXT] = this.#first[slot]!;
    this.#first[slot] = node;
  }

  #grow(): void {
    const larger = new Int32Array(this.#nodes.length * 2);
    larger.set(this.#nodes);
    this.#nodes = larger;
    this.#first = new Int32Array(this.#first.length * 2);
    for (let node = 2; node < this.#size; node += 1) {
      const i = node << 2;
      this.#link(node, hash(larger[i + VARIABLE]!, larger[i + LOW]!, larger[i + HIGH]!));
    }
  }
}

/** Where the parts of a node are. */
const VARIABLE = 0;
const LOW = 1;
const HIGH = 2;
const NEXT = 3;

const AND = 0;
const OR = 1;
const XOR = 2;
const MINUS = 3;
/** No operation of `#apply`. */
const DISJOINT = 4;

/** What an operation gives without looking into its operands; -1 when it must look. */
function simplified(operation: number, a: Node, b: Node): number {
  switch (operation) {
    case AND:
      return a === FALSE ? FALSE : a === TRUE || a === b ? b : -1;
    case OR:
      return a === TRUE ? TRUE : a === FALSE || a === b ? b : -1;
    case XOR:
      return a === b ? FALSE : a === FALSE ? b : -1;
    default:
      return a === FALSE || b === TRUE || a === b ? FALSE : b === FALSE ? a : -1;
  }
}

/** 32 bits of it, as a number: bit operations on bigints are slow. */
function word(value: bigint, below: number): number {
  return Number(BigInt.asUintN(32, value >> BigInt(below)));
}

function hash(a: number, b: number, c: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
