import { CommanderError } from 'commander';
import { exitCodes, isUnusable } from './exit-codes.ts';
import { createProgram, passedThrough } from './program.ts';

const program = createProgram();
for (const [name, { summary }] of Object.entries(passedThrough)) program.command(name).description(summary);

const [name, ...args] = process.argv.slice(2);
const other = name === undefined ? undefined : passedThrough[name];
process.on('SIGINT', () => process.exit(exitCodes.interrupted));
// `superfluidity events | head`: the reader has enough, that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

try {
  if (other !== undefined) await other.run(args);
  else await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}
// Streams and keep-alive connections must not hold the process.
if (other === undefined) process.stdout.write('', () => process.exit());

async function report(error: unknown): Promise<number> {
  // Commander has printed it already; help and version are errors to it as well.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const [{ reportError }, { errorText }, { styleFor }] = await Promise.all([
    import('@superfluidity/core'),
    import('./print/error.ts'),
    import('./print/style.ts'),
  ]);
  const failure = error as { report?: ReturnType<typeof reportError>; status?: number };
  const shown = failure.report ?? reportError(error);
  process.stderr.write(`${errorText(shown, styleFor(process.stderr))}\n`);
  if (shown.code === 'SF-API-UNREACHABLE') return exitCodes.unreachable;
  return isUnusable(shown.code) ? exitCodes.usage : exitCodes.failed;
}
