import { Command, Option } from 'commander';
import { chainPolicies, costModels, switchForms } from '@superfluidity/place/ocm/choices';
import { type Run, wholeNumber } from '../arguments.ts';

/** Placement of what is only a file: it needs no control plane. */
export function placeCommand(run: Run): Command {
  const command = new Command('place').description('where chains of functions go, so that virtual switches take least');
  command
    .command('chains')
    .description('place the chains of a file one after the other, and say why')
    .argument('<file>', 'sites, hosts, links and chains, in YAML or JSON: docs/reference/placement.md')
    .addOption(new Option('--policy <policy>', 'how').choices(chainPolicies).default('ocm'))
    .addOption(
      new Option(
        '--cost-model <form>',
        'how what shares a switch saves (default: that of the file, or consistent)',
      ).choices(costModels),
    )
    .option('--seed <number>', 'of the policy random', wholeNumber, 1)
    .addHelpText(
      'after',
      '\nExits with 1 when a chain was refused.\n\nExample:\n  superfluidity place chains examples/placement/chains.yaml --policy ocm',
    )
    .action(
      run(async (context, file: string, options) =>
        (await import('./chains.ts')).chains(context, file, options as never),
      ),
    );
  command
    .command('calibrate')
    .description('fit the cost of a virtual switch to measurements, and say how far off it is')
    .argument('<csv>', 'columns rate (packets a second), length, copies, cpu (cores)')
    .requiredOption('--name <name>', 'of the model')
    .option('--switch <text>', 'what was measured', 'measured')
    .option('--frame-bytes <bytes>', 'of the packets', wholeNumber, 64)
    .addOption(new Option('--form <form>', 'interrupt or poll (default: what fits better)').choices(switchForms))
    .action(
      run(async (context, file: string, options) =>
        (await import('./calibrate.ts')).calibrateSwitch(context, file, options as never),
      ),
    );
  return command;
}
