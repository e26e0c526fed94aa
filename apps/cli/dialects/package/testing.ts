import type { Context } from '../../context.ts';
import { styleFor } from '../../print/style.ts';

/** A command as a person runs it, without a server; what it said is in the lists. */
export function recordingContext(): {
  readonly context: Context;
  readonly out: string[];
  readonly notes: string[];
  readonly shown: unknown[];
} {
  const out: string[] = [];
  const notes: string[] = [];
  const shown: unknown[] = [];
  const context: Context = {
    options: { server: '', output: 'table' },
    style: styleFor({ isTTY: false } as never),
    client: () => Promise.reject(new Error('no server is asked')),
    show: (value, text) => {
      shown.push(value);
      out.push(text());
      return Promise.resolve();
    },
    say: (line) => void out.push(line),
    note: (line) => void notes.push(line),
  };
  return { context, out, notes, shown };
}
