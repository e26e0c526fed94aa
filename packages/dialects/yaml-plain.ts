/**
 * The plainest YAML, of which nearly all descriptors are made: block mappings and sequences, words, numbers and quoted text
 * of one line, comments on lines of their own. Undefined where a text has anything else, or anything doubtful, or a mistake:
 * then it has to be read in earnest. Values are those of the core schema; groups have no prototype.
 */
export function readPlainYaml(text: string): Readonly<Record<string, unknown>> | undefined {
  const lines = linesOf(text);
  if (lines === undefined || lines.length === 0) return undefined;
  try {
    const reader = new PlainReader(lines);
    const value = lines[0]!.indent === 0 ? reader.block(0, 0) : undefined;
    return reader.atEnd && value !== undefined && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch (error) {
    if (error === DOUBT) return undefined;
    throw error;
  }
}

interface Line {
  indent: number;
  /** Without indentation; what stands after a dash takes its place when the dash has been read. */
  rest: string;
}

const DOUBT = new Error('not the plainest YAML');
const DEPTH = 32;
const LINES = 30_000;

// Only printable ASCII: other characters may be breaks of lines, or not allowed at all.
const CERTAIN = /^[\n -~]*$/;
const KEY = /^([A-Za-z][A-Za-z0-9_./-]*(?::[A-Za-z][A-Za-z0-9_./-]*)?):(?: +(?=\S)|$)/;
const WORDS = /^[A-Za-z][A-Za-z0-9_./+@=(),;-]*(?:(?: |:(?! |$))[A-Za-z0-9_./+@=(),;-]+)*$/;
const SPECIAL = /^(?:true|false|null|True|False|Null|TRUE|FALSE|NULL)$/;
const WHOLE = /^(?:0|[1-9]\d{0,14})$/;
const DECIMAL = /^(?:0|[1-9]\d{0,8})\.\d{1,8}$/;
/** Addresses, versions, and names and hashes that begin with a digit, but are no numbers (`1e5`, `0x1f`). */
const DIGITS =
  /^(?:\d+(?:\.\d+){2,8}(?:\/\d{1,3})?|\d+-[A-Za-z][A-Za-z0-9_-]*|(?!0[xo])\d[0-9A-Za-z]*[a-df-zA-DF-Z][0-9A-Za-z]*)$/;
const QUOTED = /^"([^"\\]*)"$|^'([^']*)'$/;

function linesOf(text: string): Line[] | undefined {
  if (!CERTAIN.test(text)) return undefined;
  const all = text.split('\n');
  if (all.length > LINES) return undefined;
  const lines: Line[] = [];
  for (const line of all) {
    const rest = line.trimStart();
    if (rest === '' || rest.startsWith('#')) continue;
    lines.push({ indent: line.length - rest.length, rest: rest.trimEnd() });
  }
  return lines;
}

class PlainReader {
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  get atEnd(): boolean {
    return this.#at >= this.#lines.length;
  }

  /** The mapping or sequence of which all entries begin at this indentation. */
  block(indent: number, depth: number): unknown {
    if (depth > DEPTH) throw DOUBT;
    return isItem(this.#lines[this.#at]!) ? this.#sequence(indent, depth) : this.#mapping(indent, depth);
  }

  #sequence(indent: number, depth: number): unknown {
    const items: unknown[] = [];
    for (let line = this.#lines[this.#at]; line?.indent === indent && isItem(line); line = this.#lines[this.#at]) {
      const rest = line.rest.slice(1).trimStart();
      if (rest === '') throw DOUBT;
      const inner = indent + line.rest.length - rest.length;
      const starts = rest.startsWith('- ') || KEY.test(rest);
      line.indent = inner;
      line.rest = rest;
      if (starts) items.push(this.block(inner, depth + 1));
      else {
        items.push(scalarOf(rest));
        this.#next(indent);
      }
    }
    return items;
  }

  #mapping(indent: number, depth: number): unknown {
    const group: Record<string, unknown> = Object.create(null);
    for (let line = this.#lines[this.#at]; line?.indent === indent && !isItem(line); line = this.#lines[this.#at]) {
      const found = KEY.exec(line.rest);
      if (found === null) throw DOUBT;
      const name = found[1]!;
      if (name in group) throw DOUBT;
      const rest = line.rest.slice(found[0].length);
      if (rest === '') {
        this.#at += 1;
        const next = this.#lines[this.#at];
        // A sequence may begin where its key does.
        const inside = next !== undefined && (next.indent > indent || (next.indent === indent && isItem(next)));
        if (!inside) throw DOUBT;
        group[name] = this.block(next.indent, depth + 1);
        const after = this.#lines[this.#at];
        if (after !== undefined && after.indent > indent) throw DOUBT;
      } else {
        group[name] = scalarOf(rest);
        this.#next(indent);
      }
    }
    return group;
  }

  /** A line that is deeper than the scalar before it goes on with it. */
  #next(indent: number): void {
    this.#at += 1;
    const next = this.#lines[this.#at];
    if (next !== undefined && next.indent > indent) throw DOUBT;
  }
}

const isItem = ({ rest }: Line) => rest.startsWith('- ') || rest === '-';

function scalarOf(text: string): unknown {
  if (WORDS.test(text)) {
    if (!SPECIAL.test(text)) return text;
    const word = text.toLowerCase();
    return word === 'null' ? null : word === 'true';
  }
  if (WHOLE.test(text) || DECIMAL.test(text)) return Number(text);
  if (DIGITS.test(text)) return text;
  if (text === '[]') return [];
  if (text === '{}') return Object.create(null);
  const quoted = QUOTED.exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2]!;
  throw DOUBT;
}
