import { CommanderError } from 'commander';
import { type Streams } from './context.ts';
import { exitCodes, isUnusable } from './exit-codes.ts';
import { createProgram, passedThrough } from './program.ts';

/** The whole command but for its process: answers with the exit code, and says on the streams what went wrong. */
export async function run(args: readonly string[], streams: Streams = process): Promise<number> {
  const program = createProgram(streams);
  for (const [name, { summary }] of Object.entries(passedThrough)) program.command(name).description(summary);
  const [name = '', ...rest] = args;
  try {
    if (isPassedThrough(name)) await passedThrough[name]!.run(rest);
    else await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    return report(error, streams);
  }
}

export const isPassedThrough = (name: string | undefined): boolean =>
  name !== undefined && Object.hasOwn(passedThrough, name);

async function report(error: unknown, { stderr }: Streams): Promise<number> {
  // Commander has printed it already; help and version are errors to it as well.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const [{ reportError }, { errorText }, { styleFor }] = await Promise.all([
    import('@superfluidity/core'),
    import('./print/error.ts'),
    import('./print/style.ts'),
  ]);
  const failure = error as { report?: ReturnType<typeof reportError>; status?: number };
  const shown = failure.report ?? reportError(error);
  stderr.write(`${errorText(shown, styleFor(stderr))}\n`);
  if (shown.code === 'SF-API-UNREACHABLE') return exitCodes.unreachable;
  return isUnusable(shown.code) ? exitCodes.usage : exitCodes.failed;
}
