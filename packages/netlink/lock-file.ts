import { closeSync, openSync } from 'node:fs';
import { trySystemCall } from './libc.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Holds a file for this process alone (flock(2)), until it is disposed of or the process ends, however it ends: what is left is a
 * file that stands for nothing. Undefined where another process holds it.
 */
export function lockFile(path: string): Disposable | undefined {
  const fd = openSync(path, 'a', 0o600);
  if (trySystemCall('flock', fd, LOCK_EX | LOCK_NB) === 0) return { [Symbol.dispose]: () => closeSync(fd) };
  closeSync(fd);
  return undefined;
}
