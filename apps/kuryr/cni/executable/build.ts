import { execFile } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';

const SOURCE = fileURLToPath(new URL('kuryr-cni.c', import.meta.url));
const BUILD_MS = 60_000;

export interface BuildOptions {
  /** How long it waits for the daemon. */
  readonly seconds?: number;
  /** In the place of those that make one small file that needs nothing else. */
  readonly flags?: readonly string[];
}

/** Needs gcc and libc6-dev. Throws `SF-CNI-INSTALL`. */
export async function buildExecutable(
  path: string,
  { seconds, flags = ['-static', '-s'] }: BuildOptions = {},
): Promise<void> {
  const draft = `${path}.new`;
  const strict = ['-O2', '-Wall', '-Wextra', '-Werror', ...flags];
  const args = [...strict, ...(seconds === undefined ? [] : [`-DSECONDS=${seconds}`]), '-o', draft, SOURCE];
  try {
    mkdirSync(dirname(path), { recursive: true });
    await promisify(execFile)('cc', args, { timeout: BUILD_MS });
    // Replaced at once: a runtime may start it at any moment.
    renameSync(draft, path);
  } catch (cause) {
    const { stderr = '', message } = cause as { readonly stderr?: string; readonly message: string };
    throw new SuperfluidityError('SF-CNI-INSTALL', {
      doing: `build ${path}`,
      reason: stderr.trim().slice(-2_000) || message,
      request: ['cc', ...args].join(' '),
      cause,
    });
  }
}
