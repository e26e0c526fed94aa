import { Readable } from 'node:stream';
import { run } from '../run.ts';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * The command as a person runs it, but in this process: what main.ts runs, on streams that are kept. Nobody sends it
 * signals, and it is no terminal. Exit code and environment belong to a thread, so one call waits for the other. What
 * is passed through (`server`, `doctor`, `demo`) writes to the process itself and is not for this.
 */
export function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  input?: string,
): Promise<Outcome> {
  const outcome = last.then(() => runAlone(args, env, input));
  last = outcome.catch(() => {});
  return outcome;
}

async function runAlone(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  input: string | undefined,
): Promise<Outcome> {
  const before = {
    exitCode: process.exitCode,
    env: Object.keys(env).map((name) => [name, process.env[name]] as const),
  };
  const [out, err] = [[] as string[], [] as string[]];
  const streams = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    ...(input === undefined ? {} : { stdin: Readable.from([input]) }),
  };
  try {
    process.exitCode = undefined;
    setEnvironment(Object.entries(env));
    const code = await run(args, streams);
    return { code, out: out.join(''), err: err.join('') };
  } finally {
    process.exitCode = before.exitCode;
    setEnvironment(before.env);
  }
}

function setEnvironment(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
