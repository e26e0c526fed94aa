import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const PEAK = '/proc/self/clear_refs';
const STATUS = '/proc/self/status';

/** Forgets the most that this process had in memory (proc_pid_clear_refs(5)). */
export function forgetPeak(): void {
  if (existsSync(PEAK)) writeFileSync(PEAK, '5');
}

/** The most that it had since then; where there is no /proc, since its start. */
export function peakMiB(): number {
  const status = existsSync(STATUS) ? readFileSync(STATUS, 'utf8') : '';
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Math.round(Number(kib) / 1024);
}
