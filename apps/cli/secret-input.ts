import { SuperfluidityError } from '@superfluidity/core';
import type { Input, Streams } from './context.ts';
import './errors.ts';

const BYTES_MAX = 1_000_000;
const [ENTER, RETURN, INTERRUPT, END, BACKSPACE, DELETE] = ['\n', '\r', '\u0003', '\u0004', '\b', '\u007f'];

/** At a terminal one line that is not shown; else all of the input. */
export async function readSecret(prompt: string, stdin: Input | undefined, stderr: Streams['stderr']): Promise<string> {
  if (stdin === undefined) throw refused('there is no standard input');
  const text =
    stdin.isTTY === true ? await readLine(prompt, stdin as typeof process.stdin, stderr) : await readAll(stdin);
  if (text === '') throw refused('it is empty');
  return text;
}

/** A line without its end; what has several lines as it is, for a key wants its last newline. */
export const ofOneLine = (text: string): string => (/\n[^]/.test(text) ? text : text.replace(/\r?\n$/, ''));

async function readAll(stdin: Input): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of stdin) {
    const piece = typeof part === 'string' ? Buffer.from(part) : part;
    bytes += piece.length;
    if (bytes > BYTES_MAX) throw refused(`it has more than ${BYTES_MAX} bytes`);
    parts.push(piece);
  }
  return Buffer.concat(parts)
    .toString()
    .replace(/\r?\n$/, '');
}

/** Character by character: the terminal shows nothing of it, and Ctrl-C ends it as usual. */
function readLine(prompt: string, stdin: typeof process.stdin, stderr: Streams['stderr']): Promise<string> {
  stderr.write(prompt);
  return new Promise((resolve, reject) => {
    let line = '';
    const done = (act: () => void) => {
      stdin.off('data', take).setRawMode(false).pause();
      stderr.write('\n');
      act();
    };
    const take = (text: string | Buffer) => {
      for (const letter of String(text)) {
        if (letter === ENTER || letter === RETURN || letter === END) return done(() => resolve(line));
        if (letter === INTERRUPT) return done(() => reject(refused('it was interrupted')));
        if (letter === BACKSPACE || letter === DELETE) line = [...line].slice(0, -1).join('');
        else if (line.length < BYTES_MAX) line += letter;
      }
    };
    stdin.setRawMode(true).resume().setEncoding('utf8').on('data', take);
  });
}

function refused(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-CLI-SECRET-INPUT', { doing: 'read what must not be an argument', reason });
}
