/**
 * `npm test`: the checks, and beside them every test that this machine can run. On CI it first installs what tests need.
 * At the end it lists what was skipped, by name and with the reason, and closes with one line of figures.
 */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDoctor } from '../apps/cli/doctor/index.ts';
import { check } from './check.ts';
import { bin, root, runNode } from './run.ts';
import type { TestLine } from './summary-reporter.ts';

/** Checks and tests together end in less than five minutes on two cores; what takes longer is said. */
const GOAL_MS = 300_000;
/** What hangs is ended, one way or the other. Machines of CI may be slow. */
const LIMIT_MS = 600_000;
const CI_LIMIT_MS = 900_000;
const LONG_LIMIT_MS = 2_700_000;
const ERROR_LINES_MAX = 15;
const QUICK = ['--project', 'unit', '--project', 'system'];

/** On a terminal vitest keeps a live picture, into which nobody else may write; a log gets whole lines, without colours. */
const terminal = process.stdout.isTTY === true;
const display = ['--reporter=default', '--hideSkippedTests', '--slowTestThreshold=1000'];
const plain = terminal || process.env['FORCE_COLOR'] !== undefined ? {} : { NO_COLOR: '1' };

/** Browsers tell of each attempt to click something: a page of it says no more than its first lines. */
function shortened(error: string): string {
  const all = error.split('\n');
  return all.length <= ERROR_LINES_MAX ? error : [...all.slice(0, ERROR_LINES_MAX), '    …'].join('\n');
}

async function runTests(
  args: readonly string[],
  timeoutMs: number,
): Promise<{ readonly ok: boolean; readonly cutOff: boolean; readonly lines: readonly TestLine[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-test-'));
  const file = join(folder, 'results.jsonl');
  writeFileSync(file, '');
  try {
    const { ok, cutOff } = await runNode(
      [bin('vitest'), 'run', ...display, `--reporter=${join(root, 'tools/summary-reporter.ts')}`, ...args],
      { timeoutMs, show: true, env: { ...plain, SUPERFLUIDITY_TEST_RESULTS: file } },
    );
    const text = readFileSync(file, 'utf8').trim();
    return { ok, cutOff, lines: text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as TestLine) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// On a machine of somebody nothing is ever installed: only CI asks for that.
const ci = process.env['CI'] === 'true' || process.env['CI'] === '1';
const complete = !ci || (await runDoctor({ fix: true, extras: false, json: false }));

const startedMs = performance.now();
const args = process.argv.slice(2);
const everything = args.length === 0;
const patient =
  args.includes('long') ||
  args.includes('openstack') ||
  args.includes('kubernetes') ||
  process.env['SUPERFLUIDITY_RUNS'] !== undefined;
const limitMs = patient ? LONG_LIMIT_MS : ci ? CI_LIMIT_MS : LIMIT_MS;
const timeoutMs = limitMs - (performance.now() - startedMs);
const kept: string[] = [];
const print = terminal ? (text: string) => kept.push(text) : console.log;
const [checked, { ok, cutOff, lines }] = await Promise.all([
  // One at a time, for the tests have the processors.
  everything ? check({ atOnce: 1, print, timeoutMs }) : { passed: 0, failed: 0 },
  runTests(everything ? QUICK : args, timeoutMs),
]);
for (const text of kept) console.log(text);
const count = (state: TestLine['state']) => lines.filter((line) => line.state === state).length;

const broken = lines.filter(({ state }) => state === 'failed');
if (cutOff) {
  console.log('\nThe tests were stopped before they were done. What had failed by then:');
  for (const { name, error = '' } of broken) console.log(`\n  ${name}\n${shortened(error)}`);
}
const skipped = lines.filter(({ state }) => state === 'skipped');
if (skipped.length > 0) console.log('\nSkipped:');
for (const { name, reason } of skipped) console.log(`  ${name}${reason === undefined ? '' : `: ${reason}`}`);
const flaky = lines.filter((line) => line.flaky === true);
if (flaky.length > 0) console.log('\nPassed at the second attempt only:');
for (const { name } of flaky) console.log(`  ${name}`);

if (everything) {
  console.log('\nLeft to `npm run test:long`, because each takes minutes:');
  for (const file of globSync('{apps,packages,drivers}/**/*.long.test.ts', { cwd: root })) {
    if (!file.includes('node_modules')) console.log(`  ${file}`);
  }
}

if (!complete) {
  console.log(
    '\nThis machine lacks something that could not be installed: the doctor says at the beginning what, and why.',
  );
}

const seconds = Math.round((performance.now() - startedMs) / 1_000);
if (everything && !patient && seconds * 1_000 > GOAL_MS) {
  console.log(
    `\nThis took ${seconds} s, and should end within ${GOAL_MS / 1_000} s: something has become slow, or the machine is busy.`,
  );
}

const passed = checked.passed + count('passed');
let failed = checked.failed + count('failed');
// The run broke without a test to blame: an error outside of tests, a file that does not load, the time limit.
if (!ok && count('failed') === 0) failed += 1;
// The last lines are what somebody sees first.
if (broken.length > 0) console.log('\nFailed:');
for (const { name } of broken) console.log(`  ${name}`);
if (cutOff) console.log(`\nStopped after ${seconds} s, before all tests had run.`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
