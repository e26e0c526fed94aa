/** A set of assignments to variables: a node of a reduced ordered binary decision diagram (Bryant 1986). */
export type Node = number;
export const FALSE: Node = 0;
export const TRUE: Node = 1;

const FIRST_NODES = 1 << 14;
const CACHE = 1 << 14;
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
  #variable = new Int32Array(FIRST_NODES);
  #low = new Int32Array(FIRST_NODES);
  #high = new Int32Array(FIRST_NODES);
  /** Open addressing: node numbers by hash of (variable, low, high). */
  #unique = new Int32Array(FIRST_NODES * 2);
  #size = 2;
  readonly #cacheKeys = new Float64Array(CACHE * 2);
  readonly #cacheValues = new Int32Array(CACHE);
  readonly #tick: () => void;
  #computed = 0;

  /** `tick` is called now and then during long work, and may throw to end it. */
  constructor(limit: number, tick: () => void = () => undefined) {
    this.#limit = limit;
    this.#tick = tick;
    this.#variable[0] = this.#variable[1] = 0x7fffffff;
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

  /** `condition` ? `yes` : `no`. */
  choose(condition: Node, yes: Node, no: Node): Node {
    return this.or(this.and(condition, yes), this.minus(no, condition));
  }

  /** Numbers between the bounds, inclusive; `bits` are the variables of the number, the most significant first. */
  range(bits: readonly number[], low: bigint, high: bigint): Node {
    const width = bits.length;
    const top = (1n << BigInt(width)) - 1n;
    const atLeast = low <= 0n ? TRUE : this.#bound(bits, low, true);
    const atMost = high >= top ? TRUE : this.#bound(bits, high, false);
    return this.and(atLeast, atMost);
  }

  /** From the least significant bit up, so that each bit costs one node. */
  #bound(bits: readonly number[], value: bigint, atLeast: boolean): Node {
    let node: Node = TRUE;
    for (let i = bits.length - 1, bit = 0n; i >= 0; i -= 1, bit += 1n) {
      const one = ((value >> bit) & 1n) === 1n;
      if (atLeast) node = one ? this.#node(bits[i]!, FALSE, node) : this.#node(bits[i]!, node, TRUE);
      else node = one ? this.#node(bits[i]!, TRUE, node) : this.#node(bits[i]!, node, FALSE);
    }
    return node;
  }

  /** Numbers with `(number & mask) == value`. */
  masked(bits: readonly number[], value: bigint, mask: bigint): Node {
    let node: Node = TRUE;
    for (let i = bits.length - 1, bit = 0n; i >= 0; i -= 1, bit += 1n) {
      if (((mask >> bit) & 1n) === 0n) continue;
      node = ((value >> bit) & 1n) === 1n ? this.#node(bits[i]!, FALSE, node) : this.#node(bits[i]!, node, FALSE);
    }
    return node;
  }

  /** What remains when the variables may have any value; `variables` has a 1 at each of them. */
  exists(node: Node, variables: Uint8Array): Node {
    const memo = new Map<Node, Node>();
    const walk = (at: Node): Node => {
      if (at <= TRUE) return at;
      const known = memo.get(at);
      if (known !== undefined) return known;
      const [low, high] = [walk(this.#low[at]!), walk(this.#high[at]!)];
      const index = this.#variable[at]!;
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
      const [low, high] = [walk(this.#low[at]!), walk(this.#high[at]!)];
      const index = this.#variable[at]!;
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
      const low = this.#low[at]!;
      values.set(this.#variable[at]!, low === FALSE);
      at = low === FALSE ? this.#high[at]! : low;
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
      const asked = this.#variable[at] === bits[depth];
      return (
        walk(asked ? this.#low[at]! : at, depth + 1, prefix << 1n) &&
        walk(asked ? this.#high[at]! : at, depth + 1, (prefix << 1n) | 1n)
      );
    };
    return walk(node, 0, 0n) ? found : undefined;
  }

  /** From the ends up; `memo` has what the ends are worth, and shares what nodes share. */
  fold<T>(node: Node, memo: Map<Node, T>, join: (variable: number, low: T, high: T) => T): T {
    const known = memo.get(node);
    if (known !== undefined) return known;
    const low = this.fold(this.#low[node]!, memo, join);
    const made = join(this.#variable[node]!, low, this.fold(this.#high[node]!, memo, join));
    memo.set(node, made);
    return made;
  }

  /** Whether an assignment is in the set. */
  contains(node: Node, valueOf: (variable: number) => boolean): boolean {
    let at = node;
    while (at > TRUE) at = valueOf(this.#variable[at]!) ? this.#high[at]! : this.#low[at]!;
    return at === TRUE;
  }

  /** Bryant's algorithm. Operands of the operations that commute come in order, the smaller one first. */
  #apply(operation: number, a: Node, b: Node): Node {
    const simple = simplified(operation, a, b);
    if (simple >= 0) return simple;
    const key = a * 4 + operation;
    const slot = hash(key, b, operation) & (CACHE - 1);
    if (this.#cacheKeys[2 * slot] === key && this.#cacheKeys[2 * slot + 1] === b) return this.#cacheValues[slot]!;
    this.#computed += 1;
    if ((this.#computed & TICK_MASK) === 0) this.#tick();
    const [x, y] = [this.#variable[a]!, this.#variable[b]!];
    const index = x < y ? x : y;
    const lowA = x === index ? this.#low[a]! : a;
    const lowB = y === index ? this.#low[b]! : b;
    const highA = x === index ? this.#high[a]! : a;
    const highB = y === index ? this.#high[b]! : b;
    const inOrder = operation === MINUS;
    const low = inOrder || lowA < lowB ? this.#apply(operation, lowA, lowB) : this.#apply(operation, lowB, lowA);
    const high = inOrder || highA < highB ? this.#apply(operation, highA, highB) : this.#apply(operation, highB, highA);
    const made = this.#node(index, low, high);
    this.#cacheKeys[2 * slot] = key;
    this.#cacheKeys[2 * slot + 1] = b;
    this.#cacheValues[slot] = made;
    return made;
  }

  #node(variable: number, low: Node, high: Node): Node {
    if (low === high) return low;
    const mask = this.#unique.length - 1;
    let slot = hash(variable, low, high) & mask;
    for (;;) {
      const at = this.#unique[slot]!;
      if (at === 0) break;
      if (this.#variable[at] === variable && this.#low[at] === low && this.#high[at] === high) return at;
      slot = (slot + 1) & mask;
    }
    if (this.#size >= this.#limit) throw new DiagramLimit('diagramNodes');
    if (this.#size >= this.#variable.length) this.#grow();
    const made = this.#size;
    this.#size += 1;
    this.#variable[made] = variable;
    this.#low[made] = low;
    this.#high[made] = high;
    this.#insert(made);
    return made;
  }

  #insert(node: Node): void {
    const mask = this.#unique.length - 1;
    let slot = hash(this.#variable[node]!, this.#low[node]!, this.#high[node]!) & mask;
    while (this.#unique[slot] !== 0) slot = (slot + 1) & mask;
    this.#unique[slot] = node;
  }

  #grow(): void {
    const length = this.#variable.length * 2;
    const grown = (old: Int32Array) => {
      const larger = new Int32Array(length);
      larger.set(old);
      return larger;
    };
    this.#variable = grown(this.#variable);
    this.#low = grown(this.#low);
    this.#high = grown(this.#high);
    this.#unique = new Int32Array(length * 2);
    for (let node = 2; node < this.#size; node += 1) this.#insert(node);
  }
}

const AND = 0;
const OR = 1;
const XOR = 2;
const MINUS = 3;

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

function hash(a: number, b: number, c: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
