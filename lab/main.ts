import { parseArgs } from 'node:util';
import { SuperfluidityError } from '@superfluidity/core';
import { down } from './openstack/down.ts';
import { labPaths } from './openstack/lab.ts';
import { COMPUTES, FIREWALLS, type LabOptions, NETWORKS, SERVICES } from './openstack/options.ts';
import { describeStatus, statusOf } from './openstack/status.ts';
import { up } from './openstack/up.ts';

const usage = `Usage: npm run lab -- openstack up|down|status [NAME...] [options]

  up                 start all services, or those named with all that they need, or single processes;
                     what runs with the same configuration goes on
  down               stop all, or what is named; data is kept
  status             what runs, since when, on which port, with how much memory, and where its log is

Services: ${SERVICES.join(' ')}

Options of up, kept for the next time:
  --install          install missing packages with apt-get (Debian 12)
  --network KIND     ${NETWORKS.join(' or ')} (default ovs)
  --compute KIND     ${COMPUTES.join(' or ')} (default fake)
  --firewall KIND    ${FIREWALLS.join(' or ')} (default noop): openvswitch enforces security groups
  --address ADDRESS  of all listeners (default 127.0.0.1)
  --host NAME        of the compute host (default: name of this machine)
  --octavia-provider NAME:DESCRIPTION   one more provider of Octavia; may be repeated
  --python-path FOLDER                  where Octavia finds it; may be repeated
  --debug            write more into logs
  --no-seed          neither begin with the data of an earlier laboratory nor keep it for later ones

Options of down:
  --wipe             remove the data too

  --json             print one JSON object
  --help             print this

SUPERFLUIDITY_LAB is the folder of laboratories (default /var/tmp/superfluidity-lab), SUPERFLUIDITY_LAB_CACHE that of
what makes the next start fast (default /var/cache/superfluidity-lab).
`;

const options = {
  install: { type: 'boolean', default: false },
  network: { type: 'string' },
  compute: { type: 'string' },
  firewall: { type: 'string' },
  address: { type: 'string' },
  host: { type: 'string' },
  'octavia-provider': { type: 'string', multiple: true },
  'python-path': { type: 'string', multiple: true },
  debug: { type: 'boolean' },
  seed: { type: 'boolean', default: true },
  wipe: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SuperfluidityError('SF-LAB-OPTION', { doing: 'read the command', reason, cause: error });
  }
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [kind, verb, ...names] = positionals;
  if (values.help || kind !== 'openstack' || verb === undefined || !['up', 'down', 'status'].includes(verb)) {
    process[values.help ? 'stdout' : 'stderr'].write(usage);
    if (!values.help) process.exitCode = 2;
    return;
  }
  const paths = labPaths();
  // Progress is for eyes; a log gets the result.
  const tell = process.stderr.isTTY ? (text: string) => process.stderr.write(`${text}\n`) : () => {};
  const print = (value: unknown, text: string) =>
    process.stdout.write(values.json ? `${JSON.stringify(value, undefined, 2)}\n` : text);
  if (verb === 'status') {
    const status = statusOf(paths);
    print(status, describeStatus(status));
    if (!status.up) process.exitCode = 1;
  } else if (verb === 'down') {
    const report = await down({ paths, names, wipe: values.wipe, tell });
    print(
      report,
      `${report.stopped.length} processes stopped${report.wiped ? ', data removed' : ''} in ${report.seconds} s\n`,
    );
  } else {
    const report = await up({
      paths,
      names,
      changes: given(values),
      install: values.install,
      useSeed: values.seed,
      tell,
    });
    print(
      report,
      `${report.started.length} processes started in ${report.seconds} s; credentials in ${report.cloudsYaml}\n`,
    );
  }
}

/** What was said on the command line. */
function given(values: ReturnType<typeof parse>['values']): Partial<LabOptions> {
  const { network, compute, firewall, address, host, debug } = values;
  const said = {
    network,
    compute,
    firewall,
    address,
    host,
    debug,
    providers: values['octavia-provider'],
    pythonPath: values['python-path'],
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Partial<LabOptions>;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SuperfluidityError)) throw error;
  const { request, answer } = error.details;
  const lines = [
    `${error.code}: ${error.message}`,
    ...(request === undefined ? [] : [`  request: ${request}`]),
    ...(answer === undefined || answer === '' ? [] : [`  answer: ${answer}`]),
    `  ${error.hint}`,
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}
