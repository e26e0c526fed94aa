import { Document } from 'yaml';

/**
 * Plain values as YAML in block style, as `yaml` would write them, only ten times as fast: descriptors are mostly short
 * words, and nothing has to be decided of those. All other text is left to `yaml`.
 */
export function yamlBlock(value: object): string {
  const lines: string[] = [];
  if (Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0) return `${empty(value)}\n`;
  write(value, '', '', lines);
  return `${lines.join('\n')}\n`;
}

const empty = (value: object) => (Array.isArray(value) ? '[]' : '{}');

/** Words that no schema of YAML 1.2 takes for something else than text. */
const WORDS = /^[A-Za-z][A-Za-z0-9_./+-]*(?:[ :][A-Za-z0-9_./+-]+)*$/;
const NUMBER = /^\d+(?:\.\d+)?$/;
const OTHER = new Set(['true', 'false', 'null', 'True', 'False', 'Null', 'TRUE', 'FALSE', 'NULL']);

/** `first` stands before the first line: that of a list has the dash there. */
function write(value: object, indent: string, first: string, lines: string[]): void {
  let lead = first === '' ? indent : first;
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      inside(item, `${lead}- `, `${lead}-`, `${indent}  `, lines);
      lead = indent;
    }
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const key = `${lead}${scalar(name, indent, true)}:`;
    if (
      inner !== null &&
      typeof inner === 'object' &&
      (Array.isArray(inner) ? inner.length : Object.keys(inner).length) > 0
    ) {
      lines.push(key);
      write(inner, `${indent}  `, '', lines);
    } else
      lines.push(`${key} ${inner !== null && typeof inner === 'object' ? empty(inner) : scalar(inner, indent, false)}`);
    lead = indent;
  }
}

/** An item of a list: what has parts begins on the line of the dash. */
function inside(item: unknown, lead: string, dash: string, indent: string, lines: string[]): void {
  if (item !== null && typeof item === 'object') {
    const some = Array.isArray(item) ? item.length > 0 : Object.values(item).some((inner) => inner !== undefined);
    if (some) write(item, indent, lead, lines);
    else lines.push(`${dash} ${empty(item)}`);
  } else lines.push(`${dash} ${scalar(item, indent.slice(2), false)}`);
}

function scalar(value: unknown, indent: string, isKey: boolean): string {
  if (typeof value === 'string') {
    if (WORDS.test(value) && !OTHER.has(value)) return value;
    if (NUMBER.test(value)) return `"${value}"`;
    return foreign(value, indent, isKey);
  }
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number' && !Number.isInteger(value)) return foreign(value, indent, isKey);
  return String(value);
}

/** As `yaml` writes it; text of several lines is moved to where it stands. */
function foreign(value: unknown, indent: string, isKey: boolean): string {
  if (isKey) return new Document({ [String(value)]: null }).toString({ lineWidth: 0 }).replace(/: null\n$/, '');
  const text = new Document({ k: value }).toString({ lineWidth: 0 }).slice(3, -1);
  return text.replace(/\n(?=[^\n])/g, `\n${indent}`);
}
