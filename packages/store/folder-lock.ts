import { open, readFile, rm, unlink } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Keeps two processes from opening one PGlite folder, which would destroy it. The file beside the folder names the
 * owner by pid and start time, so that a lock left by a killed process is recognised, also when its pid was given to
 * another process since.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = `${folder}.lock`;
  const mine = `${process.pid} ${(await startTimeOf(process.pid)) ?? ''}`;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(mine);
      await file.close();
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = await ownerOf(path);
    if (owner !== undefined) {
      throw new SuperfluidityError('SF-STORE-IN-USE', {
        doing: `open the database ${folder}`,
        reason: `process ${owner} has it open`,
        data: { folder, pid: owner },
      });
    }
    await unlink(path).catch(() => {});
  }
  throw new SuperfluidityError('SF-STORE-IN-USE', {
    doing: `open the database ${folder}`,
    reason: `the lock file ${path} is taken again and again`,
  });
}

/** The pid in the lock file if that very process still runs. */
async function ownerOf(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [pidText, startTime] = text.split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  const actual = await startTimeOf(pid);
  return actual === undefined || startTime === '' || actual === startTime ? pid : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)), in clock ticks since boot; undefined where there is no /proc. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
