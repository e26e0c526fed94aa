import { Command, Option } from 'commander';
import { positive, type Run, seconds, wholeNumber } from '../arguments.ts';
import { listing } from '../list-options.ts';
import { scalingCommand } from './scaling.ts';
import { waiting } from './waiting.ts';

const BASE = 'folder that paths in the descriptor start from (default: its own)';

const INPUT = 'value of an input of the template, several times: port=8080, password=secret:NAME';
const SITE = 'site that stands for a tier, several times: edge=linux1; no others are used';
const INPUTS = 'YAML or JSON file with values of inputs by name';
/** How what is new at sites is made, where these leave a choice. */
const way = (command: Command): Command =>
  command
    .addOption(
      new Option('--via <way>', 'as stacks of Heat, or by calls (default: as sites say)').choices(['heat', 'direct']),
    )
    .option('--rollback', 'of stacks: Heat itself takes back what failed');
const VAR = 'variable of the playbook, several times; a value that is JSON is taken as such';
const collect = (one: string, before: readonly string[] = []): readonly string[] => [...before, one];

/** `service VERB`, and the verbs that are used most once more without `service`; `scale` is a noun there, with verbs of its own. */
export function serviceCommands(run: Run): readonly Command[] {
  const verbs = serviceVerbs(run);
  const command = new Command('service').description('services: check, plan, deploy, move, ...');
  for (const make of Object.values(verbs)) command.addCommand(make());
  command.addCommand(scalingCommand(run));
  const often = ['check', 'plan', 'deploy', 'move', 'heal', 'terminate'] as const;
  return [command, ...often.map((verb) => verbs[verb]().summary(`the same as \`service ${verb}\``))];
}

