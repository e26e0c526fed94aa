import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { SuperfluidityError } from '@superfluidity/core';
import { characteriseLimits as limits } from '../errors.ts';

export interface Program {
  /** Program and arguments, as they are: no shell. */
  readonly command: readonly [string, ...string[]];
  readonly timeLimitMs: number;
  /** Added to the surroundings. */
  readonly env?: Readonly<Record<string, string>>;
  /** What to do when it is not there. */
  readonly hint?: string;
}

export type Fail = (reason: string, answer?: string) => SuperfluidityError;

const ERRORS_KEPT = 4_096;

/**
 * Runs a program that makes traffic, and reads what it prints by `read`. It and all that it starts end with the signal, with
 * its time limit, and when reading fails. Rejects with SF-CHARACTERISE-USE-CASE.
 */
export async function runProgram<T>(
  { command, timeLimitMs, env = {}, hint }: Program,
  signal: AbortSignal,
  read: (output: Readable, fail: Fail) => Promise<T>,
): Promise<T> {
  const [program, ...args] = command;
  const fail: Fail = (reason, answer) =>
    new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
      doing: 'make traffic',
      reason,
      request: command.join(' '),
      ...(answer === undefined || answer === '' ? {} : { answer }),
      ...(hint === undefined ? {} : { hint }),
    });
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]);
  // A group of its own, so that what it starts ends with it.
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...surroundings(), ...env },
  });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is over already.
    }
  };
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (errors.length < ERRORS_KEPT) errors += chunk.toString().slice(0, ERRORS_KEPT);
  });
  const ended = once(child, 'close').catch((error: unknown) => {
    throw fail(error instanceof Error ? error.message : String(error));
  });
  ended.catch(() => {});
  over.addEventListener('abort', kill, { once: true });
  try {
    const result = await read(child.stdout, fail);
    const [code] = (await ended) as [number | null];
    signal.throwIfAborted();
    if (over.aborted) throw fail(`it was not over after ${timeLimitMs / 1_000} s`, errors);
    if (code !== 0) throw fail(`it ended with ${code ?? 'a signal'}`, errors);
    return result;
  } finally {
    over.removeEventListener('abort', kill);
    kill();
  }
}

/** Without our own settings: a token is among them. */
function surroundings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SUPERFLUIDITY_')));
}

/** All of what is printed, within the bound. */
export async function wholeText(output: Readable, fail: Fail): Promise<string> {
  const decoder = new TextDecoder();
  let [bytes, text] = [0, ''];
  for await (const chunk of output as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limits.toolOutputBytes) throw fail('it prints too much');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
