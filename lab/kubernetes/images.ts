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

export interface Image {
  readonly name: string;
  /** `config` of the image specification of OCI: `Cmd`, `Entrypoint`, `Env`. */
  readonly config: Readonly<Record<string, unknown>>;
}

export async function buildImages(archive: string): Promise<void> {
  const image = (name: string, command: readonly string[]): Image => ({
    name,
    config: { Env: [`PATH=${PATH}`], Cmd: command, WorkingDir: '/' },
  });
  const images = [image(IMAGES.pause, ['/bin/sleep', 'inf']), image(IMAGES.busybox, ['/bin/sh'])];
  await writeImages(archive, busyboxRoot, images);
}

/** An archive in the layout of OCI (image-spec, image-layout.md) with all images; they have one layer, which `fill` makes. */
export async function writeImages(
  archive: string,
  fill: (root: string) => Promise<void>,
  images: readonly Image[],
): Promise<void> {
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
    await fill(join(folder, 'root'));
    const layerFile = join(folder, 'layer.tar');
    // The same bytes each time, so that the images have the same digests.
    await tar(join(folder, 'root'), layerFile);
    const layer = add(readFileSync(layerFile));
    const manifests = images.map(({ name, config: inner }) => {
      const config = add(
        JSON.stringify({
          architecture: process.arch === 'x64' ? 'amd64' : process.arch,
          os: 'linux',
          config: inner,
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
    });
    writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    await tar(layout, archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A shell, its tools and the folders that programs look for. */
export async function busyboxRoot(root: string): Promise<void> {
  const busybox = BUSYBOX.find((path) => existsSync(path));
  if (busybox === undefined)
    throw new SuperfluidityError('SF-LAB-PACKAGES', { doing: 'make an image', reason: 'missing: busybox-static' });
  for (const path of ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var'])
    mkdirSync(join(root, path), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const name of (await run([busybox, '--list'])).split('\n').filter((one) => one !== '' && one !== 'busybox'))
    symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
}

async function tar(folder: string, archive: string): Promise<void> {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  await run(['tar', '--directory', folder, ...same, '--create', '--file', archive, '.']);
}
