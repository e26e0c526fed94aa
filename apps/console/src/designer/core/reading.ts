import type { Position, Problem } from '@superfluidity/core';
import {
  formatPath,
  parsePath,
  type Path,
  readClick,
  readNativeDraft,
  readNemo,
  withClickElements,
} from '@superfluidity/dialects/languages';
import { isOwnLanguage } from '@superfluidity/language';
import type { Block, Service } from '@superfluidity/model';
import { designLimits } from './limits.ts';
import type { Version } from './history.ts';
import { others } from './others.ts';

/** What a text says. */
export interface Reading {
  readonly version: Version;
  /** Absent where the text cannot be read, so that there is nothing to draw. */
  readonly service?: Service;
  readonly problems: readonly Problem[];
  /**
   * The native descriptor on which graph and forms work: the text itself, or what a text of another dialect comes to. Scripts
   * and configurations have none.
   */
  readonly native?: string;
  /** Where a part of the model stands in that. */
  readonly documentPath: (modelPath: string) => Path;
  /** Where it stands in a text of another dialect. */
  readonly locate?: (modelPath: string) => Position | undefined;
}

/** The file that a text would be. */
export function fileOf({
  language,
  path,
  name = 'service',
  text = '',
}: Partial<Version> & Pick<Version, 'language'>): string {
  if (path !== undefined) return path;
  if (language === 'nemo' || language === 'click') return `${name}.${language}`;
  const ending = /^\s*</.test(text) ? 'xml' : language !== 'native' && /^\s*\{/.test(text) ? 'json' : 'yaml';
  return `${name}.${ending}`;
}

export function readVersion(version: Version): Reading {
  const { text, language } = version;
  const path = fileOf(version);
  if (text.length > designLimits.text)
    return {
      version,
      problems: [
        {
          severity: 'error',
          code: 'SF-DESCRIPTOR-TOO-LARGE',
          message: `${text.length} characters, at most ${designLimits.text}`,
          path: '',
        },
      ],
      documentPath: parsePath,
    };
  if (language === 'native') return { version, native: text, ...readNativeDraft(text, { file: path }) };
  if (!isOwnLanguage(language)) return others().read(version);
  const read = language === 'nemo' ? readNemo : readClick;
  const { draft, service = draft, problems } = read([{ path, bytes: new TextEncoder().encode(text) }]);
  return { version, ...(service === undefined ? {} : { service }), problems, documentPath: parsePath };
}

/** A block with its place in the model: `functions[0].units[1]`. */
export interface Placed {
  readonly block: Block;
  readonly at: string;
  readonly path: string;
  /** Whether what is in it is said by a Click program, and not by the descriptor. */
  readonly isProgram?: boolean;
}

const lists = { service: 'services', function: 'functions', unit: 'units', element: 'elements' } as const;

/** What a block contains, each with its place: positions count blocks of one kind. */
export function inside({ block, at, path }: Placed): readonly Placed[] {
  const counts = { service: 0, function: 0, unit: 0, element: 0 };
  return block.children.map((child) => {
    const here = `${lists[child.kind]}[${counts[child.kind]}]`;
    counts[child.kind] += 1;
    return {
      block: child,
      at: at === '' ? here : `${at}.${here}`,
      path: path === '' ? child.name : `${path}/${child.name}`,
    };
  });
}

/** From the service down to the block at a path, as far as it goes: what was open may be gone. */
export function lineTo(service: Service, path: string, language: Version['language']): readonly Placed[] {
  const line: Placed[] = [{ block: service.block, at: '', path: '' }];
  for (const name of path === '' ? [] : path.split('/')) {
    const next = inside(line.at(-1)!).find(({ block }) => block.name === name);
    if (next === undefined) break;
    line.push(opened(next, language));
  }
  return line;
}

/** A unit that a Click program is has the elements of that program; the reader of whole configurations tells them itself. */
function opened(placed: Placed, language: Version['language']): Placed {
  const { kind, execution, children } = placed.block;
  if (kind !== 'unit' || execution?.environment !== 'click') return placed;
  if (children.length === 0) return { ...placed, block: withClickElements(placed.block), isProgram: true };
  return language === 'click' ? { ...placed, isProgram: true } : placed;
}

/** Problems of a part of the text and of what lies in it, by the path of the document. */
export function problemsUnder(problems: readonly Problem[], path: Path): readonly Problem[] {
  const here = formatPath(path);
  return problems.filter(
    (problem) =>
      problem.path === here || (problem.path.startsWith(here) && /^[.[]/.test(problem.path.slice(here.length))),
  );
}
