import { Command } from 'commander';
import { number, type Run } from '../arguments.ts';
import { listing } from '../list-options.ts';

export function poolCommand(run: Run): Command {
  const pool = () => import('../actions/pool.ts');
  const pools = new Command('pool').description('what sites keep ready before it is asked for');
  listing(pools.command('list').description('the pools of all sites'), { site: 'of these sites' }).action(
    run(async (context, options) => (await pool()).list(context, options as never)),
  );
  pools
    .command('show <site> <pool>')
    .description('what a pool keeps, how long who asked has waited, and why it is not full')
    .action(run(async (context, site: string, name: string) => (await pool()).show(context, site, name)));
  pools
    .command('populate <site> <pool>')
    .description('make more for the pool now, up to its maximum')
    .requiredOption('-n, --number <count>', 'how many', number)
    .addHelpText('after', '\nExample:\n  superfluidity pool populate edge video/server@h1 --number 5')
    .action(
      run(async (context, site: string, name: string, options) =>
        (await pool()).populate(context, site, name, options as never),
      ),
    );
  pools
    .command('free <site> [pool]')
    .description('give up what lies ready in the pool, or in all pools of the site; they refill when somebody asks')
    .action(run(async (context, site: string, name: string | undefined) => (await pool()).free(context, site, name)));
  return pools;
}
