import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ErrorCode, errorCatalogue, type ErrorKind } from '@superfluidity/core';
import type { Project } from '../tidy/project.ts';

const INTRODUCTION = `# Errors

<!-- Made by \`npm run docs\` from the code. Do not edit. -->

Every failure that is foreseen has a code that never changes its meaning. The API answers with it as problem details
(RFC 9457), the command prints it with the chain of its causes, operations keep it. *Again* says whether the same
request may succeed later without anybody changing anything.
`;

/** docs/reference/errors.md: all kinds of errors that the rooms define. */
export async function errorsPage(project: Project): Promise<string> {
  const definers = project.files.filter(
    (file) =>
      /^(?:packages|drivers|apps|lab)\/.*\.ts$/.test(file) &&
      !file.endsWith('.test.ts') &&
      /\bdefineErrors\(\{/.test(project.read(file)),
  );
  for (const file of definers) await import(pathToFileURL(join(project.root, file)).href);
  const rooms = Map.groupBy(errorCatalogue(), ([code]) => code.split('-')[1]!.toLowerCase());
  const sections = [...rooms].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([room, kinds]) => section(room, kinds));
  return [INTRODUCTION, ...sections].join('\n');
}

function section(room: string, kinds: readonly (readonly [ErrorCode, ErrorKind])[]): string {
  const rows = kinds
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { status, title, hint, transient }]) =>
      [`\`${code}\``, status, title, hint, transient ? 'yes' : ''].map((cell) => String(cell).replaceAll('|', '\\|')),
    )
    .map((cells) => `| ${cells.join(' | ')} |\n`);
  return `## ${room}\n\n| code | HTTP | what happened | what to do | again |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`;
}

/** Codes in the text of a page. */
export function codesIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/\bSF-[A-Z0-9]+(?:-[A-Z0-9]+)+\b/g)].map(([code]) => code));
}
