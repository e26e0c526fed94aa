/**
 * References to variables in commands and values of variables: `$(NAME)`, and `$$` for a dollar sign that begins none
 * (Kubernetes API, Container v1 core, `command`).
 */
const REFERENCE = /\$\$|\$\(([^()]*)\)/g;

/** The text that the container gets. A reference to what nobody has set stays as it is written. */
export function expanded(text: string, values: Readonly<Record<string, string>>): string {
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
