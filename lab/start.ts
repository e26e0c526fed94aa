import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { runGraph } from './graph.ts';
import type { LabProcess, Plan, PlannedItem, Task } from './item.ts';
import { type LabPaths, writeFile } from './paths.ts';
import { awaitReady } from './probe.ts';
import { digestOf, isAlive, startedProcess, startProcess, stopProcess } from './processes.ts';

export interface Started {
  readonly name: string;
  readonly seconds: number;
}

/** Starting programs is mostly work of processors. */
const AT_ONCE = 6;

/** Does the items of a plan, each after those that it waits for. Gives the processes that did not run before. */
export async function startItems<Lab extends { readonly paths: LabPaths }>(
  lab: Lab,
  items: readonly PlannedItem<Lab>[],
  files: Plan<Lab>['files'],
  tell: (text: string) => void,
): Promise<readonly Started[]> {
  const seconds = stopwatch();
  const started: Started[] = [];
  await runGraph(items, AT_ONCE, async (item) => {
    const took = stopwatch();
    const done = item.kind === 'task' ? await doTask(lab, item) : await ensureProcess(lab.paths, files, item);
    if (!done) return;
    if (item.kind === 'process') started.push({ name: item.name, seconds: took() });
    tell(`${seconds()} s: ${item.name} (${took()} s)`);
  });
  return started;
}

/** Seconds since now, with one decimal. */
export function stopwatch(): () => number {
  const beganMs = performance.now();
  return () => Math.round((performance.now() - beganMs) / 100) / 10;
}

/** Refuses names of which there is no process. */
export function checkProcessNames(names: Iterable<string>, items: readonly PlannedItem<never>[]): void {
  const known = items.flatMap(({ kind, name }) => (kind === 'process' ? [name] : []));
  const unknown = [...names].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new SuperfluidityError('SF-LAB-OPTION', {
    doing: 'start what was named',
    reason: `nothing is called ${unknown.join(', ')}; processes are ${known.join(', ')}`,
  });
}

async function doTask<Lab extends { readonly paths: LabPaths }>(lab: Lab, task: Task<Lab>): Promise<boolean> {
  const stamp = join(lab.paths.var, 'done', task.stamp ?? task.name);
  if (task.once && existsSync(stamp)) return false;
  await task.run(lab);
  if (task.once) writeFile(stamp, '');
  return task.once;
}

/** What runs with the same command and configuration goes on. */
async function ensureProcess(paths: LabPaths, files: Plan<never>['files'], spec: LabProcess): Promise<boolean> {
  const digest = digestOf(spec, files);
  const before = startedProcess(paths, spec.name);
  const runs = before !== undefined && isAlive(before);
  if (runs && before.digest === digest) {
    await awaitReady(paths, spec, before);
    return false;
  }
  if (runs) await stopProcess(paths, before);
  await awaitReady(paths, spec, await startProcess(paths, spec, digest));
  return true;
}
