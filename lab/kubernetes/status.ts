import { areAllUp, type ProcessStatus, processesOf, processTable, sumMemoryMiB } from '../status.ts';
import { binariesFolder } from './binaries.ts';
import { type Lab, type LabPaths, savedOptions } from './lab.ts';
import { planFor } from './plan.ts';

export interface LabStatus {
  readonly folder: string;
  /** All processes of the laboratory run. */
  readonly up: boolean;
  readonly nodes: number;
  readonly network?: string;
  readonly adminConfig: string;
  readonly userConfig: string;
  readonly memoryMiB: number;
  readonly processes: readonly ProcessStatus[];
}

/** The laboratory as it was last started, whether it runs or not. */
export function savedLab(paths: LabPaths): Lab | undefined {
  const options = savedOptions(paths);
  return options === undefined ? undefined : { options, paths, bin: binariesFolder() };
}

export function statusOf(paths: LabPaths): LabStatus {
  const lab = savedLab(paths);
  const processes = processesOf(paths, lab === undefined ? [] : planFor(lab).items);
  return {
    folder: paths.folder,
    up: areAllUp(processes),
    nodes: lab?.options.nodes ?? 0,
    ...(lab === undefined ? {} : { network: lab.options.network }),
    adminConfig: paths.adminConfig,
    userConfig: paths.userConfig,
    memoryMiB: sumMemoryMiB(processes),
    processes,
  };
}

export function describeStatus(status: LabStatus): string {
  if (status.processes.length === 0) return `no laboratory in ${status.folder}\n`;
  return [
    ...processTable(status.processes),
    '',
    `${status.up ? 'up' : 'not all up'}: ${status.nodes} nodes; network ${status.network}`,
    `${status.memoryMiB} MiB without pods; credentials in ${status.adminConfig} and ${status.userConfig}`,
    '',
  ].join('\n');
}
