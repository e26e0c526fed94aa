/** `npm run fuzz [SECONDS [SEED]]`: breaks descriptors of every dialect, so many seconds each, and reads them. */
import { bin, runNode } from './run.ts';

const [seconds = '600', seed] = process.argv.slice(2);
if (!/^[1-9][0-9]{0,5}$/.test(seconds) || (seed !== undefined && !/^[0-9]{1,10}$/.test(seed))) {
  console.error('usage: npm run fuzz [SECONDS [SEED]]');
  process.exit(2);
}
const env = { SUPERFLUIDITY_FUZZ_SECONDS: seconds, ...(seed === undefined ? {} : { SUPERFLUIDITY_FUZZ_SEED: seed }) };
const args = [bin('vitest'), 'run', '--project', 'long', 'packages/dialects/fuzz.long.test.ts'];
const DIALECTS_MAX = 50;
const { ok } = await runNode(args, { timeoutMs: (Number(seconds) + 120) * 1_000 * DIALECTS_MAX, show: true, env });
process.exitCode = ok ? 0 : 1;