function serviceVerbs(run: Run) {
  const service = () => import('../actions/service.ts');
  const playbook = () => import('../actions/playbook.ts');
  return {
    check: () =>
      new Command('check')
        .description('read and check a descriptor; without a server it is read here')
        .argument('<file...>', 'descriptor, its folder, an archive, or the files of a package')
        .option('--offline', 'do not ask a server')
        .option('--fix', 'put right in the files what can only be meant in one way, and check again')
        .action(
          run(async (context, files: string[], options: { offline?: boolean; fix?: boolean }) =>
            (await service()).check(context, files, options),
          ),
        ),
    plan: () =>
      way(new Command('plan'))
        .description('print placement, chains, cost and steps; changes nothing')
        .argument('<file-or-name...>', 'descriptor, its folder, or an entry of the catalogue')
        .option('--name <name>', 'name of the service')
        .option('--base <dir>', BASE)
        .option('--input <name=value>', INPUT, collect)
        .option('--inputs <file>', INPUTS)
        .option('--site <tier=site>', SITE, collect)
        .action(
          run(async (context, files: string[], options) => (await service()).plan(context, files, options as never)),
        ),
    deploy: () =>
      way(waiting(new Command('deploy').description('deploy a service and follow it')))
        .argument('<file-or-name...>', 'descriptor, its folder, or an entry of the catalogue')
        .option('--name <name>', 'name of the service')
        .option('--base <dir>', BASE)
        .option('--input <name=value>', INPUT, collect)
        .option('--inputs <file>', INPUTS)
        .option('--site <tier=site>', SITE, collect)
        .option(
          '--playbook <path>',
          'of the server: run over the units once they are there (default: as the template says)',
        )
        .option('--var <name=value>', VAR, collect)
        .option('--user <name>', 'of the machines, as whom the playbook signs in')
        .option('--key <secret:NAME>', 'the secret with the private key of that user')
        .option('--as-site <name>', 'add the cluster that the playbook made as a site')
        .action(
          run(async (context, files: string[], options) => (await service()).deploy(context, files, options as never)),
        ),
    update: () =>
      way(waiting(new Command('update').description('make a service what another descriptor says, and follow it')))
        .argument('<name>')
        .argument('<file-or-name...>', 'descriptor, its folder, or an entry of the catalogue')
        .option('--base <dir>', BASE)
        .option('--dry-run', 'print the plan; change nothing')
        .addHelpText('after', '\nExample:\n  superfluidity service update mobile-edge service.yaml --dry-run')
        .action(
          run(async (context, name: string, files: string[], options) =>
            (await service()).update(context, name, files, options as never),
          ),
        ),
    adopt: () =>
      waiting(new Command('adopt').description('make a service of a stack of Heat that is there, as it is'))
        .argument('<stack>', 'id or name in the project of the site')
        .requiredOption('--site <site>', 'where the stack is')
        .option('--name <name>', 'name of the service (default: as the template or the stack)')
        .option('--dry-run', 'print what the service would be and what Heat would change; change nothing')
        .addHelpText('after', '\nExample:\n  superfluidity service adopt shop --site cloud1 --dry-run')
        .action(
          run(async (context, stack: string, options) => (await service()).adopt(context, stack, options as never)),
        ),
    inputs: () =>
      new Command('inputs')
        .description('what a template asks for when it is deployed: names, kinds, defaults and constraints')
        .argument('<file-or-name...>', 'template, its folder, or an entry of the catalogue')
        .action(run(async (context, files: string[]) => (await service()).inputs(context, files))),
    list: () =>
      listing(new Command('list').description('all services'), {
        state: 'INSTANTIATED, NOT_INSTANTIATED',
        site: 'with a unit there',
        healthy: 'true or false',
        busy: 'true or false: with an operation under way',
      }).action(run(async (context, options) => (await service()).list(context, options as never))),
    show: () =>
      new Command('show')
        .description('one service with its units and chains')
        .argument('<name>')
        .action(run(async (context, name: string) => (await service()).show(context, name))),
    scale: () =>
      waiting(new Command('scale').description('change how many instances of a unit run'))
        .argument('<name>')
        .argument('<unit>', 'path of the unit: video/server')
        .argument('<count>', 'how many', (text) => String(wholeNumber(text)))
        .action(
          run(async (context, name: string, unit: string, count: string, options) =>
            (await service()).scale(context, name, unit, count, options as never),
          ),
        ),
    move: () =>
      waiting(new Command('move').description('move a function or unit to another site: make before break'))
        .argument('<name>')
        .argument('<what>', 'function or unit: video')
        .requiredOption('--to <site>', 'where to')
        .option('--host <host>', 'and to which host')
        .addHelpText('after', '\nExample:\n  superfluidity move mobile-edge video --to edge')
        .action(
          run(async (context, name: string, what: string, options) =>
            (await service()).move(context, name, what, options as never),
          ),
        ),
    heal: () =>
      waiting(new Command('heal').description('replace what is not running'))
        .argument('<name>')
        .argument('[unit]')
        .action(
          run(async (context, name: string, unit: string | undefined, options) =>
            (await service()).heal(context, name, unit, options as never),
          ),
        ),
    terminate: () =>
      waiting(new Command('terminate').description('stop the service and remove everything that belongs to it'))
        .argument('<name>')
        .action(
          run(async (context, name: string, options) => (await service()).terminate(context, name, options as never)),
        ),
    inventory: () =>
      new Command('inventory')
        .description('the units of a service as an inventory of Ansible')
        .argument('<name>')
        .addHelpText('after', '\nExample:\n  superfluidity service inventory k1 > hosts.yml')
        .action(run(async (context, name: string) => (await playbook()).inventory(context, name))),
    playbook: () =>
      waiting(new Command('playbook').description('run a playbook of the server over the units of a service'))
        .argument('<name>')
        .argument('[path]', 'cluster/site.yml; without it, those that there are')
        .option('--var <name=value>', VAR, collect)
        .option('--vars <file>', 'YAML or JSON file with variables by name')
        .option('--user <name>', 'of the machines, as whom it signs in (default: root)')
        .option('--key <secret:NAME>', 'the secret with the private key of that user')
        .option('--limit <host...>', 'only these hosts or groups')
        .option('--check', 'tell what would be changed, and change nothing')
        .option('--as-site <name>', 'add the cluster that it made as a site of kind kubernetes')
        .option('--time <seconds>', 'how long it may take', seconds, 3_600)
        .addHelpText(
          'after',
          '\nExample:\n  superfluidity service playbook k1 kubernetes-cluster/site.yml --key secret:machines',
        )
        .action(
          run(async (context, name: string, path: string | undefined, options) =>
            (await playbook()).runPlaybook(context, name, path, options as never),
          ),
        ),
    logs: () =>
      new Command('logs')
        .description('what a unit printed')
        .argument('<name>')
        .argument('<unit>', 'id or path: video/server#0')
        .option('-f, --follow', 'go on')
        .action(
          run(async (context, name: string, unit: string, options) =>
            (await service()).logs(context, name, unit, options as never),
          ),
        ),
    terminal: () =>
      new Command('terminal')
        .description('a terminal in a unit: a shell in containers and processes, the serial console of machines')
        .argument('<name>')
        .argument('<unit>', 'id or path: video/server#0')
        .argument('[command...]', 'instead of a shell: a program and its arguments, after --')
        .addHelpText(
          'after',
          '\nCtrl-] leaves it. The exit code is that of the program.\n\nExample:\n  superfluidity service terminal mobile-edge epc/gateway -- ip route',
        )
        .action(
          run(async (context, name: string, unit: string, command: string[]) =>
            (await import('../actions/terminal.ts')).terminal(context, name, unit, command),
          ),
        ),
    samples: () =>
      new Command('samples')
        .description('telemetry: what users of the service measured')
        .argument('<name>')
        .option('-f, --follow', 'go on')
        .option('--limit <count>', 'how many of the latest', positive, 20)
        .action(
          run(async (context, name: string, options) => (await service()).samples(context, name, options as never)),
        ),
  } satisfies Record<string, () => Command>;
}
