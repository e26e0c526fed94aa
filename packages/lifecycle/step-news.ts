import type { Progress, Tell } from '@superfluidity/site';

/** What a step that takes long tells while it runs, and what came of it. */
export interface StepNews {
  readonly tell: Tell;
  readonly result: (value: unknown) => void;
}

/** As it is kept with the step: the sites tell all of it again to whoever goes on after a crash. */
export interface StepOutput {
  readonly detail: readonly Progress[];
  readonly result?: unknown;
}

/** Lines of detail that are kept: the first ones, and the last. */
const FIRST = 20;
const LAST = 180;
const TEXT = 500;
/** Of a result, as JSON. */
const RESULT = 65_536;

/** Tells each change as a whole. */
export function stepNews(changed: (output: StepOutput, line: Progress | undefined) => void): StepNews {
  const detail: Progress[] = [];
  let result: { readonly result?: unknown } = {};
  const tell = (line: Progress | undefined) => changed({ detail: [...detail], ...result }, line);
  return {
    tell({ reason, ...progress }) {
      const line = { ...progress, ...(reason === undefined ? {} : { reason: reason.slice(0, TEXT) }) };
      if (detail.length >= FIRST + LAST) detail.splice(FIRST, 1);
      detail.push(line);
      tell(line);
    },
    result(value) {
      const isLong = JSON.stringify(value).length > RESULT;
      result = { result: isLong ? `more than ${RESULT} characters, which the site keeps` : value };
      tell(undefined);
    },
  };
}
