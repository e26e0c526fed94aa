import { Command } from 'commander';
import type { Context } from '../context.ts';

type Run = <A extends unknown[]>(
  action: (context: Context, ...args: A) => Promise<void>,
) => (...args: unknown[]) => Promise<void>;

/** Commands about descriptors as files, in whatever dialect: they need no control plane. */
export function dialectCommands(run: Run): readonly Command[] {
  const convert = new Command('convert')
    .description('write a service in another dialect; says what that dialect cannot say')
    .argument('<in...>', 'descriptor, its folder, or the files of a package; the dialect is recognised')
    .requiredOption('--to <dialect>', 'native, sol006, ...: docs/reference/dialects.md lists them')
    .option('-o, --out <path>', 'folder, or file where one is written (default: standard output)')
    .option('--force', 'replace what is there')
    .option('--strict', 'write nothing and exit with 1 when something would be lost')
    .addHelpText(
      'after',
      '\nExample:\n  superfluidity convert examples/mobile-edge/service.yaml --to sol006 -o package',
    )
    .action(
      run(async (context, inputs: string[], options) =>
        (await import('./convert.ts')).convert(context, inputs, options as never),
      ),
    );
  return [convert];
}
