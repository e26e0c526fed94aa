import { Command } from 'commander';
import { seconds, type Run } from '../arguments.ts';
import { listing } from '../list-options.ts';
import { waiting } from './waiting.ts';

export function operationCommand(run: Run): Command {
  const operation = () => import('../actions/operation.ts');
  const operations = new Command('operation').description('operations: what was done and is being done to services');
  listing(
    operations.command('list').description('newest first'),
    { service: 'of these services', state: 'in these states: FAILED_TEMP', kind: 'of these kinds: MOVE' },
    50,
  ).action(run(async (context, options) => (await operation()).list(context, options as never)));
  operations
    .command('show <id>')
    .description('one operation with its steps')
    .action(run(async (context, id: string) => (await operation()).show(context, id)));
  operations
    .command('watch <id>')
    .description('follow it until it rests')
    .option('--timeout <seconds>', 'how long', seconds, 600)
    .action(run(async (context, id: string, options) => (await operation()).watch(context, id, options as never)));
  const verbs = {
    retry: 'try the failed steps again',
    rollback: 'undo what was done',
    continue: 'go on without the failed steps',
    fail: 'leave everything as it is and call it failed',
  } as const;
  for (const [verb, description] of Object.entries(verbs) as [keyof typeof verbs, string][]) {
    waiting(operations.command(`${verb} <id>`).description(description)).action(
      run(async (context, id: string, options) => (await operation()).act(context, verb, id, options as never)),
    );
  }
  waiting(operations.command('cancel <id>').description('stop as soon as the running steps are over'))
    .option('--forceful', 'do not wait for the running steps')
    .action(run(async (context, id: string, options) => (await operation()).cancel(context, id, options as never)));
  return operations;
}
