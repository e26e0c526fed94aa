import type { TerminalNews } from '@superfluidity/api';

/** Where a terminal stands, from nothing to its end. */
export type TerminalState =
  | { readonly at: 'closed' }
  | { readonly at: 'opening' }
  | { readonly at: 'open'; readonly kind: 'program' | 'serial' | 'simulated' }
  | { readonly at: 'over'; readonly how: string; readonly failed: boolean };

export type TerminalEnd = Exclude<TerminalNews, { type: 'opened' }> | { readonly type: 'lost' };

/** How it ended, in a sentence. */
export function overBecause(end: TerminalEnd, wasOpen: boolean): TerminalState {
  const over = (how: string, failed: boolean): TerminalState => ({ at: 'over', how, failed });
  switch (end.type) {
    case 'refused':
      return over(`It was refused: ${end.error.message}.`, true);
    case 'lost':
      return wasOpen
        ? over('The connection was lost. What ran in the terminal was ended with it.', true)
        : over('The server let no terminal be opened: too many may be open, or you have been signed out.', true);
    case 'ended':
      if (end.exitCode !== undefined) return over(`It ended with exit code ${end.exitCode}.`, end.exitCode !== 0);
      return over(end.reason === undefined ? 'It ended.' : `It ended: ${end.reason}.`, false);
  }
}

export const kindWords = {
  program: 'A program of its own, inside of the unit. It ends with the connection, and all that it began.',
  serial:
    'The serial console of the machine: one for all, as it was left by who had it before. What it shows is also in the log.',
  simulated: 'Of a simulated site: nothing runs there, the site itself answers a few commands.',
} as const;
