import { rmSync } from 'node:fs';
import { SuperfluidityError } from '@superfluidity/core';
import { run } from '../command.ts';
import type { Lab, LabPaths } from './lab.ts';
import { savedLab } from './lab.ts';
import { findLeftovers, removeLeftovers } from './leftovers.ts';
import { isServiceName } from './options.ts';
import { planFor } from './plan.ts';
import { isAlive, startedProcesses, type StartedProcess, stopProcess } from '../processes.ts';
import { libvirtUri } from './services/libvirt.ts';
import { ovsEnvironment, ovsSocket } from './services/ovs.ts';

export interface DownOptions {
  readonly paths: LabPaths;
  /** Services or single processes. None: everything. */
  readonly names: readonly string[];
  /** Remove the data too. */
  readonly wipe: boolean;
  readonly tell: (text: string) => void;
}

export interface DownReport {
  readonly stopped: readonly string[];
  readonly wiped: boolean;
  readonly seconds: number;
}

/** They would put back what is removed. */
const WATCHERS = ['plug', 'ovs-agent', 'ovn-controller', 'l3-agent', 'dhcp-agent', 'nova-compute'];
/** Others talk to them until the end. */
const STORES = ['rabbitmq', 'memcached', 'mariadb'];
const LAST = ['epmd'];

export async function down({ paths, names, wipe, tell }: DownOptions): Promise<DownReport> {
  const startedMs = performance.now();
  const all = startedProcesses(paths);
  const lab = savedLab(paths);
  const wanted = names.length === 0 ? all : all.filter(({ name }) => namesProcess(lab, all, names).has(name));
  const stopped: string[] = [];
  const stop = async (processes: readonly StartedProcess[]) => {
    await Promise.all(
      processes.map(async (process) => {
        if (await stopProcess(paths, process)) {
          stopped.push(process.name);
          tell(`stopped ${process.name}`);
        }
      }),
    );
  };
  const leftovers = names.length === 0 && lab !== undefined ? await findLeftovers(lab) : undefined;
  if (names.length === 0 && lab !== undefined) {
    await stop(wanted.filter(({ name }) => WATCHERS.includes(name)));
    await removeMachines(lab, all, wipe);
    await removeBridges(lab, all);
  }
  const isLate = ({ name }: StartedProcess) => STORES.includes(name) || LAST.includes(name);
  await stop(wanted.filter((process) => !isLate(process)));
  await stop(wanted.filter(({ name }) => STORES.includes(name)));
  await stop(wanted.filter(({ name }) => LAST.includes(name)));
  if (lab !== undefined && leftovers !== undefined) await removeLeftovers(lab, leftovers);
  if (wipe) rmSync(paths.folder, { recursive: true, force: true });
  return { stopped, wiped: wipe, seconds: Math.round((performance.now() - startedMs) / 100) / 10 };
}

function namesProcess(
  lab: Lab | undefined,
  all: readonly StartedProcess[],
  names: readonly string[],
): ReadonlySet<string> {
  const items = lab === undefined ? [] : planFor(lab).items;
  const found = names.flatMap((name) => {
    if (isServiceName(name))
      return items.filter((item) => item.kind === 'process' && item.service === name).map((item) => item.name);
    return items.some((item) => item.kind === 'process' && item.name === name) || all.some((one) => one.name === name)
      ? [name]
      : [];
  });
  const unknown = names.filter((name) => !isServiceName(name) && !found.includes(name));
  if (unknown.length > 0) {
    throw new SuperfluidityError('SF-LAB-OPTION', {
      doing: 'stop what was named',
      reason: `nothing is called ${unknown.join(', ')}; what runs is ${all.map(({ name }) => name).join(', ')}`,
    });
  }
  return new Set(found);
}

const runs = (all: readonly StartedProcess[], name: string) => all.some((one) => one.name === name && isAlive(one));

/** The laboratory's own virtual machines: they would go on without it. */
async function removeMachines(lab: Lab, all: readonly StartedProcess[], forget: boolean): Promise<void> {
  if (!runs(all, 'libvirtd')) return;
  const virsh = ['virsh', '--connect', libvirtUri(lab)] as const;
  const list = await run([...virsh, 'list', '--all', '--name']).catch(() => '');
  for (const machine of list.split('\n').filter((name) => name.startsWith('instance-'))) {
    await run([...virsh, 'destroy', machine]).catch(() => undefined);
    if (forget) await run([...virsh, 'undefine', machine]).catch(() => undefined);
  }
}

/** Bridges first, so that no device stays behind. */
async function removeBridges(lab: Lab, all: readonly StartedProcess[]): Promise<void> {
  if (!runs(all, 'vswitchd')) return;
  const vsctl = ['ovs-vsctl', '--timeout=20', `--db=${ovsSocket(lab)}`] as const;
  const options = { env: ovsEnvironment(lab) };
  const bridges = (await run([...vsctl, 'list-br'], options).catch(() => '')).split('\n').filter((name) => name !== '');
  if (bridges.length === 0) return;
  const commands = bridges.flatMap((bridge) => ['--', '--if-exists', 'del-br', bridge]);
  await run([...vsctl, ...commands.slice(1)], options).catch(() => undefined);
}
