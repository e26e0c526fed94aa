import { Command } from 'commander';
import type { Run } from '../arguments.ts';
import { listing } from '../list-options.ts';

export function descriptorCommand(run: Run): Command {
  const descriptor = () => import('../actions/descriptor.ts');
  const descriptors = new Command('descriptor').description('the catalogue');
  descriptors
    .command('add <file...>')
    .description('onboard a descriptor')
    .action(run(async (context, files: string[]) => (await descriptor()).add(context, files)));
  listing(descriptors.command('list').description('the catalogue'), { format: 'in this format' }).action(
    run(async (context, options) => (await descriptor()).list(context, options as never)),
  );
  descriptors
    .command('show <id>')
    .description('one entry with its source')
    .action(run(async (context, id: string) => (await descriptor()).show(context, id)));
  descriptors
    .command('enable <id>')
    .description('allow its use')
    .action(run(async (context, id: string) => (await descriptor()).setState(context, id, 'ENABLED')));
  descriptors
    .command('disable <id>')
    .description('allow no new use')
    .action(run(async (context, id: string) => (await descriptor()).setState(context, id, 'DISABLED')));
  descriptors
    .command('delete <id>')
    .description('delete; refused while enabled or in use')
    .action(run(async (context, id: string) => (await descriptor()).remove(context, id)));
  return descriptors;
}
