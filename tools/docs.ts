/** `npm run docs`: writes the pages that are made from the code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pages } from './pages/pages.ts';
import { root } from './run.ts';
import { readProject } from './tidy/project.ts';

const project = readProject(root);
for (const [file, make] of Object.entries(pages)) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), await make(project));
  console.log(file);
}
