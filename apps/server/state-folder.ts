import { link, mkdir, readFile, rename, rm, statfs, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { limits } from './limits.ts';

/**
 * What one control plane keeps on disk:
 *
 *     admin.token   the admin token of this server, readable by its owner alone
 *     secrets.key   keys by which secrets in the database are sealed, readable by its owner alone
 *     server.id     name of this server on operations and leases, the same after a restart
 *     server.lock   pid and start time of the server that uses the folder
 *     db/           the embedded database, unless --database names another one
 *     sites/        files of the drivers, unless --sites names another folder
 */
export interface StateFolder {
  readonly path: string;
  readonly databaseFolder: string;
  release(): Promise<void>;
}

const LOCK_ATTEMPTS = 5;

export async function openStateFolder(path: string, siteFolder = join(path, 'sites')): Promise<StateFolder> {
  const doing = `use the state folder ${path}`;
  const lock = join(path, 'server.lock');
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await mkdir(siteFolder, { recursive: true, mode: 0o700 });
    await takeLock(lock, doing);
  } catch (cause) {
    if (cause instanceof SuperfluidityError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-SERVER-STATE-UNUSABLE', { doing, reason, cause });
  }
  const folder: StateFolder = {
    path,
    databaseFolder: join(path, 'db'),
    release: () => rm(lock, { force: true }),
  };
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize < limits.freeBytesMin) {
    await folder.release();
    const reason = `only ${Math.floor((bavail * bsize) / 2 ** 20)} MiB are free on its disk`;
    throw new SuperfluidityError('SF-SERVER-STATE-UNUSABLE', { doing, reason });
  }
  return folder;
}

/**
 * The lock appears with its content in one step (`link` fails where the name exists), so nobody ever reads half of it.
 * The start time tells a server from a later process that got its pid.
 */
async function takeLock(lock: string, doing: string): Promise<void> {
  const mine = `${lock}.${process.pid}`;
  await writeFile(mine, `${process.pid} ${await startTime(process.pid)}\n`, { mode: 0o600 });
  try {
    for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt += 1) {
      try {
        return await link(mine, lock);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const content = await readFile(lock, 'utf8').catch(() => '');
      const owner = await livingOwner(content);
      if (owner !== undefined) throw locked(doing, `the server with process id ${owner} has it`);
      await removeStale(lock, content);
    }
    throw locked(doing, 'other servers keep taking it');
  } finally {
    await unlink(mine).catch(() => {});
  }
}

/** Moves the lock away before it is deleted: if another server took it meanwhile, it gets it back. */
async function removeStale(lock: string, content: string): Promise<void> {
  const away = `${lock}.stale.${process.pid}`;
  try {
    await rename(lock, away);
  } catch {
    return;
  }
  if ((await readFile(away, 'utf8')) !== content) await link(away, lock).catch(() => {});
  await unlink(away);
}

async function livingOwner(content: string): Promise<number | undefined> {
  const [pid, started] = content.trim().split(' ');
  const owner = Number(pid);
  if (!Number.isInteger(owner) || owner <= 0) return undefined;
  try {
    process.kill(owner, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  return (await startTime(owner)) === started ? owner : undefined;
}

/** Field 22 of /proc/<pid>/stat (proc(5)); the second field may hold spaces and brackets. `-` where there is no /proc. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
}

function locked(doing: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SERVER-STATE-LOCKED', { doing, reason });
}
