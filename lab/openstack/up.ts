import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { ensurePackages } from '../packages.ts';
import { makeFolders, writeFile } from '../paths.ts';
import { isAlive, startedProcess } from '../processes.ts';
import { checkProcessNames, type Started, startItems, stopwatch } from '../start.ts';
import { writeCredentials } from './credentials.ts';
import { ensurePassword, type Lab, type LabPaths, savedOptions, saveOptions } from './lab.ts';
import { checkOptions, defaultOptions, isServiceName, type LabOptions, withRequired } from './options.ts';
import { packagesFor } from './packages.ts';
import { type Plan, type PlannedItem, planFor } from './plan.ts';
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
  readonly started: readonly Started[];
  readonly seconds: number;
}

export async function up(options: UpOptions): Promise<UpReport> {
  const { paths, names, tell } = options;
  const seconds = stopwatch();
  if (process.getuid?.() !== 0)
    throw new SuperfluidityError('SF-LAB-ROOT', { doing: 'start the laboratory', reason: 'this user is not root' });
  const labOptions = optionsFor(options);
  const versions = await ensurePackages(packagesFor(labOptions), options.install, tell);
  makeFolders(paths);

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

  const started = await startItems(lab, chosen(paths, plan, names), plan.files, tell);
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
  checkProcessNames(processes, plan.items);
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
