import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import type { Command } from './commands.ts';
import { limits } from './config.ts';

const CHUNK = 1 << 20;
const NEWLINE = 0x0a;

/**
 * The commands of a site in a file, one JSON line each, shared by every process that simulates it. There is no lock:
 * O_APPEND puts lines into one order, and that order decides. Who wants something appends it, then reads on to its own line,
 * and takes from the state what became of it; a line with too low a fence is without effect for everyone who reads it,
 * also when its writer slept between looking and writing. What a killed process left unfinished is closed off by the newline
 * with which the next line begins, and skipped.
 */
export class Journal {
  readonly #file: string;
  readonly #fd: number;
  readonly #writer = randomUUID();
  #written = 0;
  #offset = 0;
  /** Bytes after the last newline: a line that somebody is still writing. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    this.#fd = openSync(file, 'a+', 0o600);
  }

  /** Appends the command and applies everything up to it. Returns, or throws, what applying it did. */
  commit<R>(command: Command, apply: (command: Command) => R): R {
    this.#written += 1;
    const by = `${this.#writer}/${this.#written}`;
    this.#append(`\n${JSON.stringify({ by, command })}\n`);
    let outcome: { readonly value: R } | { readonly error: unknown } | undefined;
    this.#read((line) => {
      if (line.by === by) {
        try {
          outcome = { value: apply(line.command) };
        } catch (error) {
          outcome = { error };
        }
      } else applyForeign(line.command, apply);
    });
    if (outcome === undefined) throw this.#unusable('what was written could not be read back');
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Applies what others appended. */
  follow(apply: (command: Command) => unknown): void {
    this.#read((line) => applyForeign(line.command, apply));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#offset + bytes.length > limits.journalBytes) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing: `write the journal ${this.#file}`,
        reason: `it would exceed ${limits.journalBytes} bytes`,
        hint: 'Purge the site, remove it and add it again: a simulated site remembers everything that ever happened to it.',
      });
    }
    let written: number;
    try {
      written = writeSync(this.#fd, bytes);
    } catch (error) {
      throw this.#unusable('appending failed', error);
    }
    // The rest cannot follow: another process may have appended meanwhile. The torn line will be skipped.
    if (written < bytes.length) throw this.#unusable(`only ${written} of ${bytes.length} bytes could be appended`);
  }

  #read(take: (line: JournalLine) => void): void {
    const end = fstatSync(this.#fd).size;
    while (this.#offset < end) {
      const chunk = Buffer.alloc(Math.min(CHUNK, end - this.#offset));
      const size = readSync(this.#fd, chunk, 0, chunk.length, this.#offset);
      if (size === 0) return;
      this.#offset += size;
      this.#rest = this.#split(Buffer.concat([this.#rest, chunk.subarray(0, size)]), take);
    }
  }

  #split(bytes: Buffer, take: (line: JournalLine) => void): Buffer {
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      const line = parseLine(bytes.toString('utf8', from, at));
      from = at + 1;
      if (line !== undefined) take(line);
    }
    return bytes.subarray(from);
  }

  #unusable(reason: string, cause?: unknown): SuperfluidityError {
    return new SuperfluidityError('SF-SITE-UNAVAILABLE', {
      doing: `write the journal ${this.#file}`,
      reason,
      ...(cause === undefined ? {} : { cause }),
      hint: 'Look whether the disk is full.',
    });
  }
}

interface JournalLine {
  readonly by: string;
  readonly command: Command;
}

function parseLine(text: string): JournalLine | undefined {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as JournalLine;
  } catch {
    return undefined;
  }
}

/** Its writer was told when it was refused. */
function applyForeign(command: Command, apply: (command: Command) => unknown): void {
  try {
    apply(command);
  } catch (error) {
    if (!(error instanceof SuperfluidityError)) throw error;
  }
}
