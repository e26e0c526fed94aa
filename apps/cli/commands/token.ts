import { Command } from 'commander';
import type { Run } from '../arguments.ts';
import { listing } from '../list-options.ts';

export function tokenCommand(run: Run): Command {
  const token = () => import('../actions/token.ts');
  const tokens = new Command('token').description('tokens that open the API');
  tokens
    .command('create <name>')
    .description('make a token and print its secret, this once')
    .option('--role <role>', 'reader or admin', 'reader')
    .option('--user <name>', 'whose it is (default: of whoever makes it)')
    .action(run(async (context, name: string, options) => (await token()).create(context, name, options as never)));
  listing(tokens.command('list').description('names and roles'), { role: 'reader, admin', user: 'names' }).action(
    run(async (context, options) => (await token()).list(context, options as never)),
  );
  tokens
    .command('revoke <name>')
    .description('make a token useless')
    .action(run(async (context, name: string) => (await token()).revoke(context, name)));
  tokens
    .command('show')
    .description('print the token that this command uses')
    .action(run(async (context) => (await token()).show(context)));
  return tokens;
}
