import { describe, expect, it } from 'vitest';
import { codesIn } from '../pages/errors-page.ts';
import { fileNames, impureCalls, leftovers, longFiles, spreadArguments } from './code-rules.ts';
import { commands, links } from './doc-rules.ts';
import { completeLockFile, type LockFile, lockFile } from './lock-file.ts';
import { dependencies, rooms } from './manifest-rules.ts';
import { shownDescriptors } from './example-rules.ts';
import type { Project } from './project.ts';

/** A project in which each rule has nothing to say, with some files put in or replaced. */
function projectWith(files: Readonly<Record<string, string>> = {}): Project {
  const texts: Record<string, string> = {
    'package.json': JSON.stringify({ scripts: { docs: 'x' }, devDependencies: { vitest: '5.1.1' } }),
    'package-lock.json': '{"packages": {"apps/cli": {"resolved": "apps/cli"}}}',
    'docs/dependencies.md': '| `vitest` | MIT | runs the tests |\n',
    'docs/a.md':
      '# A title, with `code`\n\n[b](b.md) [here](#a-title-with-code) [folder](../packages) `npm run docs`\n',
    'docs/b.md': '# B\n',
    'packages/model/package.json': JSON.stringify({
      name: '@superfluidity/model',
      description: 'Blocks',
      license: 'Apache-2.0',
      type: 'module',
      exports: { '.': './index.ts' },
    }),
    'packages/model/index.ts': '// Date.now() would be wrong here\nexport const limit = 1;\n',
    ...files,
  };
  return {
    root: '/nowhere',
    files: Object.keys(texts),
    workspaces: Object.keys(texts).flatMap((file) => /^(packages\/\w+)\/package\.json$/.exec(file)?.[1] ?? []),
    read: (file) => texts[file]!,
  };
}

const lockOfOnePlatform = JSON.stringify({
  packages: {
    '': {},
    'node_modules/a': { version: '1.0.0', dev: true, optionalDependencies: { '@a/b-linux-x64-musl': '1.0.0' } },
  },
});
const rules = {
  longFiles,
  fileNames,
  impureCalls,
  spreadArguments,
  leftovers,
  rooms,
  dependencies,
  lockFile,
  links,
  commands,
  shownDescriptors,
};
const manifest = JSON.parse(projectWith().read('packages/model/package.json')) as object;

describe('the house rules', () => {
  it.each(Object.entries(rules))('%s: nothing to say about a tidy project', (_name, rule) => {
    expect(rule(projectWith())).toEqual([]);
  });

  const violations: readonly (readonly [keyof typeof rules, Readonly<Record<string, string>>, string])[] = [
    ['longFiles', { 'tools/a.ts': 'x\n'.repeat(601) }, 'tools/a.ts: 601 lines'],
    ['fileNames', { 'tools/BigThing.ts': '' }, 'tools/BigThing.ts: file names are kebab-case'],
    ['impureCalls', { 'packages/place/a.ts': 'const t =\n  Date.now();' }, 'packages/place/a.ts:2: Date.now'],
    ['impureCalls', { 'packages/dialects/x/a.ts': 'setTimeout(f, 1)' }, 'packages/dialects/x/a.ts:1: a timer'],
    ['spreadArguments', { 'apps/x.ts': 'list.push(...more);' }, 'apps/x.ts:1: a list of any length'],
    ['leftovers', { 'apps/x.ts': `// ${'TO' + 'DO'}: later` }, 'apps/x.ts:1: a leftover marker'],
    ['leftovers', { 'apps/x.test.ts': `it.${'on' + 'ly'}('x')` }, 'apps/x.test.ts:1: only this test would run'],
    ['rooms', { 'packages/model/package.json': JSON.stringify({ ...manifest, name: 'model' }) }, 'the name is'],
    ['rooms', { 'packages/place/package.json': JSON.stringify(manifest) }, 'packages/place: an empty room'],
    ['rooms', { 'packages/place/package.json': JSON.stringify(manifest) }, './index.ts does not exist'],
    ['dependencies', { 'docs/dependencies.md': '' }, 'nothing is said about vitest'],
    ['dependencies', { 'package.json': '{"dependencies": {"vitest": "^5"}}' }, 'vitest has no exact version'],
    ['dependencies', { 'package.json': '{}' }, 'vitest is not used any more'],
    [
      'lockFile',
      { 'package-lock.json': '{"packages": {"node_modules/a": {"resolved": "https://example.org/a.tgz"}}}' },
      'download addresses',
    ],
    ['lockFile', { 'package-lock.json': lockOfOnePlatform }, 'lacks node_modules/@a/b-linux-x64-musl'],
    ['links', { 'docs/a.md': '[c](c.md)' }, 'docs/a.md: c.md does not exist'],
    ['links', { 'docs/a.md': '[b](b.md#nothing)' }, 'docs/a.md: b.md#nothing has no such heading'],
    ['commands', { 'docs/a.md': '`npm run nothing`' }, 'docs/a.md: there is no script nothing'],
    ['shownDescriptors', { 'docs/a.md': '```yaml\nsuperfluidity: 1\nservise: {}\n```\n' }, 'docs/a.md:3: '],
    ['commands', { 'docs/a.md': '`node tools/nothing.ts`' }, 'docs/a.md: there is no program tools/nothing.ts'],
  ];
  it.each(violations)('%s finds %o', (rule, files, finding) => {
    expect(rules[rule](projectWith(files)).join('\n')).toContain(finding);
  });

  it('lets tests of pure rooms use the clock', () => {
    expect(impureCalls(projectWith({ 'packages/place/a.test.ts': 'Date.now()' }))).toEqual([]);
  });

  it('completes a lock file with the packages of other platforms', () => {
    const lock = completeLockFile(JSON.parse(lockOfOnePlatform) as LockFile);
    expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/@a/b-linux-x64-musl', 'node_modules/a']);
    expect(lock.packages['node_modules/@a/b-linux-x64-musl']).toEqual({
      version: '1.0.0',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    });
    expect(completeLockFile(lock)).toEqual(lock);
  });

  it('reads error codes out of text', () => {
    expect(codesIn('`SF-CORE-LIMIT`, SF-… and SF-SITE-NO-HOST.')).toEqual(
      new Set(['SF-CORE-LIMIT', 'SF-SITE-NO-HOST']),
    );
  });
});
