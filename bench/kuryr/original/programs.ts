import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../lab/command.ts';
import type { LabProcess } from '../../../lab/item.ts';
import { kubectl } from '../../../lab/kubernetes/lab.ts';
import type { Lab as OpenStackLab } from '../../../lab/openstack/lab.ts';
import { ovsEnvironment } from '../../../lab/openstack/services/ovs.ts';
import { type LabPaths, writeFile } from '../../../lab/paths.ts';
import { awaitReady } from '../../../lab/probe.ts';
import { digestOf, type StartedProcess, startProcess, stopProcess } from '../../../lab/processes.ts';
import { usageOf } from '../usage.ts';
import { DAEMON_ADDRESS, HEALTH_PORT, type OriginalConfig, renderOriginal } from './config.ts';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const READY_MS = 180_000;
const PATIENCE_MS = 20_000;
/** Where its controller says that it has read its pools. */
const POOLS_LOADED = '/tmp/pools_loaded';

export interface OriginalParts extends Omit<OriginalConfig, 'ovsdb'> {
  /** Whose Open vSwitch and Neutron are used. */
  readonly openstack: OpenStackLab;
  /** As Kubernetes and Neutron call the node. */
  readonly host: string;
}

/** Its definitions, before anything that watches them. */
export async function applyResources(lab: OriginalConfig['lab'], folder: string): Promise<void> {
  await run(kubectl(lab, 'apply', '--server-side', '-f', folder));
  await run(kubectl(lab, 'wait', '--for', 'condition=Established', '--timeout=20s', '-f', folder));
}

/** Controller and daemon of the original, and the database that os-vif is given. */
export class OriginalPrograms {
  readonly #paths: LabPaths;
  readonly #started: StartedProcess[] = [];

  static async start(parts: OriginalParts): Promise<OriginalPrograms> {
    const { paths } = parts.lab;
    const programs = new OriginalPrograms(paths);
    try {
      const ovsdb = await programs.#database();
      const config = join(paths.etc, 'kuryr.conf');
      writeFile(config, renderOriginal({ ...parts, ovsdb }));
      mkdirSync(join(paths.run, 'locks'), { recursive: true, mode: 0o700 });
      for (const process of originalProcesses(parts, config)) await programs.#launch(process);
      return programs;
    } catch (error) {
      await programs[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(paths: LabPaths) {
    this.#paths = paths;
  }

  /** Of the controller. */
  usage(): ReturnType<typeof usageOf> {
    return usageOf(this.#started.find(({ name }) => name === 'kuryr-controller')!.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#started.toReversed()) await stopProcess(this.#paths, process);
    rmSync(POOLS_LOADED, { force: true });
  }

  async #launch(process: LabProcess): Promise<void> {
    const started = await startProcess(this.#paths, process, digestOf(process, {}));
    this.#started.push(started);
    await awaitReady(this.#paths, process, started);
  }

  /** With the bridge as os-vif would have it, so that os-vif finds nothing to change and waits for no switch. Its socket. */
  async #database(): Promise<string> {
    const file = join(this.#paths.var, 'os-vif.db');
    const socket = join(this.#paths.run, 'os-vif.sock');
    rmSync(file, { force: true });
    await run(['ovsdb-tool', 'create', file, SCHEMA]);
    const vsctl = ['ovs-vsctl', `--db=unix:${socket}`, '--no-wait', '--timeout=5'] as const;
    await this.#launch({
      kind: 'process',
      name: 'os-vif-database',
      after: [],
      argv: [
        'ovsdb-server',
        file,
        `--remote=punix:${socket}`,
        `--unixctl=${join(this.#paths.run, 'os-vif.ctl')}`,
        '-vfile:off',
        '-vsyslog:off',
      ],
      ready: { kind: 'command', argv: [...vsctl, 'init'] },
    });
    await run([...vsctl, 'add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=system']);
    return socket;
  }
}

function originalProcesses({ bin, openstack, host }: OriginalParts, config: string): readonly LabProcess[] {
  const program = (name: string): LabProcess['argv'] => [join(bin, name), '--config-file', config];
  const alive = `http://127.0.0.1:${HEALTH_PORT}/alive`;
  return [
    {
      kind: 'process',
      name: 'kuryr-controller',
      after: [],
      argv: program('kuryr-k8s-controller'),
      ready: { kind: 'command', argv: ['curl', '--silent', '--fail', alive] },
      readyWithinMs: READY_MS,
      patienceMs: PATIENCE_MS,
    },
    {
      kind: 'process',
      name: 'kuryr-daemon',
      after: [],
      argv: program('kuryr-daemon'),
      // It finds ovs-vsctl by PATH and Open vSwitch by its environment.
      env: { ...ovsEnvironment(openstack), KUBERNETES_NODE_NAME: host },
      ready: { kind: 'http', url: `http://${DAEMON_ADDRESS}/` },
      readyWithinMs: READY_MS,
      patienceMs: PATIENCE_MS,
    },
  ];
}
