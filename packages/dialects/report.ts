import { nearest, type Position, type Problem } from '@superfluidity/core';
import { dialectLimits, type dialectErrors } from './errors.ts';
import { shorten } from './yaml-text.ts';

/** Problems of one reading, no more than anybody would read: errors and warnings are counted apart, so that no error is lost. */
export class Report {
  readonly problems: Problem[] = [];
  readonly #counts = { error: 0, warning: 0 };

  get failed(): boolean {
    return this.#counts.error > 0;
  }

  addAll(problems: readonly Problem[]): void {
    for (const problem of problems) this.#add(problem);
  }

  error(code: Code, at: Position | undefined, message: string, suggestion?: string): void {
    const suggested = suggestion === undefined ? {} : { suggestion };
    this.#add({ severity: 'error', code, message, path: '', ...positioned(at), ...suggested });
  }

  warn(code: Code, at: Position | undefined, message: string, suggestion?: string): void {
    const suggested = suggestion === undefined ? {} : { suggestion };
    this.#add({ severity: 'warning', code, message, path: '', ...positioned(at), ...suggested });
  }

  /** Something is named that does not exist; the nearest thing that does is offered. */
  missing(at: Position | undefined, what: string, name: string, existing: Iterable<string>): void {
    if (this.#counts.error >= dialectLimits.problems) return;
    const near = nearest(name, existing);
    const suggestion = near === undefined ? undefined : `did you mean '${near}'?`;
    this.error('SF-DESCRIPTOR-REFERENCE', at, `there is no ${what} '${shorten(name)}'`, suggestion);
  }

  #add(problem: Problem): void {
    this.#counts[problem.severity] += 1;
    if (this.#counts[problem.severity] <= dialectLimits.problems) this.problems.push(problem);
  }
}

type Code = keyof typeof dialectErrors | 'SF-MODEL-CYCLE';

function positioned(position: Position | undefined): { readonly position?: Position } {
  return position === undefined ? {} : { position };
}
