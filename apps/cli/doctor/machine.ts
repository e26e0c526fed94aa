import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

/** What the doctor looks at and acts upon. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly architecture: string;
  readonly root: boolean;
  /** Installs packages with apt-get. */
  readonly debian: boolean;
  /** Whether a program can be started, wherever a system keeps programs. */
  has(program: string): boolean;
  /** Runs a program to its end and gives its standard output. Rejects with `SF-DOCTOR-INSTALL`. */
  run(
    argv: readonly [string, ...string[]],
    options: { readonly timeoutMs: number; readonly cwd?: string },
  ): Promise<string>;
}

/** root's tools live in sbin, which is not in everybody's PATH; PostgreSQL's server programs are in neither. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const OUTPUT_CHARACTERS_MAX = 1 << 20;
const ANSWER_CHARACTERS_MAX = 2000;

export function thisMachine(): Machine {
  const folders = [...new Set([...(process.env['PATH'] ?? '').split(delimiter), ...FOLDERS])].filter(
    (one) => one !== '',
  );
  return {
    platform: process.platform,
    architecture: process.arch,
    root: process.getuid?.() === 0,
    debian: existsSync('/usr/bin/apt-get') && isDebian(),
    has: (program) => folders.some((folder) => isExecutable(join(folder, program))),
    run: runProgram,
  };
}

/** os-release(5): `ID` is the system, `ID_LIKE` what it descends from. */
function isDebian(): boolean {
  try {
    return /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const runProgram: Machine['run'] = ([program, ...args], { timeoutMs, cwd }) =>
  new Promise((resolve, reject) => {
    const request = [program, ...args].join(' ');
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      timeout: timeoutMs,
      ...(cwd === undefined ? {} : { cwd }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (stdout.length < OUTPUT_CHARACTERS_MAX) stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < OUTPUT_CHARACTERS_MAX) stderr += chunk;
    });
    const fail = (reason: string, cause?: unknown) =>
      reject(
        new SuperfluidityError('SF-DOCTOR-INSTALL', {
          doing: `run ${program}`,
          reason,
          request,
          answer: (stderr.trim() || stdout.trim()).slice(-ANSWER_CHARACTERS_MAX),
          cause,
        }),
      );
    child.once('error', (error) => fail(error.message, error));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else fail(signal === null ? `exit code ${code}` : `stopped by ${signal}; the time limit is ${timeoutMs} ms`);
    });
  });
