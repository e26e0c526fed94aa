import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { run } from '../command.ts';

/** There is no registry: images are made of what the machine has, and given to each node. */
export const IMAGES = {
  /** Holds the namespaces of a pod. */
  pause: 'superfluidity.test/pause:1',
  /** A shell and its tools. */
  busybox: 'superfluidity.test/busybox:1',
} as const;

const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'];
const PATH = '/bin:/usr/bin:/sbin:/usr/sbin';

/** An archive in the layout of OCI (image-spec, image-layout.md) with all images; they have one layer. */
export async function buildImages(archive: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-images-'));
  try {
    const layout = join(folder, 'layout');
    const blobs = join(layout, 'blobs/sha256');
    mkdirSync(blobs, { recursive: true });
    const add = (content: Uint8Array | string) => {
      const hex = createHash('sha256').update(content).digest('hex');
      writeFileSync(join(blobs, hex), content);
      return { digest: `sha256:${hex}`, size: Buffer.byteLength(content) };
    };
    const layer = add(readFileSync(await buildLayer(folder)));
    const image = (name: string, command: readonly string[]) => {
      const config = add(
        JSON.stringify({
          architecture: process.arch === 'x64' ? 'amd64' : process.arch,
          os: 'linux',
          config: { Env: [`PATH=${PATH}`], Cmd: command, WorkingDir: '/' },
          rootfs: { type: 'layers', diff_ids: [layer.digest] },
        }),
      );
      const manifest = add(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
          layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
        }),
      );
      return {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...manifest,
        annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
      };
    };
    const manifests = [image(IMAGES.pause, ['/bin/sleep', 'inf']), image(IMAGES.busybox, ['/bin/sh'])];
    writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    await tar(layout, archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same bytes each time, so that the images have the same digests. */
async function buildLayer(folder: string): Promise<string> {
  const busybox = BUSYBOX.find((path) => existsSync(path));
  if (busybox === undefined)
    throw new SuperfluidityError('SF-LAB-PACKAGES', { doing: 'make an image', reason: 'missing: busybox-static' });
  const root = join(folder, 'root');
  for (const path of ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var'])
    mkdirSync(join(root, path), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const name of (await run([busybox, '--list'])).split('\n').filter((one) => one !== '' && one !== 'busybox'))
    symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  const layer = join(folder, 'layer.tar');
  await tar(root, layer);
  return layer;
}

async function tar(folder: string, archive: string): Promise<void> {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  await run(['tar', '--directory', folder, ...same, '--create', '--file', archive, '.']);
}
