import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Resolves when it has ended; nothing happens where it has already. */
export async function kill(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
