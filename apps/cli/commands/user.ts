import { Command } from 'commander';
import type { Run } from '../arguments.ts';
import { listing } from '../list-options.ts';

export function userCommand(run: Run): Command {
  const user = () => import('../actions/user.ts');
  const users = new Command('user').description('who may use the control plane, and sign in in the console');
  users
    .command('add <name>')
    .description('add a user; the password is asked for, or read from standard input')
    .option('--role <role>', 'reader or admin', 'reader')
    .option('--no-password', 'tokens alone: nobody signs in with this name')
    .action(run(async (context, name: string, options) => (await user()).add(context, name, options as never)));
  listing(users.command('list').description('names and roles'), {
    role: 'reader, admin',
    disabled: 'true, false',
  }).action(run(async (context, options) => (await user()).list(context, options as never)));
  users
    .command('show <name>')
    .description('tokens, and browsers in which the user has signed in')
    .action(run(async (context, name: string) => (await user()).show(context, name)));
  users
    .command('role <name> <role>')
    .description('make a reader an admin, or an admin a reader')
    .action(run(async (context, name: string, role: string) => (await user()).role(context, name, role)));
  users
    .command('password <name>')
    .description('give a new password, asked for or read from standard input; all sessions of the user end')
    .action(run(async (context, name: string) => (await user()).password(context, name)));
  users
    .command('disable <name>')
    .description('end all sessions, and let no token of the user open anything')
    .action(run(async (context, name: string) => (await user()).disable(context, name, true)));
  users
    .command('enable <name>')
    .description('take that back')
    .action(run(async (context, name: string) => (await user()).disable(context, name, false)));
  users
    .command('sign-out <name>')
    .description('end all sessions of the user')
    .action(run(async (context, name: string) => (await user()).signOut(context, name)));
  users
    .command('remove <name>')
    .description('remove a user with all tokens and sessions')
    .action(run(async (context, name: string) => (await user()).remove(context, name)));
  return users;
}
