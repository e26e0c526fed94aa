import { type Asked, printer, readVerb, said, tellProgress } from '../options.ts';
import { down } from './down.ts';
import { labPaths } from './lab.ts';
import { COMPUTES, FIREWALLS, type LabOptions, NETWORKS, SERVICES } from './options.ts';
import { describeStatus, statusOf } from './status.ts';
import { up } from './up.ts';

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

export async function openstackCommand(args: readonly string[]): Promise<void> {
  const asked = readVerb(args, options, usage);
  if (asked === undefined) return;
  const { verb, names, values } = asked;
  const paths = labPaths();
  const [tell, print] = [tellProgress(), printer(values.json)];
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
function given(values: Asked<typeof options>['values']): Partial<LabOptions> {
  const { network, compute, firewall, address, host, debug } = values;
  const options = { network, compute, firewall, address, host, debug };
  const octavia = { providers: values['octavia-provider'], pythonPath: values['python-path'] };
  return said<Record<string, unknown>>({ ...options, ...octavia }) as Partial<LabOptions>;
}
