import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.ts';
import type { Lab, LabPaths } from './lab.ts';
import { labCacheFolder } from '../paths.ts';
import type { LabOptions } from './options.ts';
import { startedProcess } from '../processes.ts';
import { sql } from './services/common.ts';

/**
 * The data of a laboratory just after its first start, from which the next one begins: migrations and registrations are
 * most of the time of a start. It belongs to the versions of the packages and to what the data depends on.
 */
export interface Seed {
  readonly path: string;
  readonly exists: boolean;
}

/** Raised when what is registered changes. */
const FORMAT = 2;
const SEEDS_KEPT = 6;
/** What begins anew with every start, or is not data. */
const LEFT_OUT = ['rabbitmq', 'ovs', 'ovn', 'libvirt', 'nova/instances', 'lock'];
const ARCHIVE_TIMEOUT_MS = 120_000;

export function seedFor(
  paths: LabPaths,
  options: LabOptions,
  versions: ReadonlyMap<string, string>,
  once: readonly string[],
): Seed {
  const { address, host, region, services, network } = options;
  const packages = [...versions].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const key = [FORMAT, paths.folder, address, host, region, services, network, packages, once];
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24);
  const path = join(labCacheFolder(), `openstack-${name}.tar.zst`);
  return { path, exists: existsSync(path) };
}

/** Before anything runs. */
export async function loadSeed(paths: LabPaths, seed: Seed): Promise<void> {
  mkdirSync(paths.var, { recursive: true, mode: 0o700 });
  await run(['tar', '--directory', paths.var, '--use-compress-program', 'zstd', '--extract', '--file', seed.path], {
    timeoutMs: ARCHIVE_TIMEOUT_MS,
  });
}

/**
 * The database stands still while its files are read: they are then what a crash would leave, from which it recovers.
 * Nobody waits for it yet.
 */
export async function storeSeed(lab: Lab, seed: Seed): Promise<void> {
  const folder = labCacheFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${seed.path}.${process.pid}.partial`;
  const database = startedProcess(lab.paths, 'mariadb');
  if (database === undefined) return;
  await sql(lab, 'SET GLOBAL innodb_flush_log_at_trx_commit = 1; FLUSH LOGS;');
  process.kill(database.pid, 'SIGSTOP');
  try {
    await run(
      [
        'sh',
        '-c',
        'umask 077 && exec tar "$@"',
        'tar',
        '--directory',
        lab.paths.var,
        ...LEFT_OUT.flatMap((name) => ['--exclude', `./${name}`]),
        '--use-compress-program',
        'zstd -1 -T2',
        '--create',
        '--file',
        draft,
        '.',
      ],
      { timeoutMs: ARCHIVE_TIMEOUT_MS },
    );
  } finally {
    process.kill(database.pid, 'SIGCONT');
    await sql(lab, 'SET GLOBAL innodb_flush_log_at_trx_commit = 0;');
  }
  renameSync(draft, seed.path);
  forgetOldSeeds(folder);
}

function forgetOldSeeds(folder: string): void {
  const seeds = readdirSync(folder)
    .filter((name) => name.startsWith('openstack-'))
    .map((name) => join(folder, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of seeds.slice(SEEDS_KEPT)) rmSync(old, { force: true });
}
