import { defineConfig } from 'vitest/config';

/**
 * Three projects. `unit`: values in, values out; threads without isolation, because the start of a fresh world for each
 * file would cost more than the tests. `system`: what needs root, the kernel, child processes, PostgreSQL or a browser;
 * each file in a process of its own, called *.system.test.ts. `long`, *.long.test.ts: the same kind, but minutes each,
 * since they kill servers at every step or boot virtual machines: `npm run test:long`.
 */
const long = ['**/*.long.test.{ts,tsx}'];
const system = [
  '**/*.system.test.{ts,tsx}',
  // Files that belong there and do not have the name yet.
  'drivers/linux/**/*.test.ts',
  'packages/store/**/*.test.ts',
];
/**
 * What works with processes and the kernel may lose a race on a machine that others keep busy. On CI it gets a second
 * attempt, and `npm test` names what needed it.
 */
const retry = process.env['CI'] === 'true' ? 1 : 0;
const ignored = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{apps,packages,drivers,examples,tools,bench}/**/*.test.{ts,tsx}'],
          exclude: [...ignored, ...system, ...long],
          pool: 'threads',
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          include: system,
          exclude: [...ignored, ...long],
          pool: 'forks',
          retry,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'long',
          include: long,
          exclude: ignored,
          pool: 'forks',
          retry,
          // They measure, and compare the machine before and after: one at a time.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
