import { printer, readVerb, said, tellProgress } from '../options.ts';
import { down } from './down.ts';
import { labPaths } from './lab.ts';
import { type LabOptions, NETWORKS } from './options.ts';
import { describeStatus, statusOf } from './status.ts';
import { up } from './up.ts';

const usage = `Usage: npm run lab -- kubernetes up|down|status [PROCESS...] [options]

  up                 start everything, or the processes named; what runs with the same configuration goes on
  down               stop everything, pods too, or the processes named; data is kept
  status             what runs, since when, with how much memory, and where its log is

Options of up, kept for the next time:
  --install          install missing packages with apt-get (Debian 12)
  --nodes NUMBER     1 to 9 (default 2)
  --network KIND     ${NETWORKS.join(' or ')} (default bridge): what connects pods
  --address ADDRESS  of the API server (default 127.0.0.1)
  --port NUMBER      of the API server (default 6443)

Options of down:
  --wipe             remove the data too

  --json             print one JSON object
  --help             print this

KUBE_BIN is a folder with the programs of Kubernetes; without it they are built by Go, once. SUPERFLUIDITY_LAB is the folder
of laboratories (default /var/tmp/superfluidity-lab), SUPERFLUIDITY_LAB_CACHE that of what makes the next start fast (default
/var/cache/superfluidity-lab).
`;

const options = {
  install: { type: 'boolean', default: false },
  nodes: { type: 'string' },
  network: { type: 'string' },
  address: { type: 'string' },
  port: { type: 'string' },
  wipe: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export async function kubernetesCommand(args: readonly string[]): Promise<void> {
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
    const removed = report.wiped ? ', data removed' : '';
    print(report, `${report.stopped.length} processes stopped${removed} in ${report.seconds} s\n`);
  } else {
    const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
    const { network, address } = values;
    const changes = said<LabOptions>({
      network: network as LabOptions['network'] | undefined,
      address,
      nodes: number(values.nodes),
      port: number(values.port),
    });
    const report = await up({ paths, names, changes, install: values.install, tell });
    const credentials = `${report.adminConfig} and ${report.userConfig}`;
    print(report, `${report.started.length} processes started in ${report.seconds} s; credentials in ${credentials}\n`);
  }
}
