import type { ClickArgument } from './configuration.ts';
import type { Growth } from './growth.ts';
import { unusable } from './mistake.ts';
import type { ClickPlace } from './tokens.ts';

/** A configuration string as it stands in the file. */
export interface RawConfiguration {
  readonly text: string;
  /** Of its first character; where there are no parentheses, behind what could have some. */
  readonly place: ClickPlace;
  readonly written: boolean;
}

/** Values of `$names`. */
export type Bindings = ReadonlyMap<string, string>;

/** Puts the values of `$name` and `${name}` in, except between single quotes. What has no value stays as it is. */
export function substitute(
  { text, place }: Pick<RawConfiguration, 'text' | 'place'>,
  bindings: Bindings,
  growth: Growth,
): string {
  if (bindings.size === 0 || !text.includes('$')) return text;
  let quote = '';
  let out = '';
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (c === "'" && quote !== '"') quote = quote === '' ? c : '';
    if (c === '"' && quote !== "'") quote = quote === '' ? c : '';
    if (c === '$' && quote !== "'") {
      const end = variableEnd(text, at);
      const name = text.slice(at + 1, end).replace(/^\{|\}$/g, '');
      const value = bindings.get(name);
      if (value !== undefined) {
        growth.characters(value.length, place);
        out += value;
        at = end;
        continue;
      }
    }
    out += c;
    at += 1;
  }
  return out;
}

function variableEnd(text: string, at: number): number {
  if (text[at + 1] === '{') {
    const close = text.indexOf('}', at);
    return close < 0 ? text.length : close + 1;
  }
  let end = at + 1;
  while (end < text.length && /[A-Za-z0-9_]/.test(text[end]!)) end += 1;
  return end;
}

/** Splits at the commas outside quotes, takes comments away, and joins white space. */
export function splitArguments({ text, place }: Pick<RawConfiguration, 'text' | 'place'>): ClickArgument[] {
  const { line } = place;
  const found: ClickArgument[] = [];
  let current = '';
  let here = line;
  let began = line;
  const end = () => {
    found.push({ text: current.trim(), line: began });
    current = '';
  };
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (c === '\n') here += 1;
    if (text.startsWith('//', at)) {
      const newline = text.indexOf('\n', at);
      at = newline < 0 ? text.length : newline;
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2);
      const stop = close < 0 ? text.length : close + 2;
      for (; at < stop; at += 1) if (text[at] === '\n') here += 1;
      current += ' ';
    } else if (c === '"' || c === "'") {
      const stop = quoteEnd(text, at);
      if (stop < 0) throw unusable({ ...place, line: here }, `the text in ${c} has no end`);
      if (current.trim() === '') began = here;
      const inner = text.slice(at + 1, stop);
      for (const each of inner) if (each === '\n') here += 1;
      current += c === '"' ? inner.replace(/\\(.)/gs, '$1') : inner;
      at = stop + 1;
    } else if (c === ',') {
      end();
      at += 1;
      began = here;
    } else if (/\s/.test(c)) {
      if (current !== '' && !current.endsWith(' ')) current += ' ';
      at += 1;
    } else {
      if (current === '') began = here;
      const stop = plainEnd(text, at);
      current += text.slice(at, stop);
      at = stop;
    }
  }
  end();
  // A comma at the end, and nothing at all, make no argument.
  if (found.at(-1)!.text === '') found.pop();
  return found;
}

/** Where each argument begins: behind the commas, and behind blanks and comments. */
export function argumentStarts(text: string): readonly number[] {
  const starts: number[] = [];
  let waiting = true;
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (/\s/.test(c)) at += 1;
    else if (text.startsWith('//', at)) {
      const newline = text.indexOf('\n', at);
      at = newline < 0 ? text.length : newline;
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2);
      at = close < 0 ? text.length : close + 2;
    } else {
      if (c === ',') waiting = true;
      else if (waiting) {
        starts.push(at);
        waiting = false;
      }
      const stop = c === '"' || c === "'" ? quoteEnd(text, at) : at;
      at = stop < 0 ? text.length : stop + 1;
    }
  }
  return starts;
}

const notPlain = /[\s,"']|\/[/*]/g;

/** Up to where something other than plain text begins; at least one character. */
function plainEnd(text: string, at: number): number {
  notPlain.lastIndex = at + 1;
  return notPlain.exec(text)?.index ?? text.length;
}

function quoteEnd(text: string, at: number): number {
  const quote = text[at]!;
  for (let end = at + 1; end < text.length; end += 1) {
    if (quote === '"' && text[end] === '\\') end += 1;
    else if (text[end] === quote) return end;
  }
  return -1;
}
