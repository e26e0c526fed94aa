import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project as its rules see it: every file that belongs to it, by its path from the root. */
export interface Project {
  readonly root: string;
  readonly files: readonly string[];
  /** Folders with a package.json of their own. */
  readonly workspaces: readonly string[];
  read(file: string): string;
}

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', '.state']);
const FILES_MAX = 20_000;

export function readProject(root: string): Project {
  const files: string[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!NOT_OURS.has(entry.name)) visit(path);
      } else if (entry.isFile() && !entry.name.endsWith('.log')) files.push(path);
      if (files.length > FILES_MAX) throw new Error(`more than ${FILES_MAX} files under ${root}`);
    }
  };
  visit('');
  const texts = new Map<string, string>();
  return {
    root,
    files: files.toSorted(),
    workspaces: files
      .filter((file) => /^(?:apps|packages|drivers)\/[^/]+\/package\.json$/.test(file))
      .map((file) => file.slice(0, -'/package.json'.length))
      .toSorted(),
    read(file) {
      const known = texts.get(file);
      if (known !== undefined) return known;
      const text = readFileSync(join(root, file), 'utf8');
      texts.set(file, text);
      return text;
    },
  };
}

/** One thing that breaks a house rule: `where: what`. */
export type Finding = string;
export type Rule = (project: Project) => readonly Finding[] | Promise<readonly Finding[]>;
