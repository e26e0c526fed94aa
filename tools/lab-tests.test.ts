import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOf } from './lab-tests.ts';
import { root } from './run.ts';

describe('the files of a flavour', () => {
  it('are what it names; none: all', () => {
    expect(filesOf('kubernetes', { files: ['lab/kubernetes/lab'] })).toEqual(['lab/kubernetes/lab']);
    expect(filesOf('kubernetes', { files: [] })).toEqual([]);
  });

  it('are all but what it leaves to another one, by name', () => {
    const left = ['lab/kubernetes/cluster-service', 'apps/kuryr/install/cluster'];
    const files = filesOf('kubernetes', { files: [], without: left });
    expect(files).toContain('lab/kubernetes/lab.kubernetes.test.ts');
    expect(files.filter((file) => left.some((one) => file.includes(one)))).toEqual([]);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    const all = filesOf('kubernetes', { files: [], without: ['nothing of that name'] });
    expect(all.length - files.length).toBe(left.length);
    expect(filesOf('kubernetes', { files: ['lab/kubernetes'], without: left })).toEqual([
      'lab/kubernetes/lab.kubernetes.test.ts',
    ]);
  });
});
