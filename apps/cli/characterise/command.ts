import { Command } from 'commander';
import { probability, type Run, seconds } from '../arguments.ts';

/** Experiments with a service: which deployment is the cheapest for each class of service level. */
export function characteriseCommand(run: Run): Command {
  const command = new Command('characterise').description(
    'experiments with a service, and the cheapest deployment for each class of service level',
  );
  command
    .command('run')
    .description('deploy, stress and measure configurations; a run that was interrupted goes on')
    .argument('<file>', 'the characterisation, in YAML or JSON: docs/guides/characterise.md')
    .requiredOption('--results <file>', 'where results are kept, and gone on from')
    .option('--exhaustive', 'measure every configuration as often as the file says')
    .option('--confidence <probability>', 'of the answer, at which it is enough', probability, 0.95)
    .option('--noise <probability>', 'that an experiment comes out wrong', probability, 0.05)
    .option('--halving', 'short trials while there are many candidates, the whole time for those that are chosen')
    .option('--no-deploy', 'the service runs already: only the traffic is made')
    .option('--timeout <seconds>', 'of a deployment', seconds, 600)
    .option('--publish', 'put the report into the control plane when it is over')
    .option('--dry-run', 'say what would be done, and do nothing')
    .addHelpText(
      'after',
      '\nExample:\n  superfluidity characterise run examples/characterise/simulated.yaml --results results.jsonl',
    )
    .action(
      run(async (context, file: string, options) => (await import('./run.ts')).run(context, file, options as never)),
    );
  const analysing = (name: string, text: string) =>
    command
      .command(name)
      .description(text)
      .argument('<file>', 'the characterisation')
      .argument('<results>', 'what run has kept')
      .option('--partial', 'leave out classes that nothing achieves');
  analysing('analyse', 'find the cheapest configuration of each class, and say why')
    .option('--out <folder>', 'write templates.json, and for each class the descriptor of the service')
    .action(
      run(async (context, file: string, results: string, options) =>
        (await import('./analyse.ts')).analyseResults(context, file, results, options as never),
      ),
    );
  analysing('report', 'write a page with plots')
    .requiredOption('--out <file>', 'HTML, one file')
    .action(
      run(async (context, file: string, results: string, options) =>
        (await import('./analyse.ts')).report(context, file, results, options as never),
      ),
    );
  analysing('publish', 'put the report into the control plane, where the console shows it')
    .option('--name <name>', 'under which it is kept (default: that of the file)')
    .action(
      run(async (context, file: string, results: string, options) =>
        (await import('./publish.ts')).publish(context, file, results, options as never),
      ),
    );
  return command;
}
