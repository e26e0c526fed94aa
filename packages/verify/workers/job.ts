import { type EquivalenceOptions, type EquivalenceVerdict, equivalence } from '../equivalence/equivalence.ts';
import type { ExploreOptions, Start } from '../engine/explore.ts';
import type { Path, ShownPath } from '../engine/path.ts';
import { checkFormula } from '../netctl/check.ts';
import type { Formula } from '../netctl/formula.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { ask, type EveryStartQuestion } from './question.ts';
import { differencesTogether, together } from './together.ts';

/** A formula, and where the packets begin of which it is asked. */
export interface AskedPolicy {
  readonly name: string;
  readonly formula: Formula;
  readonly starts: readonly Start[];
}

/** Work in parts that do not depend on each other. Plain data, so that threads can do it. */
export type Job =
  | {
      readonly kind: 'question';
      readonly network: Network;
      readonly question: EveryStartQuestion;
      readonly starts: readonly Start[];
    }
  | { readonly kind: 'policies'; readonly network: Network; readonly policies: readonly AskedPolicy[] }
  | {
      readonly kind: 'diff';
      readonly networks: readonly [Network, Network];
      readonly starts: readonly Start[];
      readonly options: Pick<EquivalenceOptions, 'ports' | 'ignored'>;
    };

type AnyVerdict<P extends ShownPath> = Verdict<P> | EquivalenceVerdict<P>;

export interface Found<P extends ShownPath = ShownPath> {
  /** The part; of parts that were put together, the first. */
  readonly part: number;
  readonly verdict: AnyVerdict<P>;
}

export const partsOf = (job: Job) => (job.kind === 'policies' ? job.policies : job.starts).length;

export function doPart(job: Job, part: number, options: ExploreOptions): AnyVerdict<Path> {
  switch (job.kind) {
    case 'question':
      return ask(job.network, job.starts[part]!, job.question, options);
    case 'policies': {
      const { name, formula, starts } = job.policies[part]!;
      return checkFormula(job.network, name, formula, starts, options);
    }
    case 'diff':
      return equivalence(...job.networks, [job.starts[part]!], { ...job.options, ...options });
  }
}

/** Verdicts of policies are answers of their own; of one question about many starts there is one. */
export function gathered<P extends ShownPath>(job: Job, all: readonly Found<P>[]): readonly Found<P>[] {
  const [first, ...more] = all;
  if (job.kind === 'policies' || first === undefined) return all;
  const verdicts = [first.verdict, ...more.map(({ verdict }) => verdict)] as const;
  const differences = verdicts.flatMap((verdict) => ('differences' in verdict ? [verdict] : []));
  const [one, ...others] = differences;
  return [
    { part: first.part, verdict: one === undefined ? together(verdicts) : differencesTogether([one, ...others]) },
  ];
}

/** What is said of a part for which there was no time. */
export function outOfTime(job: Job, part: number): AnyVerdict<never> {
  const question =
    job.kind === 'question' ? job.question.ask : job.kind === 'diff' ? 'diff' : `policy/${job.policies[part]!.name}`;
  const verdict: Verdict<never> = {
    question,
    answer: 'unknown',
    because: 'Not all paths were followed: bound hit: milliseconds.',
    paths: [],
    bound: 'milliseconds',
    dependsOn: [],
    rules: [],
  };
  return job.kind === 'diff' ? { ...verdict, differences: [] } : verdict;
}
