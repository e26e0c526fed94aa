import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openStateFolder } from './state-folder.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'sf-state-'));
  return () => rm(base, { recursive: true });
});

test('is made where it is missing, belongs to one server at a time, and leaves no lock behind', async () => {
  const path = join(base, 'a', 'b');
  const folder = await openStateFolder(path);
  await expect(openStateFolder(path)).rejects.toMatchObject({
    code: 'SF-SERVER-STATE-LOCKED',
    message: expect.stringContaining(String(process.pid)),
  });
  await folder.release();
  expect(await readdir(path)).toEqual(['sites']);
  await (await openStateFolder(path)).release();
});

test('of a server that was killed is free, also when its process id lives on in another process', async () => {
  const killed = spawn('sleep', ['60']);
  await writeFile(join(base, 'server.lock'), `${killed.pid} 1\n`);
  const folder = await openStateFolder(base);
  expect(await readFile(join(base, 'server.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  await folder.release();
  killed.kill();
  await once(killed, 'exit');
  await writeFile(join(base, 'server.lock'), `${killed.pid} 1\n`);
  await (await openStateFolder(base)).release();
  await writeFile(join(base, 'server.lock'), 'rubbish');
  await (await openStateFolder(base)).release();
});

test('that cannot be a folder is a coded error', async () => {
  await writeFile(join(base, 'file'), '');
  await expect(openStateFolder(join(base, 'file', 'x'))).rejects.toMatchObject({ code: 'SF-SERVER-STATE-UNUSABLE' });
  await expect(openStateFolder('/dev/null/x')).rejects.toMatchObject({ code: 'SF-SERVER-STATE-UNUSABLE' });
});

const root = process.getuid?.() === 0;
test.skipIf(root)(
  `without permission to write is a coded error${root ? ' (skipped: root may write everywhere)' : ''}`,
  async () => {
    await chmod(base, 0o500);
    await expect(openStateFolder(join(base, 'x'))).rejects.toMatchObject({ code: 'SF-SERVER-STATE-UNUSABLE' });
    await chmod(base, 0o700);
  },
);
