import { DIFFERENCES_MAX, type EquivalenceVerdict } from '../equivalence/equivalence.ts';
import type { ShownPath } from '../engine/path.ts';
import type { Verdict } from '../verdict.ts';

/** Paths that a verdict shows at most. */
const SHOWN = 100;

/** Of one comparison from several starts: what differs from any of them. */
export function differencesTogether<P extends ShownPath>(
  verdicts: readonly [EquivalenceVerdict<P>, ...EquivalenceVerdict<P>[]],
): EquivalenceVerdict<P> {
  const verdict = together(verdicts);
  const deciding = verdicts.filter(({ answer }) => answer === verdict.answer);
  return { ...verdict, differences: deciding.flatMap(({ differences }) => differences).slice(0, DIFFERENCES_MAX) };
}

/** One verdict for all starts from those for some of them: it holds when each holds, and is violated when one is. */
export function together<P extends ShownPath>(verdicts: readonly [Verdict<P>, ...Verdict<P>[]]): Verdict<P> {
  const worst = (['violated', 'unknown', 'holds'] as const).find((each) => verdicts.some((v) => v.answer === each))!;
  const deciding = verdicts.filter(({ answer }) => answer === worst);
  const paths = deciding.flatMap((verdict) => verdict.paths.map((path) => ({ path, verdict })));
  const shortest = paths.toSorted((a, b) => a.path.hops.length - b.path.hops.length).slice(0, SHOWN);
  // The sentence and the rules belong to the path that is shown first.
  const first = shortest[0]?.verdict ?? deciding.find(({ bound }) => bound !== undefined) ?? deciding[0]!;
  const bound = deciding.find((verdict) => verdict.bound !== undefined)?.bound;
  return {
    question: first.question,
    answer: worst,
    because: first.because,
    paths: shortest.map(({ path }) => path),
    ...(bound === undefined ? {} : { bound }),
    dependsOn: [...new Set(deciding.flatMap(({ dependsOn }) => dependsOn))],
    rules: first.rules,
  };
}
