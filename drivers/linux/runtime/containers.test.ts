import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { namespaceInode } from '@superfluidity/netlink';
import { deleteCgroup } from '../kernel/cgroup.ts';
import { missingForKernelTests, TestNamespaces, titled } from '@superfluidity/netlink/testing';
import { prepareImage } from './images.ts';
import { createContainer, deleteContainer, listContainers, startContainer, stopContainer } from './oci.ts';
import { containerConfig, type ContainerSettings, NETWORK_CAPABILITIES } from './oci-spec.ts';
import { removeRootfs } from './rootfs.ts';

const absent = missingForKernelTests(['runc', 'tar', 'busybox']);
const folder = mkdtempSync(join(tmpdir(), 'superfluidity-container-test-'));
const cache = join(folder, 'images');
const runtime = { program: 'runc', root: join(folder, 'runc') } as const;
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (absent === undefined) await deleteCgroup(`sftc-${process.pid}`);
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

/** Runs a container to its end and returns what it printed. */
async function output(id: string, image: string, settings: Partial<ContainerSettings>): Promise<string> {
  using namespaces = new TestNamespaces();
  const network = namespaces.create();
  const bundle = join(folder, id);
  mkdirSync(bundle, { recursive: true });
  const { rootfs, process } = await prepareImage(image, cache, bundle);
  const config = containerConfig({
    ...rootfs,
    args: process.args,
    env: process.env,
    cwd: process.cwd,
    networkNamespace: `/run/netns/${network}`,
    cgroup: `/sftc-${globalThis.process.pid}/${id}`,
    ...settings,
    mounts: [...rootfs.mounts, ...(settings.mounts ?? [])],
  });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  const log = join(bundle, 'out');
  try {
    expect((await createContainer(runtime, id, { bundle, stdoutPath: log })).status).toBe('created');
    expect(readFileSync(log, 'utf8')).toBe('');
    await startContainer(runtime, id);
    await until(() => listContainers(runtime).find((state) => state.id === id)?.status === 'stopped');
    return readFileSync(log, 'utf8').replace(`net:[${namespaceInode(network)}]`, 'its network');
  } finally {
    await deleteContainer(runtime, id);
    await removeRootfs(bundle);
  }
}

