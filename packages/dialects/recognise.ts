import { dialectLimits } from './errors.ts';
import type { DescriptorFile } from './files.ts';

/** Looks before parsing: most files of a package are of no interest. */
export function mentions(pattern: RegExp): (file: DescriptorFile) => boolean {
  return ({ bytes }) => bytes.byteLength <= dialectLimits.fileBytes && pattern.test(new TextDecoder().decode(bytes));
}

/** What may be YAML or JSON by its name: one without an ending may. */
export function isTree({ path }: DescriptorFile): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return !name.includes('.') || /\.(?:ya?ml|json)$/i.test(name);
}

/** Files whose names end so: `named('yaml', 'yml', 'json')`. */
export function named(...endings: readonly string[]): (file: DescriptorFile) => boolean {
  return ({ path }) => endings.some((ending) => path.toLowerCase().endsWith(`.${ending}`));
}
