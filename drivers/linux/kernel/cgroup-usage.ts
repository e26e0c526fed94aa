import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tolerating } from '@superfluidity/netlink';
import { cgroupLayout } from './cgroup.ts';

/**
 * What a control group has used. Version 2: cpu.stat, memory.current, memory.stat, pids.current (cgroup-v2.rst).
 * Version 1: cpuacct.usage and cpu.stat in ns, memory.usage_in_bytes, memory.stat. A figure that the kernel does not give
 * is absent.
 */
export interface CgroupUsage {
  readonly cpuMs?: number;
  readonly throttledMs?: number;
  readonly memoryBytes?: number;
  readonly processes?: number;
}

/** Undefined too when the group goes away meanwhile. */
function text(root: string | undefined, name: string, file: string): string | undefined {
  if (root === undefined) return undefined;
  let found: string | undefined;
  tolerating(['ENOENT', 'ENODEV'], () => {
    found = readFileSync(join(root, name, file), 'utf8');
  });
  return found;
}

function whole(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d+\s*$/.test(value)) return undefined;
  return Number(value);
}

/** Of a file of lines `key value`. */
function field(file: string | undefined, key: string): number | undefined {
  const found = file === undefined ? undefined : new RegExp(`^${key} (\\d+)$`, 'm').exec(file)?.[1];
  return whole(found);
}

const scaled = (value: number | undefined, by: number) => (value === undefined ? undefined : value / by);

/** What is kept of files that nobody has used for long goes first when memory is short. */
function working(usage: number | undefined, inactive: number | undefined): number | undefined {
  return usage === undefined ? undefined : Math.max(0, usage - (inactive ?? 0));
}

export function readCgroupUsage(name: string): CgroupUsage {
  const { v1, v2, accounting } = cgroupLayout();
  const processor = text(v1.size > 0 ? v1.get('cpu') : v2, name, 'cpu.stat');
  const [cpuMs, throttledMs, memoryBytes, processes] =
    v1.size > 0
      ? [
          scaled(whole(text(accounting, name, 'cpuacct.usage')), 1e6),
          scaled(field(processor, 'throttled_time'), 1e6),
          working(
            whole(text(v1.get('memory'), name, 'memory.usage_in_bytes')),
            field(text(v1.get('memory'), name, 'memory.stat'), 'total_inactive_file'),
          ),
          whole(text(v1.get('pids'), name, 'pids.current')),
        ]
      : [
          scaled(field(processor, 'usage_usec'), 1e3),
          scaled(field(processor, 'throttled_usec'), 1e3),
          working(whole(text(v2, name, 'memory.current')), field(text(v2, name, 'memory.stat'), 'inactive_file')),
          whole(text(v2, name, 'pids.current')),
        ];
  return {
    ...(cpuMs === undefined ? {} : { cpuMs }),
    ...(throttledMs === undefined ? {} : { throttledMs }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(processes === undefined ? {} : { processes }),
  };
}
