import type { Command } from 'commander';
import { seconds } from '../arguments.ts';

/** Adds to a command that begins an operation how it waits for its end. */
export function waiting(command: Command): Command {
  return command
    .option('--no-wait', 'print the id of the operation and leave')
    .option('--timeout <seconds>', 'how long to wait for the operation', seconds, 600);
}
