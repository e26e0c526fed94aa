import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** What another process took so far (proc_pid_stat(5), proc_pid_status(5)). */
export function usageOf(pid: number): { readonly processorS: number; readonly peakMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    processorS: statOf(pid).processorS,
    peakMiB: Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024),
  };
}

function statOf(pid: number): { readonly program: string; readonly processorS: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program may have spaces and brackets.
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  const program = stat.slice(stat.indexOf('(') + 1, end);
  return { program, processorS: (Number(fields[11]) + Number(fields[12])) / ticksPerS };
}

export type ProcessorS = ReadonlyMap<string, number>;

/** Of all that runs on this machine: by the name of the program, or what it is called here. */
export function processorByProgram(called: ReadonlyMap<number, string>): ProcessorS {
  const all = new Map<string, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const { program, processorS } = statOf(Number(entry));
      const name = called.get(Number(entry)) ?? shortName(program);
      all.set(name, (all.get(name) ?? 0) + processorS);
    } catch {
      // It ended meanwhile.
    }
  }
  return all;
}

/** Threads of the kernel have a processor and a task in their names, and some programs their whole path. */
const shortName = (program: string): string =>
  program.startsWith('/') ? program.slice(program.lastIndexOf('/') + 1) : program.split(/[/:]/)[0]!;

/** What was added, of those that took most. */
export function mostSpent(before: ProcessorS, after: ProcessorS, most: number): readonly (readonly [string, number])[] {
  return [...after]
    .map(([name, processorS]) => [name, processorS - (before.get(name) ?? 0)] as const)
    .filter(([, processorS]) => processorS > 0)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most);
}
