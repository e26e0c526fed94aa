import type { Parameter } from '../config/characterisation.ts';
import { Hypotheses, type Hypothesis } from './relevant.ts';
import { pairwiseDesign } from './pairs.ts';

/** What one experiment came to: the label that most of its samples have, as a number; the last one is that of no class. */
export interface Observation {
  readonly configuration: number;
  readonly label: number;
  /** Part of the time of an experiment that it had, where that is not all of it: it is wrong more often then. */
  readonly share?: number;
}

export interface ActiveOptions {
  /** Probability that all classes get the configuration that they would get by measuring everything. */
  readonly confidence: number;
  /** Probability that an experiment comes to a label that is not that of its configuration. */
  readonly noise: number;
  /** Experiments with one configuration at most. */
  readonly iterations: number;
  /** Short trials while there are many candidates; what is chosen was measured for the whole time. */
  readonly halving?: boolean;
}

export interface Decision {
  /** What to measure next; undefined: it is decided, or everything was measured. */
  readonly next?: number;
  /** Part of the time of an experiment that it should get. */
  readonly share?: number;
  /** At least this: one minus what may be wrong of each class. */
  readonly confidence: number;
  /** Of each label: the configuration that would be chosen now. */
  readonly candidates: readonly (number | undefined)[];
}

interface Weighed {
  readonly hypothesis: Hypothesis;
  readonly weight: number;
  /** Of each cell: probability of each label. */
  readonly posterior: Float64Array;
}

/** The shortest trials, and the most candidates for which a trial has half or all of its time (Jamieson and Talwalkar 2016). */
const SHORTEST = 0.25;
const HALF_UP_TO = 8;
const WHOLE_UP_TO = 3;
/** A configuration that has a label with less than this is no candidate for it. */
const PLAUSIBLE = 0.05;
/** Errors grow as the time gets shorter, like the mean of fewer samples; a label that is wrong as often as not tells nothing. */
const WRONG_MAX = 0.45;

/** Hypotheses that are so much less likely than the likeliest one decide nothing. */
const NEGLIGIBLE = 1e-6;

/**
 * Chooses experiments so that the cheapest configuration of each class is known before all of them were made. The model: some
 * few of the parameters matter (`Hypothesis`), configurations that are alike in these have one label, experiments give it but for
 * noise, and every class is reached by some configuration. Over sets of at most four parameters all this is computed exactly, over
 * larger ones where smaller ones lead to them. First comes a design in which all pairs of values meet; then what most probably changes the answer.
 *
 * A function of what was observed: who asks again after a crash gets the same. O(h (n + c) l) for h hypotheses, n observations,
 * c configurations and l labels; h is at most 794 and the larger sets that are looked at, since 4,096 configurations have at most 12 parameters that vary.
 */
export class ActiveChoice {
  readonly #costs: readonly number[];
  readonly #labels: number;
  readonly #options: ActiveOptions;
  readonly #hypotheses: Hypotheses;
  readonly #design: readonly number[];
  /** Configurations by cost, and those of equal cost by number. */
  readonly #order: readonly number[];

  constructor(
    parameters: readonly Parameter[],
    costs: readonly number[],
    labels: number,
    most: number,
    options: ActiveOptions,
  ) {
    this.#costs = costs;
    this.#labels = labels;
    this.#options = options;
    this.#hypotheses = new Hypotheses(parameters, most);
    this.#design = pairwiseDesign(parameters, costs);
    this.#order = costs.map((_, c) => c).toSorted((a, b) => costs[a]! - costs[b]! || a - b);
  }

