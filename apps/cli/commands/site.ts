import { Command } from 'commander';
import { number, type Run } from '../arguments.ts';
import { listing } from '../list-options.ts';

export function siteCommand(run: Run): Command {
  const site = () => import('../actions/site.ts');
  const sites = new Command('site').description('sites, and the links between them');
  sites
    .command('add <name>')
    .description('add a site, or change its declaration')
    .option('--kind <kind>', 'linux, openstack, kubernetes or simulated (default: linux)')
    .option('--driver <kind>', 'the same as --kind')
    .option('--cloud <name>', 'cloud of clouds.yaml, for sites of kind openstack')
    .option('--kubeconfig <file>', 'credentials on the server, for sites of kind kubernetes')
    .option('--context <name>', 'one of its contexts (default: its current one)')
    .option('--tier <tier>', 'edge, core, ...')
    .option('--cell <cell...>', 'radio cells that it serves')
    .option('--config <file>', 'configuration for the driver (YAML or JSON)')
    .option('--file <file>', 'the whole declaration (YAML or JSON)')
    .addHelpText(
      'after',
      '\nExample:\n  superfluidity site add edge --kind simulated --tier edge --cell cell-1\n  superfluidity site add core --driver openstack --cloud mycloud --tier core\n  superfluidity site add pods --driver kubernetes --kubeconfig ~/.kube/config --context north',
    )
    .action(run(async (context, name: string, options) => (await site()).add(context, name, options as never)));
  listing(sites.command('list').description('all sites'), {
    kind: 'of this kind',
    tier: 'of this tier',
    healthy: 'true or false',
  }).action(run(async (context, options) => (await site()).list(context, options as never)));
  sites
    .command('show <name>')
    .description('hosts, capabilities and pools, and what the site says of itself')
    .action(run(async (context, name: string) => (await site()).show(context, name)));
  sites
    .command('dump <name>')
    .description('the networks of a site as files for `verify`: what was asked of a cloud, what a site of Linux has')
    .requiredOption('--to <folder>', 'where the folders `intent` and `realised` go')
    .addHelpText(
      'after',
      '\nWhat the nodes of a cloud have of it: `superfluidity verify dump-node --help`\n\nExample:\n  superfluidity site dump core --to dump',
    )
    .action(run(async (context, name: string, options) => (await site()).dump(context, name, options as never)));
  sites
    .command('remove <name>')
    .description('remove a site on which nothing runs')
    .action(run(async (context, name: string) => (await site()).remove(context, name)));
  sites
    .command('purge <name>')
    .description('remove everything that was ever made in the site, known or not')
    .action(run(async (context, name: string) => (await site()).purge(context, name)));
  sites
    .command('link [a] [b]')
    .description('set the link between two sites; without sites, list them as `site links` does')
    .option('--latency <ms>', 'one way', number)
    .option('--jitter <ms>', 'around the latency', number)
    .option('--loss <fraction>', '0.01 is one packet in a hundred', number)
    .option('--bandwidth <mbps>', 'in Mbit/s', number)
    .addHelpText('after', '\nExample:\n  superfluidity site link edge core --latency 12 --bandwidth 1000')
    .action(
      run(async (context, a: string | undefined, b: string | undefined, options) =>
        (await site()).link(context, a, b, options as never),
      ),
    );
  listing(sites.command('links').description('the links between sites'), { site: 'at these sites' }).action(
    run(async (context, options) => (await site()).links(context, options as never)),
  );
  sites
    .command('kinds')
    .description('kinds of sites, and what this machine lacks for them')
    .action(run(async (context) => (await site()).kinds(context)));
  return sites;
}
