import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { readArchive, type ArchiveEntry } from '@superfluidity/core/archive';
import { splitSigned } from './cms.ts';
import { digestOf, parseManifest, type Manifest } from './manifest.ts';
import { packageProblem } from './problem.ts';

/** Of an archive, packed and unpacked: images of machines belong into a repository. */
export const packageLimits = { files: 4_096, fileBytes: 256 * 2 ** 20, totalBytes: 512 * 2 ** 20 } as const;

export type PackageKind = 'csar' | 'osm' | 'mec';

/** A package as it was read. */
export interface Package {
  readonly kind: PackageKind;
  readonly files: readonly ArchiveEntry[];
  /** Of a CSAR: the lines of TOSCA.meta. */
  readonly meta: Readonly<Record<string, string>>;
  readonly manifest?: Manifest & { readonly path: string; readonly content: string; readonly signature?: string };
}

export const META = 'TOSCA-Metadata/TOSCA.meta';
export const CHECKSUMS = /(?:^|\/)checksums\.txt$/;

export async function readPackage(path: string): Promise<Package> {
  const found = await stat(path).catch((cause: unknown) => {
    throw packageProblem('SF-PACKAGE-CONTENT', `there is no file ${path}`, cause);
  });
  if (!found.isFile()) throw packageProblem('SF-PACKAGE-CONTENT', `${path} is no file`);
  if (found.size > packageLimits.totalBytes)
    throw packageProblem('SF-PACKAGE-CONTENT', `${path} has more than ${packageLimits.totalBytes} bytes`);
  return packageOf(await readArchive(await readFile(path), packageLimits));
}

export function packageOf(files: readonly ArchiveEntry[]): Package {
  if (files.length === 0) throw packageProblem('SF-PACKAGE-CONTENT', 'the archive is empty');
  const meta = metaOf(files.find(({ path }) => path.toLowerCase() === META.toLowerCase()));
  const isCsar = Object.keys(meta).length > 0 || files.some(({ path }) => /^[^/]+\.mf$/.test(path));
  if (!isCsar && !files.some(({ path }) => CHECKSUMS.test(path))) {
    throw packageProblem(
      'SF-PACKAGE-CONTENT',
      'it has neither TOSCA.meta, nor a manifest, nor checksums.txt: it is no package',
    );
  }
  if (!isCsar) return { kind: 'osm', files, meta };
  const named = meta['ETSI-Entry-Manifest'];
  const file = files.find(({ path }) => (named === undefined ? /^[^/]+\.mf$/.test(path) : path === named));
  if (file === undefined) return { kind: 'csar', files, meta };
  const { content, signature } = splitSigned(new TextDecoder().decode(file.bytes));
  const manifest = parseManifest(content);
  const kind = Object.keys(manifest.metadata).some((name) => name.startsWith('app_')) ? 'mec' : 'csar';
  return {
    kind,
    files,
    meta,
    manifest: { ...manifest, path: file.path, content, ...(signature === undefined ? {} : { signature }) },
  };
}

function metaOf(file: ArchiveEntry | undefined): Readonly<Record<string, string>> {
  if (file === undefined) return {};
  const lines = new TextDecoder().decode(file.bytes.subarray(0, 65_536)).split(/\r?\n/);
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^([\w-]{1,100}):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** What does not match: every file that was changed, is missing, or was added. */
export function mismatches({ kind, files, manifest }: Package): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file.bytes]));
  if (kind === 'osm') return osmMismatches(byPath);
  if (manifest === undefined) return ['there is no manifest: nothing says what the files should be'];
  const listed = new Set<string>();
  const wrong = manifest.digests.flatMap(({ source, algorithm, hash }) => {
    const path = source.replace(/^\.\//, '');
    listed.add(path);
    // What lies elsewhere is not fetched.
    if (/^https?:\/\//.test(source)) return [`${source}: it lies outside of the package and was not looked at`];
    const bytes = byPath.get(path);
    if (bytes === undefined) return [`${path}: it is missing`];
    const digest = digestOf(bytes, algorithm);
    if (digest === undefined) return [`${path}: the digest is of the unknown algorithm '${algorithm.slice(0, 40)}'`];
    return digest === hash ? [] : [`${path}: its ${algorithm} is ${digest}, and should be ${hash}`];
  });
  const added = files
    .filter(({ path }) => path !== manifest.path && !listed.has(path))
    .map(({ path }) => `${path}: the manifest does not list it`);
  return [...wrong, ...added];
}

/** `md5  path` a line; paths start from the folder of checksums.txt, or from that above it. */
function osmMismatches(files: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const checksums = [...files.keys()].find((path) => CHECKSUMS.test(path))!;
  const folder = checksums.slice(0, checksums.lastIndexOf('/') + 1);
  const listed = new Set([checksums]);
  const lines = new TextDecoder().decode(files.get(checksums)).split(/\r?\n/);
  const wrong = lines.flatMap((line) => {
    const [, hash, name] = /^([0-9a-f]{32})\s+\*?(?:\.\/)?(\S.*)$/i.exec(line) ?? [];
    if (hash === undefined || name === undefined) return [];
    const path = [name, folder + name].find((one) => files.has(one));
    if (path === undefined) return [`${name}: it is missing`];
    listed.add(path);
    const md5 = createHash('md5').update(files.get(path)!).digest('hex');
    return md5 === hash.toLowerCase() ? [] : [`${path}: its MD5 is ${md5}, and should be ${hash}`];
  });
  const added = [...files.keys()]
    .filter((path) => !listed.has(path))
    .map((path) => `${path}: ${checksums} does not list it`);
  return [...wrong, ...added];
}
