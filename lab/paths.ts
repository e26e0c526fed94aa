import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where a laboratory has what. All of it lies in one folder. */
export interface LabPaths {
  readonly folder: string;
  /** Configuration files, written by every `up`. */
  readonly etc: string;
  readonly log: string;
  /** Sockets, and what is known of processes. */
  readonly run: string;
  /** Data: what `down` keeps and `down --wipe` removes. */
  readonly var: string;
  /** What it was last started with. */
  readonly options: string;
}

/** `$SUPERFLUIDITY_LAB` moves the laboratories of a machine, `$SUPERFLUIDITY_LAB_CACHE` what makes the next one fast. */
export function labFolder(kind: 'openstack' | 'kubernetes', env: NodeJS.ProcessEnv = process.env): string {
  return join(env['SUPERFLUIDITY_LAB'] ?? '/var/tmp/superfluidity-lab', kind);
}

export function labCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['SUPERFLUIDITY_LAB_CACHE']) return env['SUPERFLUIDITY_LAB_CACHE'];
  const cache = process.getuid?.() === 0 ? '/var/cache' : (env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'));
  return join(cache, 'superfluidity-lab');
}

export function pathsIn(folder: string): LabPaths {
  return {
    folder,
    etc: join(folder, 'etc'),
    log: join(folder, 'log'),
    run: join(folder, 'run'),
    var: join(folder, 'var'),
    options: join(folder, 'lab.json'),
  };
}

/** For nobody else's eyes. */
export function makeFolders({ folder, etc, log, run, var: data }: LabPaths): void {
  for (const path of [folder, etc, log, run, data]) mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Whole or not at all, and for nobody else's eyes. */
export function writeFile(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.partial`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}
