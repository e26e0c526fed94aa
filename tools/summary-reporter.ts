import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

type Errors = readonly { readonly message: string; readonly stack?: string; readonly diff?: string }[];

export interface TestLine {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
  /** It failed first, and passed when it was tried again. */
  readonly flaky?: true;
  /** What went wrong: shown by vitest at its end, which a run that is cut off does not reach. */
  readonly error?: string;
}

/** Writes one JSON line for each test as it ends, so that what is known survives a run that is cut off. */
export default class SummaryReporter implements Reporter {
  readonly #file: string | undefined = process.env['SUPERFLUIDITY_TEST_RESULTS'];

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'pending') return;
    const reason = result.state === 'skipped' && result.note !== undefined ? { reason: result.note } : {};
    const flaky = test.diagnostic()?.flaky === true ? { flaky: true as const } : {};
    const error = result.state === 'failed' ? { error: described(result.errors) } : {};
    this.#write({
      name: `${test.module.relativeModuleId} > ${test.fullName}`,
      state: result.state,
      ...reason,
      ...flaky,
      ...error,
    });
  }

  /** A file that does not load has no tests that could fail. */
  onTestModuleEnd(module: TestModule): void {
    const errors = module.errors();
    if (errors.length === 0) return;
    this.#write({ name: module.relativeModuleId, state: 'failed', error: described(errors) });
  }

  #write(line: TestLine): void {
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

function described(errors: Errors): string {
  return errors.map(({ message, stack, diff }) => [stack ?? message, diff ?? ''].join('\n').trim()).join('\n');
}
