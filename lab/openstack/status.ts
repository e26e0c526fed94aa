import { areAllUp, type ProcessStatus, processesOf, processTable, sumMemoryMiB } from '../status.ts';
import { type LabPaths, savedLab } from './lab.ts';
import { planFor } from './plan.ts';

export interface LabStatus {
  readonly folder: string;
  /** All processes of the laboratory run. */
  readonly up: boolean;
  readonly services: readonly string[];
  readonly network?: string;
  readonly compute?: string;
  readonly cloudsYaml: string;
  readonly memoryMiB: number;
  readonly processes: readonly ProcessStatus[];
}

export function statusOf(paths: LabPaths): LabStatus {
  const lab = savedLab(paths);
  const processes = processesOf(paths, lab === undefined ? [] : planFor(lab).items);
  return {
    folder: paths.folder,
    up: areAllUp(processes),
    services: lab?.options.services ?? [],
    ...(lab === undefined ? {} : { network: lab.options.network, compute: lab.options.compute }),
    cloudsYaml: paths.cloudsYaml,
    memoryMiB: sumMemoryMiB(processes),
    processes,
  };
}

export function describeStatus(status: LabStatus): string {
  if (status.processes.length === 0) return `no laboratory in ${status.folder}\n`;
  return [
    ...processTable(status.processes),
    '',
    `${status.up ? 'up' : 'not all up'}: ${status.services.join(' ')}; network ${status.network}, compute ${status.compute}`,
    `${status.memoryMiB} MiB; credentials in ${status.cloudsYaml}`,
    '',
  ].join('\n');
}
