import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { trySystemCall } from './libc.ts';

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

/**
 * Writes a file whole: whoever reads it, and whenever we are killed, sees the old text or the new one. `draft` is a name
 * in the same folder that nobody reads.
 *
 * The two files change places (renameat2(2)) instead of one replacing the other, because ext4 takes a replacement for the
 * wish to have the text on the disk at once and waits for it: 2 ms, where changing places takes 10 us. What is written
 * so need not outlive the machine.
 */
export function replaceFile(path: string, text: string, draft: string): void {
  writeFileSync(draft, text, { mode: 0o600 });
  // Refused where there is no file yet, and by file systems that cannot do it: then the plain rename is right.
  if (trySystemCall('renameat2', AT_FDCWD, draft, AT_FDCWD, path, RENAME_EXCHANGE) === 0) unlinkSync(draft);
  else renameSync(draft, path);
}
