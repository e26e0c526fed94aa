import { readdirSync, readFileSync } from 'node:fs';
import type { PlannedItem } from './item.ts';
import type { LabPaths } from './paths.ts';
import { isAlive, logPath, startedProcess } from './processes.ts';

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

export function processesOf(paths: LabPaths, items: readonly PlannedItem<never>[]): readonly ProcessStatus[] {
  const groups = memoryByGroup();
  return items.flatMap((item): readonly ProcessStatus[] => {
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
}

export function sumMemoryMiB(processes: readonly ProcessStatus[]): number {
  return processes.reduce((sum, { memoryMiB = 0 }) => sum + memoryMiB, 0);
}

export function areAllUp(processes: readonly ProcessStatus[]): boolean {
  return processes.length > 0 && processes.every(({ state }) => state === 'running');
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

export function processTable(processes: readonly ProcessStatus[]): readonly string[] {
  const rows = processes.map(({ name, state, since, port, memoryMiB, log }) => [
    name,
    state,
    since?.slice(0, 19).replace('T', ' ') ?? '',
    port === undefined ? '' : String(port),
    memoryMiB === undefined ? '' : `${memoryMiB}`,
    log,
  ]);
  const table = [['process', 'state', 'since (UTC)', 'port', 'MiB', 'log'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
