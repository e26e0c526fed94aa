import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** What a figure must be read with. Two cores that others use too make every 99th percentile theirs. */
export function describeMachine() {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    loadBefore: loadavg()[0]!,
  };
}
