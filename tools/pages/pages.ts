import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding, Project } from '../tidy/project.ts';
import { descriptorPage } from './descriptor-page.ts';
import { codesIn, errorsPage } from './errors-page.ts';

/** Pages that are made from the code, and how. */
export const pages: Readonly<Record<string, (project: Project) => Promise<string>>> = {
  'docs/reference/descriptor.md': descriptorPage,
  'docs/reference/errors.md': errorsPage,
};

/** A page that is made says what the code says now. */
export async function generatedPages(project: Project): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [file, make] of Object.entries(pages)) {
    const current = existsSync(join(project.root, file)) ? project.read(file) : '';
    if (current !== (await make(project))) findings.push(`${file}: is not what the code says; run \`npm run docs\``);
  }
  return findings;
}

/** Codes that our own pages and sources name exist. */
export async function knownCodes(project: Project): Promise<readonly Finding[]> {
  const known = codesIn(await errorsPage(project));
  return project.files
    .filter((file) => /\.(?:md|ts|tsx)$/.test(file) && !/\.test\.tsx?$/.test(file) && !file.startsWith('tools/'))
    .flatMap((file) =>
      [...codesIn(project.read(file))]
        .filter((code) => !known.has(code))
        .map((code) => `${file}: no room defines ${code}`),
    );
}
