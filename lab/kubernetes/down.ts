import { rmSync } from 'node:fs';
import { checkProcessNames, stopwatch } from '../start.ts';
import { type StartedProcess, startedProcesses, stopProcess } from '../processes.ts';
import type { LabPaths } from './lab.ts';
import { planFor } from './plan.ts';
import { removeNamespaces } from './namespaces.ts';
import { removeLeftovers, sandboxNamespaces } from './leftovers.ts';
import { savedLab } from './status.ts';

export interface DownOptions {
  readonly paths: LabPaths;
  /** Single processes. None: everything. */
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

/** Who would start again what is removed goes first, who keeps what others write goes last. */
const ORDER = [/-kubelet$/, /-containerd$/, /^kube-/, /^door$/, /^etcd$/];

export async function down({ paths, names, wipe, tell }: DownOptions): Promise<DownReport> {
  const seconds = stopwatch();
  const lab = savedLab(paths);
  if (lab !== undefined) checkProcessNames(names, planFor(lab).items);
  const all = startedProcesses(paths);
  const stopped: string[] = [];
  const stop = async (process: StartedProcess) => {
    if (!(await stopProcess(paths, process))) return;
    stopped.push(process.name);
    tell(`stopped ${process.name}`);
  };
  const wanted = all.filter(({ name }) => names.length === 0 || names.includes(name));
  const isWhole = names.length === 0 && lab !== undefined;
  const sandboxes = isWhole ? sandboxNamespaces(lab) : [];
  for (const kind of ORDER) await Promise.all(wanted.filter(({ name }) => kind.test(name)).map(stop));
  if (isWhole) {
    await removeLeftovers(lab, sandboxes);
    await removeNamespaces(lab);
  }
  if (wipe) rmSync(paths.folder, { recursive: true, force: true });
  return { stopped, wiped: wipe, seconds: seconds() };
}
