import { Command } from 'commander';
import type { Run } from '../arguments.ts';
import { listing } from '../list-options.ts';

export function secretCommand(run: Run): Command {
  const secret = () => import('../actions/secret.ts');
  const secrets = new Command('secret').description('values that sites and services refer to as secret:NAME');
  secrets
    .command('set <name>')
    .description('make a secret, or give it another value: asked for, or read from standard input or a file')
    .option('--kind <kind>', 'registry, cloud, cloud-init, ssh-key or other', 'other')
    .option('--file <file>', 'file that holds the value')
    .action(run(async (context, name: string, options) => (await secret()).set(context, name, options as never)));
  listing(secrets.command('list').description('names, who set them, and who uses them'), {
    kind: 'registry, cloud, cloud-init, ssh-key, other',
  }).action(run(async (context, options) => (await secret()).list(context, options as never)));
  secrets
    .command('show <name>')
    .description('everything but the value, which nobody gets back')
    .action(run(async (context, name: string) => (await secret()).show(context, name)));
  secrets
    .command('remove <name>')
    .description('remove a secret that nothing uses')
    .action(run(async (context, name: string) => (await secret()).remove(context, name)));
  secrets
    .command('rotate-key')
    .description('seal all secrets anew with a new key, and forget the old one')
    .action(run(async (context) => (await secret()).rotateKey(context)));
  return secrets;
}
