import type { Page } from 'playwright-core';

/** One measured figure of the console, and what it has to be. */
export interface Case {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'frames/s';
  readonly goal: number;
  /** The goal is a least, not a most. */
  readonly atLeast?: boolean;
  /** Of all runs, where there were several; `value` is their median. */
  readonly runs?: readonly number[];
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

export function caseOf(name: string, runs: readonly number[], goal: number): Case {
  const rounded = runs.map((run) => Math.round(run * 10) / 10);
  return { name, value: median(rounded), unit: 'ms', goal, runs: rounded };
}

/**
 * What runs in the page is text: it belongs to the browser, whose names the compiler does not know here. It sees `args`, and its
 * promise is waited for.
 */
export function inPage<T>(page: Page, code: string, args: unknown): Promise<T> {
  return page.evaluate(`(async (args) => { ${code} })(${JSON.stringify(args)})`);
}

/** Ms from the beginning of the navigation until the selector is in the page and painted, as the page itself sees it. */
export function shownAfterMs(page: Page, selector: string): Promise<number> {
  const code = `
    const frame = () => new Promise(requestAnimationFrame);
    while (document.querySelector(args) === null) await frame();
    await frame();
    return performance.now();
  `;
  return inPage(page, code, selector);
}

/** Frames in a second while something is done in each of them: what the browser gets painted, at most what its clock allows. */
export function framesPerSecond(page: Page, step: string, frames: number): Promise<number> {
  const code = `
    const act = (i) => { ${step} };
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    const began = performance.now();
    for (let i = 0; i < args; i += 1) {
      act(i);
      await frame();
    }
    return Math.round((args / (performance.now() - began)) * 1000);
  `;
  return inPage(page, code, frames);
}
