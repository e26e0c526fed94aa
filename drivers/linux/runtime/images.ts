import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { applyLayer, UNPACKED_BYTES_MAX } from './layers.ts';
import { type PreparedRootfs, prepareHostRootfs, prepareOverlayRootfs } from './rootfs.ts';

/** Where the files of a container come from: `host:`, `folder:PATH` or `oci:PATH` (OCI image layout, folder or tar). */

export interface ImageProcess {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ReadyImage {
  readonly rootfs: PreparedRootfs;
  /** What the image itself would run; empty for `host:` and `folder:`. */
  readonly process: ImageProcess;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

const NO_PROCESS: ImageProcess = { args: [], env: {}, cwd: '/' };
const DOCUMENT_BYTES_MAX = 4 << 20;
const INDEX_DEPTH_MAX = 4;
const DIGEST = /^sha256:([0-9a-f]{64})$/;
const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

function refuse(image: string, reason: string, cause?: unknown): never {
  throw new SuperfluidityError('SF-LINUX-IMAGE', {
    doing: `use image ${image}`,
    reason,
    ...(cause === undefined ? {} : { cause }),
  });
}

function blobPath(layout: string, image: string, digest: string): string {
  const hex = DIGEST.exec(digest)?.[1] ?? refuse(image, `${digest} is not a SHA-256 digest`);
  return join(layout, 'blobs', 'sha256', hex);
}

function readDocument(layout: string, image: string, descriptor: Descriptor): Record<string, unknown> {
  const path = blobPath(layout, image, descriptor.digest);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) refuse(image, `blob ${descriptor.digest} is missing`);
  if (stat.size > DOCUMENT_BYTES_MAX) refuse(image, `document ${descriptor.digest} is too long`);
  const bytes = readFileSync(path);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (digest !== descriptor.digest) refuse(image, `blob ${descriptor.digest} has the content of ${digest}`);
  return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
}

/** The manifest for this machine's architecture; indexes may point to indexes. */
function findManifest(
  layout: string,
  image: string,
): { readonly descriptor: Descriptor; readonly manifest: Record<string, unknown> } {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    return refuse(image, 'it has no readable index.json', cause);
  }
  for (let depth = 0; depth < INDEX_DEPTH_MAX; depth += 1) {
    const manifests = (Array.isArray(document['manifests']) ? document['manifests'] : []) as readonly Descriptor[];
    const fits = (candidate: Descriptor) =>
      candidate.platform?.architecture === undefined ||
      (candidate.platform.architecture === architecture && (candidate.platform.os ?? 'linux') === 'linux');
    const descriptor = manifests.find(fits) ?? refuse(image, `it has no manifest for linux/${architecture}`);
    document = readDocument(layout, image, descriptor);
    if (!INDEX_TYPES.includes(descriptor.mediaType)) return { descriptor, manifest: document };
  }
  return refuse(image, 'its indexes are nested too deeply');
}

async function* decompressed(path: string, mediaType: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const stream = mediaType.endsWith('gzip')
    ? file.pipe(createGunzip())
    : mediaType.endsWith('zstd')
      ? file.pipe(createZstdDecompress())
      : file;
  file.once('error', (error) => stream.destroy(error));
  for await (const chunk of stream) yield chunk as Buffer;
}

async function checkBlob(path: string, image: string, digest: string): Promise<void> {
  const hash = createHash('sha256');
  if (!existsSync(path)) refuse(image, `blob ${digest} is missing`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== digest) refuse(image, `blob ${digest} has the content of ${actual}`);
}

function processOf(config: Record<string, unknown>): ImageProcess {
  const own = (config['config'] ?? {}) as {
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
  };
  const env = (own.Env ?? []).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return {
    args: [...(own.Entrypoint ?? []), ...(own.Cmd ?? [])],
    env: Object.fromEntries(env) as Record<string, string>,
    cwd: own.WorkingDir === undefined || own.WorkingDir === '' ? '/' : own.WorkingDir,
  };
}

/** Fills a folder beside the final one, then renames it there: a crash leaves nothing that looks complete. */
async function fillOnce(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const temporary = `${folder}.${randomUUID()}.partial`;
  mkdirSync(temporary, { recursive: true });
  try {
    await fill(temporary);
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Somebody else was faster: the content is the same, because the name is its digest.
    if (!existsSync(folder)) throw error;
  }
}

interface Unpacked {
  readonly rootfs: string;
  readonly process: ImageProcess;
}

async function unpackLayout(layout: string, image: string, cache: string): Promise<Unpacked> {
  const { descriptor, manifest } = findManifest(layout, image);
  const config = readDocument(layout, image, manifest['config'] as Descriptor);
  const layers = manifest['layers'] as readonly Descriptor[];
  const folder = join(cache, descriptor.digest.replace(':', '-'));
  await fillOnce(folder, async (temporary) => {
    const budget = { left: UNPACKED_BYTES_MAX };
    for (const layer of layers) {
      const path = blobPath(layout, image, layer.digest);
      await checkBlob(path, image, layer.digest);
      await applyLayer(temporary, decompressed(path, layer.mediaType), budget);
    }
  });
  return { rootfs: folder, process: processOf(config) };
}

/** A layout in a tar file is unpacked beside the images for as long as they are read from it. */
async function unpackArchive(file: string, image: string, cache: string): Promise<Unpacked> {
  const layout = join(cache, `layout-${randomUUID()}.partial`);
  mkdirSync(layout, { recursive: true });
  try {
    await applyLayer(layout, decompressed(file, /\.t?gz$/.test(file) ? 'gzip' : ''), { left: UNPACKED_BYTES_MAX });
    return await unpackLayout(layout, image, cache);
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}

/** What a crash left of images that were being unpacked. Call it when nobody is unpacking. */
export function sweepImageCache(cache: string): void {
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache)) {
    if (name.endsWith('.partial')) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

/** Unpacks into `cache` when that has not been done, and prepares a root file system for one container in `folder`. */
export async function prepareImage(image: string, cache: string, folder: string): Promise<ReadyImage> {
  const [kind, path] = [image.slice(0, image.indexOf(':')), image.slice(image.indexOf(':') + 1)];
  if (kind === 'host' && path === '') return { rootfs: prepareHostRootfs(folder), process: NO_PROCESS };
  if (kind === 'folder') return { rootfs: prepareOverlayRootfs(path, folder), process: NO_PROCESS };
  if (kind !== 'oci') refuse(image, 'neither host:, folder:PATH nor oci:PATH');
  const stat = statSync(path, { throwIfNoEntry: false }) ?? refuse(image, `${path} does not exist`);
  mkdirSync(cache, { recursive: true });
  const unpacked = stat.isDirectory()
    ? await unpackLayout(path, image, cache)
    : await unpackArchive(path, image, cache);
  return { rootfs: prepareOverlayRootfs(unpacked.rootfs, folder), process: unpacked.process };
}
