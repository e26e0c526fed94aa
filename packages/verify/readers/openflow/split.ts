import { inputLimits } from '../../limits.ts';

export function prefixMask(length: number, width: number): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(width - length);
}

/** Splits at commas that are in no parentheses, brackets or braces; undefined when these do not match. */
export function splitList(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i]!;
    if ('([{'.includes(letter)) depth += 1;
    else if (')]}'.includes(letter)) depth -= 1;
    if (depth < 0 || depth > inputLimits.nesting) return undefined;
    if (letter === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  if (depth !== 0) return undefined;
  parts.push(text.slice(start).trim());
  return parts;
}

/** `name(arguments)`, `name:arguments`, `name=arguments` or `name`. */
export function headOf(text: string): { readonly name: string; readonly rest: string | undefined } {
  const at = text.search(/[(:=]/);
  if (at < 0) return { name: text, rest: undefined };
  const isCall = text[at] === '(' && text.endsWith(')');
  return { name: text.slice(0, at), rest: isCall ? text.slice(at + 1, -1) : text.slice(at + 1) };
}
