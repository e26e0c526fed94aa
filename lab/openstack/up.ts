import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { writeCredentials } from './credentials.ts';
import { runGraph } from './graph.ts';
import type { LabProcess } from './item.ts';
import { ensurePassword, type Lab, type LabPaths, savedOptions, saveOptions, writeFile } from './lab.ts';
import { checkOptions, defaultOptions, isServiceName, type LabOptions, withRequired } from './options.ts';
import { ensurePackages } from './packages.ts';
import { type Plan, type PlannedItem, planFor } from './plan.ts';
import { awaitReady } from './probe.ts';
import { digestOf, isAlive, startedProcess, startProcess, stopProcess } from './processes.ts';
import { loadSeed, seedFor, storeSeed } from './seed.ts';

export interface UpOptions {
  readonly paths: LabPaths;
  /** Services, which come with all that they need, or single processes of services that are there. None: all services. */
  readonly names: readonly string[];
  /** What differs from the last time, or from the defaults. */
  readonly changes: Partial<LabOptions>;
  readonly install: boolean;
  readonly useSeed: boolean;
  readonly tell: (text: string) => void;
}

export interface UpReport {
  readonly folder: string;
  readonly cloudsYaml: string;
  readonly services: readonly string[];
  readonly fromSeed: boolean;
  readonly seedStored: boolean;
  readonly started: readonly { readonly name: string; readonly seconds: number }[];
  readonly seconds: number;
}

/** Starting programs is mostly work of processors. */
const AT_ONCE = 6;

export async function up(options: UpOptions): Promise<UpReport> {
  const { paths, names, tell } = options;
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 100) / 10;
  if (process.getuid?.() !== 0)
    throw new SuperfluidityError('SF-LAB-ROOT', { doing: 'start the laboratory', reason: 'this user is not root' });
  const labOptions = optionsFor(options);
  const versions = await ensurePackages(labOptions, options.install, tell);
  for (const folder of [paths.folder, paths.etc, paths.log, paths.run, paths.var])
    mkdirSync(folder, { recursive: true, mode: 0o700 });

  const fresh = !existsSync(join(paths.var, 'mysql'));
  const draft: Lab = { options: labOptions, paths, password: '' };
  const once = planFor(draft).items.flatMap((item) => (item.kind === 'task' && item.once ? [item.name] : []));
  const seed = seedFor(paths, labOptions, versions, once.toSorted());
  const fromSeed = fresh && options.useSeed && seed.exists;
  if (fromSeed) {
    await loadSeed(paths, seed);
    tell(`${seconds()} s: data from ${seed.path}`);
  }
  saveOptions(paths, labOptions);
  const lab: Lab = { ...draft, password: ensurePassword(paths) };
  const plan = planFor(lab);
  for (const [path, text] of Object.entries(plan.files)) writeFile(path, text);

  const started: { name: string; seconds: number }[] = [];
  await runGraph(chosen(paths, plan, names), AT_ONCE, async (item) => {
    const beginMs = performance.now();
    const done = item.kind === 'task' ? await doTask(lab, item) : await ensureProcess(lab, plan, item);
    if (!done) return;
    const took = Math.round((performance.now() - beginMs) / 100) / 10;
    if (item.kind === 'process') started.push({ name: item.name, seconds: took });
    tell(`${seconds()} s: ${item.name} (${took} s)`);
  });
  writeCredentials(lab);
  const seedStored = fresh && options.useSeed && !fromSeed;
  if (seedStored) await storeSeed(lab, seed);
  return {
    folder: paths.folder,
    cloudsYaml: paths.cloudsYaml,
    services: labOptions.services,
    fromSeed,
    seedStored,
    started,
    seconds: seconds(),
  };
}

/** Named services join those of the last time; without names it is all, or what was there the last time. */
function optionsFor({ paths, names, changes }: UpOptions): LabOptions {
  const saved = savedOptions(paths);
  const named = names.filter(isServiceName);
  const before = saved?.services ?? (named.length === 0 ? defaultOptions().services : []);
  return checkOptions({ ...defaultOptions(), ...saved, ...changes, services: withRequired([...before, ...named]) });
}

/**
 * All items of named services and of what these need; of a single process only that. A further service may change what
 * others are configured with: those that run are looked at too.
 */
function chosen(paths: LabPaths, plan: Plan, names: readonly string[]): readonly PlannedItem[] {
  if (names.length === 0) return plan.items;
  const services = new Set<string>(withRequired(names.filter(isServiceName)));
  if (services.size > 0) services.add('infrastructure');
  const processes = new Set(names.filter((name) => !isServiceName(name)));
  const unknown = [...processes].filter(
    (name) => !plan.items.some((item) => item.kind === 'process' && item.name === name),
  );
  if (unknown.length > 0) {
    const known = plan.items.filter(({ kind }) => kind === 'process').map(({ name }) => name);
    throw new SuperfluidityError('SF-LAB-OPTION', {
      doing: 'start what was named',
      reason: `nothing is called ${unknown.join(', ')}; processes are ${known.join(', ')}`,
    });
  }
  const runs = ({ name }: PlannedItem) => {
    const started = startedProcess(paths, name);
    return started !== undefined && isAlive(started);
  };
  return plan.items.filter(
    (item) =>
      services.has(item.service) ||
      (item.kind === 'process' && (processes.has(item.name) || (services.size > 0 && runs(item)))),
  );
}

async function doTask(lab: Lab, task: PlannedItem & { readonly kind: 'task' }): Promise<boolean> {
  const stamp = join(lab.paths.var, 'done', task.stamp ?? task.name);
  if (task.once && existsSync(stamp)) return false;
  await task.run(lab);
  if (task.once) writeFile(stamp, '');
  return task.once;
}

/** What runs with the same command and configuration goes on. */
async function ensureProcess(lab: Lab, plan: Plan, spec: LabProcess): Promise<boolean> {
  const { paths } = lab;
  const digest = digestOf(spec, plan.files);
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
