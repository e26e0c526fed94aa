import type { DescriptorFile } from '../files.ts';
import { named } from '../recognise.ts';

/** A declaration, a class, or the beginning of a connection in which a class with arguments stands. */
const DECLARATION = String.raw`[\w@/]+(?:[ \t]{0,9},[ \t]{0,9}[\w@/]+)*[ \t]{0,99}::[ \t]{0,99}[A-Z{]\w*[ \t]{0,9}(?:[({;[]|->|=>|$)`;
const CLASS = String.raw`elementclass[ \t]{1,9}\w+[ \t]{0,9}[{\w]`;
const CONNECTION = String.raw`[A-Z]\w*\([^()\n]{0,999}\)[ \t]{0,9}[-=]>|[A-Z]\w*[ \t]{0,9}[-=]>[ \t]{0,9}\w+[ \t]{0,9}(?:::|\()`;
const CLICK = new RegExp(`^[ \\t]{0,99}(?:${DECLARATION}|${CLASS}|${CONNECTION})`, 'm');

const LOOKED_AT = 16_384;
const others = named('yaml', 'yml', 'json', 'xml', 'md', 'meta', 'mf');
const byName = named('click');

function isClick(file: DescriptorFile): boolean {
  return byName(file) || CLICK.test(new TextDecoder().decode(file.bytes.subarray(0, LOOKED_AT)));
}

/** The files that are Click, unless something else is among them: then they are parts of what that describes. */
export function clickFiles(files: readonly DescriptorFile[]): readonly DescriptorFile[] {
  return files.some(others) ? [] : files.filter(isClick);
}
