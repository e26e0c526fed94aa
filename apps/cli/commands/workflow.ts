import { Command } from 'commander';
import { seconds, type Run } from '../arguments.ts';
import { waiting } from './waiting.ts';

const collect = (one: string, before: readonly string[] = []): readonly string[] => [...before, one];

export function workflowCommand(run: Run): Command {
  const command = new Command('workflow').description('workflows on the engines of sites (Mistral)');
  waiting(command.command('run <file-or-name>'))
    .description('run a workflow on a site, and follow its tasks')
    .requiredOption('--site <site>', 'where')
    .option('--name <name>', 'which workflow, of a file with several')
    .option('--input <name=value>', 'several times; a value that is JSON is taken as such', collect)
    .option('--inputs <file>', 'YAML or JSON file with values by name')
    .option('--limit <seconds>', 'how long the workflow may take', seconds, 3_600)
    .addHelpText('after', '\nExample:\n  superfluidity workflow run backup.yaml --site cloud1 --input volume=data')
    .action(
      run(async (context, what: string, options) =>
        (await import('../actions/workflow.ts')).runWorkflow(context, what, options as never),
      ),
    );
  return command;
}
