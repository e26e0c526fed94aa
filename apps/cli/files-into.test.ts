import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeInto } from './files-into.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('files from elsewhere', () => {
  it('are written into a folder that is made for them', async () => {
    const to = join(folder, 'dump', 'intent');
    const [path] = await writeInto(to, [{ name: 'br-int-node1.plugged.fdb', text: 'a' }]);
    expect(path).toBe(join(to, 'br-int-node1.plugged.fdb'));
    expect(await readFile(path!, 'utf8')).toBe('a');
  });

  it('stay in it, whatever they are called, and all are refused when one is', async () => {
    const to = join(folder, 'safe');
    for (const name of ['../out', '/etc/out', 'a/b', '..', '.hidden', '', 'a b', 'a\nb'])
      await expect(
        writeInto(to, [
          { name: 'good', text: '' },
          { name, text: '' },
        ]),
        name,
      ).rejects.toMatchObject({
        code: 'SF-CLI-FILE',
      });
    expect((await readdir(folder)).includes('safe')).toBe(false);
    await writeFile(join(folder, 'file'), '');
    await expect(writeInto(join(folder, 'file'), [{ name: 'a', text: '' }])).rejects.toMatchObject({
      code: 'SF-CLI-FILE',
    });
  });
});
