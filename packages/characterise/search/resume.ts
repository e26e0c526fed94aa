import type { Trial, TrialRecord } from './trial.ts';

/** Where trials of a search are kept, and those that an interrupted one has made. */
export interface Kept {
  readonly trials: readonly TrialRecord[];
  keep(trial: TrialRecord): Promise<void>;
}

/**
 * Trials that were made before are not made again: a search decides by what its trials came to, so that it asks for the same ones in
 * the same order. Where it asks for another one, what was kept is of no use any more.
 */
export function resumable(trial: Trial, { trials, keep }: Kept): Trial {
  let [next, isOld] = [0, true];
  return async (offered) => {
    const known = isOld ? trials[next] : undefined;
    if (known !== undefined && known.rate === offered.rate && known.durationMs === offered.durationMs) {
      next += 1;
      return known;
    }
    isOld = false;
    const made = await trial(offered);
    await keep({ ...offered, ...made });
    return made;
  };
}
