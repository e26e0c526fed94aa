import { append } from '@superfluidity/core';
import { explained } from '../analyses/explained.ts';
import { BoundHit, boundOf } from '../engine/budget.ts';
import { cellsOf } from '../engine/cells.ts';
import { type ExploreOptions, Explorer, type Start, TOO_FAR } from '../engine/explore.ts';
import type { Path } from '../engine/path.ts';
import { Question } from '../engine/question.ts';
import type { State } from '../engine/state.ts';
import { type Layout, layouts as standardLayouts } from '../ir/layouts.ts';
import type { Bound } from '../limits.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { conjunction, disjunction, evaluate, type Tree, type Truth } from './evaluate.ts';
import { conditionsOf, type Formula } from './formula.ts';
import { type ObservedEnd, treeOf, treeSoFar } from './trees.ts';

export interface CheckOptions extends Pick<ExploreOptions, 'limits' | 'clock' | 'solve' | 'coverage'> {
  /** Stop where nothing can change the answer any more (default), or explore everything. */
  readonly early?: boolean;
}

/** Bits of a number that observed conditions have. */
const CONDITIONS_MAX = 30;
/** Paths kept of each part of a formula. */
const SHOWN = 100;

/**
 * Does a formula hold for the packets of the starts? Parts of it that begin with `for all paths`, and conditions, are meant
 * of every packet; parts that begin with `on some path` are meant of some packet. Within a part, quantifiers range over
 * the copies and choices of one packet: which packets are one state in the middle of a network is a property of its model, not
 * of the network.
 */
export function checkFormula(
  network: Network,
  name: string,
  formula: Formula,
  starts: readonly Start[],
  options: CheckOptions = {},
): Verdict {
  const check = new Check(network, formula, options);
  let bound: Bound | undefined;
  try {
    if (check.conditions.length > CONDITIONS_MAX) throw new BoundHit('nesting');
    for (const start of starts) check.from(start);
  } catch (error) {
    bound = boundOf(error);
    if (bound === undefined) throw error;
  }
  return check.verdict(`policy/${name}`, bound);
}

interface Shown {
  readonly path: Path;
  readonly start: Start;
}

/** What was found out about a part of the formula. */
interface Part {
  readonly formula: Formula;
  /** Of every packet, or of some. */
  readonly isUniversal: boolean;
  readonly certain: { readonly true: Shown[]; readonly false: Shown[] };
  readonly doubtful: { readonly true: Shown[]; readonly false: Shown[] };
  readonly open: Shown[];
}

class Check {
  readonly conditions: ReturnType<typeof conditionsOf>;
  readonly #network: Network;
  readonly #formula: Formula;
  readonly #parts: readonly Part[];
  readonly #question: Question;
  readonly #isEarly: boolean;
  readonly #doubts = new Set<string>();
  #isDecided = false;

