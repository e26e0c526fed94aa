import { append } from '@superfluidity/core';
import type { Condition, Expr } from '../ir/expression.ts';
import type { Instruction, InstructionOf } from '../ir/instruction.ts';
import type { SourceRef } from '../ir/source.ts';
import type { Network } from '../network.ts';
import { type Formula, isFalsehood, isTruth } from '../solve/formula.ts';
import { type SymbolId, symbolWidths, type Value } from '../solve/value.ts';
import { tableClasses } from '../tables/classes.ts';
import type { Outcome } from './path.ts';
import type { Question } from './question.ts';
import { operandsOf, PathFailure, type State } from './state.ts';

/** Calls of routines within each other; the calls of a network have no cycle. */
const CALLS_MAX = 200;

/** What becomes of packets at a port. */
export interface Sink {
  /** They go on at that port. */
  forwarded(state: State, to: string): void;
  ended(state: State, outcome: Outcome, why: string, source: SourceRef | undefined): void;
}

/** Runs instructions on states. Packets that neither were forwarded nor ended are those returned. */
export class Executor {
  readonly #network: Network;
  readonly #question: Question;
  readonly #sink: Sink;
  #calls = 0;

  constructor(network: Network, question: Question, sink: Sink) {
    this.#network = network;
    this.#question = question;
    this.#sink = sink;
  }

  run(state: State, instruction: Instruction): readonly State[] {
    this.#question.budget.instruction();
    // Of a test, what counts is that some packets are as it says.
    if (instruction.op !== 'if') this.#exercised(state, instruction.source);
    try {
      return this.#run(state, instruction);
    } catch (error) {
      if (!(error instanceof PathFailure)) throw error;
      this.#sink.ended(state.because(instruction.source), 'failed', error.message, instruction.source);
      return [];
    }
  }

