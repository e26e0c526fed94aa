import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { type ArchiveEntry, writeTarGz, writeZip } from '@superfluidity/core/archive';
import { readDescriptor, writeDescriptor, type DescriptorFile, type Format } from '@superfluidity/dialects';
import type { Context } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import { problemLine } from '../../print/problem.ts';
import { readSourceFiles } from '../../source.ts';
import { digestOf, formatManifest } from './manifest.ts';
import { META, type PackageKind } from './package.ts';
import { packageProblem } from './problem.ts';

export interface BuildOptions {
  readonly kind: PackageKind;
  readonly out: string;
  readonly force?: boolean;
  readonly digest: 'SHA-256' | 'SHA-512';
  readonly licence?: string;
  readonly changelog?: string;
  readonly provider: string;
  /** RFC 3339; default: SOURCE_DATE_EPOCH, or else now. */
  readonly released?: string;
  readonly include?: readonly string[];
}

type Service = NonNullable<ReturnType<typeof readDescriptor>['service']>;

/** Dialects that a package of a kind may hold as they are; another is translated into the first. */
const native: Readonly<Record<PackageKind, readonly [Format, ...Format[]]>> = {
  csar: ['tosca', 'sol006'],
  osm: ['osm', 'osm8', 'sol006'],
  mec: ['appd'],
};

/** A package of a descriptor in whatever dialect. The same input makes the same bytes. */
export async function build(context: Context, inputs: readonly string[], options: BuildOptions): Promise<void> {
  if (existsSync(options.out) && options.force !== true) {
    throw new SuperfluidityError('SF-CLI-FILE', {
      doing: `write ${options.out}`,
      reason: 'it is there already: name another, or say --force',
    });
  }
  const sources = await readSourceFiles(inputs);
  const { service, problems, format } = readDescriptor(sources);
  for (const problem of problems) context.note(problemLine(problem, context.style));
  if (service === undefined || format === undefined) {
    process.exitCode = exitCodes.usage;
    await context.show({ ok: false }, () =>
      context.style.red('nothing was written, since the descriptor cannot be used'),
    );
    return;
  }
  const kept = native[options.kind].includes(format);
  const { files, losses } = kept ? { files: sources, losses: [] } : writeDescriptor(service, native[options.kind][0]);
  if (options.kind === 'mec' && !kept && files.length > 1) {
    const reason = `an application package has one application, and this is made of ${files.length}`;
    throw packageProblem('SF-PACKAGE-CONTENT', reason);
  }
  for (const loss of losses) context.note(problemLine(loss, context.style));
  const released = releaseTime(options.released);
  const more = await Promise.all(
    (options.include ?? []).map(async (path) => ({ path: `Files/${basename(path)}`, bytes: await given(path) })),
  );
  const content = withoutOld(files).concat(more);
  const packed =
    options.kind === 'osm'
      ? writeTarGz(osm(content, service))
      : writeZip(csar(content, service, options, released, await companions(service, options, released)));
  await writeFile(options.out, packed);
  const value = {
    ok: true,
    kind: options.kind,
    from: format,
    file: options.out,
    bytes: packed.length,
    losses: losses.map((loss) => ({ ...loss })),
  };
  await context.show(
    value,
    () =>
      `${options.out}: ${options.kind} of ${service.block.name} ${service.version}, ${packed.length} bytes${losses.length > 0 ? `; ${losses.length} things lost, see above` : ''}`,
  );
}

/** What a package says of itself is made anew. */
function withoutOld(files: readonly DescriptorFile[]): readonly ArchiveEntry[] {
  return files
    .filter(({ path }) => !/(?:^|\/)(?:TOSCA\.meta|checksums\.txt)$/i.test(path) && !/^[^/]+\.mf$/.test(path))
    .map(({ path, bytes }) => ({ path, bytes }));
}

/** SOL004, clause 4.3: a change log and licences are in every package. */
async function companions(service: Service, options: BuildOptions, released: string): Promise<readonly ArchiveEntry[]> {
  const change = `${service.version} (${released})\n  Packaged.\n`;
  const licence = 'The provider of this package states no licence.\n';
  return [
    {
      path: 'Files/ChangeLog.txt',
      bytes: options.changelog === undefined ? Buffer.from(change) : await given(options.changelog),
    },
    {
      path: 'Files/Licenses/LICENSE',
      bytes: options.licence === undefined ? Buffer.from(licence) : await given(options.licence),
    },
  ];
}

