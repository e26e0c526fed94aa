import type { Logger } from '@superfluidity/core';
import { Command } from 'commander';
import { removeTables } from './tables.ts';

/** `kuryr node`: what the daemon leaves in the kernel when it ends. */
export function nodeCommand({ log }: { readonly log: Logger }): Command {
  const node = new Command('node').description('what carries out Services and policies on a node');
  node
    .command('clean')
    .description('remove it from the kernel, for good: pods stay, Services and policies end here')
    .action(async () => {
      await removeTables(undefined);
      log.info({}, 'removed');
    });
  return node;
}
