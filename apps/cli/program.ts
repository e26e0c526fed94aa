import packageJson from './package.json' with { type: 'json' };
import { Command, Option } from 'commander';
import type { Run } from './arguments.ts';
import { characteriseCommand } from './characterise/command.ts';
import { descriptorCommand } from './commands/descriptor.ts';
import { eventsCommand } from './commands/events.ts';
import { kuryrCommand } from './commands/kuryr.ts';
import { operationCommand } from './commands/operation.ts';
import { secretCommand } from './commands/secret.ts';
import { serviceCommands } from './commands/service.ts';
import { poolCommand } from './commands/pool.ts';
import { siteCommand } from './commands/site.ts';
import { workflowCommand } from './commands/workflow.ts';
import { tokenCommand } from './commands/token.ts';
import { userCommand } from './commands/user.ts';
import { createContext, type GlobalOptions, type Streams } from './context.ts';
import { designCommand } from './design/command.ts';
import { detectCommand } from './detect/command.ts';
import { dialectCommands } from './dialects/commands.ts';
import { exitCodesHelp } from './exit-codes.ts';
import { placeCommand } from './place/command.ts';
import { scaleCommand } from './scale/command.ts';
import { verifyCommand } from './verify/command.ts';

/** What can be asked for. What a command does (`actions`, and folders of its own) is loaded when it runs: `--help` needs none of it. */
export function createProgram(streams: Streams = process): Command {
  const program = new Command('superfluidity')
    .version(packageJson.version, '-V, --version', 'print the version')
    .description('Deploys, connects, watches, scales, heals and moves network services over many sites.')
    .option('--server <url>', 'the control plane', process.env['SUPERFLUIDITY_SERVER'] ?? 'http://127.0.0.1:8080')
    .option(
      '--token-file <file>',
      'file with the token (default: $SUPERFLUIDITY_TOKEN, else admin.token of the state folder)',
    )
    .option('--state <dir>', 'state folder of the server on this machine')
    .addOption(new Option('--output <format>', 'how to print').choices(['table', 'json', 'yaml']).default('table'))
    .addOption(new Option('--json', 'the same as --output json').implies({ output: 'json' }))
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(add --help for the usage)')
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
    })
    .exitOverride();
  program.addHelpText(
    'after',
    `
Examples:
  superfluidity server --demo                          start the control plane with the demo
  superfluidity plan examples/mobile-edge/service.yaml where everything would go, and which steps it takes
  superfluidity deploy examples/mobile-edge/service.yaml
  superfluidity move mobile-edge video --to edge       make before break
  superfluidity events --follow

${exitCodesHelp}`,
  );

  const run: Run =
    (action) =>
    async (...args) => {
      // Commander adds the command itself after arguments and options.
      await action(createContext(program.opts<GlobalOptions>(), streams), ...(args.slice(0, -1) as never));
    };
  const commands = [
    ...serviceCommands(run),
    siteCommand(run),
    poolCommand(run),
    kuryrCommand(run),
    workflowCommand(run),
    descriptorCommand(run),
    ...dialectCommands(run),
    placeCommand(run),
    designCommand(run),
    scaleCommand(run),
    detectCommand(run),
    characteriseCommand(run),
    operationCommand(run),
    eventsCommand(run),
    tokenCommand(run),
    userCommand(run),
    secretCommand(run),
    verifyCommand(run),
  ];
  for (const command of commands) program.addCommand(command);

  program
    .command('lsp')
    .description('language server for editors: descriptors, NEMO and Click, over standard input and output')
    .option('--stdio', 'the only way there is; editors say it')
    .action(run(async () => (await import('./lsp/lsp.ts')).lsp()));

  program
    .command('completion')
    .description('print the completion script of a shell: source <(superfluidity completion bash)')
    .addArgument(new Command().createArgument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(
      run(async (context, shell: 'bash' | 'zsh' | 'fish') =>
        context.say((await import('./actions/completion.ts')).completionScript(program, shell).trimEnd()),
      ),
    );
  inherit(program);
  return program;
}

/** Commands that were made apart from their parent know nothing of its settings. */
function inherit(parent: Command): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    inherit(child);
  }
}

/** Commands whose arguments are not ours to read, or that other rooms of this app bring: loaded when they are called. */
export const passedThrough: Readonly<
  Record<string, { readonly summary: string; run(args: readonly string[]): Promise<void> }>
> = {
  server: {
    summary: 'start the control plane (--help tells its options)',
    run: async (args) => (await import('./actions/server.ts')).server(args),
  },
  doctor: {
    summary: 'say what this machine lacks, and with --fix install it',
    run: async (args) => {
      const { doctorCommand } = await import('./doctor/index.ts');
      await doctorCommand()
        .exitOverride()
        .parseAsync([...args], { from: 'user' });
    },
  },
  demo: {
    summary: 'the whole story on this machine, measured: deploy, stream, move, clear up',
    run: async (args) => {
      const { demoCommand } = await import('./demo/index.ts');
      await demoCommand()
        .exitOverride()
        .parseAsync([...args], { from: 'user' });
    },
  },
};