function csar(
  content: readonly ArchiveEntry[],
  service: Service,
  options: BuildOptions,
  released: string,
  added: readonly ArchiveEntry[],
): readonly ArchiveEntry[] {
  const { name } = service.block;
  const entry = entryOf(content);
  const manifest = `${name}.mf`;
  const meta = {
    'TOSCA-Meta-File-Version': '1.0',
    'CSAR-Version': '1.1',
    'Created-By': options.provider,
    'Entry-Definitions': entry,
    'ETSI-Entry-Manifest': manifest,
    'ETSI-Entry-Change-Log': 'Files/ChangeLog.txt',
    'ETSI-Entry-Licenses': 'Files/Licenses',
  };
  const lines = Object.entries(meta).map(([field, value]) => `${field}: ${value}\n`);
  const own = content.filter(({ path }) => !added.some((one) => one.path === path));
  const files = [...own, ...added, { path: META, bytes: Buffer.from(lines.join('')) }].toSorted((a, b) =>
    a.path < b.path ? -1 : 1,
  );
  const digests = files.map(({ path, bytes }) => ({
    source: path,
    algorithm: options.digest,
    hash: digestOf(bytes, options.digest)!,
  }));
  const text = formatManifest({ metadata: metadataOf(service, options, released), digests });
  return [...files, { path: manifest, bytes: Buffer.from(text) }];
}

/** A TOSCA.meta of the input, if it had one, has named it: the NSD, or the only file in the folder of definitions. */
function entryOf(files: readonly ArchiveEntry[]): string {
  const yaml = files.filter(({ path }) => /\.(?:ya?ml|json)$/.test(path));
  const [first] = [...yaml.filter(({ path }) => /nsd/i.test(basename(path))), ...yaml];
  if (first === undefined)
    throw packageProblem('SF-PACKAGE-CONTENT', 'there is no descriptor to be the entry of the package');
  return first.path;
}

/** SOL004 clause 4.3.2 of a VNF, SOL007 clause 4.3.2 of an NS, MEC 010-2 of an application. */
function metadataOf(
  { block, version }: Service,
  { kind, provider }: BuildOptions,
  released: string,
): Record<string, string> {
  if (kind === 'mec') {
    return {
      app_product_name: block.name,
      app_provider_id: provider,
      app_package_version: version,
      app_release_date_time: released,
    };
  }
  return {
    nsd_name: block.name,
    nsd_designer: provider,
    nsd_invariant_id: block.name,
    nsd_file_structure_version: version,
    nsd_release_date_time: released,
    compatible_specification_versions: '4.4.1',
  };
}

/** A folder that is called like the service, with a sum of each file. */
function osm(content: readonly ArchiveEntry[], { block }: Service): readonly ArchiveEntry[] {
  const folder = `${block.name}_ns`;
  const files = content.map(({ path, bytes }) => ({
    path: path.startsWith(`${folder}/`) ? path : `${folder}/${path}`,
    bytes,
  }));
  const sums = files.map(({ path, bytes }) => `${createHash('md5').update(bytes).digest('hex')}\t${path}\n`).toSorted();
  return [...files, { path: `${folder}/checksums.txt`, bytes: Buffer.from(sums.join('')) }];
}

function releaseTime(text: string | undefined): string {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  const given =
    text === undefined && epoch !== undefined && /^\d{1,11}$/.test(epoch) ? Number(epoch) * 1000 : undefined;
  const time = text === undefined ? (given ?? Date.now()) : Date.parse(text);
  if (Number.isNaN(time)) {
    throw new SuperfluidityError('SF-CLI-USAGE', {
      doing: 'build a package',
      reason: `'${text!.slice(0, 60)}' is no time: say 2026-01-31T12:00:00Z`,
    });
  }
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

async function given(path: string): Promise<Buffer> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw packageProblem('SF-PACKAGE-CONTENT', `there is no file ${path}`);
  return readFile(path);
}
