import { Command, Option } from 'commander';
import { number, type Run, wholeNumber } from '../arguments.ts';

/** Scaling of what is only a file: it needs no control plane. */
export function scaleCommand(run: Run): Command {
  const command = new Command('scale').description(
    'when to add and when to remove, so that it costs least (to do it: service scale)',
  );
  const model = (name: string, text: string) =>
    command
      .command(name)
      .description(text)
      .argument('<file>', 'rates and costs, in YAML or JSON: docs/reference/scaling.md')
      .addOption(
        new Option('--method <method>', 'exact, abstract (for very many VMs), or auto: what is possible')
          .choices(['auto', 'exact', 'abstract'])
          .default('auto'),
      )
      .option('--tolerance <part>', 'width of what is proven of the cost, as a part of it', number, 1e-6);
  model('solve', 'the optimal policy, what it costs, and its thresholds')
    .option('--table <file>', 'write the table of the policy, as JSON')
    .addHelpText('after', '\nExample:\n  superfluidity scale solve examples/scaling/scaling.yaml')
    .action(
      run(async (context, file: string, options) =>
        (await import('./solve.ts')).solve(context, file, options as never),
      ),
    );
  model('simulate', 'live through arrivals and departures under the policy, and measure what it costs')
    .option('--table <file>', 'a policy that solve wrote (default: the optimal one)')
    .option('--events <count>', 'how many', wholeNumber, 1_000_000)
    .option('--seed <number>', 'of chance', wholeNumber, 1)
    .action(
      run(async (context, file: string, options) =>
        (await import('./solve.ts')).simulatePolicy(context, file, options as never),
      ),
    );
  command
    .command('train')
    .description('learn from measurements how good a service is, and print the model')
    .argument('<csv>', 'a row for each measurement; one column says how good it was, smaller being better')
    .requiredOption('--quality <column>', 'what is predicted: latencyMs')
    .requiredOption('--per-pod <column...>', 'means over pods of what grows with the load of each')
    .option('--fixed <column...>', 'what does not hang on the number of pods', [])
    .option('--quantile <part>', 'of the quality that is predicted', number, 0.95)
    .option('--trees <count>', 'more are finer and slower', wholeNumber, 60)
    .action(
      run(async (context, file: string, options) =>
        (await import('./learned.ts')).train(context, file, options as never),
      ),
    );
  command
    .command('recommend')
    .description('the smallest number of replicas that is expected to keep a promise')
    .argument('<model>', 'what train printed')
    .requiredOption('--metric <name=value...>', 'each column of the model, as it is now')
    .requiredOption('--replicas <count>', 'that serve now', wholeNumber)
    .requiredOption('--at-most <quality>', 'what is promised', number)
    .option('--margin <part>', 'of it that is kept in hand', number, 0.1)
    .option('--growth <times>', 'load that is expected, divided by that of now', number, 1)
    .option('--min <count>', 'of replicas', wholeNumber, 1)
    .option('--max <count>', 'of replicas', wholeNumber, 100)
    .option(
      '--guard <count>',
      'what is done where the model knows nothing (default: those that serve now)',
      wholeNumber,
    )
    .action(
      run(async (context, file: string, options) =>
        (await import('./learned.ts')).recommend(context, file, options as never),
      ),
    );
  command
    .command('compare')
    .description(
      'HPA, learned scaler with and without a season, and the bound of whoever knows what comes, on a trace of load',
    )
    .argument('[csv]', 'columns timestamp and value (default: two synthetic days)')
    .option('--capacity <rate>', 'that a pod serves, in the unit of the trace (default: a twelfth of its peak)', number)
    .option('--service-ms <ms>', 'of one request when there is no other', number, 10)
    .option('--boot <seconds>', 'until a pod that is asked for serves', number, 60)
    .option('--promise-ms <ms>', 'in which requests are promised', number, 50)
    .option('--cpu-target <part>', 'of the HPA', number, 0.6)
    .option('--step <seconds>', 'between two decisions', number, 15)
    .option('--period <seconds>', 'after which the load returns (default: found by its autocorrelation)', number)
    .option('--regular', 'without a trace: seven days with rushes at the same times instead')
    .option('--max <count>', 'of replicas', wholeNumber, 200)
    .option('--seed <number>', 'of the synthetic days and of noise', wholeNumber, 1)
    .action(
      run(async (context, file: string | undefined, options) =>
        (await import('./learned.ts')).compare(context, file, options as never),
      ),
    );
  return command;
}
