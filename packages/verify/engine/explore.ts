import { append } from '@superfluidity/core';
import type { Condition } from '../ir/expression.ts';
import { fields } from '../ir/fields.ts';
import type { Instruction } from '../ir/instruction.ts';
import { type Layout, layouts as standardLayouts } from '../ir/layouts.ts';
import type { Bound, Limits } from '../limits.ts';
import { boxOf, type Network, type PortId } from '../network.ts';
import { all, not } from '../solve/formula.ts';
import type { Solve } from '../solve/path-condition.ts';
import { BoundHit, boundOf } from './budget.ts';
import type { Coverage } from './coverage.ts';
import { Executor } from './execute.ts';
import { makePath } from './make-path.ts';
import type { Outcome, Path } from './path.ts';
import { Question } from './question.ts';
import { type Place, State } from './state.ts';
import type { SourceRef } from '../ir/source.ts';

export interface Start {
  readonly port: PortId;
  /** With which headers packets begin: default, all without a frame. */
  readonly layouts?: readonly Layout[];
  /** What is assumed of the packets. */
  readonly assume?: Condition;
  /** Runs before, on the new packet: marks, what a flow has been through. */
  readonly setup?: Instruction;
}

/** Told what happens while it happens; what it answers can end the work early. */
export interface Monitor {
  /** Packets are at a port, before its program. */
  arrived?(state: State, pathSoFar: (why: string) => Path): 'continue' | 'stop path' | 'stop';
  /** `facts` are the observed conditions that hold at the end. */
  ended?(path: Path, state: State, facts: number): 'continue' | 'stop';
}

export interface ExploreOptions {
  readonly limits?: Partial<Limits>;
  /** Milliseconds, growing. */
  readonly clock?: () => number;
  readonly monitor?: Monitor;
  /**
   * Wherever packets arrive and end, they are split so that each of these holds for all packets of a state or for none; the
   * trail says which. What cannot be read does not hold. At most 30.
   */
  readonly observed?: readonly Condition[];
  readonly detectLoops?: boolean;
  /** Without them, paths that were dropped are not listed. */
  readonly keepDropped?: boolean;
  readonly order?: 'depth' | 'breadth';
  readonly solve?: Solve;
  /** Is told which rules packets met. */
  readonly coverage?: Coverage;
}

export interface Exploration {
  readonly paths: readonly Path[];
  /** The bound that was hit: then `paths` are not all. */
  readonly bound?: Bound;
  readonly statistics: { readonly instructions: number; readonly states: number; readonly diagramNodes: number };
}

const withoutFrame = standardLayouts.filter(({ name }) => name.startsWith('ipv4/'));

/** Why a path of too many ports was not followed further. */
export const TOO_FAR = 'bound hit: hops';

/** Fields that only ever go down on the way: a packet that is back with less of them is in a loop all the same. */
const falling = new Set(['IPv4.ttl', 'IPv4.checksum', 'IPv6.hopLimit']);

/** Executes all packets that begin at a port, until each is delivered, dropped, lost, in a loop, or beyond a bound. */
export function explore(network: Network, start: Start, options: ExploreOptions = {}): Exploration {
  const question = new Question(options);
  const explorer = new Explorer(network, question, options);
  let bound: Bound | undefined;
  try {
    for (const layout of start.layouts ?? withoutFrame) {
      for (const born of explorer.born(start, layout)) explorer.explore(born, layout, start.setup);
      if (explorer.isStopped) break;
    }
  } catch (error) {
    bound = boundOf(error);
    if (bound === undefined) throw error;
    explorer.giveUp(bound);
  }
  return {
    paths: explorer.paths,
    ...(bound === undefined ? {} : { bound }),
    statistics: {
      instructions: question.budget.instructions,
      states: explorer.states,
      diagramNodes: question.bits.diagrams.size,
    },
  };
}

/** Follows packets through one network. What ends is told to the monitor, and kept as a path. */
export class Explorer {
  readonly paths: Path[] = [];
  states = 0;
  isStopped = false;
  readonly #network: Network;
  readonly #question: Question;
  readonly #options: ExploreOptions;
  readonly #executor: Executor;
  readonly #waiting: State[] = [];
  /** What the packets were that are under way, and by which layout. */
  #layout = '';
  #sent: State | undefined;
  /** By `arrival` of the trail. */
  readonly #arrivals = new WeakMap<object, State>();

