import { nearest, type Problem } from '@superfluidity/core';
import type { modelErrors } from './errors.ts';

/** More would not be read by anybody. */
const PROBLEMS_MAX = 100;

/** Collects the problems of one check. */
export class Findings {
  readonly list: Problem[] = [];

  error(code: keyof typeof modelErrors, path: string, message: string, suggestion?: string): void {
    this.#add('error', code, path, message, suggestion);
  }

  warn(code: keyof typeof modelErrors, path: string, message: string): void {
    this.#add('warning', code, path, message);
  }

  /** Something is named that does not exist; the nearest thing that does exist is offered. */
  missing(path: string, what: string, name: string, existing: Iterable<string>): void {
    if (this.list.length >= PROBLEMS_MAX) return;
    const near = nearest(name, existing);
    this.error(
      'SF-MODEL-REFERENCE',
      path,
      `there is no ${what} '${name}'`,
      near === undefined ? undefined : `did you mean '${near}'?`,
    );
  }

  has(code: keyof typeof modelErrors): boolean {
    return this.list.some((problem) => problem.code === code);
  }

  #add(severity: Problem['severity'], code: Problem['code'], path: string, message: string, suggestion?: string): void {
    if (this.list.length >= PROBLEMS_MAX) return;
    this.list.push({ severity, code, path, message, ...(suggestion === undefined ? {} : { suggestion }) });
  }
}