  constructor(network: Network, formula: Formula, options: CheckOptions) {
    this.#network = network;
    this.#formula = formula;
    this.conditions = conditionsOf(formula);
    this.#parts = partsOf(formula).map((part) => ({
      formula: part,
      isUniversal: part.kind !== 'path' || part.all,
      certain: { true: [], false: [] },
      doubtful: { true: [], false: [] },
      open: [],
    }));
    this.#question = new Question(options);
    this.#isEarly = options.early !== false;
  }

  from(start: Start): void {
    for (const layout of start.layouts ?? standardLayouts.filter(({ name }) => name.startsWith('ipv4/'))) {
      const explorer = new Explorer(this.#network, this.#question, {});
      for (const sent of explorer.born(start, layout)) this.#send(sent, start, layout);
    }
  }

  #send(sent: State, start: Start, layout: Layout): void {
    if (this.#isDecided) return;
    const parted: ObservedEnd[] = [];
    // Of packets that are one throughout, a path says everything; others are put together first.
    const isWhole = (state: State) => state.splits === undefined && state.born.length === sent.born.length;
    const explorer: Explorer = new Explorer(this.#network, this.#question, {
      observed: this.conditions,
      keepDropped: false,
      monitor: {
        arrived: (state, pathSoFar) => {
          if (!this.#isEarly || !isWhole(state)) return 'continue';
          const truths = this.#truths(treeSoFar(state));
          if (truths.includes(undefined)) return 'continue';
          if (state.condition.satisfiable(this.#question.solve) === 'no') return 'stop path';
          this.#found(truths, [pathSoFar('what follows cannot change the answer')], start);
          return this.#isDecided ? 'stop' : 'stop path';
        },
        ended: (path, state, facts) => {
          const end: ObservedEnd = { outcome: path.outcome, state, path, facts };
          if (isWhole(state))
            this.#found(this.#truths(treeOf({ condition: state.condition, ends: [end] })), [path], start);
          else parted.push(end);
          return this.#isDecided ? 'stop' : 'continue';
        },
      },
    });
    explorer.explore(sent, layout, start.setup);
    if (this.#isDecided) return;
    const cells = cellsOf(parted, sent, this.#question.budget);
    if (cells === undefined) this.#doubts.add('for which packets new values are made on the way');
    for (const cell of cells ?? []) {
      const paths = cell.ends.map(({ path }) => path);
      this.#found(this.#truths(treeOf(cell)), paths, start);
    }
  }

  #truths(tree: Tree): readonly Truth[] {
    return this.#parts.map(({ formula }) => evaluate(formula, tree, this.conditions));
  }

  #found(truths: readonly Truth[], paths: readonly Path[], start: Start): void {
    const isCertain = paths.every(({ doubts }) => doubts.length === 0);
    for (const [i, part] of this.#parts.entries()) {
      const truth = truths[i];
      const list = truth === undefined ? part.open : (isCertain ? part.certain : part.doubtful)[`${truth}`];
      if (list.length < SHOWN)
        append(
          list,
          paths.map((path) => ({ path, start })),
        );
    }
    this.#isDecided = this.#isEarly && this.#answer(false) !== undefined;
  }

  /** As far as it is known; when everything was explored, what was not found is not there. */
  #answer(isExplored: boolean): Truth {
    const truths = this.#parts.map(({ isUniversal, certain, doubtful, open }): Truth => {
      const decisive = isUniversal ? 'false' : 'true';
      if (certain[decisive].length > 0) return !isUniversal;
      return isExplored && open.length === 0 && doubtful[decisive].length === 0 ? isUniversal : undefined;
    });
    return combine(this.#formula, (part) => truths[this.#parts.findIndex(({ formula }) => formula === part)]);
  }

  verdict(question: string, bound: Bound | undefined): Verdict {
    const isExplored = bound === undefined && this.#doubts.size === 0;
    const answer = this.#answer(isExplored);
    const shown = this.#parts.flatMap((part) => {
      const decisive = part.isUniversal ? 'false' : 'true';
      return answer === undefined ? [...part.doubtful[decisive], ...part.open] : part.certain[decisive];
    });
    const paths = shown
      .toSorted((a, b) => a.path.hops.length - b.path.hops.length)
      .slice(0, SHOWN)
      .map(({ path, start }, i) => (i < 10 ? explained(this.#network, start, path) : path));
    const rules = (paths[0]?.hops ?? []).flatMap(({ because }) => because);
    const base = {
      question,
      paths,
      rules: [...new Map(rules.map((rule) => [`${rule.file}:${rule.line}`, rule])).values()],
    };
    if (answer !== undefined) {
      const shows = paths.length > 0;
      const because = answer
        ? shows
          ? 'There are packets that show it.'
          : 'It holds for every packet.'
        : shows
          ? 'There are packets for which it does not hold.'
          : 'No packet does what it asks for.';
      return { ...base, answer: answer ? 'holds' : 'violated', because, dependsOn: [] };
    }
    const tooFar = shown.some(({ path }) => path.why === TOO_FAR);
    const hit = bound ?? (tooFar ? 'hops' : undefined);
    const unfinished = shown.flatMap(({ path }) => (path.outcome === 'unfinished' ? [path.why ?? ''] : []));
    return {
      ...base,
      answer: 'unknown',
      because:
        hit === undefined
          ? 'Whether the formula holds depends on what is not known.'
          : `Not all paths were followed: bound hit: ${hit}.`,
      ...(hit === undefined ? {} : { bound: hit }),
      dependsOn: [...new Set([...this.#doubts, ...shown.flatMap(({ path }) => path.doubts), ...unfinished])],
    };
  }
}

/** The largest parts that quantify over paths, and the conditions beside them. */
function partsOf(formula: Formula): readonly Formula[] {
  switch (formula.kind) {
    case 'not':
      return partsOf(formula.of);
    case 'and':
    case 'or':
      return formula.of.flatMap(partsOf);
    default:
      return [formula];
  }
}

function combine(formula: Formula, truthOf: (part: Formula) => Truth): Truth {
  switch (formula.kind) {
    case 'not': {
      const truth = combine(formula.of, truthOf);
      return truth === undefined ? undefined : !truth;
    }
    case 'and':
      return conjunction(formula.of.map((part) => combine(part, truthOf)));
    case 'or':
      return disjunction(formula.of.map((part) => combine(part, truthOf)));
    default:
      return truthOf(formula);
  }
}
