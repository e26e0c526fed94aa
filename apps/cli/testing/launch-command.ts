import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './run-command.ts';

export const commandFile = fileURLToPath(new URL('../bin/superfluidity.js', import.meta.url));

const TIMEOUT_MS = 90_000;

/** The command as a process of its own. It costs half a second each time: for what is about the process. */
export function launchCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  file = commandFile,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: TIMEOUT_MS };
    execFile(process.execPath, [file, ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}
