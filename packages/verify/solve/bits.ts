import { type Diagrams, FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import { balanced } from './balanced.ts';
import type { Formula } from './formula.ts';
import { type Intervals, ranges } from './intervals.ts';
import type { SymbolId, Value } from './value.ts';

/** Values and formulas as functions of the bits of symbols. */
export class Bits {
  readonly diagrams: Diagrams;
  readonly #variables = new Map<SymbolId, readonly number[]>();
  #next = 0;
  readonly #sets = new WeakMap<Intervals, Map<string, Node>>();

  constructor(diagrams: Diagrams) {
    this.diagrams = diagrams;
  }

  /** The variables of a symbol, the most significant bit first. They are given out in the order in which they are needed. */
  variables(symbol: SymbolId, width: number): readonly number[] {
    const known = this.#variables.get(symbol);
    if (known !== undefined) return known;
    const made = Array.from({ length: width }, (_, i) => this.#next + i);
    this.#next += width;
    this.#variables.set(symbol, made);
    return made;
  }

  get variableCount(): number {
    return this.#next;
  }

  formula(formula: Formula): Node {
    const d = this.diagrams;
    switch (formula.kind) {
      case 'within':
        return this.#within(formula.of, formula.set);
      case 'masked': {
        let node: Node = TRUE;
        this.value(formula.of).forEach((bit, i) => {
          const place = BigInt(formula.of.width - 1 - i);
          if (((formula.mask >> place) & 1n) === 0n) return;
          node = d.and(node, ((formula.value >> place) & 1n) === 1n ? bit : d.not(bit));
        });
        return node;
      }
      case 'equal': {
        const right = this.value(formula.right);
        return this.value(formula.left).reduceRight<Node>((node, bit, i) => d.minus(node, d.xor(bit, right[i]!)), TRUE);
      }
      case 'less': {
        const right = this.value(formula.right);
        // From the least significant bit: less there, unless a higher bit decides.
        return this.value(formula.left).reduceRight<Node>(
          (node, bit, i) => d.choose(d.xor(bit, right[i]!), right[i]!, node),
          FALSE,
        );
      }
      case 'not':
        return d.not(this.formula(formula.of));
      case 'all':
        return (
          balanced(
            formula.of.map((part) => this.formula(part)),
            (a, b) => d.and(a, b),
          ) ?? TRUE
        );
      case 'any':
        return this.#anyOf(formula.of.map((part) => this.formula(part)));
    }
  }

  /** The bits of a value, the most significant first. */
  value(value: Value): readonly Node[] {
    const d = this.diagrams;
    const { width } = value;
    if (value.kind === 'const') return bitsOf(value.value, width);
    if (value.kind === 'sum') {
      const bits = this.variables(value.symbol, width).map((variable) => d.variable(variable));
      return value.offset === 0n ? bits : this.#add(bits, bitsOf(value.offset, width), FALSE);
    }
    const of = value.of.map((part) => this.value(part));
    const [a, b] = of as [readonly Node[], readonly Node[]];
    switch (value.op.kind) {
      case 'add':
        return this.#add(a, b, FALSE);
      case 'sub':
        return this.#add(
          a,
          b.map((bit) => d.not(bit)),
          TRUE,
        );
      case 'mul':
        return b.reduceRight<readonly Node[]>(
          (sum, bit, i) => {
            const shifted = shiftLeft(a, width - 1 - i);
            return this.#add(
              sum,
              shifted.map((each) => d.and(each, bit)),
              FALSE,
            );
          },
          bitsOf(0n, width),
        );
      case 'and':
        return a.map((bit, i) => d.and(bit, b[i]!));
      case 'or':
        return a.map((bit, i) => d.or(bit, b[i]!));
      case 'xor':
        return a.map((bit, i) => d.xor(bit, b[i]!));
      case 'not':
        return a.map((bit) => d.not(bit));
      case 'left':
        return shiftLeft(a, value.op.by);
      case 'right':
        return [...bitsOf(0n, Math.min(value.op.by, width)), ...a].slice(0, width);
      case 'slice':
        return a.slice(a.length - value.op.low - width, a.length - value.op.low);
      case 'extend':
        return [...bitsOf(0n, width - a.length), ...a];
      case 'concat':
        return of.flat();
    }
  }

  #add(a: readonly Node[], b: readonly Node[], carryIn: Node): readonly Node[] {
    const d = this.diagrams;
    const sum: Node[] = [];
    let carry = carryIn;
    for (let i = a.length - 1; i >= 0; i -= 1) {
      const either = d.xor(a[i]!, b[i]!);
      sum[i] = d.xor(either, carry);
      carry = d.or(d.and(a[i]!, b[i]!), d.and(either, carry));
    }
    return sum;
  }

  #within(of: Value, set: Intervals): Node {
    const d = this.diagrams;
    if (of.kind === 'sum' && of.offset === 0n) {
      // Sets of tables are large and come again with every packet.
      const known = this.#sets.get(set) ?? new Map<string, Node>();
      this.#sets.set(set, known);
      const key = String(of.symbol);
      let node = known.get(key);
      if (node === undefined) {
        const variables = this.variables(of.symbol, of.width);
        node = this.#anyOf(ranges(set).map(([low, high]) => d.range(variables, low, high)));
        known.set(key, node);
      }
      return node;
    }
    const bits = this.value(of);
    return this.#anyOf(
      ranges(set).map(([low, high]) =>
        d.minus(this.#atMost(bits, high), low === 0n ? FALSE : this.#atMost(bits, low - 1n)),
      ),
    );
  }

  #anyOf(nodes: readonly Node[]): Node {
    return balanced(nodes, (a, b) => this.diagrams.or(a, b)) ?? FALSE;
  }

  #atMost(bits: readonly Node[], high: bigint): Node {
    const d = this.diagrams;
    return bits.reduceRight<Node>((node, bit, i) => {
      const one = ((high >> BigInt(bits.length - 1 - i)) & 1n) === 1n;
      return one ? d.or(d.not(bit), node) : d.minus(node, bit);
    }, TRUE);
  }
}

function bitsOf(value: bigint, width: number): readonly Node[] {
  return Array.from({ length: width }, (_, i) => (((value >> BigInt(width - 1 - i)) & 1n) === 1n ? TRUE : FALSE));
}

function shiftLeft(bits: readonly Node[], by: number): readonly Node[] {
  return [...bits, ...bitsOf(0n, Math.min(by, bits.length))].slice(-bits.length);
}
