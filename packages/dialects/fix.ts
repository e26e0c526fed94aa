import type { Position, Problem } from '@superfluidity/core';
import type { DescriptorFile } from './files.ts';

/** A word of a file that was replaced by the one that was probably meant. */
export interface Fix {
  readonly position: Position;
  readonly from: string;
  readonly to: string;
}

export interface Fixed {
  readonly files: readonly DescriptorFile[];
  readonly fixes: readonly Fix[];
}

/**
 * Carries out what problems suggest where nothing can be meant but that: a word that looks like a slip of the keyboard
 * becomes the word that is there, a number or truth value where text belongs gets quotes. The files are not read again
 * here; whoever calls does, since a fix may bring the next problem to light.
 */
export function fixProblems(files: readonly DescriptorFile[], problems: readonly Problem[]): Fixed {
  const fixes: Fix[] = [];
  const fixed = files.map((file) => {
    const own = problems.filter(({ position }) => position !== undefined && (position.file ?? file.path) === file.path);
    if (own.length === 0) return file;
    const lines = new TextDecoder().decode(file.bytes).split('\n');
    // From the end, so that the columns before stay where they are; one for each place.
    const places = new Map(own.map((problem) => [`${problem.position!.line}:${problem.position!.column}`, problem]));
    for (const problem of [...places.values()].sort(byPositionFromTheEnd)) {
      const fix = fixOf(problem, lines);
      if (fix === undefined) continue;
      const { line, column } = fix.position;
      const text = lines[line - 1]!;
      lines[line - 1] = text.slice(0, column - 1) + fix.to + text.slice(column - 1 + fix.from.length);
      fixes.push(fix);
    }
    return { path: file.path, bytes: new TextEncoder().encode(lines.join('\n')) };
  });
  return { files: fixed, fixes: fixes.toReversed() };
}

const MEANT = /^did you mean '([^']+)'\?$/;
const PLAIN = /^[^\s,\]}#:]+/;

function fixOf({ position, suggestion, message }: Problem, lines: readonly string[]): Fix | undefined {
  if (position === undefined || suggestion === undefined) return undefined;
  const rest = lines[position.line - 1]?.slice(position.column - 1) ?? '';
  if (suggestion === 'write it in quotes') {
    const [from] = PLAIN.exec(rest) ?? [];
    return from === undefined ? undefined : { position, from, to: `"${from}"` };
  }
  const to = MEANT.exec(suggestion)?.[1];
  if (to === undefined) return undefined;
  // The wrong word stands in the message, or is all that stands at the place.
  const written = /^["']?([^\s"',\]}]+)/.exec(rest);
  if (written === null) return undefined;
  const quoted = [...message.matchAll(/'([^']+)'/g)].map((match) => match[1]!);
  const from = quoted.find((word) => written[1]!.startsWith(word)) ?? written[1]!.replace(/:$/, '');
  const column = position.column + (written[0].length - written[1]!.length);
  return { position: { ...position, column }, from, to };
}

function byPositionFromTheEnd(a: Problem, b: Problem): number {
  return b.position!.line - a.position!.line || b.position!.column - a.position!.column;
}
