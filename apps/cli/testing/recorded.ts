import type { Context } from '../context.ts';
import { plain } from '../print/style.ts';

/** A context that keeps what a command says, of commands that ask no server; `shown` are the values before they are text. */
export function recorded(output: 'table' | 'json' = 'table') {
  const out: string[] = [];
  const notes: string[] = [];
  const shown: unknown[] = [];
  const context: Context = {
    options: { server: '', output },
    style: plain,
    client: () => Promise.reject(new Error('no server is asked')),
    show: (value, text) => {
      shown.push(value);
      out.push(output === 'json' ? JSON.stringify(value) : text());
      return Promise.resolve();
    },
    say: (line) => void out.push(line),
    note: (line) => void notes.push(line),
    asks: false,
    secret: () => Promise.reject(new Error('nobody is asked')),
  };
  return { context, out, notes, shown };
}
