import type { TerminalNews } from '@superfluidity/api';

/** Where a terminal stands, from nothing to its end. */
export type TerminalState =
  | { readonly at: 'closed' }
  | { readonly at: 'opening' }
  | { readonly at: 'open'; readonly kind: 'program' | 'serial' | 'simulated' }
  /** The connection was lost: it is being joined anew. */
  | { readonly at: 'joining' }
  | { readonly at: 'over'; readonly how: string; readonly failed: boolean };

export type TerminalEnd = Exclude<TerminalNews, { type: 'opened' }> | { readonly type: 'lost' };

/** How it ended, in a sentence. */
export function overBecause(end: TerminalEnd, wasOpen: boolean): TerminalState {
  const over = (how: string, failed: boolean): TerminalState => ({ at: 'over', how, failed });
  switch (end.type) {
    case 'refused':
      if (end.error.code === 'SF-SERVER-TERMINAL-GONE')
        return over('The connection was lost, and what ran in the terminal is over.', true);
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
  program:
    'A program of its own, inside of the unit. It ends half a minute after the connection, and all that it began.',
  serial:
    'The serial console of the machine: one for all, as it was left by who had it before. What it shows is also in the log.',
  simulated: 'Of a simulated site: nothing runs there, the site itself answers a few commands.',
} as const;

/** The terminal that a tab had in a unit, so that a page that is loaded anew joins it. Told to nobody but this tab. */
export const keptTerminal = {
  key: (service: string, unit: string): string => `superfluidity.terminal.${service}/${unit}`,
  read: (storage: Storage, service: string, unit: string): string | undefined =>
    storage.getItem(keptTerminal.key(service, unit)) ?? undefined,
  keep: (storage: Storage, service: string, unit: string, secret: string | undefined): void => {
    if (secret === undefined) storage.removeItem(keptTerminal.key(service, unit));
    else storage.setItem(keptTerminal.key(service, unit), secret);
  },
} as const;

/** How long a terminal that was lost is asked for, and how often: the server keeps it as long. */
export const JOIN = { everyMs: 1_000, forMs: 30_000 } as const;
