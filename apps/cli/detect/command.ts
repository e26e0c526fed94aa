import { Command, Option } from 'commander';
import { positive, probability, type Run } from '../arguments.ts';

/** Anomalies in what was observed. Only `live` asks a control plane. */
export function detectCommand(run: Run): Command {
  const command = new Command('detect').description(
    'what is not as it always was, in files, as it happens, or in a service',
  );
  rows(command.command('train'))
    .description('learn from normal behaviour what is normal')
    .argument('<file...>', 'what was observed; - is standard input')
    .requiredOption('--out <file>', 'where the detector is written, in JSON')
    .option('--window <letters>', 'judge so many values together (default: each sequence as a whole)', positive)
    .option('--rate <part>', 'false alarms: part of what is normal that is taken for an anomaly', probability, 0.01)
    .addOption(
      new Option('--threshold <method>', 'how the rate is kept').choices(['conformal', 'extreme']).default('conformal'),
    )
    .option(
      '--regular <part>',
      'what is more regular than usual, too: part of what is normal that is taken for that',
      probability,
    )
    .addOption(
      new Option('--quantiser <method>', 'how letters are made of numbers')
        .choices(['k-means', 'log', 'quantile'])
        .default('k-means'),
    )
    .option('--letters <count>', 'of numbers', positive, 12)
    .option('--differences', 'between values that follow each other: of times, the gaps')
    .option('--season <hours>', 'what is usual repeats itself: 24 or 168; needs --time', positive)
    .option('--slots <count>', 'parts of a season', positive, 48)
    .addHelpText(
      'after',
      '\nExample:\n  superfluidity detect train requests.csv --value at --by flow --differences --quantiser log --out flows.json',
    )
    .action(
      run(async (context, files: readonly string[], options) =>
        (await import('./train.ts')).train(context, files, options as never),
      ),
    );
  rows(command.command('score'))
    .description('judge what was observed')
    .argument('<detector>', 'made by detect train')
    .argument('<file...>', 'what was observed; - is standard input')
    .addHelpText('after', '\nExits with 1 when something is an anomaly.')
    .action(
      run(async (context, detector: string, files: readonly string[], options) =>
        (await import('./score.ts')).score(context, detector, files, options as never),
      ),
    );
  rows(command.command('watch'))
    .description('judge what is observed as it comes, a line for each anomaly; with --json an object a line')
    .argument('<detector>', 'made by detect train, with --window or for lines')
    .argument('[file]', 'what is observed', '-')
    .option('--all', 'say what is normal, too')
    .option('--drift', 'say when what is normal has changed for good')
    .action(
      run(async (context, detector: string, file: string, options) =>
        (await import('./watch.ts')).watch(context, detector, file, options as never),
      ),
    );
  command
    .command('live')
    .description('how unusual what a service does is, as the server watches it')
    .argument('<service>')
    .option('--limit <count>', 'of the latest scores of each signal', positive, 10)
    .addHelpText(
      'after',
      '\nAlerts are events: superfluidity events --kind anomaly. Exits with 1 when the latest window is an anomaly.',
    )
    .action(
      run(async (context, service: string, options) =>
        (await import('./live.ts')).live(context, service, options as never),
      ),
    );
  return command;
}

function rows(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'default: by the ending of the file, or lines').choices([
        'lines',
        'csv',
        'jsonl',
      ]),
    )
    .option('--value <column>', 'of CSV and JSON lines: what is watched (default: value)')
    .option('--time <column>', 'milliseconds or dates, not going back')
    .option('--by <column>', 'whose value it is: each has a sequence of its own')
    .option('--numbers', 'of lines: the words are numbers')
    .option('--names', 'of CSV and JSON lines: the values are names');
}
