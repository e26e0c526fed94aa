import { dialectLimits } from './errors.ts';
import type { DescriptorFile } from './files.ts';

/** Looks before parsing: most files of a package are of no interest. */
export function mentions(pattern: RegExp): (file: DescriptorFile) => boolean {
  return ({ bytes }) => bytes.byteLength <= dialectLimits.fileBytes && pattern.test(new TextDecoder().decode(bytes));
}

/** Files whose names end so: `named('yaml', 'yml', 'json')`. */
export function named(...endings: readonly string[]): (file: DescriptorFile) => boolean {
  return ({ path }) => endings.some((ending) => path.toLowerCase().endsWith(`.${ending}`));
}
