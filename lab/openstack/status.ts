import { readdirSync, readFileSync } from 'node:fs';
import { type LabPaths, savedLab } from './lab.ts';
import { planFor } from './plan.ts';
import { isAlive, logPath, startedProcess } from './processes.ts';

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

export interface ProcessStatus {
  readonly name: string;
  readonly service: string;
  readonly state: 'running' | 'ended' | 'stopped';
  readonly pid?: number;
  readonly since?: string;
  readonly port?: number;
  /** Proportional set size of it and its children: shared pages are shared out. */
  readonly memoryMiB?: number;
  readonly log: string;
}

export function statusOf(paths: LabPaths): LabStatus {
  const lab = savedLab(paths);
  const items = lab === undefined ? [] : planFor(lab).items;
  const groups = memoryByGroup();
  const processes = items.flatMap((item): readonly ProcessStatus[] => {
    if (item.kind !== 'process') return [];
    const { name, service } = item;
    const started = startedProcess(paths, name);
    const running = started !== undefined && isAlive(started);
    return [
      {
        name,
        service,
        state: running ? 'running' : started === undefined ? 'stopped' : 'ended',
        ...(running ? { pid: started.pid, since: started.startedAt } : {}),
        ...(item.port === undefined ? {} : { port: item.port }),
        ...(running ? { memoryMiB: Math.round((groups.get(started.pid) ?? 0) / 1024) } : {}),
        log: logPath(paths, name),
      },
    ];
  });
  return {
    folder: paths.folder,
    up: processes.length > 0 && processes.every(({ state }) => state === 'running'),
    services: lab?.options.services ?? [],
    ...(lab === undefined ? {} : { network: lab.options.network, compute: lab.options.compute }),
    cloudsYaml: paths.cloudsYaml,
    memoryMiB: processes.reduce((sum, { memoryMiB = 0 }) => sum + memoryMiB, 0),
    processes,
  };
}

/** KiB by process group: every process of the laboratory leads one. */
function memoryByGroup(): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      const kiB = Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0);
      sums.set(group, (sums.get(group) ?? 0) + kiB);
    } catch {
      // It has ended, or is a thread of the kernel.
    }
  }
  return sums;
}

export function describeStatus(status: LabStatus): string {
  if (status.processes.length === 0) return `no laboratory in ${status.folder}\n`;
  const rows = status.processes.map(({ name, state, since, port, memoryMiB, log }) => [
    name,
    state,
    since?.slice(0, 19).replace('T', ' ') ?? '',
    port === undefined ? '' : String(port),
    memoryMiB === undefined ? '' : `${memoryMiB}`,
    log,
  ]);
  const table = [['process', 'state', 'since (UTC)', 'port', 'MiB', 'log'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [
    ...lines,
    '',
    `${status.up ? 'up' : 'not all up'}: ${status.services.join(' ')}; network ${status.network}, compute ${status.compute}`,
    `${status.memoryMiB} MiB; credentials in ${status.cloudsYaml}`,
    '',
  ].join('\n');
}
