import { Diagrams } from '../diagram/diagrams.ts';
import type { Condition } from '../ir/expression.ts';
import { fields } from '../ir/fields.ts';
import type { Instruction } from '../ir/instruction.ts';
import { type Layout, layouts as standardLayouts } from '../ir/layouts.ts';
import { type Bound, defaultLimits, type Limits } from '../limits.ts';
import { boxOf, type Network, type PortId } from '../network.ts';
import { Bits } from '../solve/bits.ts';
import { PathCondition, type Solve } from '../solve/path-condition.ts';
import type { SymbolId } from '../solve/value.ts';
import { BoundHit, Budget, boundOf } from './budget.ts';
import { Executor, type Sink } from './execute.ts';
import { makePath } from './make-path.ts';
import type { Outcome, Path } from './path.ts';
import { type Place, State, type SymbolSource, type Trail } from './state.ts';
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
  arrived?(state: State): 'continue' | 'stop path' | 'stop';
  ended?(path: Path, state: State): 'continue' | 'stop';
}

export interface ExploreOptions {
  readonly limits?: Partial<Limits>;
  /** Milliseconds, growing. */
  readonly clock?: () => number;
  readonly monitor?: Monitor;
  readonly detectLoops?: boolean;
  /** Without them, paths that were dropped are not listed. */
  readonly keepDropped?: boolean;
  readonly order?: 'depth' | 'breadth';
  readonly solve?: Solve;
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
  const limits: Limits = { ...defaultLimits, ...options.limits };
  return new Explorer(network, options, limits).explore(start);
}

class Explorer {
  readonly #network: Network;
  readonly #options: ExploreOptions;
  readonly #limits: Limits;
  readonly #budget: Budget;
  readonly #diagrams: Diagrams;
  readonly #bits: Bits;
  readonly #paths: Path[] = [];
  readonly #waiting: State[] = [];
  /** What the packets were that are under way, by the layout that is being explored. */
  #layout = '';
  #sent: State | undefined;
  readonly #arrivals = new WeakMap<Trail, State>();
  #symbols = 0;
  #states = 0;
  #stopped = false;

  constructor(network: Network, options: ExploreOptions, limits: Limits) {
    this.#network = network;
    this.#options = options;
    this.#limits = limits;
    this.#budget = new Budget(limits, options.clock ?? (() => performance.now()));
    this.#diagrams = new Diagrams(limits.diagramNodes, () => this.#budget.look());
    this.#bits = new Bits(this.#diagrams);
  }

  explore(start: Start): Exploration {
    let bound: Bound | undefined;
    try {
      for (const layout of start.layouts ?? withoutFrame) {
        this.#layout = layout.name;
        for (const born of this.#born(start, layout)) this.#exploreFrom(born, start);
        if (this.#stopped) break;
      }
    } catch (error) {
      bound = boundOf(error);
      if (bound === undefined) throw error;
      for (const state of this.#waiting) this.#paths.push(this.#path(state, 'unfinished', `bound hit: ${bound}`));
    }
    return {
      paths: this.#paths,
      ...(bound === undefined ? {} : { bound }),
      statistics: { instructions: this.#budget.instructions, states: this.#states, diagramNodes: this.#diagrams.size },
    };
  }

  /** The packets that are asked about, with the headers of one layout. Of others nothing is told, however they would end. */
  #born(start: Start, layout: Layout): readonly State[] {
    const executor = this.#executor({ forwarded: () => undefined, ended: () => undefined });
    const born = executor.run(State.empty(PathCondition.free(this.#bits), start.port), layout.setup);
    const { assume } = start;
    return assume === undefined ? born : born.flatMap((state) => executor.split(state, assume).yes);
  }

  #exploreFrom(born: State, { setup }: Start): void {
    this.#sent = born;
    this.#waiting.push(...(setup === undefined ? [born] : this.#executor().run(born, setup)));
    while (this.#waiting.length > 0 && !this.#stopped) {
      this.#step(this.#options.order === 'breadth' ? this.#waiting.shift()! : this.#waiting.pop()!);
    }
  }

  #step(state: State): void {
    this.#states += 1;
    this.#budget.step();
    if (this.#options.monitor?.arrived !== undefined) {
      const answer = this.#options.monitor.arrived(state);
      if (answer === 'stop') this.#stopped = true;
      if (answer !== 'continue') return;
    }
    if (state.trail.length > this.#limits.hops) return this.#end(state, 'unfinished', TOO_FAR);
    if (this.#options.detectLoops !== false && this.#isLoop(state)) {
      return this.#end(state, 'loop', 'it has been here before');
    }
    const unknown = this.#network.unknown?.get(boxOf(state.port));
    if (unknown !== undefined) return this.#end(state, 'unfinished', unknown);
    const program = this.#network.programs.get(state.port);
    const through = program === undefined ? [state] : this.#executor().run(state, program);
    for (const each of through) this.#follow(each);
  }

  #follow(state: State): void {
    const links = this.#network.links.get(state.port) ?? [];
    for (const to of links) this.#waiting.push((links.length > 1 ? state.copied() : state).arriveAt(to));
    if (links.length > 0) return;
    if (this.#network.edges?.has(state.port) ?? true) this.#end(state, 'delivered');
    else this.#end(state, 'black hole', 'nothing is connected here');
  }

  readonly #sink: Sink = {
    forwarded: (state, to) => {
      this.#waiting.push(state.arriveAt(to));
    },
    ended: (state, outcome, why, source) => this.#end(state, outcome, why, source),
  };

  #executor(sink = this.#sink): Executor {
    const symbols: SymbolSource = {
      fresh: (): SymbolId => {
        this.#symbols += 1;
        return this.#symbols;
      },
    };
    return new Executor({
      network: this.#network,
      symbols,
      bits: this.#bits,
      budget: this.#budget,
      sink,
    });
  }

  #end(state: State, outcome: Outcome, why?: string, source?: SourceRef): void {
    if (state.condition.satisfiable(this.#options.solve) === 'no') return;
    const { monitor, keepDropped } = this.#options;
    const kept = outcome !== 'dropped' || keepDropped !== false;
    if (!kept && monitor?.ended === undefined) return;
    const path = this.#path(state, outcome, why, source);
    if (monitor?.ended?.(path, state) === 'stop') this.#stopped = true;
    if (!kept) return;
    if (this.#paths.length >= this.#limits.paths) throw new BoundHit('paths');
    this.#paths.push(path);
  }

  #path(state: State, outcome: Outcome, why?: string, source?: SourceRef): Path {
    const { solve } = this.#options;
    const sent = this.#sent!;
    return makePath({ state, outcome, why, source, layout: this.#layout, sent, solve, ranges: this.#limits.ranges });
  }

  /**
   * Every packet of the state has been at this port in the same state before. The condition of a path only ever gets
   * narrower, so it is enough to compare what the places hold.
   */
  #isLoop(state: State): boolean {
    for (let trail = state.trail.before; trail !== undefined; trail = trail.before) {
      if (trail.port !== state.port) continue;
      const earlier = this.#arrivals.get(trail);
      if (earlier !== undefined && contained(state, earlier)) return true;
    }
    this.#arrivals.set(state.trail, state);
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
