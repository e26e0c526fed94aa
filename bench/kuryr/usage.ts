import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ticksPerS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** What another process took so far (proc_pid_stat(5), proc_pid_status(5)). */
export function usageOf(pid: number): { readonly processorS: number; readonly peakMiB: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program may have spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    processorS: (Number(fields[11]) + Number(fields[12])) / ticksPerS,
    peakMiB: Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024),
  };
}
