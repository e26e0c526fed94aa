import { Command, Option } from 'commander';
import { amount, part, positive, type Run, seconds, wholeNumber } from '../arguments.ts';

/** As `scenarios` and `topologies` of placement have them: `--help` does not load it. A test holds both together. */
export const scenarioNames = ['bologna', 'san-francisco'] as const;
export const topologyNames = ['abilene', 'nsfnet'] as const;
export const energyPolicyNames = ['nsff', 'ensf', 'sfra', 'milp'] as const;

/** Design of what is only a file: it needs no control plane. */
export function designCommand(run: Run): Command {
  const command = new Command('design').description(
    'networks of functions: what to build, what runs where, what it takes and what it brings',
  );
  const plotted = (one: Command) => one.option('--plot <file>', 'write a picture (SVG)');
  const limited = (one: Command) =>
    one
      .option('--time-limit <seconds>', 'then the best so far, with its gap', seconds, 60)
      .option('--seed <number>', 'of what is drawn', wholeNumber, 1);
  const networks = (one: Command) =>
    limited(plotted(one))
      .argument('[file]', 'network of RFBs, in YAML or JSON: docs/reference/network-design.md')
      .option('--coverage <file>', 'instead of a file: matrix of coverage as it was published')
      .option('--rates <file>', 'and its matrix of rates')
      .option('--users <count>', 'instead of a file: a network that looks like the published ones', wholeNumber)
      .option('--copies <count>', 'of its macro cell', positive, 1);
  networks(
    command.command('network').description('which nodes to install, with how much hardware, for the least money'),
  )
    .option('--costs <file>', 'table of costs (default: synthetic ones)')
    .option('--share <part>', 'of users to serve', part, 1)
    .option('--least-rate <mbps>', 'of each of them', amount, 1)
    .addOption(
      new Option('--method <method>', 'how').choices(['milp', 'drop-dearest', 'cheapest-first']).default('milp'),
    )
    .addHelpText('after', '\nExample:\n  superfluidity design network --users 60 --share 0.9 --least-rate 2')
    .action(
      run(async (context, file: string | undefined, options) =>
        (await import('./network.ts')).network(context, file, options as never),
      ),
    );
  networks(command.command('manage').description('users, radio heads and blocks of a network that is there'))
    .addOption(
      new Option('--objective <what>', 'most traffic, or fewest nodes')
        .choices(['traffic', 'nodes'])
        .default('traffic'),
    )
    .option('--nodes-max <count>', 'nodes that may be on', positive)
    .option('--front', 'the most traffic for each number of nodes')
    .addOption(new Option('--method <method>', 'how').choices(['milp', 'swarm']).default('milp'))
    .addHelpText('after', '\nExample:\n  superfluidity design manage --users 60 --front')
    .action(
      run(async (context, file: string | undefined, options) =>
        (await import('./manage.ts')).manageNetwork(context, file, options as never),
      ),
    );
  limited(plotted(command.command('energy').description('chains on a network, so that it takes least power')))
    .argument('[file]', 'network with flows, in YAML or JSON')
    .addOption(new Option('--topology <name>', 'instead of a file').choices(topologyNames))
    .option('--flows <count>', 'drawn by seed, on the topology', positive, 20)
    .addOption(new Option('--policy <policy>', 'how (default: compare the heuristics)').choices(energyPolicyNames))
    .option('--loops', 'paths may come to a node twice')
    .option('--growth <factor>', 'then demand grows by this, and flows are placed again', amount)
    .addHelpText('after', '\nExample:\n  superfluidity design energy --topology abilene --flows 30 --growth 1.3')
    .action(
      run(async (context, file: string | undefined, options) =>
        (await import('./energy.ts')).energy(context, file, options as never),
      ),
    );
  plotted(command.command('economics').description('what a network costs and brings, and which fee pays for it'))
    .argument('[file]', 'scenario, in YAML or JSON')
    .addOption(new Option('--scenario <name>', 'instead of a file').choices(scenarioNames))
    .option('--from <result>', 'instead of a file: what `design network --json` wrote')
    .option('--fee <amount>', 'of a month, instead of that of the scenario', amount)
    .option('--swing <part>', 'by which each parameter is varied', part, 0.2)
    .addHelpText('after', '\nExample:\n  superfluidity design economics --scenario bologna')
    .action(
      run(async (context, file: string | undefined, options) =>
        (await import('./economics.ts')).economics(context, file, options as never),
      ),
    );
  return command;
}
