/**
 * `npm run test:openstack`: brings the laboratory of lab/openstack up, runs what needs it, and leaves it as it was found.
 * On CI, or with --install, it installs what is missing. Further arguments go to vitest.
 */
import { existsSync } from 'node:fs';
import { down } from '../lab/openstack/down.ts';
import { labPaths } from '../lab/openstack/lab.ts';
import { statusOf } from '../lab/openstack/status.ts';
import { root, runNode } from './run.ts';

/** Of installing and starting from nothing, and of the tests themselves. */
const START_LIMIT_MS = 1_500_000;
const TESTS_LIMIT_MS = 2_400_000;

const args = process.argv.slice(2).filter((arg) => arg !== '--install');
const ci = process.env['CI'] === 'true' || process.env['CI'] === '1';
const install = ci || process.argv.includes('--install');
const paths = labPaths();
const existed = existsSync(paths.folder);
const before = statusOf(paths);

const lab = ['lab/main.ts', 'openstack', 'up', ...(install ? ['--install'] : [])];
const started = await runNode(lab, { timeoutMs: START_LIMIT_MS, show: true, cwd: root });
if (started.ok) {
  const tests = ['tools/test.ts', '--project', 'openstack', ...args];
  const { ok } = await runNode(tests, { timeoutMs: TESTS_LIMIT_MS, show: true, cwd: root });
  process.exitCode = ok ? 0 : 1;
} else process.exitCode = 1;

if (!before.up) {
  const names = before.processes.filter(({ state }) => state === 'running').map(({ name }) => name);
  if (names.length === 0) await down({ paths, names: [], wipe: !existed, tell: () => {} });
}
