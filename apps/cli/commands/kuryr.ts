import { Command, InvalidArgumentError } from 'commander';
import { positive, type Run, wholeNumber } from '../arguments.ts';
import packageJson from '../package.json' with { type: 'json' };

export function kuryrCommand(run: Run): Command {
  const kuryr = () => import('../actions/kuryr.ts');
  const commands = new Command('kuryr').description(
    'the network of a cluster of Kubernetes out of a cloud, or out of the built-in fabric: controller and daemons',
  );
  const cluster = (command: Command) =>
    command
      .option('--site <name>', 'a site of kind kubernetes: its kubeconfig and context')
      .option('--kubeconfig <file>', 'credentials, in the place of a site')
      .option('--context <name>', 'one of its contexts (default: its current one)')
      .option('--namespace <name>', 'where controller and daemons are', 'kube-system');
  cluster(commands.command('install').description('install Kuryr in a cluster, or change how it is installed'))
    .option('--fabric <fabric>', 'neutron:CLOUD (of clouds.yaml) or linux; needed unless --config says it')
    .option('--cluster <name>', 'what is made in the cloud carries it as a tag (default: the name of the site)')
    .option('--subnet <id>', 'of the cloud: where pods are')
    .option('--group <id...>', 'of the cloud: security groups of pods')
    .option('--config <file>', 'configuration of the controller (YAML or JSON): everything else')
    .option('--image <image>', 'of controller and daemon', `localhost/superfluidity/kuryr:${packageJson.version}`)
    .option(
      '--clouds-secret <name>',
      'Secret of the namespace with clouds.yaml; it is not read',
      'superfluidity-kuryr-clouds',
    )
    .option('--api-server <host:port>', 'where nodes reach the API server when there is no kube-proxy', hostAndPort)
    .option('--cni-bin <folder>', 'of the nodes: where their runtime has plugins', '/opt/cni/bin')
    .option('--cni-conf <folder>', 'of the nodes: where it has configurations', '/etc/cni/net.d')
    .option('--run-folder <folder>', 'of the nodes: for the socket, and for what is plugged', '/run/superfluidity')
    .option('--node-label <key=value...>', 'only nodes with these labels get a daemon', label, {})
    .option('--trunk-device <name>', 'port of the nodes, for pods in machines (default: that of the default route)')
    .option('--trunk-bridge <name>', 'bridge of Open vSwitch with it, for VLANs where the kernels have none')
    .option('--replicas <count>', 'of the controller: one leads, the others wait', positive, 2)
    .option('--dry-run', 'print the manifests, as `kubectl apply -f -` takes them, and ask nobody', false)
    .option('--chart <folder>', 'write a chart of Helm with the same manifests, and ask nobody')
    .addHelpText(
      'after',
      `
The credentials of a cloud are in a Secret of the namespace, which who has them makes:
  kubectl -n kube-system create secret generic superfluidity-kuryr-clouds --from-file=clouds.yaml

Example:
  superfluidity kuryr install --site pods --fabric linux
  superfluidity kuryr install --kubeconfig admin.conf --fabric neutron:north --cluster edge --subnet 3f2c... --group 9a41...
  superfluidity kuryr install --fabric linux --cluster edge --dry-run | kubectl apply --server-side -f -`,
    )
    .action(run(async (context, options) => (await kuryr()).install(context, options as never)));
  cluster(commands.command('uninstall').description('remove what was installed, and say what stays'))
    .option('--wait <seconds>', 'how long the controller may take to give back what pods had', wholeNumber, 0)
    .option('--abandon', 'remove also objects of pods that run: what they stand for stays in the cloud', false)
    .option('--keep-definitions', 'leave the custom resource definitions', false)
    .option('--dry-run', 'say what would go', false)
    .addHelpText('after', '\nExample:\n  superfluidity kuryr uninstall --site pods --wait 120')
    .action(run(async (context, options) => (await kuryr()).uninstall(context, options as never)));
  cluster(commands.command('status').description('what is installed, who leads, and what is in use'))
    .addHelpText('after', '\nExample:\n  superfluidity kuryr status --site pods')
    .action(run(async (context, options) => (await kuryr()).status(context, options as never)));
  return commands;
}

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw new InvalidArgumentError('It is not HOST:PORT.');
  return { host, port: Number(port) };
}

function label(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('It is not KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
