import { Command } from 'commander';
import { positive, type Run, wholeNumber } from '../arguments.ts';

export function eventsCommand(run: Run): Command {
  return new Command('events')
    .description('what happened, and with --follow what happens')
    .option('-f, --follow', 'go on')
    .option('--service <name>', 'of one service')
    .option('--kind <kinds>', 'of these kinds; audit: who asked for what')
    .option('--severity <values>', 'info, warning, error')
    .option('--by <users>', 'asked for by these users')
    .option('--search <text>', 'part of the message')
    .option('--after <id>', 'after this event', wholeNumber)
    .option('--limit <count>', 'how many: the newest, or with --after the next', positive, 500)
    .action(run(async (context, options) => (await import('../actions/events.ts')).events(context, options as never)));
}
