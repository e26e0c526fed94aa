/** `npm run check`: everything that can be said about the project without running it. Parts run at the same time. */
import { join } from 'node:path';
import { bin, type Outcome, root, runNode } from './run.ts';

interface Part {
  readonly name: string;
  readonly args: readonly string[];
}

const TIMEOUT_MS = 120_000;

const parts: readonly Part[] = [
  { name: 'types', args: [bin('typescript', 'tsc'), '-p', root] },
  { name: 'types of the console', args: [bin('typescript', 'tsc'), '-p', join(root, 'apps/console')] },
  { name: 'lint', args: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', args: [bin('@biomejs/biome', 'biome'), 'format'] },
  { name: 'import rules', args: [join(root, 'tools/import-rules.ts')] },
  { name: 'dead code', args: [bin('knip'), '--no-progress', '--no-config-hints'] },
  { name: 'house rules', args: [join(root, 'tools/tidy.ts')] },
];

export interface Checked {
  readonly passed: number;
  readonly failed: number;
}

export interface CheckOptions {
  /** Parts that run at the same time. */
  readonly atOnce: number;
  /** Is given a line for each part as it ends, and at last what the failed ones said. */
  readonly print: (text: string) => void;
  /** Of each part. */
  readonly timeoutMs?: number;
}

export async function check({ atOnce, print, timeoutMs = TIMEOUT_MS }: CheckOptions): Promise<Checked> {
  const failures: { part: Part; outcome: Outcome }[] = [];
  const waiting = [...parts];
  const work = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const startedMs = performance.now();
      const outcome = await runNode(part.args, { timeoutMs });
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      print(`${outcome.ok ? 'ok    ' : 'FAILED'}  ${part.name.padEnd(22)} ${seconds.padStart(5)} s`);
      if (!outcome.ok) failures.push({ part, outcome });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  for (const { part, outcome } of failures) print(`\n--- ${part.name} ---\n${outcome.output.trim()}`);
  return { passed: parts.length - failures.length, failed: failures.length };
}

if (import.meta.main) {
  const { failed } = await check({ atOnce: parts.length, print: console.log });
  process.exitCode = failed === 0 ? 0 : 1;
}
