import { inputLimits } from '../../limits.ts';
import { LineLedger } from '../../read/ledger.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { countLines, unusable } from '../../read/lines.ts';
import { assembleRuleset } from './nft.ts';
import { isObject, only, type Json, type Listed } from './nft-ast.ts';
import type { Ruleset } from './ruleset.ts';

/** `nft -j list ruleset`, on one line or pretty-printed. */
export function readNftJson(file: InputFile): Reading<Ruleset> {
  const ledger = new LineLedger(file.path, 'nft JSON', countLines(file));
  const lines = file.text.split('\n');
  const listed: Listed[] = [];
  for (const element of elements(file)) {
    let value: Json;
    try {
      value = JSON.parse(element.text) as Json;
    } catch (error) {
      throw unusable(file.path, element.line, `no JSON: ${error instanceof Error ? error.message : 'unreadable'}`);
    }
    const [kind, inner] = only(value) ?? [];
    for (let line = element.line; line < element.end; line += 1) ledger.used(line);
    if (kind === undefined || !isObject(inner)) ledger.notUnderstood(element.line, 'no object of a ruleset');
    else listed.push({ kind, value: inner, line: element.line, text: describe(kind, inner) });
  }
  for (const [index, line] of lines.entries())
    if (/^[\s{}[\]"a-z:,]*$/.test(line) && line.trim() !== '') ledger.used(index + 1);
  return { value: assembleRuleset(listed, ledger), reading: ledger.reading() };
}

function describe(kind: string, value: Readonly<Record<string, Json>>): string {
  const place = ['family', 'table', 'chain', 'name', 'handle'].flatMap((name) => {
    const part = value[name];
    if (typeof part !== 'string' && typeof part !== 'number') return [];
    return [name === 'handle' ? `handle ${part}` : String(part)];
  });
  return kind === 'rule' ? `${place.join(' ')} ${JSON.stringify(value['expr'])}` : `${kind} ${place.join(' ')}`;
}

interface Element {
  readonly text: string;
  readonly line: number;
  readonly end: number;
}

/** The elements of the list one by one, so that each has its line and one that is broken does not take the others along. */
function* elements(file: InputFile): Generator<Element> {
  const start = /^\s*\{\s*"nftables"\s*:\s*\[/.exec(file.text.slice(0, 1_000));
  if (start === null) throw unusable(file.path, 1, 'it does not begin with {"nftables": [');
  let line = 1 + start[0].split('\n').length - 1;
  let depth = 0;
  let begin = 0;
  let beginLine = line;
  let quoted = false;
  for (let at = start[0].length; at < file.text.length; at += 1) {
    const char = file.text[at];
    if (char === '\n') line += 1;
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') {
      if (depth === 0) [begin, beginLine] = [at, line];
      depth += 1;
      if (depth > inputLimits.nesting) throw unusable(file.path, line, `nested deeper than ${inputLimits.nesting}`);
    } else if (char === '}' || char === ']') {
      if (depth === 0) return;
      depth -= 1;
      if (depth === 0) yield { text: file.text.slice(begin, at + 1), line: beginLine, end: line };
    }
  }
  throw unusable(file.path, line, 'the list of the ruleset has no end');
}
