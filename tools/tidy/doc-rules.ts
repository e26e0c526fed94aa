import { posix } from 'node:path';
import type { Finding, Project } from './project.ts';

const LINK = /\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;

/** Links between our own pages lead somewhere, also to the heading. Addresses of others are not asked. */
export function links(project: Project): readonly Finding[] {
  const folders = new Set(project.files.flatMap(foldersOf));
  return project.files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      [...withoutFences(project.read(file)).matchAll(LINK)].flatMap(([, target]) => {
        if (/^[a-z]+:/.test(target!)) return [];
        const [path, anchor] = target!.split('#', 2) as [string, string | undefined];
        const to = path === '' ? file : posix.normalize(posix.join(posix.dirname(file), path)).replace(/\/$/, '');
        if (!project.files.includes(to) && !folders.has(to)) return [`${file}: ${target} does not exist`];
        if (anchor !== undefined && to.endsWith('.md') && !headings(project.read(to)).has(anchor))
          return [`${file}: ${target} has no such heading`];
        return [];
      }),
    );
}

function foldersOf(file: string): readonly string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
}

/** Anchors as GitHub makes them. */
function headings(markdown: string): ReadonlySet<string> {
  const titles = markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...titles].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}

/** Every script and file that a page tells people to run exists. */
export function commands(project: Project): readonly Finding[] {
  const { scripts } = JSON.parse(project.read('package.json')) as { scripts: Record<string, string> };
  return project.files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => [
      ...[...project.read(file).matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g)]
        .filter(([, script]) => !(script! in scripts))
        .map(([, script]) => `${file}: there is no script ${script}`),
      ...[...project.read(file).matchAll(/\bnode ((?:\w+\/)[\w./-]+\.ts)\b/g)]
        .filter(([, program]) => !project.files.includes(program!))
        .map(([, program]) => `${file}: there is no program ${program}`),
    ]);
}
