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

/** Prints a line for each part as it ends, and at last what the failed ones said. */
export async function check(): Promise<{ readonly passed: number; readonly failed: number }> {
  const failures: { part: Part; outcome: Outcome }[] = [];
  await Promise.all(
    parts.map(async (part) => {
      const startedMs = performance.now();
      const outcome = await runNode(part.args, { timeoutMs: TIMEOUT_MS });
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      console.log(`${outcome.ok ? 'ok    ' : 'FAILED'}  ${part.name.padEnd(22)} ${seconds.padStart(5)} s`);
      if (!outcome.ok) failures.push({ part, outcome });
    }),
  );
  for (const { part, outcome } of failures) console.log(`\n--- ${part.name} ---\n${outcome.output.trim()}`);
  return { passed: parts.length - failures.length, failed: failures.length };
}

if (import.meta.main) process.exitCode = (await check()).failed === 0 ? 0 : 1;
