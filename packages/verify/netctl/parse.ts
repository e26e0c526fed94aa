import { nearest, SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import type { Outcome } from '../engine/path.ts';
import { parseFilter } from '../filter/filter.ts';
import { all, type Condition, compare, type Field, meta, read } from '../ir/expression.ts';
import { fields } from '../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../ir/instruction.ts';
import { inputLimits } from '../limits.ts';
import { boxOf, type Network, type PortId } from '../network.ts';
import { portsOf } from '../ports.ts';
import type { InputFile } from '../read/reader.ts';
import type { Formula } from './formula.ts';
import { policyWords, type Word } from './words.ts';

/** One named claim about a network. */
export interface Policy {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Where packets begin. Empty: wherever they can come in. */
  readonly from: readonly PortId[];
  readonly packets?: Condition;
  /** Runs on each packet that is sent: remembers what `kept` compares with. */
  readonly setup: Instruction;
  readonly formula: Formula;
}

const outcomes: Readonly<Record<string, Outcome>> = {
  delivered: 'delivered',
  dropped: 'dropped',
  lost: 'black hole',
  looped: 'loop',
  failed: 'failed',
};

/** Of rules of Symnet. */
const shortFields: Readonly<Record<string, string>> = {
  src: 'IPv4.src',
  dst: 'IPv4.dst',
  proto: 'IPv4.proto',
  ttl: 'IPv4.ttl',
};

const quantifiers: Readonly<Record<string, { readonly all: boolean; readonly always: boolean }>> = {
  AG: { all: true, always: true },
  AF: { all: true, always: false },
  EG: { all: false, always: true },
  EF: { all: false, always: false },
};

/**
 * Reads policies. Throws SF-VERIFY-QUESTION with file, line and column, and with what was expected there.
 *
 *     file      := { policy | rule }
 *     policy    := policy name: [from place {, place}] [packets { filter }] check formula
 *     formula   := or [-> formula]
 *     or        := and {or and}
 *     and       := unary {and unary}
 *     unary     := not unary | quantifier unary | ( formula ) | atom
 *     quantifier:= AG | AF | EG | EF | forall G | forall F | exists G | exists F
 *     atom      := { filter } | at place | port == place | port != place | port in {place, ...} | port not in {place, ...}
 *                | kept field {, field} | delivered | dropped | lost | looped | failed | true | false
 *     rule      := reach from place [tests] {-> place [tests] [; field && field]} .
 */
export function parsePolicies(file: InputFile, network: Network): readonly Policy[] {
  return new PolicyParser(file, placesOf(network)).all();
}

/** A formula alone, about places that have names of their own: each stands for some ports. */
export function parseFormula(
  text: string,
  places: ReadonlyMap<string, readonly PortId[]>,
  file = 'formula',
): Pick<Policy, 'formula' | 'setup'> {
  return new PolicyParser({ path: file, text }, places).formula();
}

/** Ports, and boxes with all their ports. */
function placesOf(network: Network): ReadonlyMap<string, readonly PortId[]> {
  const places = new Map<string, PortId[]>();
  const ports = [...portsOf(network)];
  for (const box of network.boxes.keys()) places.set(box, []);
  for (const port of ports) {
    places.set(port, [port]);
    const box = boxOf(port);
    if (box !== port) places.set(box, [...(places.get(box) ?? []), port]);
  }
  return places;
}

class PolicyParser {
  readonly #file: InputFile;
  readonly #words: readonly Word[];
  readonly #places: ReadonlyMap<string, readonly PortId[]>;
  #at = 0;
  #depth = 0;
  #remembered = new Map<string, Field>();

  constructor(file: InputFile, places: ReadonlyMap<string, readonly PortId[]>) {
    this.#file = file;
    this.#words = policyWords(file);
    this.#places = places;
  }

  formula(): Pick<Policy, 'formula' | 'setup'> {
    const formula = this.#formula();
    if (this.#next.text !== '') throw this.#wrong('the end of the formula');
    return { formula, setup: this.#remember() };
  }

  all(): readonly Policy[] {
    const policies: Policy[] = [];
    while (this.#next.text !== '')
      policies.push(this.#next.text === 'reach' ? this.#rule(policies.length) : this.#policy());
    const names = new Set<string>();
    for (const { name, line } of policies) {
      if (names.has(name))
        throw this.#wrong(`another name than '${name}', which there is already`, { text: name, line, column: 1 });
      names.add(name);
    }
    if (policies.length === 0) throw this.#wrong('a policy');
    return policies;
  }

  get #next(): Word {
    return this.#words[this.#at]!;
  }

  #take(): Word {
    const word = this.#next;
    if (word.text !== '') this.#at += 1;
    return word;
  }

  #takeIf(...texts: readonly string[]): boolean {
    if (!texts.includes(this.#next.text)) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takeIf(text)) throw this.#wrong(`'${text}'`);
  }

  #policy(): Policy {
    const { line } = this.#next;
    this.#expect('policy');
    const name = this.#take().text.replace(/:$/, '');
    if (name === '') throw this.#wrong('the name of the policy');
    this.#takeIf(':');
    this.#remembered = new Map();
    const from: PortId[] = [];
    if (this.#takeIf('from')) {
      do from.push(this.#startPlace());
      while (this.#takeIf(','));
    }
    const packets = this.#takeIf('packets') ? this.#filter() : undefined;
    this.#expect('check');
    const formula = this.#formula();
    return {
      name,
      file: this.#file.path,
      line,
      from,
      ...(packets === undefined ? {} : { packets }),
      setup: this.#remember(),
      formula,
    };
  }

  #formula(): Formula {
    this.#depth += 1;
    if (this.#depth > inputLimits.nesting) throw this.#wrong(`at most ${inputLimits.nesting} parts within each other`);
    const left = this.#or();
    const formula: Formula = this.#takeIf('->', 'implies')
      ? { kind: 'or', of: [{ kind: 'not', of: left }, this.#formula()] }
      : left;
    this.#depth -= 1;
    return formula;
  }

  #or(): Formula {
    const parts = [this.#and()];
    while (this.#takeIf('or', '||')) parts.push(this.#and());
    return parts.length === 1 ? parts[0]! : { kind: 'or', of: parts };
  }

  #and(): Formula {
    const parts = [this.#unary()];
    while (this.#takeIf('and', '&&')) parts.push(this.#unary());
    return parts.length === 1 ? parts[0]! : { kind: 'and', of: parts };
  }

  #unary(): Formula {
    const quantifier = this.#quantifier();
    if (quantifier !== undefined) return { kind: 'path', ...quantifier, of: this.#nested() };
    if (this.#takeIf('not', '!')) return { kind: 'not', of: this.#nested() };
    if (this.#takeIf('(')) {
      const formula = this.#formula();
      this.#expect(')');
      return formula;
    }
    return this.#atom();
  }

  #nested(): Formula {
    this.#depth += 1;
    if (this.#depth > inputLimits.nesting) throw this.#wrong(`at most ${inputLimits.nesting} parts within each other`);
    const formula = this.#unary();
    this.#depth -= 1;
    return formula;
  }

  #quantifier(): { readonly all: boolean; readonly always: boolean } | undefined {
    const { text } = this.#next;
    const short = Object.hasOwn(quantifiers, text) ? quantifiers[text] : undefined;
    if (short !== undefined) {
      this.#at += 1;
      return short;
    }
    if (!this.#takeIf('forall', 'exists')) return undefined;
    if (this.#takeIf('G')) return { all: text === 'forall', always: true };
    if (this.#takeIf('F')) return { all: text === 'forall', always: false };
    throw this.#wrong("'G' or 'F'");
  }

  #atom(): Formula {
    const { text } = this.#next;
    if (text.startsWith('{')) return { kind: 'condition', condition: this.#filter() };
    if (Object.hasOwn(outcomes, text)) {
      this.#at += 1;
      return { kind: 'ended', outcome: outcomes[text]! };
    }
    if (this.#takeIf('true', 'false')) return { kind: 'constant', value: text === 'true' };
    if (this.#takeIf('at')) return this.#isAt([this.#place()]);
    if (this.#takeIf('port')) return this.#portTest();
    if (this.#takeIf('kept')) return this.#keptFields();
    throw this.#wrong('a formula');
  }

  #portTest(): Formula {
    if (this.#takeIf('==', '=')) return this.#isAt([this.#place()]);
    if (this.#takeIf('!=')) return { kind: 'not', of: this.#isAt([this.#place()]) };
    const isNot = this.#takeIf('not');
    this.#expect('in');
    const list = this.#take();
    if (!list.text.startsWith('{')) throw this.#wrong('{places}', list);
    const places = list.text
      .slice(1, -1)
      .split(',')
      .map((each) => each.trim());
    const inside = this.#isAt(places.map((text) => this.#portsAt({ ...list, text })));
    return isNot ? { kind: 'not', of: inside } : inside;
  }

  #isAt(places: readonly (readonly PortId[])[]): Formula {
    return { kind: 'condition', condition: { kind: 'at', ports: places.flat() } };
  }

  #keptFields(): Formula {
    const conditions: Condition[] = [];
    do conditions.push(this.#kept(this.#take()));
    while (this.#takeIf(','));
    return { kind: 'condition', condition: all(...conditions) };
  }

  #kept(word: Word, name = word.text): Condition {
    const at = Object.hasOwn(fields, name) ? fields[name]! : undefined;
    if (at === undefined) throw this.#wrong(`a field${similar(name, Object.keys(fields))}`, word);
    this.#remembered.set(name, at);
    const before = meta(`sent ${name}`);
    return all({ kind: 'exists', at }, { kind: 'exists', at: before }, compare(read(at), '==', read(before)));
  }

  /** What `kept` compares with is remembered beside the packet. */
  #remember(): Instruction {
    const each = [...this.#remembered].map(([name, at]) =>
      branch({ kind: 'exists', at }, assign(meta(`sent ${name}`), read(at)), nothing),
    );
    return block(...each);
  }

  #filter(): Condition {
    const word = this.#take();
    if (!word.text.startsWith('{')) throw this.#wrong('{filter}', word);
    return this.#condition(word.text.slice(1, -1), word);
  }

  #condition(text: string, word: Word): Condition {
    try {
      return parseFilter(text);
    } catch (error) {
      throw error instanceof SuperfluidityError
        ? this.#wrong(`a filter: ${error.details.reason ?? error.message}`, word)
        : error;
    }
  }

  /** A port, or a box with one way in. */
  #startPlace(): PortId {
    const word = this.#take();
    const ports = this.#portsAt(word);
    const input = ports.find((port) => port === `${word.text}:in`) ?? (ports.length === 1 ? ports[0] : undefined);
    if (input === undefined) throw this.#wrong(`one port of ${word.text}: ${ports.slice(0, 8).join(', ')}`, word);
    return input;
  }

  #place(): readonly PortId[] {
    return this.#portsAt(this.#take());
  }

  #portsAt(word: Word): readonly PortId[] {
    const ports = this.#places.get(word.text);
    if (ports === undefined)
      throw this.#wrong(`a port or a box of the network${similar(word.text, this.#places.keys())}`, word);
    return ports;
  }

  /** Symnet's language: some packet gets from place to place in that order, and is at each as the tests say. */
  #rule(number: number): Policy {
    const { line } = this.#next;
    this.#expect('reach');
    this.#expect('from');
    this.#remembered = new Map();
    const start = this.#startPlace();
    const packets = this.#tests();
    const steps: Formula[] = [];
    while (this.#takeIf('->')) {
      const at = this.#isAt([this.#place()]);
      const tests = this.#tests();
      const kept = this.#takeIf(';') ? this.#invariants() : undefined;
      const tested: Formula[] = tests === undefined ? [] : [{ kind: 'condition', condition: tests }];
      steps.push({ kind: 'and', of: [at, ...tested, ...(kept === undefined ? [] : [kept])] });
    }
    this.#expect('.');
    const formula = steps.reduceRight<Formula>(
      (later, step) => ({ kind: 'path', all: false, always: false, of: { kind: 'and', of: [step, later] } }),
      { kind: 'constant', value: true },
    );
    return {
      name: `rule-${number + 1}`,
      file: this.#file.path,
      line,
      from: [start],
      ...(packets === undefined ? {} : { packets }),
      setup: this.#remember(),
      formula,
    };
  }

  /** `src 10.0.0.1 && tcp`: up to the next sign of the rule. */
  #tests(): Condition | undefined {
    const first = this.#next;
    const words: string[] = [];
    while (!['->', ';', '.', ''].includes(this.#next.text)) words.push(this.#take().text);
    return words.length === 0 ? undefined : this.#condition(words.join(' '), first);
  }

  #invariants(): Formula {
    const conditions: Condition[] = [];
    do {
      const word = this.#take();
      conditions.push(this.#kept(word, Object.hasOwn(shortFields, word.text) ? shortFields[word.text] : word.text));
    } while (this.#takeIf('&&'));
    return { kind: 'condition', condition: all(...conditions) };
  }

  #wrong(expected: string, found: Word = this.#next): SuperfluidityError {
    const text = found.text === '' ? 'the end' : `'${found.text}'`;
    return new SuperfluidityError('SF-VERIFY-QUESTION', {
      doing: `read ${this.#file.path}`,
      reason: `${this.#file.path}:${found.line}:${found.column}: expected ${expected}, found ${text}`,
      data: { file: this.#file.path, line: found.line, column: found.column },
    });
  }
}

function similar(text: string, among: Iterable<string>): string {
  const found = nearest(text, among);
  return found === undefined ? '' : ` (did you mean '${found}'?)`;
}