  #run(state: State, instruction: Instruction): readonly State[] {
    const { source } = instruction;
    switch (instruction.op) {
      case 'block': {
        let states: readonly State[] = [state];
        for (const each of instruction.body) {
          if (states.length === 0) break;
          states = states.length === 1 ? this.run(states[0]!, each) : states.flatMap((one) => this.run(one, each));
        }
        return states;
      }
      case 'allocate':
        return [state.allocate(instruction.at, instruction.width)];
      case 'deallocate':
        return [state.deallocate(instruction.at, instruction.width)];
      case 'assign':
        return this.#assign(state, instruction);
      case 'createTag':
        return [state.createTag(instruction.tag, instruction.relativeTo, instruction.offset)];
      case 'destroyTag':
        return [state.destroyTag(instruction.tag)];
      case 'constrain': {
        const { yes, no } = this.split(state, instruction.condition, source);
        for (const one of no) {
          this.#sink.ended(one.because(source), 'dropped', instruction.why ?? 'a condition is not met', source);
        }
        return no.length === 0 ? yes : yes.map((one) => one.because(source));
      }
      case 'if': {
        const { yes, no } = this.split(state, instruction.condition, source);
        if (yes.length > 0) this.#exercised(yes[0]!, source);
        const decided = yes.length === 0 || no.length === 0;
        const mark = (one: State) => (decided ? one : one.because(source));
        return [
          ...yes.flatMap((one) => this.run(mark(one), instruction.yes)),
          ...no.flatMap((one) => this.run(mark(one), instruction.no)),
        ];
      }
      case 'for': {
        let states: readonly State[] = [state];
        for (const { matched } of state.metadata(instruction.pattern)) {
          const body = withName(instruction.body, matched);
          states = states.flatMap((one) => this.run(one, body));
        }
        return states;
      }
      case 'forward':
        this.#sink.forwarded(state.because(source), instruction.to);
        return [];
      case 'fork':
        return this.#branches(state.copied(instruction.branches.length), instruction.branches);
      case 'choose':
        return this.#branches(state.chosen(instruction.branches.length), instruction.branches);
      case 'fail':
        this.#sink.ended(state.because(source), 'failed', instruction.why, source);
        return [];
      case 'drop':
        this.#sink.ended(state.because(source), 'dropped', instruction.why, source);
        return [];
      case 'destroyPacket':
        return [state.destroyPacket()];
      case 'save':
        return [state.save(instruction.name)];
      case 'load':
        return [state.load(instruction.name)];
      case 'table':
        return this.#table(state, instruction);
      case 'call':
        return this.#call(state, instruction);
      case 'doubt':
        return this.#doubt(state, instruction);
    }
  }

  /** A doubt that does not cover what may happen is a choice between what follows and something that nobody knows. */
  #doubt(state: State, { what, covered, source }: InstructionOf<'doubt'>): readonly State[] {
    const doubting = state.doubting(what).because(source);
    // What else may happen because of it was said already.
    if (covered === true || state.doubts.includes(what)) return [doubting];
    const [asModelled, otherwise] = doubting.chosen(2);
    this.#sink.ended(otherwise!, 'unfinished', what, source);
    return [asModelled!];
  }

  #exercised({ condition }: State, source: SourceRef | undefined): void {
    const { coverage, solve } = this.#question;
    if (coverage === undefined || source === undefined || coverage.has(source.file, source.line)) return;
    if (condition.satisfiable(solve) !== 'no') coverage.ran(source);
  }

  #branches(states: readonly State[], branches: readonly Instruction[]): readonly State[] {
    return states.flatMap((state, i) => this.run(state, branches[i]!));
  }

  /** The packets of a state on either side of a condition. */
  split(
    state: State,
    condition: Condition,
    source?: SourceRef,
  ): { readonly yes: readonly State[]; readonly no: readonly State[] } {
    const { when, fails } = state.decide(condition);
    if (fails !== undefined) {
      const { yes: bad, no: good } = state.condition.split(fails.when);
      if (bad !== undefined) this.#sink.ended(state.under(bad).because(source), 'failed', fails.error.message, source);
      return good === undefined ? { yes: [], no: [] } : sides(state.under(good), when);
    }
    return sides(state, when);
  }

  #assign(state: State, { to, value: expr }: InstructionOf<'assign'>): readonly State[] {
    const born: SymbolId[] = [];
    const { value, known } = state.evaluate(expr, {
      fresh: (name, width) => {
        const symbol = this.#question.fresh(name, width);
        born.push(symbol);
        return symbol;
      },
    });
    const condition = known === undefined ? state.condition : state.condition.and(known);
    return condition === undefined ? [] : [state.with(born).under(condition).assign(to, value)];
  }

  #call(state: State, { routine }: InstructionOf<'call'>): readonly State[] {
    const body = this.#network.routines.get(routine);
    if (body === undefined) throw new PathFailure(`there is no routine ${routine}`);
    if (this.#calls >= CALLS_MAX) throw new PathFailure(`routines call each other more than ${CALLS_MAX} deep`);
    this.#calls += 1;
    try {
      return this.run(state, body);
    } finally {
      this.#calls -= 1;
    }
  }

  #table(state: State, { table, source }: InstructionOf<'table'>): readonly State[] {
    const values = table.keys.map(({ of, absent }): Value | undefined => {
      if (absent !== 'fail' && !isThere(state, of)) return undefined;
      return state.condition.settled(state.evaluate(of, this.#question).value);
    });
    this.#question.coverage?.looked(table, values, state.condition, this.#question);
    const widths = new Map<SymbolId, number>();
    for (const value of values) if (value !== undefined) symbolWidths(value, widths);
    const through: State[] = [];
    for (const { behaviour, when } of tableClasses(table, values, this.#question.bits)) {
      const condition = 'node' in when ? state.condition.andNode(when.node, widths) : state.condition.and(when);
      if (condition === undefined) continue;
      const body = behaviour === undefined ? table.miss : table.behaviours[behaviour]!;
      append(through, this.run(state.under(condition).because(source), body));
      // Classes are disjoint: nothing is left for the others.
      if (condition === state.condition) break;
    }
    return through;
  }
}

/** Whether everything that an expression reads is there. */
function isThere(state: State, expr: Expr): boolean {
  if (expr.kind === 'read') return state.has(expr.from);
  if (expr.kind === 'const' || expr.kind === 'fresh') return true;
  return operandsOf(expr).every((operand) => isThere(state, operand));
}

function sides(state: State, when: Formula): { readonly yes: readonly State[]; readonly no: readonly State[] } {
  if (isTruth(when)) return { yes: [state], no: [] };
  if (isFalsehood(when)) return { yes: [], no: [state] };
  const { yes, no } = state.condition.split(when);
  return {
    yes: yes === undefined ? [] : [state.under(yes)],
    no: no === undefined ? [] : [state.under(no)],
  };
}

/** `{}` in names of metadata stands for the matched text. What does not speak of it stays the same object: tables are compiled once. */
function withName(instruction: Instruction, matched: string): Instruction {
  const replaceIn = <T>(value: T): T => {
    if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
    if (Array.isArray(value)) {
      const parts = value.map(replaceIn);
      return parts.every((part, i) => part === value[i]) ? value : (parts as T);
    }
    const object = value as Record<string, unknown>;
    if (object['kind'] === 'meta') {
      const name = object['name'] as string;
      return name.includes('{}') ? ({ ...object, name: name.replaceAll('{}', matched) } as T) : value;
    }
    const entries = Object.entries(object).map(([key, part]) => [key, replaceIn(part)] as const);
    return entries.every(([key, part]) => part === object[key]) ? value : (Object.fromEntries(entries) as T);
  };
  return replaceIn(instruction);
}
