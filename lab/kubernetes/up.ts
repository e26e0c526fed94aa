import { SuperfluidityError } from '@superfluidity/core';
import type { PlannedItem } from '../item.ts';
import { ensurePackages } from '../packages.ts';
import { makeFolders, writeFile } from '../paths.ts';
import { checkProcessNames, type Started, startItems, stopwatch } from '../start.ts';
import { ensureBinaries } from './binaries.ts';
import { type Lab, type LabPaths, savedOptions, saveOptions } from './lab.ts';
import { checkOptions, defaultOptions, type LabOptions } from './options.ts';
import { planFor } from './plan.ts';

export interface UpOptions {
  readonly paths: LabPaths;
  /** Single processes. None: all. */
  readonly names: readonly string[];
  /** What differs from the last time, or from the defaults. */
  readonly changes: Partial<LabOptions>;
  readonly install: boolean;
  readonly tell: (text: string) => void;
}

export interface UpReport {
  readonly folder: string;
  readonly adminConfig: string;
  readonly userConfig: string;
  readonly started: readonly Started[];
  readonly seconds: number;
}

const PACKAGES = [
  'etcd-server',
  'etcd-client',
  'containerd',
  'runc',
  'containernetworking-plugins',
  'busybox-static',
  'openssl',
  'socat',
  'curl',
  'iproute2',
];

export async function up({ paths, names, changes, install, tell }: UpOptions): Promise<UpReport> {
  const seconds = stopwatch();
  if (process.getuid?.() !== 0)
    throw new SuperfluidityError('SF-LAB-ROOT', { doing: 'start the laboratory', reason: 'this user is not root' });
  const options = checkOptions({ ...defaultOptions(), ...savedOptions(paths), ...changes });
  await ensurePackages(PACKAGES, install, tell);
  const bin = await ensureBinaries(tell);
  makeFolders(paths);
  saveOptions(paths, options);
  const lab: Lab = { options, paths, bin };
  const plan = planFor(lab);
  checkProcessNames(names, plan.items);
  for (const [path, text] of Object.entries(plan.files)) writeFile(path, text);
  const isChosen = ({ kind, name }: PlannedItem<Lab>) =>
    names.length === 0 || (kind === 'process' && names.includes(name));
  const started = await startItems(lab, plan.items.filter(isChosen), plan.files, tell);
  return {
    folder: paths.folder,
    adminConfig: paths.adminConfig,
    userConfig: paths.userConfig,
    started,
    seconds: seconds(),
  };
}
