import { LineLedger } from '../../read/ledger.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { inputLines, unusable } from '../../read/lines.ts';
import { assembleRuleset } from './nft.ts';
import type { Json, JsonObject, Listed } from './nft-ast.ts';
import { NotUnderstood, setElements } from './nft-expressions.ts';
import { ruleExpressions } from './nft-statements.ts';
import { TokenReader, tokens, type Token } from './nft-tokens.ts';
import type { Ruleset } from './ruleset.ts';

/** `nft list ruleset`, and files for `nft -f` that are written like it. */
export function readNftText(file: InputFile): Reading<Ruleset> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'nft', lines.length);
  const listed: Listed[] = [];
  const reader = new Blocks(tokens(file.text, file.path), file.path);
  for (const table of reader.blocks()) {
    const [verb, what] = table.words;
    // What else a script adds, deletes or replaces, would have to be done to what is there.
    if (verb === 'flush' || (verb === 'add' && what === 'table' && table.body === undefined)) {
      ledger.used(table.line);
      continue;
    }
    if (table.words[0] !== 'table' || table.body === undefined) {
      ledger.notUnderstood(table.line, `no table: ${table.words.join(' ').slice(0, 60)}`);
      continue;
    }
    const [family, name] = table.words.length > 2 ? [table.words[1]!, table.words[2]!] : ['ip', table.words[1] ?? ''];
    for (let line = table.line; line <= table.end; line += 1)
      if (/^[\s{};]*$/.test(lines[line - 1] ?? '') && lines[line - 1]?.trim() !== '') ledger.used(line);
    listed.push({ kind: 'table', value: { family, name }, line: table.line, text: `table ${family} ${name}` });
    for (const part of new Blocks(table.body, file.path).blocks()) readPart(part, family, name);
  }
  return { value: assembleRuleset(listed, ledger), reading: ledger.reading() };

  function readPart(part: Block, family: string, table: string): void {
    const [kind, name] = part.words;
    const text = part.words.join(' ');
    const place = { family, table, name: name ?? '' };
    if (kind === undefined) return;
    if (part.body === undefined) ledger.withoutEffect(part.line, `of the table: ${text.slice(0, 60)}`);
    else if (kind === 'chain') readChain(part, part.body, place);
    else if (kind === 'set' || kind === 'map') {
      for (let line = part.line; line <= part.end; line += 1) ledger.used(line);
      listed.push({ kind, value: { ...place, ...setOf(part.body, part.line, file.path) }, line: part.line, text });
    } else {
      for (let line = part.line; line <= part.end; line += 1)
        ledger.withoutEffect(line, `${kind}: does not decide where packets go`);
    }
  }

  function readChain(part: Block, body: readonly Token[], place: JsonObject & { readonly name: string }): void {
    const { name, ...table } = place;
    const rules: Listed[] = [];
    let base: JsonObject = {};
    ledger.used(part.line);
    for (const rule of new Blocks(body, file.path).lines()) {
      const line = rule[0]!.line;
      const words = rule.map(({ text }) => text);
      const text = (lines[line - 1] ?? '').trim();
      if (words[0] === 'type' && words.includes('hook')) {
        base = { ...base, ...baseOf(words) };
        ledger.used(line);
      } else if (words[0] === 'policy') base = { ...base, policy: words[1] ?? 'accept' };
      else if (words[0] === 'comment' || words[0] === 'flags' || words[0] === 'devices')
        ledger.withoutEffect(line, 'says nothing about packets');
      else rules.push({ kind: 'rule', value: { ...table, chain: name, expr: expressions(rule) }, line, text });
    }
    listed.push({ kind: 'chain', value: { ...place, ...base }, line: part.line, text: `chain ${name}` }, ...rules);
  }
}

/** What cannot be read is one expression that nobody understands, so that the rule is still there, in doubt. */
function expressions(rule: readonly Token[]): Json[] {
  try {
    return ruleExpressions(new TokenReader(rule));
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    return [
      {
        'not understood': rule
          .map(({ text }) => text)
          .join(' ')
          .slice(0, 200),
      },
    ];
  }
}

