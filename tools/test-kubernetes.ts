/**
 * `npm run test:kubernetes`: runs what talks to Kubernetes. Where a laboratory is up it runs with that one. Else it starts
 * one of its own, and removes it. On CI, or with --install, it installs what is missing. Further arguments go to vitest.
 */
import { parseArgs } from 'node:util';
import { labPaths } from '../lab/kubernetes/lab.ts';
import { statusOf } from '../lab/kubernetes/status.ts';
import { root, runNode } from './run.ts';

/** Of building and starting from nothing, and of the tests themselves. */
const START_LIMIT_MS = 5_400_000;
const TESTS_LIMIT_MS = 1_800_000;
const STOP_LIMIT_MS = 120_000;
const OWN_FOLDER = '/var/tmp/superfluidity-lab/test';
/** Beside a laboratory of the user's own that is not all up. */
const OWN_PORT = '6444';

const { values, positionals } = parseArgs({
  options: { install: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const install = values.install || process.env['CI'] === 'true' || process.env['CI'] === '1';

async function lab(args: readonly string[], timeoutMs: number): Promise<boolean> {
  return (await runNode(['lab/main.ts', 'kubernetes', ...args], { timeoutMs, show: true, cwd: root })).ok;
}

async function test(): Promise<boolean> {
  const args = ['tools/test.ts', '--project', 'kubernetes', '--passWithNoTests', ...positionals];
  return (await runNode(args, { timeoutMs: TESTS_LIMIT_MS, show: true, cwd: root })).ok;
}

async function testInOwnLab(): Promise<boolean> {
  process.env['SUPERFLUIDITY_LAB'] = OWN_FOLDER;
  try {
    await lab(['down', '--wipe'], STOP_LIMIT_MS);
    const started = await lab(['up', '--port', OWN_PORT, ...(install ? ['--install'] : [])], START_LIMIT_MS);
    return started && (await test());
  } finally {
    await lab(['down', '--wipe'], STOP_LIMIT_MS);
  }
}

const passed = statusOf(labPaths()).up ? await test() : await testInOwnLab();
process.exitCode = passed ? 0 : 1;
