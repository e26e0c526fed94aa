import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

/**
 * Four projects. `unit`: values in, values out; threads without isolation, because the start of a fresh world for each
 * file would cost more than the tests. `system`: what needs root, the kernel, child processes, PostgreSQL or a browser;
 * each file in a process of its own, called *.system.test.ts. `long`, *.long.test.ts: the same kind, but minutes each,
 * since they kill servers at every step or boot virtual machines: `npm run test:long`.
 *
 * `openstack`, *.openstack.test.ts: what talks to the laboratory of lab/openstack, one file at a time, since all have one
 * cloud; skipped where it is not up: `npm run test:openstack`.
 *
 * `kubernetes`, *.kubernetes.test.ts: the same with the laboratory of lab/kubernetes: `npm run test:kubernetes`.
 *
 * Files of `unit` and `system` run beside each other: what a system test makes has names of its own, and what it compares
 * before and after is what has these names. A test that measures the whole machine is a long one.
 */
const openstack = ['**/*.openstack.test.{ts,tsx}'];
const kubernetes = ['**/*.kubernetes.test.{ts,tsx}'];
const long = ['**/*.long.test.{ts,tsx}'];
const system = [
  '**/*.system.test.{ts,tsx}',
  // Files that belong there and do not have the name yet.
  'drivers/linux/**/*.test.ts',
  'packages/store/**/*.test.ts',
];
const onCi = process.env['CI'] === 'true';

/**
 * What works with processes and the kernel may lose a race on a machine that others keep busy. On CI it gets a second
 * attempt, and `npm test` names what needed it.
 */
const retry = onCi ? 1 : 0;
const ignored = ['**/node_modules/**', '**/dist/**'];

/** Left to itself, vitest keeps a processor free. Above this bound the memory of browsers and databases would count. */
const WORKERS_MAX = 8;

/** With SUPERFLUIDITY_RUNS=20, properties are tried twenty times as often; on CI, with the same values each time. */
const isSearch = process.env['SUPERFLUIDITY_RUNS'] !== undefined;

function standFor(name: string, file: string): Plugin {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return {
    name: `${file} for ${name}`,
    enforce: 'pre',
    resolveId: (source, importer) => (source === name && importer !== path ? path : undefined),
  };
}

export default defineConfig({
  plugins: isSearch || onCi ? [standFor('fast-check', 'tools/properties.ts')] : [],
  test: {
    testTimeout: isSearch ? 120_000 : 20_000,
    hookTimeout: 60_000,
    maxWorkers: Math.min(availableParallelism(), WORKERS_MAX),
    // Tests start the command and the server a hundred times: from what Node compiled before, in half the time.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/superfluidity/compiled', import.meta.url)) },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{apps,packages,drivers,examples,tools,bench,lab}/**/*.test.{ts,tsx}'],
          exclude: [...ignored, ...system, ...long, ...openstack, ...kubernetes],
          pool: 'threads',
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          include: system,
          exclude: [...ignored, ...long, ...openstack, ...kubernetes],
          pool: 'forks',
          retry,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'long',
          include: long,
          exclude: [...ignored, ...openstack, ...kubernetes],
          pool: 'forks',
          retry,
          // They measure, and compare the machine before and after: one at a time.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'openstack',
          include: openstack,
          exclude: ignored,
          pool: 'forks',
          retry,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'kubernetes',
          include: kubernetes,
          exclude: ignored,
          pool: 'forks',
          retry,
          fileParallelism: false,
          testTimeout: 200_000,
          hookTimeout: 200_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