  constructor(network: Network, question: Question, options: ExploreOptions) {
    this.#network = network;
    this.#question = question;
    this.#options = options;
    this.#executor = new Executor(network, question, {
      forwarded: (state, to) => {
        this.#waiting.push(state.arriveAt(to));
      },
      ended: (state, outcome, why, source) => this.#end(state, outcome, why, source),
    });
  }

  /** The packets that are asked about, with the headers of one layout. Of others nothing is told, however they would end. */
  born({ port, assume }: Start, layout: Layout): readonly State[] {
    this.#question.otherPackets();
    const quiet = new Executor(this.#network, this.#question, { forwarded: () => undefined, ended: () => undefined });
    const born = quiet.run(State.empty(this.#question.anything(), port), layout.setup);
    return assume === undefined ? born : born.flatMap((state) => quiet.split(state, assume).yes);
  }

  explore(born: State, { name }: Layout, setup?: Instruction): void {
    this.#layout = name;
    this.#sent = born;
    append(this.#waiting, setup === undefined ? [born] : this.#executor.run(born, setup));
    while (this.#waiting.length > 0 && !this.isStopped) {
      this.#step(this.#options.order === 'breadth' ? this.#waiting.shift()! : this.#waiting.pop()!);
    }
  }

  /** The paths that are still under way end here. */
  giveUp(bound: Bound): void {
    // The solver is not asked of them: there may be many, and time may be what has run out.
    for (const state of this.#waiting) {
      this.paths.push(this.#path(state, 'unfinished', `bound hit: ${bound}`, undefined, 'without the solver'));
    }
    this.#waiting.length = 0;
  }

  #step(state: State): void {
    for (const { seen, facts } of this.#observe(state)) {
      if (!this.isStopped) this.#stepOn(seen.knowing(facts));
    }
  }

  #observe(state: State): readonly { readonly seen: State; readonly facts: number }[] {
    let pieces = [{ seen: state, facts: 0 }];
    for (const [i, condition] of (this.#options.observed ?? []).entries()) {
      pieces = pieces.flatMap(({ seen, facts }) => {
        const { when, fails } = seen.decide(condition);
        const { yes, no } = seen.condition.split(fails === undefined ? when : all([when, not(fails.when)]));
        return [
          ...(yes === undefined ? [] : [{ seen: seen.under(yes), facts: facts | (1 << i) }]),
          ...(no === undefined ? [] : [{ seen: seen.under(no), facts }]),
        ];
      });
    }
    return pieces;
  }

  #stepOn(state: State): void {
    this.states += 1;
    this.#question.budget.step();
    if (this.#options.monitor?.arrived !== undefined) {
      const answer = this.#options.monitor.arrived(state, (why) => this.#path(state, 'unfinished', why));
      if (answer === 'stop') this.isStopped = true;
      if (answer !== 'continue') return;
    }
    if (state.trail.length > this.#question.limits.hops) return this.#end(state, 'unfinished', TOO_FAR);
    if (this.#options.detectLoops !== false && this.#isLoop(state)) {
      return this.#end(state, 'loop', 'it has been here before');
    }
    const unknown = this.#network.unknown?.get(boxOf(state.port));
    if (unknown !== undefined) return this.#end(state, 'unfinished', unknown);
    const program = this.#network.programs.get(state.port);
    const through = program === undefined ? [state] : this.#executor.run(state, program);
    for (const each of through) this.#follow(each);
  }

  #follow(state: State): void {
    const links = this.#network.links.get(state.port) ?? [];
    const copies = links.length > 1 ? state.copied(links.length) : [state];
    links.forEach((to, i) => this.#waiting.push(copies[i]!.arriveAt(to)));
    if (links.length > 0) return;
    if (this.#network.edges?.has(state.port) ?? true) this.#end(state, 'delivered');
    else this.#end(state, 'black hole', 'nothing is connected here');
  }

  #end(state: State, outcome: Outcome, why?: string, source?: SourceRef): void {
    for (const { seen, facts } of this.#observe(state)) this.#endOn(seen, facts, outcome, why, source);
  }

  #endOn(state: State, facts: number, outcome: Outcome, why?: string, source?: SourceRef): void {
    // One answer of the solver may take seconds.
    this.#question.budget.look();
    if (state.condition.satisfiable(this.#question.solve) === 'no') return;
    const { monitor, keepDropped } = this.#options;
    const kept = outcome !== 'dropped' || keepDropped !== false;
    if (!kept && monitor?.ended === undefined) return;
    const path = this.#path(state, outcome, why, source);
    if (monitor?.ended?.(path, state, facts) === 'stop') this.isStopped = true;
    if (!kept) return;
    if (this.paths.length >= this.#question.limits.paths) throw new BoundHit('paths');
    this.paths.push(path);
  }

  #path(state: State, outcome: Outcome, why?: string, source?: SourceRef, how?: 'without the solver'): Path {
    const { limits } = this.#question;
    const solve = how === undefined ? this.#question.solve : undefined;
    const sent = this.#sent!;
    return makePath({ state, outcome, why, source, layout: this.#layout, sent, solve, ranges: limits.ranges });
  }

  /**
   * Every packet of the state has been at this port in the same state before. The condition of a path only ever gets
   * narrower, so it is enough to compare what the places hold.
   */
  #isLoop(state: State): boolean {
    for (let trail = state.trail.before; trail !== undefined; trail = trail.before) {
      if (trail.port !== state.port) continue;
      const earlier = this.#arrivals.get(trail.arrival);
      if (earlier !== undefined && contained(state, earlier)) return true;
    }
    this.#arrivals.set(state.trail.arrival, state);
    return false;
  }
}

function contained(state: State, earlier: State): boolean {
  const leftOut = new Set<Place>();
  for (const name of falling) {
    const at = fields[name]!;
    if (state.has(at)) leftOut.add(state.place(at));
  }
  return state.isAs(earlier, leftOut);
}
