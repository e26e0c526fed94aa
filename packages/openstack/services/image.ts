import { createHash } from 'node:crypto';
import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { type Cloud, path, type Upload } from '../cloud.ts';
import { list } from '../paging.ts';

/** Glance: https://docs.openstack.org/api-ref/image/v2/. */

const image = z.object({
  id: z.string(),
  name: z.string().nullish(),
  /** queued, saving, importing, active, deactivated, killed, deleted, pending_delete. */
  status: z.string(),
  visibility: z.string(),
  /** Bytes, when there are any. */
  size: z.number().nullish(),
  /** GiB and MiB. */
  min_disk: z.number().default(0),
  min_ram: z.number().default(0),
  disk_format: z.string().nullish(),
  container_format: z.string().nullish(),
  os_hash_algo: z.string().nullish(),
  os_hash_value: z.string().nullish(),
  tags: z.array(z.string()).default([]),
  owner: z.string().nullish(),
  created_at: z.string(),
  os_glance_failed_import: z.string().optional(),
});
export type Image = z.infer<typeof image>;

export interface ImageFilter {
  readonly name?: string;
  readonly tag?: readonly string[];
  readonly status?: string;
  readonly visibility?: 'public' | 'private' | 'shared' | 'community' | 'all';
  readonly owner?: string;
}

/** The oldest first. */
export async function listImages(cloud: Cloud, filter: ImageFilter, signal: AbortSignal): Promise<readonly Image[]> {
  const query = { ...filter, sort: 'created_at:asc,id:asc' };
  const call = { service: 'image', path: '/v2/images', key: 'images', item: image, query } as const;
  return list(cloud, { ...call, doing: `list images${filter.name === undefined ? '' : ` ${filter.name}`}`, signal });
}

export async function getImage(cloud: Cloud, id: string, signal: AbortSignal): Promise<Image> {
  const call = { service: 'image', method: 'GET', path: path`/v2/images/${id}` } as const;
  return cloud.json({ ...call, doing: `get image ${id}`, signal }, image);
}

export interface NewImage {
  readonly name: string;
  readonly disk_format: 'raw' | 'qcow2' | 'iso' | 'vmdk' | 'aki' | 'ari' | 'ami';
  readonly container_format: 'bare' | 'aki' | 'ari' | 'ami';
  readonly visibility?: 'private' | 'public' | 'shared';
  readonly tags?: readonly string[];
  readonly min_disk?: number;
  readonly min_ram?: number;
  /** `kernel_id`, `hw_disk_bus`, ... */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Only its description; the bytes are sent by `uploadImage` or fetched by `importImage`. */
export async function createImage(
  cloud: Cloud,
  { properties, ...wanted }: NewImage,
  signal: AbortSignal,
): Promise<Image> {
  const body = { ...properties, ...wanted };
  const call = { service: 'image', method: 'POST', path: '/v2/images', body } as const;
  return cloud.json({ ...call, doing: `create image ${wanted.name}`, signal }, image);
}

/** Sends the bytes, and compares what Glance says to have with what was sent. An image that differs is removed. */
export async function uploadImage(
  cloud: Cloud,
  id: string,
  source: Upload,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<Image> {
  const doing = `upload image ${id}`;
  let sent = watched(source, onProgress);
  await cloud.send({
    service: 'image',
    method: 'PUT',
    path: path`/v2/images/${id}/file`,
    upload: { ...source, open: () => (sent = watched(source, onProgress)).read() },
    // What Glance began to take it keeps for a while, and then it refuses the same again.
    repeatable: false,
    doing,
    signal,
  });
  const found = await getImage(cloud, id, signal);
  const hash = sent.hash();
  const isSame = found.os_hash_algo === 'sha512' ? found.os_hash_value === hash : found.size === sent.bytes();
  if (isSame && found.status === 'active') return found;
  await deleteImage(cloud, id, signal);
  throw new SuperfluidityError('SF-OPENSTACK-CHECKSUM', {
    doing,
    reason: `${sent.bytes()} bytes with SHA-512 ${hash.slice(0, 16)}... were sent, Glance has ${found.size ?? 0} bytes with ${found.os_hash_algo ?? 'no hash'} ${(found.os_hash_value ?? '').slice(0, 16)}..., status ${found.status}`,
  });
}

function watched(source: Upload, onProgress: (sentBytes: number) => void) {
  const sha512 = createHash('sha512');
  let bytes = 0;
  return {
    async *read(): AsyncGenerator<Uint8Array> {
      for await (const piece of source.open()) {
        sha512.update(piece);
        bytes += piece.length;
        yield piece;
        onProgress(bytes);
      }
    },
    bytes: () => bytes,
    hash: () => sha512.digest('hex'),
  };
}

/** Glance fetches the bytes itself; the image becomes `active`, or says in `os_glance_failed_import` that it did not. */
export async function importImage(cloud: Cloud, id: string, uri: string, signal: AbortSignal): Promise<void> {
  const body = { method: { name: 'web-download', uri } };
  const call = { service: 'image', method: 'POST', path: path`/v2/images/${id}/import`, body } as const;
  await cloud.send({ ...call, doing: `import image ${id} from ${uri}`, signal });
}

export async function deleteImage(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'image', method: 'DELETE', path: path`/v2/images/${id}` } as const;
  await cloud.remove({ ...call, doing: `delete image ${id}`, signal });
}
