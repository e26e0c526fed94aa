import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readDescriptor, recognise } from './descriptor.ts';
import type { DescriptorFile } from './files.ts';
import { hasRealFiles, noRealFiles, realFiles } from './testing/real-files.ts';

const page = readFileSync(new URL('../../docs/reference/real-descriptors.md', import.meta.url), 'utf8');
const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, files = '', dialect = '', result = '']) => ({ files, dialect, result }));

function filesOf(paths: readonly string[]): readonly DescriptorFile[] {
  return paths.flatMap((path) => {
    const folder = path.slice(0, path.lastIndexOf('/'));
    if (path.endsWith('/')) return realFiles(folder, /\.[a-z0-9]+$/i);
    return realFiles(folder, /./).filter((file) => file.path === path.slice(folder.length + 1));
  });
}

describe.skipIf(!hasRealFiles)(`the table of descriptors of other projects is true${noRealFiles}`, () => {
  test.each(rows)('$files', ({ files, dialect, result }) => {
    const given = filesOf(quoted(files));
    expect(given.length).toBeGreaterThan(0);
    expect(recognise(given)).toBe(quoted(dialect)[0]);
    const { service, problems } = readDescriptor(given);
    const errors = problems.filter(({ severity }) => severity === 'error');
    expect(service !== undefined).toBe(result === 'read');
    expect(errors.length > 0).toBe(result !== 'read');
    for (const code of quoted(result).filter((text) => text.startsWith('SF-')))
      expect(errors.map((problem) => problem.code)).toContain(code);
  });
});

test('the page has rows', () => expect(rows.length).toBeGreaterThan(10));

test.skipIf(!hasRealFiles)(`no file of another kind is taken for one of these${noRealFiles}`, () => {
  const ours: Readonly<Record<string, RegExp>> = {
    nemo: /^(nemo-vibnemo\/.*\.txt|rdcl3d\/NEMO\/.*\.nemo)$/,
    rdcl: /^(rdcl3d\/(SUPERFLUIDITY|ETSI|schemas\/superfluidity-templates)\/.*|sf2heat\/.*)\.(json|yaml)$/,
    click: /\.click$/,
    cran: /^rdcl3d\/CRAN\/.*\.yaml$/,
  };
  for (const file of realFiles('', /\.(ya?ml|json|txt|nemo|click|xml|md)$/)) {
    const format = recognise([file]);
    if (format !== undefined && format in ours) expect(file.path).toMatch(ours[format]!);
    if (file.path.endsWith('.nemo')) expect(format).toBe('nemo');
  }
});
