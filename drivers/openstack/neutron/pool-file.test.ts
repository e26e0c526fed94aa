import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PoolFile } from './pool-file.ts';

test('what pools hold and their name are the same after a restart; another control plane has its own', () => {
  const folders = ['a', 'b'].map((name) => mkdtempSync(join(tmpdir(), `superfluidity-${name}-`)));
  const [mine, other] = folders as [string, string];
  const file = new PoolFile('site-1', mine);
  const template = { service: 's', path: 'f/u', host: 'h', cpu: 1, memoryMiB: 1, storageMiB: 0, ports: [] };
  const classes = [{ template: { ...template, execution: { environment: 'vm', image: 'name:x' } as const }, size: 3 }];
  file.set('s', classes);
  file.set('t', classes);
  file.set('t', []);
  const again = new PoolFile('site-1', mine);
  expect(again.id).toBe(file.id);
  expect(again.classes).toEqual(classes);
  expect(new PoolFile('site-2', mine).classes).toEqual([]);
  expect(new PoolFile('site-1', other).id).not.toBe(file.id);
  for (const folder of folders) rmSync(folder, { recursive: true });
});
