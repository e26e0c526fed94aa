import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from './context.ts';

/** How every list is asked for, in the words of the API. */
export interface ListOptions {
  readonly limit: number;
  readonly after?: string;
  readonly search?: string;
  readonly sort?: string;
}

const LIMIT_MAX = 1_000;

/** Adds what all lists have in common. The filters of a list come with it: each takes several values, with commas. */
export function listing(command: Command, filters: Readonly<Record<string, string>>, limit = LIMIT_MAX): Command {
  for (const [name, description] of Object.entries(filters)) command.option(`--${name} <values>`, description);
  return command
    .option('--search <text>', 'part of a name or text')
    .option('--sort <field>', 'field of the JSON output; -field: greatest first')
    .option('--limit <count>', `how many, at most ${LIMIT_MAX}`, upTo, limit)
    .option('--after <cursor>', 'the next page: what the one before named');
}

/** Says what the next page is asked for with. */
export function noteMore(
  context: Context,
  page: { readonly items: readonly unknown[]; readonly total: number; readonly next?: string | undefined },
): void {
  if (page.next !== undefined)
    context.note(`${page.items.length} of ${page.total}; for the next: --after ${page.next}`);
}

function upTo(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0 && count <= LIMIT_MAX) return count;
  throw new InvalidArgumentError(`a whole number from 1 to ${LIMIT_MAX} is needed`);
}
