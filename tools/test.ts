/**
 * `npm test`: the checks, then every test that this machine can run. On CI it first installs what tests need. At the
 * end it lists what was skipped, by name and with the reason, and closes with one line of figures.
 */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDoctor } from '../apps/cli/doctor/index.ts';
import { check } from './check.ts';
import { bin, root, runNode } from './run.ts';
import type { TestLine } from './summary-reporter.ts';

/** Checks and tests together end in less than five minutes on two cores, one way or the other; the long ones in 40. */
const LIMIT_MS = 290_000;
const LONG_LIMIT_MS = 2_400_000;
const QUICK = ['--project', 'unit', '--project', 'system'];

async function runTests(
  args: readonly string[],
  timeoutMs: number,
): Promise<{ readonly ok: boolean; readonly lines: readonly TestLine[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-test-'));
  const file = join(folder, 'results.jsonl');
  writeFileSync(file, '');
  try {
    const { ok } = await runNode(
      [bin('vitest'), 'run', '--reporter=dot', `--reporter=${join(root, 'tools/summary-reporter.ts')}`, ...args],
      { timeoutMs, show: true, env: { SUPERFLUIDITY_TEST_RESULTS: file } },
    );
    const text = readFileSync(file, 'utf8').trim();
    return { ok, lines: text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as TestLine) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.env['CI'] === 'true' || process.env['CI'] === '1') {
  const ok = await runDoctor({ fix: true, extras: false, json: false });
  if (!ok) console.log('The machine lacks something; what needs it is skipped below, with the reason.');
}

const startedMs = performance.now();
const args = process.argv.slice(2);
const everything = args.length === 0;
const limitMs = args.includes('long') ? LONG_LIMIT_MS : LIMIT_MS;
const checked = everything ? await check() : { passed: 0, failed: 0 };
const { ok, lines } = await runTests(everything ? QUICK : args, limitMs - (performance.now() - startedMs));
const count = (state: TestLine['state']) => lines.filter((line) => line.state === state).length;

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

const passed = checked.passed + count('passed');
let failed = checked.failed + count('failed');
// The run broke without a test to blame: an error outside of tests, a file that does not load, the time limit.
if (!ok && count('failed') === 0) failed += 1;
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
