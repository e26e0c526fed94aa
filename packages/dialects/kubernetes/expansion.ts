import { dialectLimits } from '../errors.ts';

/**
 * References to variables in commands and values of variables: `$(NAME)`, and `$$` for a dollar sign that begins none
 * (Kubernetes API, Container v1 core, `command`).
 */
const REFERENCE = /\$\$|\$\(([^()]*)\)/g;

/**
 * The text that the container gets. A reference to what nobody has set stays as it is written, and so does a text that would
 * become too long: variables that stand for variables double with each.
 */
export function expanded(text: string, values: Readonly<Record<string, string>>): string {
  let length = text.length;
  for (const name of references(text)) if (Object.hasOwn(values, name)) length += values[name]!.length;
  if (length > Math.max(text.length, dialectLimits.functionText)) return text;
  return text.replace(REFERENCE, (written, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(values, name) ? values[name]! : written;
  });
}

/** Names that a text refers to. */
export function references(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** A text that Kubernetes expands to this one. */
export function escaped(text: string): string {
  return text.replace(/\$(?=[$(])/g, '$$$$');
}
