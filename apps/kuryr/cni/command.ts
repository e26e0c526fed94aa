import { hostname } from 'node:os';
import { type Logger, systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { useSysctlsOf } from '@superfluidity/netlink';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { EventWriter } from '../kubernetes/events.ts';
import { Daemon } from './daemon.ts';
import { buildExecutable } from './executable/build.ts';
import { install } from './install.ts';
import { tellInterrupted } from './interrupted.ts';
import { watchPools, watchPorts } from './watch.ts';
import { watchTables } from '../node/index.ts';

export interface CommandParts {
  readonly log: Logger;
  /** Fires when the process is to end. */
  readonly untilStopped: () => AbortSignal;
}

const FOLDER = '/run/superfluidity/kuryr';
/** As in executable/kuryr-cni.c. */
const SOCKET = '/run/superfluidity/kuryr-cni.sock';

interface DaemonFlags {
  readonly node: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly folder: string;
  readonly socket: string;
  readonly ovsdb: string;
  readonly trunkDevice?: string;
  readonly trunkBridge?: string;
  readonly makeBridges: boolean;
  readonly healthPort: number;
  readonly sysctls?: string;
  readonly cniConf?: string;
  readonly cniBin: string;
  readonly network: string;
  readonly executable?: string;
  readonly chain?: readonly Readonly<Record<string, unknown>>[];
}

/** `kuryr daemon`: one on each node, in its network. */
export function daemonCommand({ log, untilStopped }: CommandParts): Command {
  const daemon = new Command('daemon')
    .description('plugs the pods of its node into the networks that the controller chose; one on each node, as root')
    .addOption(
      new Option('--node <name>', 'as Kubernetes calls it')
        .env('NODE_NAME')
        .default(hostname(), 'the name of the machine'),
    )
    .option('--kubeconfig <file>', 'with credentials (default: the account of the pod)')
    .option('--context <name>', 'of it')
    .option('--folder <path>', 'in which it writes down what it plugged', FOLDER)
    .option('--ovsdb <path>', 'socket of Open vSwitch', '/run/openvswitch/db.sock')
    .option(
      '--trunk-device <name>',
      'the port of the node, for pods on VLANs and macvlans (default: that of the default route)',
    )
    .option('--trunk-bridge <name>', 'bridge of Open vSwitch with that port, for VLANs where the kernel has none')
    .option(
      '--make-bridges',
      'make bridges that pods are to have and that are not there, with the address of the gateway',
      false,
    )
    .option(
      '--sysctls <folder>',
      'where settings of the kernel can be written, if that is not /proc/sys: in containers',
    )
    .option('--health-port <number>', 'of /healthz, /readyz and /metrics on 127.0.0.1', portNumber, 9_655);
  withInstallOptions(daemon)
    .option(
      '--cni-conf <folder>',
      'write the configuration of the runtime there, once it listens, and install the executable',
    )
    .action(async (flags: DaemonFlags) => {
      const stopped = untilStopped();
      if (flags.sysctls !== undefined) useSysctlsOf(flags.sysctls);
      const { node, trunkDevice: device, trunkBridge: bridge, kubeconfig, context } = flags;
      const config = readClusterConfig('kuryr', {
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
        ...(context === undefined ? {} : { context }),
      });
      const cluster = Cluster.open('kuryr', config, systemClock);
      const events = new EventWriter({ cluster, clock: systemClock, log, component: 'superfluidity-kuryr-cni' });
      const running = await Daemon.open({
        ...flags,
        onInterrupted: (pod) => tellInterrupted(events, node, pod),
        trunk: { ...(device === undefined ? {} : { device }), ...(bridge === undefined ? {} : { bridge }) },
        makesBridges: flags.makeBridges,
        log,
      });
      try {
        const shared = { cluster, node, clock: systemClock, log };
        const watching = Promise.all([
          watchPorts({ ...shared, sink: running.ports }, stopped),
          watchPools({ ...shared, sink: running.spares }, stopped),
          watchTables({ ...shared, tables: running.tables }, stopped),
        ]);
        if (flags.cniConf !== undefined) log.info(await installBy({ ...flags, cniConf: flags.cniConf }), 'installed');
        await watching;
      } finally {
        await running.close();
        await events.close();
      }
    });
  return daemon;
}

/** `kuryr cni`: what runtimes of containers find on the node. */
export function cniCommand({ log }: Pick<CommandParts, 'log'>): Command {
  const cni = new Command('cni').description('the plugin that container runtimes start');
  cni
    .command('build')
    .description('compile it (gcc, libc6-dev): one file that needs nothing else')
    .argument('<file>')
    .action(async (file: string) => {
      await buildExecutable(file);
      log.info({ file }, 'built');
    });
  withInstallOptions(
    cni.command('install').description('put it and its configuration where the runtime looks for them'),
  )
    .option('--cni-conf <folder>', 'of configurations', '/etc/cni/net.d')
    .action(async (flags: InstallFlags) => {
      log.info(await installBy(flags), 'installed');
    });
  return cni;
}

type InstallFlags = Pick<DaemonFlags, 'cniBin' | 'socket' | 'network' | 'executable' | 'chain'> & {
  readonly cniConf: string;
};

const withInstallOptions = (command: Command): Command =>
  command
    .option('--socket <path>', 'of the daemon', SOCKET)
    .option('--cni-bin <folder>', 'of plugins', '/opt/cni/bin')
    .option('--network <name>', 'in the configuration', 'kuryr')
    .option('--executable <file>', 'built before (default: compile it)')
    .option('--chain <json>', 'a plugin behind ours, such as {"type":"tuning"}; may be given again', chainedPlugin);

const installBy = ({ cniBin, cniConf, socket, network, executable, chain = [] }: InstallFlags) =>
  install({
    bin: cniBin,
    conf: cniConf,
    socket,
    network,
    chained: chain,
    ...(executable === undefined ? {} : { executable }),
  });

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('a port is a number up to 65535');
}

const pluginSchema = z.looseObject({ type: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/) });

function chainedPlugin(
  text: string,
  before: readonly Readonly<Record<string, unknown>>[] = [],
): readonly Readonly<Record<string, unknown>>[] {
  try {
    return [...before, pluginSchema.parse(JSON.parse(text))];
  } catch {
    throw new InvalidArgumentError('a plugin is a JSON object with `type`');
  }
}
