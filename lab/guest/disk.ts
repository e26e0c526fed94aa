import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../command.ts';

const MIB = 1024;
/** Of the file system itself. */
const SPARE_MIB = 64;

/** A file with a file system (ext4, without a journal, since it is only read) in which is what `fill` puts into a folder. */
export async function makeDisk(path: string, fill: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'superfluidity-disk-'));
  try {
    await fill(root);
    const usedKiB = Number.parseInt(await run(['du', '--summarize', '--block-size=1K', root]), 10);
    const sizeMiB = Math.ceil((usedKiB / MIB) * 1.1) + SPARE_MIB;
    await run([
      ...(['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-E', 'root_owner=0:0'] as const),
      '-d',
      root,
      path,
      `${sizeMiB}M`,
    ]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
