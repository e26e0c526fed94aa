import { describe, expect, it } from 'vitest';
import type { Project } from './project.ts';
import { architecture, listedImports, withImports, workspaceImports } from './workspace-imports.ts';

const manifest = (dependencies: Readonly<Record<string, string>>) =>
  JSON.stringify({ name: '@superfluidity/store', version: '0.1.0', dependencies });

const files: Record<string, string> = {
  'package.json': JSON.stringify({ devDependencies: { vitest: '5.1.1' } }),
  'ARCHITECTURE.md': '| [packages/store](packages/store) | the database | core, model |\n',
  'packages/store/package.json': manifest({
    pg: '8.0.0',
    '@superfluidity/core': '0.1.0',
    '@superfluidity/model': '0.1.0',
  }),
  'packages/store/index.ts': [
    "import { a } from '@superfluidity/core';",
    'import {',
    '  b,',
    "} from '@superfluidity/model';",
    "import pg from 'pg';",
    "import { own } from '@superfluidity/store/testing';",
    '// import nothing from @superfluidity/place',
  ].join('\n'),
  'packages/store/a.test.ts': "import { c } from '@superfluidity/core';\nimport { it } from 'vitest';\n",
};

function projectWith(changes: Readonly<Record<string, string>> = {}): Project {
  const texts = { ...files, ...changes };
  return {
    root: '/nowhere',
    files: Object.keys(texts),
    workspaces: ['packages/store'],
    read: (file) => texts[file]!,
  };
}

describe('imports between workspaces', () => {
  it('are those of the code, and those that only tests have', () => {
    expect(workspaceImports(projectWith(), 'packages/store')).toEqual({
      code: ['@superfluidity/core', '@superfluidity/model', 'pg'],
      tests: ['vitest'],
    });
    const more = projectWith({ 'packages/store/testing/x.ts': "export * from '@superfluidity/site/testing';" });
    expect(workspaceImports(more, 'packages/store').tests).toEqual(['@superfluidity/site', 'vitest']);
  });

  it('stand in package.json beside the packages of others, which stay', () => {
    const imports = { code: ['@superfluidity/core'], tests: ['@superfluidity/site'] };
    expect(withImports({ version: '0.1.0', dependencies: { pg: '8.0.0' }, devDependencies: {} }, imports)).toEqual({
      version: '0.1.0',
      dependencies: { '@superfluidity/core': '0.1.0', pg: '8.0.0' },
      devDependencies: { '@superfluidity/site': '0.1.0' },
    });
    const others = { code: ['pg', 'unheard-of'], tests: [] };
    expect(withImports({ version: '0.1.0' }, others, { pg: '8.0.0' })).toEqual({
      version: '0.1.0',
      dependencies: { pg: '8.0.0' },
    });
    expect(withImports({ version: '0.1.0' }, { code: [], tests: [] })).toEqual({ version: '0.1.0' });
  });

  it('that are not listed, and lists of what is not imported, are found', () => {
    expect(listedImports(projectWith())).toEqual([]);
    for (const dependencies of [{}, { '@superfluidity/core': '0.1.0' }])
      expect(listedImports(projectWith({ 'packages/store/package.json': manifest(dependencies) }))).toHaveLength(1);
    expect(listedImports(projectWith({ 'packages/store/index.ts': '' }))).toHaveLength(1);
  });

  it('are what ARCHITECTURE.md says', () => {
    expect(architecture(projectWith())).toEqual([]);
    expect(architecture(projectWith({ 'packages/store/index.ts': '' }))[0]).toContain('imports nothing');
    const other = files['ARCHITECTURE.md']!.replaceAll('store', 'shop');
    expect(architecture(projectWith({ 'ARCHITECTURE.md': other }))).toEqual([
      expect.stringContaining('the row of packages/store'),
      'ARCHITECTURE.md: no room packages/shop',
    ]);
  });
});
