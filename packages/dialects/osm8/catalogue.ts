import { append, type Problem } from '@superfluidity/core';
import type { DescriptorFile } from '../files.ts';
import { mentions, named } from '../recognise.ts';
import { valueAt, withoutModules } from '../sol006/modules.ts';
import type { Found } from '../sol006/package.ts';
import { yamlOf, type Path } from '../yaml-text.ts';

/** Looked for where no NSD or VNFD of later releases is. */
export const mentionsCatalogue = mentions(/\b(?:vnfd|nsd)-catalog["']?\s*:/);

/** The entries of all catalogues of a package. */
export function findCatalogues(files: readonly DescriptorFile[]) {
  const found = { nsd: [] as Found[], vnfd: [] as Found[] };
  const problems: Problem[] = [];
  for (const source of files.filter(named('yaml', 'yml', 'json'))) {
    const read = yamlOf(source);
    append(problems, read.problems);
    const text = withoutModules(read);
    for (const kind of ['nsd', 'vnfd'] as const) {
      const at: Path = [`${kind}-catalog`, kind];
      const entries = valueAt(text.value, at);
      if (!Array.isArray(entries)) continue;
      entries.forEach((value: unknown, i) => found[kind].push({ file: source.path, text, path: [...at, i], value }));
    }
  }
  return { ...found, problems };
}