  /** `closed` are configurations that cannot be measured (again). */
  decide(observations: readonly Observation[], closed: ReadonlySet<number> = new Set()): Decision {
    const counts = new Map<number, number>();
    for (const { configuration } of observations) counts.set(configuration, (counts.get(configuration) ?? 0) + 1);
    const isOpen = (c: number) => !closed.has(c) && (counts.get(c) ?? 0) < this.#options.iterations;
    const wholly = new Set(
      observations.filter(({ share = 1 }) => share >= 1).map(({ configuration }) => configuration),
    );
    // Where it cannot be measured any more, what there is has to do.
    const isSettled = (c: number) => wholly.has(c) || (counts.has(c) && !isOpen(c));
    const weighed = this.#weigh(observations);
    const chances = this.#chances(weighed);
    const candidates = Array.from({ length: this.#labels }, (_, label) =>
      this.#order.find((c) => chances[c * this.#labels + label]! > 0.5),
    );
    const right = candidates.map((candidate, label) => {
      if (candidate === undefined) return this.#order.every((c) => counts.has(c)) ? 1 : 0;
      return isSettled(candidate) ? this.#rightness(candidate, label, weighed) : 0;
    });
    const confidence = Math.max(0, 1 - right.reduce((wrong, one) => wrong + (1 - one), 0));
    const told = { confidence, candidates };
    const design = this.#design.find((c) => !counts.has(c) && isOpen(c));
    if (design !== undefined) return { ...told, next: design, ...this.#shareOf(design, Infinity, counts) };
    if (confidence >= this.#options.confidence) return told;
    const next = this.#mostTelling(right, candidates, chances, counts, isOpen, isSettled);
    return next === undefined ? told : { ...told, next: next.configuration, ...next.share };
  }

  /** The more candidates there are, the shorter; the last experiment with a configuration has the whole time. */
  #shareOf(configuration: number, rivals: number, counts: ReadonlyMap<number, number>): { readonly share?: number } {
    const left = this.#options.iterations - (counts.get(configuration) ?? 0);
    if (this.#options.halving !== true || left < 2 || rivals <= WHOLE_UP_TO) return {};
    return { share: rivals <= HALF_UP_TO ? 0.5 : SHORTEST };
  }

  /** Probability of each hypothesis, those that are negligible left out. */
  #weigh(observations: readonly Observation[]): readonly Weighed[] {
    const made = this.#hypotheses.judged(NEGLIGIBLE, (hypothesis) => this.#judge(hypothesis, observations));
    const best = made.reduce((most, { log }) => Math.max(most, log), Number.NEGATIVE_INFINITY);
    const kept = made.filter(({ log }) => Math.exp(log - best) > NEGLIGIBLE);
    const total = kept.reduce((sum, { log }) => sum + Math.exp(log - best), 0);
    return kept.map(({ log, ...rest }) => ({ ...rest, weight: Math.exp(log - best) / total }));
  }

  #judge(hypothesis: Hypothesis, observations: readonly Observation[]) {
    const labels = this.#labels;
    // Of each cell and label: logarithm of the probability of what was seen there, if that were the label.
    const posterior = new Float64Array(hypothesis.cells * labels);
    for (const { configuration, label, share = 1 } of observations) {
      const noise = Math.max(this.#options.noise, Math.min(WRONG_MAX, this.#options.noise / Math.sqrt(share)));
      const [right, wrong] = [Math.log(1 - noise), Math.log(noise / (labels - 1))];
      const at = hypothesis.cellOf[configuration]! * labels;
      for (let l = 0; l < labels; l += 1) posterior[at + l] = posterior[at + l]! + (l === label ? right : wrong);
    }
    let log = hypothesis.logPrior;
    const absent = new Float64Array(labels).fill(1);
    for (let at = 0; at < posterior.length; at += labels) {
      let [most, sum] = [Number.NEGATIVE_INFINITY, 0];
      for (let l = 0; l < labels; l += 1) most = Math.max(most, posterior[at + l]!);
      for (let l = 0; l < labels; l += 1) sum += Math.exp(posterior[at + l]! - most);
      log += most + Math.log(sum / labels);
      for (let l = 0; l < labels; l += 1) {
        posterior[at + l] = Math.exp(posterior[at + l]! - most) / sum;
        absent[l] = absent[l]! * (1 - posterior[at + l]!);
      }
    }
    // Every class is somewhere; that there is something in no class is not said.
    for (let l = 0; l < labels - 1; l += 1) log += Math.log(Math.max(Number.MIN_VALUE, 1 - absent[l]!));
    return { hypothesis, posterior, log };
  }

  /** Probability of each label for each configuration. */
  #chances(weighed: readonly Weighed[]): Float64Array {
    const labels = this.#labels;
    const chances = new Float64Array(this.#costs.length * labels);
    for (const { hypothesis, weight, posterior } of weighed) {
      for (let c = 0; c < this.#costs.length; c += 1) {
        const at = hypothesis.cellOf[c]! * labels;
        for (let l = 0; l < labels; l += 1)
          chances[c * labels + l] = chances[c * labels + l]! + weight * posterior[at + l]!;
      }
    }
    return chances;
  }

  /** Probability that the candidate has the label, and nothing before it in the order of cost has. */
  #rightness(candidate: number, label: number, weighed: readonly Weighed[]): number {
    let sum = 0;
    for (const { hypothesis, weight, posterior } of weighed) {
      const own = hypothesis.cellOf[candidate]!;
      const seen = new Set<number>();
      let chance = posterior[own * this.#labels + label]!;
      for (const c of this.#order) {
        if (c === candidate) break;
        const cell = hypothesis.cellOf[c]!;
        if (cell === own) chance = 0;
        if (chance === 0) break;
        if (!seen.has(cell)) chance *= 1 - posterior[cell * this.#labels + label]!;
        seen.add(cell);
      }
      sum += weight * chance;
    }
    return sum;
  }

  /** For the label that is least sure: the candidate, or what most probably takes its place. */
  #mostTelling(
    right: readonly number[],
    candidates: readonly (number | undefined)[],
    chances: Float64Array,
    counts: ReadonlyMap<number, number>,
    isOpen: (configuration: number) => boolean,
    isSettled: (configuration: number) => boolean,
  ): { readonly configuration: number; readonly share: { readonly share?: number } } | undefined {
    const byNeed = right.map((_, label) => label).toSorted((a, b) => right[a]! - right[b]!);
    for (const label of byNeed) {
      const candidate = candidates[label];
      if (candidate !== undefined && !isSettled(candidate) && isOpen(candidate)) {
        // It is not surely the one: only when it seems to be is it worth the whole time.
        const seems = chances[candidate * this.#labels + label]! >= this.#options.confidence;
        return {
          configuration: candidate,
          share: seems || counts.has(candidate) ? {} : this.#shareOf(candidate, Infinity, counts),
        };
      }
      let [best, most, rivals] = [-1, 0, 0];
      for (const c of this.#order) {
        const chance = chances[c * this.#labels + label]!;
        const doubt = c === candidate ? 1 - chance : chance;
        if (chance > PLAUSIBLE) rivals += 1;
        // What was measured already tells less.
        const worth = doubt / (1 + (counts.get(c) ?? 0));
        if (isOpen(c) && worth > most) [best, most] = [c, worth];
        if (c === candidate) break;
      }
      if (best >= 0) return { configuration: best, share: this.#shareOf(best, rivals, counts) };
    }
    const unseen = this.#order.find((c) => isOpen(c) && !counts.has(c));
    return unseen === undefined ? undefined : { configuration: unseen, share: this.#shareOf(unseen, Infinity, counts) };
  }
}