/** Names of priorities (nft(8), STANDARD PRIORITY NAMES AND HOOK COMPATIBILITY). */
const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
  out: 100,
};

function baseOf(words: readonly string[]): JsonObject {
  const after = (word: string) => words[words.indexOf(word) + 1];
  const at = words.indexOf('priority');
  const named = words[at + 1] ?? '0';
  /** `filter + 10`, `-10`, `0`. */
  const start = Object.hasOwn(priorities, named) ? priorities[named]! : Number(named);
  const sign = words[at + 2] === '+' ? 1 : words[at + 2] === '-' ? -1 : 0;
  const priority = start + (sign === 0 ? 0 : sign * Number(words[at + 3]));
  const policy = words.includes('policy') ? { policy: after('policy')! } : {};
  return { type: after('type')!, hook: after('hook')!, prio: Number.isFinite(priority) ? priority : 0, ...policy };
}

function setOf(body: readonly Token[], line: number, file: string): JsonObject {
  const reader = new TokenReader(body);
  const flags: string[] = [];
  let elements: Json[] = [];
  while (!reader.done) {
    if (reader.take('flags')) {
      do flags.push(reader.next());
      while (reader.take(','));
    } else if (reader.take('elements', '=')) {
      try {
        elements = setElements(reader);
      } catch (error) {
        if (!(error instanceof NotUnderstood)) throw error;
        throw unusable(file, line, `the elements of the set: ${error.message}`);
      }
    } else reader.next();
  }
  return { flags, elem: elements };
}

interface Block {
  readonly words: readonly string[];
  /** Between the braces. */
  readonly body?: readonly Token[];
  readonly line: number;
  readonly end: number;
}

class Blocks {
  readonly #tokens: readonly Token[];
  readonly #file: string;

  constructor(all: readonly Token[], file: string) {
    this.#tokens = all;
    this.#file = file;
  }

  /** `words { body }`, or words up to the end of the line. */
  *blocks(): Generator<Block> {
    let words: string[] = [];
    let line = 0;
    for (let at = 0; at < this.#tokens.length; at += 1) {
      const token = this.#tokens[at]!;
      if (words.length === 0) line = token.line;
      if (!token.quoted && token.text === '{') {
        const end = this.#close(at);
        yield { words, body: this.#tokens.slice(at + 1, end), line, end: this.#tokens[end]!.line };
        words = [];
        at = end;
      } else if (!token.quoted && (token.text === '\n' || token.text === ';' || token.text === '}')) {
        if (words.length > 0) yield { words, line, end: token.line };
        words = [];
      } else words.push(token.text);
    }
    if (words.length > 0) yield { words, line, end: line };
  }

  /** Statements: divided by the ends of lines and semicolons that are not within braces. */
  *lines(): Generator<readonly Token[]> {
    let begin = 0;
    let depth = 0;
    for (let at = 0; at <= this.#tokens.length; at += 1) {
      const token = this.#tokens[at];
      if (token !== undefined && !token.quoted && token.text === '{') depth += 1;
      if (token !== undefined && !token.quoted && token.text === '}') depth -= 1;
      if (token !== undefined && (depth > 0 || token.quoted || (token.text !== '\n' && token.text !== ';'))) continue;
      if (at > begin) yield this.#tokens.slice(begin, at);
      begin = at + 1;
    }
  }

  #close(open: number): number {
    let depth = 0;
    for (let at = open; at < this.#tokens.length; at += 1) {
      const { text, quoted } = this.#tokens[at]!;
      if (quoted) continue;
      if (text === '{') depth += 1;
      if (text === '}') depth -= 1;
      if (depth === 0) return at;
    }
    throw unusable(this.#file, this.#tokens[open]!.line, 'a brace without end');
  }
}
