/**
 * `npm run manifests`: lists in each package.json the packages that the workspace imports, and completes the lock file.
 * After a change of a package.json run `npm install` and then this again.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.ts';
import { completeLockFile, lackingPlatforms, type LockFile } from './tidy/lock-file.ts';
import { readProject } from './tidy/project.ts';
import { knownVersions, withImports, workspaceImports } from './tidy/workspace-imports.ts';

const project = readProject(root);
const known = knownVersions(project);
for (const workspace of project.workspaces) {
  const file = `${workspace}/package.json`;
  const before = project.read(file);
  const after = `${JSON.stringify(withImports(JSON.parse(before), workspaceImports(project, workspace), known), undefined, 2)}\n`;
  if (JSON.stringify(JSON.parse(before)) === JSON.stringify(JSON.parse(after))) continue;
  writeFileSync(join(root, file), after);
  console.log(file);
}

const lock = JSON.parse(project.read('package-lock.json')) as LockFile;
if (Object.keys(lackingPlatforms(lock)).length > 0) {
  writeFileSync(join(root, 'package-lock.json'), `${JSON.stringify(completeLockFile(lock), undefined, 2)}\n`);
  console.log('package-lock.json');
}
