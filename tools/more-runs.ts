/**
 * Stands for `fast-check` where SUPERFLUIDITY_RUNS is set: each property gets that many times its runs, as long as its
 * time lasts. What a test asks for is meant for `npm test`; a longer search is a matter of patience and not of the test.
 */
import * as fc from 'fast-check';

export * from 'fast-check';

/** A property is one of about a hundred, and tests may not wait longer. */
const PROPERTY_MS = 15_000;
const times = Number(process.env['SUPERFLUIDITY_RUNS'] ?? 1);

function more<T>(parameters: fc.Parameters<T> = {}): fc.Parameters<T> {
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
