import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export interface TestLine {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
  /** It failed first, and passed when it was tried again. */
  readonly flaky?: true;
}

/** Writes one JSON line for each test as it ends, so that what is known survives a run that is cut off. */
export default class SummaryReporter implements Reporter {
  readonly #file: string | undefined = process.env['SUPERFLUIDITY_TEST_RESULTS'];

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'pending') return;
    const reason = result.state === 'skipped' && result.note !== undefined ? { reason: result.note } : {};
    const flaky = test.diagnostic()?.flaky === true ? { flaky: true as const } : {};
    this.#write({
      name: `${test.module.relativeModuleId} > ${test.fullName}`,
      state: result.state,
      ...reason,
      ...flaky,
    });
  }

  /** A file that does not load has no tests that could fail. */
  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length === 0) return;
    this.#write({ name: module.relativeModuleId, state: 'failed' });
  }

  #write(line: TestLine): void {
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}
