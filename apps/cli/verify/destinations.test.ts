import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { destinations } from './destinations.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-destinations-'));
  await writeFile(join(folder, 'updates'), '+ fwd a 167772160 8 te1/1 8\n+ fwd b 167772160 8 te2/2 8\n');
  await writeFile(join(folder, 'topo.txt'), 'a te1/1 b te2/1\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function said(path: string, from: string): Promise<string> {
  let shown = '';
  const show = (_machine: unknown, text: () => string) => {
    shown = text();
    return Promise.resolve();
  };
  await destinations({ show } as unknown as Context, path, { from });
  return shown;
}

test('says where packets of a recording of rules end, each with one of them', async () => {
  const lines = (await said(folder, 'a')).split('\n');
  expect(lines).toContain('delivered at b:te2/2, for instance 0.0.0.0 -> 10.0.0.0, protocol 0');
  expect(lines).toContain('no route at a, for instance 0.0.0.0 -> 0.0.0.0, protocol 0');
  await expect(said(folder, 'c')).rejects.toMatchObject({ code: 'SF-VERIFY-PORT' });
  await writeFile(join(folder, 'a.fib'), '10.0.0.0/8 1\n');
  await expect(said(join(folder, 'a.fib'), 'a')).rejects.toMatchObject({ code: 'SF-VERIFY-QUESTION' });
});
