import packageJson from './package.json' with { type: 'json' };
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Context, createContext, type GlobalOptions } from './context.ts';
import { dialectCommands } from './dialects/commands.ts';
import { listing } from './list-options.ts';
import { exitCodesHelp } from './exit-codes.ts';
import { placeCommand } from './place/command.ts';

const BASE = 'folder that paths in the descriptor start from (default: its own)';

/** Commands load what they need when they run: `--help` reads this file only. */
export function createProgram(): Command {
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

  const run =
    <A extends unknown[]>(action: (context: Context, ...args: A) => Promise<void>) =>
    async (...args: unknown[]) => {
      // Commander adds the command itself after arguments and options.
      await action(createContext(program.opts<GlobalOptions>()), ...(args.slice(0, -1) as A));
    };
  const service = () => import('./commands/service.ts');
  const site = () => import('./commands/site.ts');
  const operation = () => import('./commands/operation.ts');
  const descriptor = () => import('./commands/descriptor.ts');
  const token = () => import('./commands/token.ts');

  const waiting = (command: Command): Command =>
    command
      .option('--no-wait', 'print the id of the operation and leave')
      .option('--timeout <seconds>', 'how long to wait for the operation', positive, 600);

  const serviceVerbs: Record<string, () => Command> = {
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
      new Command('plan')
        .description('print placement, chains, cost and steps; changes nothing')
        .argument('<file-or-name...>', 'descriptor, its folder, or an entry of the catalogue')
        .option('--name <name>', 'name of the service')
        .option('--base <dir>', BASE)
        .action(
          run(async (context, files: string[], options: { name?: string; base?: string }) =>
            (await service()).plan(context, files, options),
          ),
        ),
    deploy: () =>
      waiting(new Command('deploy').description('deploy a service and follow it'))
        .argument('<file-or-name...>', 'descriptor, its folder, or an entry of the catalogue')
        .option('--name <name>', 'name of the service')
        .option('--base <dir>', BASE)
        .action(
          run(async (context, files: string[], options) => (await service()).deploy(context, files, options as never)),
        ),
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
    samples: () =>
      new Command('samples')
        .description('telemetry: what users of the service measured')
        .argument('<name>')
        .option('-f, --follow', 'go on')
        .option('--limit <count>', 'how many of the latest', positive, 20)
        .action(
          run(async (context, name: string, options) => (await service()).samples(context, name, options as never)),
        ),
  };
  const services = program.command('service').description('services: check, plan, deploy, move, ...');
  for (const make of Object.values(serviceVerbs)) services.addCommand(make());
  for (const verb of ['check', 'plan', 'deploy', 'scale', 'move', 'heal', 'terminate']) {
    program.addCommand(serviceVerbs[verb]!().summary(`the same as \`service ${verb}\``));
  }

  const sites = program.command('site').description('sites, and the links between them');
  sites
    .command('add <name>')
    .description('add a site, or change its declaration')
    .option('--kind <kind>', 'linux or simulated (default: linux)')
    .option('--tier <tier>', 'edge, core, ...')
    .option('--cell <cell...>', 'radio cells that it serves')
    .option('--config <file>', 'configuration for the driver (YAML or JSON)')
    .option('--file <file>', 'the whole declaration (YAML or JSON)')
    .addHelpText('after', '\nExample:\n  superfluidity site add edge --kind simulated --tier edge --cell cell-1')
    .action(run(async (context, name: string, options) => (await site()).add(context, name, options as never)));
  listing(sites.command('list').description('all sites'), {
    kind: 'of this kind',
    tier: 'of this tier',
    healthy: 'true or false',
  }).action(run(async (context, options) => (await site()).list(context, options as never)));
  sites
    .command('show <name>')
    .description('hosts, capabilities and pools')
    .action(run(async (context, name: string) => (await site()).show(context, name)));
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
    .description('set the link between two sites; without sites, list the links')
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
  sites
    .command('kinds')
    .description('kinds of sites, and what this machine lacks for them')
    .action(run(async (context) => (await site()).kinds(context)));

  const descriptors = program.command('descriptor').description('the catalogue');
  descriptors
    .command('add <file...>')
    .description('onboard a descriptor')
    .action(run(async (context, files: string[]) => (await descriptor()).add(context, files)));
  listing(descriptors.command('list').description('the catalogue'), { format: 'in this format' }).action(
    run(async (context, options) => (await descriptor()).list(context, options as never)),
  );
  descriptors
    .command('show <id>')
    .description('one entry with its source')
    .action(run(async (context, id: string) => (await descriptor()).show(context, id)));
  descriptors
    .command('enable <id>')
    .description('allow its use')
    .action(run(async (context, id: string) => (await descriptor()).setState(context, id, 'ENABLED')));
  descriptors
    .command('disable <id>')
    .description('allow no new use')
    .action(run(async (context, id: string) => (await descriptor()).setState(context, id, 'DISABLED')));
  descriptors
    .command('delete <id>')
    .description('delete; refused while enabled or in use')
    .action(run(async (context, id: string) => (await descriptor()).remove(context, id)));

  for (const command of dialectCommands(run)) program.addCommand(command);
  program.addCommand(placeCommand(run));

  const operations = program
    .command('operation')
    .description('operations: what was done and is being done to services');
  listing(
    operations.command('list').description('newest first'),
    { service: 'of these services', state: 'in these states: FAILED_TEMP', kind: 'of these kinds: MOVE' },
    50,
  ).action(run(async (context, options) => (await operation()).list(context, options as never)));
  operations
    .command('show <id>')
    .description('one operation with its steps')
    .action(run(async (context, id: string) => (await operation()).show(context, id)));
  operations
    .command('watch <id>')
    .description('follow it until it rests')
    .option('--timeout <seconds>', 'how long', positive, 600)
    .action(run(async (context, id: string, options) => (await operation()).watch(context, id, options as never)));
  const verbs = {
    retry: 'try the failed steps again',
    rollback: 'undo what was done',
    continue: 'go on without the failed steps',
    fail: 'leave everything as it is and call it failed',
  } as const;
  for (const [verb, description] of Object.entries(verbs) as [keyof typeof verbs, string][]) {
    waiting(operations.command(`${verb} <id>`).description(description)).action(
      run(async (context, id: string, options) => (await operation()).act(context, verb, id, options as never)),
    );
  }
  waiting(operations.command('cancel <id>').description('stop as soon as the running steps are over'))
    .option('--forceful', 'do not wait for the running steps')
    .action(run(async (context, id: string, options) => (await operation()).cancel(context, id, options as never)));

  program
    .command('events')
    .description('what happened, and with --follow what happens')
    .option('-f, --follow', 'go on')
    .option('--service <name>', 'of one service')
    .option('--kind <kinds>', 'of these kinds; audit: who asked for what')
    .option('--severity <values>', 'info, warning, error')
    .option('--by <tokens>', 'asked for with these tokens')
    .option('--search <text>', 'part of the message')
    .option('--after <id>', 'after this event', wholeNumber)
    .option('--limit <count>', 'how many: the newest, or with --after the next', positive, 500)
    .action(run(async (context, options) => (await import('./commands/events.ts')).events(context, options as never)));

  const tokens = program.command('token').description('tokens that open the API');
  tokens
    .command('create <name>')
    .description('make a token and print its secret, this once')
    .option('--role <role>', 'reader or admin', 'reader')
    .action(run(async (context, name: string, options) => (await token()).create(context, name, options as never)));
  listing(tokens.command('list').description('names and roles'), { role: 'reader, admin' }).action(
    run(async (context, options) => (await token()).list(context, options as never)),
  );
  tokens
    .command('revoke <name>')
    .description('make a token useless')
    .action(run(async (context, name: string) => (await token()).revoke(context, name)));
  tokens
    .command('show')
    .description('print the token that this command uses')
    .action(run(async (context) => (await token()).show(context)));

  const verify = program
    .command('verify')
    .description('prove a network before it is live: who reaches whom, loops, black holes, what is kept apart')
    .addHelpText(
      'after',
      `
NET is a folder, a file or an archive (tar, zip) of what people have: routing tables (show ip cef, show ip route, route -n,
also IPv6), what a Linux box says of itself (ip -d addr, ip -d route show table all with SRv6, ip rule, ip neigh, sysctl;
text or JSON), running configurations of Cisco, MAC tables (show mac address-table, bridge fdb) and VLANs of ports
(show vlan, show interfaces switchport, bridge vlan), iptables-save, nft rulesets, ipset, Click configurations,
ovs-ofctl dump-flows and dump-groups, ovs-appctl fdb/show, dumps of the Neutron API, SEFL, and a file of links (a:eth0 -> b:eth1).
Each is recognised by its content. A box is named after its file; packets come in at box:in.

Exit codes: 0 holds, 1 violated, 2 input that cannot be used, 3 unknown (a bound was hit, or lines were not understood)

Example:
  superfluidity verify reach net --from edge:in --to core --packet 'tcp && dst 10.0.0.0/8 port 80'`,
    );
  const asking = (name: string, text: string) =>
    withPackets(verify.command(name).description(text).argument('<net>', 'folder, file or archive')).option(
      '--to <place>',
      'box, or box:port',
    );
  const withPackets = (command: Command) =>
    command
      .option('--from <port...>', 'where packets begin: box:port (default: every box:in)', [])
      .option('--packet <filter>', "which packets: 'tcp && dst 10.0.0.0/8 port 80'")
      .option('--layout <name>', 'headers: ipv4, ipv4/tcp, ether/ipv4, ipv6, ... (default: ipv4)')
      .option('--time-limit <seconds>', 'after that the answer is unknown', positive, 60)
      .option('--max-paths <count>', 'of more paths the answer is unknown (default: 200000)', positive)
      .option(
        '--max-nodes <count>',
        'of more nodes of decision diagrams the answer is unknown (default: 20000000)',
        positive,
      );
  const withForms = (command: Command) =>
    command
      .option('--paths <count>', 'how many to print', positive, 1)
      .option('--sarif', 'print SARIF 2.1.0')
      .option('--dot', 'print the paths for Graphviz')
      .option('--mermaid', 'print the paths for Mermaid')
      .option('--coverage', 'print which rules packets met, and which not (of diff: of the first network)')
      .option('--pcap <file>', 'write the packets');
  for (const [name, text] of [
    ['reach', 'do packets get there, and which?'],
    ['isolation', 'does no packet get there?'],
    ['loops', 'does no packet come back to where it was?'],
    ['blackholes', 'is no packet sent to where nothing is?'],
    ['invariants', 'do packets arrive with the fields that they had?'],
    ['multipath', 'do all ways of a packet arrive, or none?'],
  ] as const) {
    withForms(asking(name, text))
      .option('--fields <name...>', 'of invariants: IPv4.src, TCP.dport, ...')
      .action(
        run(async (context, net: string, options) =>
          (await import('./verify/verify.ts')).verify(context, name, net, options as never),
        ),
      );
  }
  const ask = run(async (context, name: string, net: string, options) =>
    (await import('./verify/verify.ts')).verify(context, name, net, options as never),
  );
  const question = (name: string) => (net: string, options: unknown, command: Command) =>
    ask(name, net, options, command);
  withForms(asking('waypoints', 'do all packets that get there come through these places, in that order?'))
    .requiredOption('--through <place...>', 'boxes, or box:port')
    .action(question('waypoints'));
  for (const [name, text] of [
    ['visible', 'do packets show, where they come by, the fields that were sent?'],
    ['hidden', 'can nobody read the fields there, not even inside a tunnel?'],
  ] as const) {
    const command = verify.command(name).description(text).argument('<net>', 'folder, file or tar archive');
    withForms(withPackets(command))
      .requiredOption('--at <place>', 'box, or box:port')
      .option('--fields <name...>', 'IPv4.src, TCP.dport, ... (default: IPv4.src IPv4.dst)')
      .action(question(name));
  }
  withForms(asking('symmetry', 'do the answers of packets come back the way that the packets went?'))
    .option('--back <port>', 'where answers come in (default: where packets leave)')
    .action(question('symmetry'));
  withForms(asking('mtu', 'do all packets fit through the links that they come to?'))
    .option(
      '--size <bytes>',
      'of the longest packet that is sent (default: the MTU of the first interface, or 1500)',
      positive,
    )
    .option('--no-fragments', 'packets that are fragmented count as lost')
    .action(question('mtu'));
  withForms(
    withPackets(
      verify
        .command('policy')
        .description('do the policies of a file hold? Formulas of NetCTL, and rules `reach from`')
        .argument('<net>', 'folder, file or archive')
        .argument('<policies>', 'file of policies: docs/guides/verify.md has the language'),
    ),
  ).action(
    run(async (context, net: string, policies: string, options) =>
      (await import('./verify/policy.ts')).policy(context, net, policies, options as never),
    ),
  );
  withForms(
    withPackets(
      verify
        .command('diff')
        .description('do two networks send out the same packets for every packet that comes in?')
        .argument('<net-a>', 'folder, file or archive')
        .argument('<net-b>', 'folder, file or archive'),
    ),
  )
    .option('--map <file>', 'YAML: which port of the second network a port of the first is (default: the same name)')
    .option('--ignore <field...>', 'fields that may differ (default: checksums)')
    .action(
      run(async (context, netA: string, netB: string, options) =>
        (await import('./verify/diff.ts')).diff(context, netA, netB, options as never),
      ),
    );
  verify
    .command('rules')
    .description('which rules could as well not be there: shadowed, redundant, or for packets that there are not')
    .argument('<net>', 'folder, file or archive')
    .option('--time-limit <seconds>', 'what is not decided by then is named', positive, 60)
    .option('--max-nodes <count>', 'what takes more nodes of decision diagrams is named (default: 20000000)', positive)
    .option('--sarif', 'print SARIF 2.1.0')
    .action(
      run(async (context, net: string, options) =>
        (await import('./verify/rules.ts')).rules(context, net, options as never),
      ),
    );
  withPackets(
    verify
      .command('coverage')
      .description('to which rules does no packet get through the network?')
      .argument('<net>', 'folder, file or tar archive'),
  )
    .option('--sarif', 'print SARIF 2.1.0')
    .action(
      run(async (context, net: string, options) =>
        (await import('./verify/verify.ts')).coverage(context, net, options as never),
      ),
    );
  verify
    .command('updates')
    .description('apply updates of routing tables one by one: which bring loops and black holes?')
    .argument('<net>', 'folder, file or tar archive, of routing tables and links')
    .argument('<updates>', 'file of lines like `+ edge 10.2.0.0/16 eth1` and `- edge 10.2.0.0/16`')
    .option('--sarif', 'print SARIF 2.1.0')
    .action(
      run(async (context, net: string, file: string, options) =>
        (await import('./verify/updates.ts')).updates(context, net, file, options as never),
      ),
    );
  verify
    .command('destinations')
    .description(
      'everywhere that packets can end, of a recording of rules (updates, topo.txt, vlan.txt), by sets of packets',
    )
    .argument('<net>', 'folder or archive')
    .requiredOption('--from <box>', 'where packets begin, from outside')
    .action(
      run(async (context, net: string, options) =>
        (await import('./verify/destinations.ts')).destinations(context, net, options as never),
      ),
    );
  verify
    .command('show')
    .description('print the network as SEFL, the language of the engine; that text is a network, too')
    .argument('<net>', 'folder, file or archive')
    .action(run(async (context, net: string) => (await import('./verify/show.ts')).show(context, net)));
  withForms(
    verify
      .command('service')
      .description('do the policies of a service hold, on what is meant to be there or on what its sites have?')
      .argument('<service...>', 'name of a service, or the files of a descriptor: then with all functions on one site')
      .option('--realised', 'read the data plane of the sites, and verify that')
      .option('--time-limit <seconds>', 'of a descriptor: after that the answer is unknown', positive, 60),
  ).action(
    run(async (context, names: readonly string[], options) =>
      (await import('./verify/service.ts')).service(context, names, options as never),
    ),
  );
  asking('explain', 'one packet, hop by hop, rule by rule').action(
    run(async (context, net: string, options) =>
      (await import('./verify/verify.ts')).explain(context, net, options as never),
    ),
  );

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
        context.say((await import('./commands/completion.ts')).completionScript(program, shell).trimEnd()),
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
    run: async (args) => (await import('./commands/server.ts')).server(args),
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

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

function wholeNumber(text: string): number {
  const value = number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It is not a whole number from 0 on.');
  return value;
}

function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be more than 0.');
  return value;
}
