/**
 * Stands for `fast-check` in tests, where one of two things is asked of all properties at once. On CI they try the same
 * values each time, so that a change is judged by what it changes. With SUPERFLUIDITY_RUNS=20 each gets twenty times its
 * runs, as long as its time lasts: what a test asks for is meant for `npm test`, a longer search is a matter of patience.
 */
import * as fc from 'fast-check';

export * from 'fast-check';

/** Any number would do: the day on which the project began. */
const CI_SEED = 20_261_120;
/** A property is one of about a hundred, and tests may not wait longer. */
const PROPERTY_MS = 15_000;
const times = Number(process.env['SUPERFLUIDITY_RUNS'] ?? 1);

if (process.env['CI'] === 'true') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: CI_SEED });

function more<T>(parameters: fc.Parameters<T> = {}): fc.Parameters<T> {
  if (times === 1) return parameters;
  // The default number of runs of fast-check.
  const numRuns = Math.ceil((parameters.numRuns ?? 100) * times);
  return { ...parameters, numRuns, interruptAfterTimeLimit: PROPERTY_MS };
}

// Overloads for properties with and without a promise; what is returned is what was given back.
export const assert: typeof fc.assert = ((property: fc.IProperty<unknown>, parameters?: fc.Parameters<unknown>) =>
  fc.assert(property, more(parameters))) as typeof fc.assert;
export const check: typeof fc.check = ((property: fc.IProperty<unknown>, parameters?: fc.Parameters<unknown>) =>
  fc.check(property, more(parameters))) as typeof fc.check;

export default { ...fc, assert, check };
