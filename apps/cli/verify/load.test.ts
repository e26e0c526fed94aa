import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { loadFiles } from './load.ts';

test('an archive is a network as its folder is, and hidden files are no part of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'superfluidity-load-'));
  await writeFile(join(folder, 'edge.rt'), '10.0.0.0/8 attached eth1\n');
  await writeFile(join(folder, '.hidden'), 'not read');
  const archive = join(tmpdir(), `${folder.slice(tmpdir().length + 1)}.tgz`);
  await promisify(execFile)('tar', ['-czf', archive, '-C', folder, '.']);
  expect(await loadFiles(archive)).toEqual(await loadFiles(folder));
  const bad = join(folder, 'bad.zip');
  await writeFile(bad, 'no archive');
  await expect(loadFiles(bad)).rejects.toMatchObject({ code: 'SF-CLI-FILE', details: { doing: `read ${bad}` } });
  await rm(folder, { recursive: true });
  await rm(archive);
});