/** An OCI image layout from folders that become layers. */
function layout(path: string, layers: readonly Buffer[], config: object): void {
  const blobs = join(path, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const manifest = {
    schemaVersion: 2,
    config: put(Buffer.from(JSON.stringify({ config })), 'application/vnd.oci.image.config.v1+json'),
    layers: layers.map((layer) => put(gzipSync(layer), 'application/vnd.oci.image.layer.v1.tar+gzip')),
  };
  const descriptor = put(Buffer.from(JSON.stringify(manifest)), 'application/vnd.oci.image.manifest.v1+json');
  writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
}

function tarOf(files: Readonly<Record<string, string>>, ...flags: readonly string[]): Buffer {
  const source = mkdtempSync(join(folder, 'layer-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(source, name, '..'), { recursive: true });
    writeFileSync(join(source, name), text);
  }
  // Files alone: a folder in a layer would take the place of a link below it.
  return execFileSync('tar', ['-C', source, ...flags, '-c', ...Object.keys(files).map((name) => `./${name}`)]);
}

function busyboxLayer(): Buffer {
  const source = mkdtempSync(join(folder, 'busybox-'));
  mkdirSync(join(source, 'usr/bin'), { recursive: true });
  execFileSync('cp', ['/bin/busybox', join(source, 'usr/bin/busybox')]);
  for (const tool of ['sh', 'cat', 'ls']) execFileSync('ln', ['-s', 'busybox', join(source, 'usr/bin', tool)]);
  execFileSync('ln', ['-s', '/usr/bin', join(source, 'bin')]);
  for (const name of ['gone', 'kept']) writeFileSync(join(source, name), name);
  mkdirSync(join(source, 'opaque'));
  writeFileSync(join(source, 'opaque/below'), 'x');
  return execFileSync('tar', ['-C', source, '-c', '.'], { maxBuffer: 32 << 20 });
}

describe.skipIf(absent !== undefined)(titled('containers', absent), () => {
  it('run the programs of the machine in a cage', { timeout: 20_000 }, async () => {
    writeFileSync(join(folder, 'settings.json'), '{"a":1}');
    const text = await output('host', 'host:', {
      args: [
        '/bin/sh',
        '-c',
        'readlink /proc/self/ns/net; node -p "6*7"; cat /srv/settings.json; grep CapEff /proc/self/status; ls /proc | grep -c "^[0-9]"; ' +
          'echo > /x; echo > /tmp/y && echo tmp; unshare -n true; mount -t tmpfs x /tmp; echo > /srv/settings.json; ls /root/.ssh /home',
      ],
      mounts: [{ source: join(folder, 'settings.json'), destination: '/srv/settings.json' }],
      limits: { cpuCores: 1, memoryMiB: 128, pidsMax: 64 },
    });
    expect(text).toContain('its network\n42\n{"a":1}CapEff:\t00000000000004eb\n');
    expect(text).toContain('tmp\n');
    for (const refusal of ['/x: Read-only', 'unshare failed: Operation not permitted', 'settings.json: Read-only']) {
      expect(text).toContain(refusal);
    }
    expect(text).toMatch(/mount: .*permission denied|must be superuser|mount.*Operation not permitted/);
    expect(existsSync(`/sys/fs/cgroup/pids/sftc-${process.pid}/host`)).toBe(false);
  });

  it('let a network function change its own network and tell why a creation fails', { timeout: 20_000 }, async () => {
    const text = await output('nf', 'host:', {
      args: ['/bin/sh', '-c', 'ip link set lo up && ip -br link show lo'],
      capabilities: NETWORK_CAPABILITIES,
    });
    expect(text).toMatch(/^lo +UNKNOWN/);
    await expect(output('bad', 'host:', { args: ['/no/such/program'] })).rejects.toEqual(
      expect.objectContaining({
        code: 'SF-LINUX-CONTAINER',
        details: expect.objectContaining({ answer: expect.stringContaining('no such file') }),
      }),
    );
    expect(listContainers(runtime)).toEqual([]);
  });

  it('unpack an OCI layout with whiteouts, as a folder and as a tar file', { timeout: 20_000 }, async () => {
    const path = join(folder, 'layout');
    const upper = tarOf({
      '.wh.gone': '',
      'opaque/.wh..wh..opq': '',
      'opaque/above': 'y',
      'bin/extra': 'through a link',
    });
    layout(path, [busyboxLayer(), upper], {
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['ls -d /gone /kept; ls /opaque; cat /usr/bin/extra; echo > /new; echo $A; pwd'],
      Env: ['A=b=c'],
      WorkingDir: '/opaque',
    });
    const expected =
      /\/kept\nls: \/gone: No such file or directory\nabove\nthrough a linkb=c\n\/opaque\n|ls: \/gone.*\n\/kept\nabove\nthrough a linkb=c\n\/opaque\n/;
    expect(await output('layout', `oci:${path}`, {})).toMatch(expected);
    const file = join(folder, 'layout.tar');
    execFileSync('tar', ['-C', path, '-cf', file, '.']);
    expect(await output('archive', `oci:${file}`, {})).toMatch(expected);
  });

  it('stop gracefully, then with force', { timeout: 20_000 }, async () => {
    using namespaces = new TestNamespaces();
    const bundle = join(folder, 'stop');
    mkdirSync(bundle, { recursive: true });
    const { rootfs } = await prepareImage('host:', cache, bundle);
    const args = ['/bin/sh', '-c', 'trap "echo term" TERM; echo up; while :; do sleep 0.1; done'];
    const config = containerConfig({
      ...rootfs,
      args,
      networkNamespace: `/run/netns/${namespaces.create()}`,
      cgroup: `/sftc-${process.pid}/stop`,
    });
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    await createContainer(runtime, 'stop', { bundle, stdoutPath: join(bundle, 'out') });
    await startContainer(runtime, 'stop');
    await startContainer(runtime, 'stop');
    await until(() => readFileSync(join(bundle, 'out'), 'utf8') === 'up\n');
    expect(await stopContainer(runtime, 'stop', 300)).toBe(true);
    expect(readFileSync(join(bundle, 'out'), 'utf8')).toBe('up\nterm\n');
    await deleteContainer(runtime, 'stop');
    await deleteContainer(runtime, 'stop');
    await removeRootfs(bundle);
    expect(listContainers(runtime)).toEqual([]);
  });
});

describe.skipIf(absent !== undefined)(titled('images', absent), () => {
  const outside = join(folder, 'outside');

  it.each([
    ['..', ['--transform=s|./evil|../../../../..PATH/evil|', '-P']],
    ['absolute', ['--transform=s|./evil|PATH/evil|', '-P']],
  ])('stay inside their folder when a name is %s', async (name, flags) => {
    mkdirSync(outside, { recursive: true });
    const path = join(folder, `evil-${name}`);
    layout(path, [tarOf({ evil: 'x' }, ...flags.map((flag) => flag.replace('PATH', outside)))], {});
    const bundle = join(folder, `evil-bundle-${name}`);
    const { rootfs } = await prepareImage(`oci:${path}`, cache, bundle);
    expect(existsSync(join(outside, 'evil'))).toBe(false);
    expect(existsSync(join(rootfs.rootfs, outside, 'evil'))).toBe(true);
    await removeRootfs(bundle);
  });

  it('stay inside their folder when a link leads out', async () => {
    mkdirSync(outside, { recursive: true });
    const source = mkdtempSync(join(folder, 'link-'));
    execFileSync('ln', ['-s', outside, join(source, 'way')]);
    const path = join(folder, 'evil-link');
    layout(path, [execFileSync('tar', ['-C', source, '-c', '.']), tarOf({ 'way/evil': 'x' })], {});
    const bundle = join(folder, 'evil-bundle-link');
    await prepareImage(`oci:${path}`, cache, bundle);
    expect(existsSync(join(outside, 'evil'))).toBe(false);
    await removeRootfs(bundle);
  });

  it.each(['docker:x', 'oci:/no/such/path', 'folder:/no/such/path', 'host:x', ''])('refuse %j', async (image) => {
    await expect(prepareImage(image, cache, join(folder, 'refused'))).rejects.toEqual(
      expect.objectContaining({ code: 'SF-LINUX-IMAGE' }),
    );
  });

  it('refuse a layer whose content is not what its digest says', async () => {
    const path = join(folder, 'forged');
    layout(path, [tarOf({ a: 'a' })], {});
    const index = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'));
    const blob = (digest: string) => join(path, 'blobs/sha256', digest.slice(7));
    const manifest = JSON.parse(readFileSync(blob(index.manifests[0].digest), 'utf8'));
    writeFileSync(blob(manifest.layers[0].digest), gzipSync(tarOf({ b: 'b' })));
    await expect(prepareImage(`oci:${path}`, cache, join(folder, 'forged-bundle'))).rejects.toEqual(
      expect.objectContaining({ code: 'SF-LINUX-IMAGE' }),
    );
  });
});
