import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SuperfluidityError, Turns } from '@superfluidity/core';
import { createImage, deleteImage, type Image, listImages, type NewImage, uploadImage } from '@superfluidity/openstack';
import { LIMITS } from './config.ts';
import { OURS, tag } from './marks.ts';
import type { World } from './world.ts';

/** What files of disks begin with. */
const MAGIC: readonly (readonly [string, NewImage['disk_format']])[] = [
  ['514649fb', 'qcow2'],
  ['4b444d56', 'vmdk'],
];

/** Disks of descriptors in Glance: once for each content, found again by the hash of it. */
export class Uploads {
  readonly #world: World;
  readonly #turns = new Turns();

  constructor(world: World) {
    this.#world = world;
  }

  async of(file: string, baseFolder: string | undefined, doing: string, signal: AbortSignal): Promise<Image> {
    const path = resolve(baseFolder ?? '.', file);
    try {
      const found = await stat(path);
      if (!found.isFile()) throw new Error('it is no file');
      const sha256 = await hashOf(path, signal);
      return await this.#turns.take(sha256, () => this.#ensure(path, found.size, sha256, signal));
    } catch (error) {
      if (error instanceof SuperfluidityError || signal.aborted) throw error;
      const reason = `${path}: ${error instanceof Error ? error.message : String(error)}`;
      throw new SuperfluidityError('SF-SITE-IMAGE', { doing, reason, cause: error });
    }
  }

  /** Everything that was uploaded for the site. */
  async purge(signal: AbortSignal): Promise<readonly string[]> {
    const { cloud, marks } = this.#world;
    const found = await listImages(cloud, { tag: [marks.siteTag] }, signal);
    for (const { id } of found) await deleteImage(cloud, id, signal);
    return found.map(({ name, id }) => `image ${name ?? id}`);
  }

  async #ensure(path: string, bytes: number, sha256: string, signal: AbortSignal): Promise<Image> {
    const { cloud, marks, log, name: site } = this.#world;
    const hashTag = tag('sha256', sha256);
    const there = await listImages(cloud, { tag: [marks.siteTag, hashTag], status: 'active' }, signal);
    if (there[0] !== undefined) return there[0];
    const name = `superfluidity-${sha256.slice(0, 16)}`;
    const tags = [OURS, marks.siteTag, tag('id', name), hashTag];
    const wanted = {
      name,
      disk_format: await formatOf(path),
      container_format: 'bare',
      visibility: 'private',
      tags,
    } as const;
    signal.throwIfAborted();
    const { id } = await createImage(cloud, wanted, AbortSignal.timeout(LIMITS.createMs));
    let told = 0;
    const onProgress = (sent: number) => {
      const tenths = Math.floor((sent / Math.max(1, bytes)) * 10);
      if (tenths <= told) return;
      told = tenths;
      log.info({ site, image: name, sent, bytes }, `${tenths * 10} % of a disk are uploaded`);
    };
    try {
      return await uploadImage(cloud, id, { bytes, open: () => createReadStream(path) }, onProgress, signal);
    } catch (error) {
      await deleteImage(cloud, id, AbortSignal.timeout(LIMITS.deleteMs)).catch(() => {});
      throw error;
    }
  }
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { signal })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

async function formatOf(path: string): Promise<NewImage['disk_format']> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const start = buffer.subarray(0, bytesRead).toString('hex');
    return MAGIC.find(([magic]) => magic === start)?.[1] ?? 'raw';
  } finally {
    await file.close();
  }
}
