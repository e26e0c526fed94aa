import type { DescriptorFile } from '@superfluidity/dialects/languages';
import { toBase64 } from '../../view-model/read-files.ts';
import { bytesOf } from '../bytes.ts';
import type { TreeFile, Version } from './history.ts';
import { fileOf } from './reading.ts';

/** The files of a design that is a tree of them: the one whose text is `version.text` first. */
export function pathsOf(version: Version): readonly string[] {
  return [mainPath(version), ...(version.others ?? []).map(({ path }) => path)];
}

/** The path of the first file, which a text alone has by its language. */
export const mainPath = (version: Version): string => fileOf(version);

/** The file of a tree that an address names: the first where there is no such file. */
export function openIn(version: Version, path: string | undefined): string {
  return version.others?.some((one) => one.path === path) === true ? path! : mainPath(version);
}

/** The text of a file; undefined of one that is no text. */
export function textIn(version: Version, path: string): string | undefined {
  if (path === mainPath(version)) return version.text;
  const other = version.others?.find((one) => one.path === path);
  return other?.isBinary === true ? undefined : other?.text;
}

export function withText(version: Version, path: string, text: string): Version {
  const { others } = version;
  if (others?.some((one) => one.path === path) !== true) return { ...version, text };
  return { ...version, others: others.map((one) => (one.path === path ? { ...one, text } : one)) };
}

const known = new WeakMap<Version | TreeFile, DescriptorFile>();

/** A file that did not change is the same value: readers know it by that. */
function kept(key: Version | TreeFile, path: string, bytes: () => Uint8Array): DescriptorFile {
  const file = known.get(key) ?? { path, bytes: bytes() };
  known.set(key, file);
  return file;
}

export function filesOf(version: Version): readonly DescriptorFile[] {
  const encoder = new TextEncoder();
  const main = kept(version, mainPath(version), () => encoder.encode(version.text));
  const others = (version.others ?? []).map((one) =>
    kept(one, one.path, () => (one.isBinary === true ? bytesOf(one.text) : encoder.encode(one.text))),
  );
  return [main, ...others];
}

/** A version of files, the first of which is a text. */
export function versionOf(
  files: readonly DescriptorFile[],
  rest: Pick<Version, 'language' | 'name'>,
): Version | undefined {
  const [main, ...others] = files.map(treeFile);
  if (main === undefined || main.isBinary === true) return undefined;
  if (others.length === 0) return { ...rest, text: main.text };
  return { ...rest, text: main.text, path: main.path, others };
}

/** The version with other files, as a change of the graph leaves them: what is the same stays the same value. */
export function withFiles(version: Version, files: readonly DescriptorFile[]): Version {
  const before = filesOf(version);
  const [main, ...others] = files;
  if (main === undefined) return version;
  const { others: own, ...rest } = version;
  const text = main === before[0] ? version.text : new TextDecoder().decode(main.bytes);
  if (own === undefined && others.length === 0) return { ...rest, text };
  const next = others.map((file) => {
    const at = before.indexOf(file);
    return at > 0 ? own![at - 1]! : treeFile(file);
  });
  return { ...rest, path: main.path, text, others: next };
}

function treeFile({ path, bytes }: DescriptorFile): TreeFile {
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { path, text: toBase64(bytes), isBinary: true };
  }
}

/** Whether both say the same, letter by letter. */
export function isSame(a: Version | undefined, b: Version | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.text !== b.text || a.language !== b.language) return false;
  const [one, other] = [a.others ?? [], b.others ?? []];
  return (
    one.length === other.length &&
    one.every((file, i) => file === other[i] || (file.path === other[i]!.path && file.text === other[i]!.text))
  );
}
