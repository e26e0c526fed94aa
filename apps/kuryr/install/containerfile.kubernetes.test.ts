import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXECUTABLE } from './pods.ts';
import { filesOfImage } from './testing/image.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FILE = join(ROOT, 'apps/kuryr/Containerfile');
const absent = missingForKernelTests(['podman', 'debootstrap', 'npm', 'tar']);
const run = promisify(execFile);
const MOST = { maxBuffer: 2 ** 26 } as const;
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const BUILD_MS = 900_000;

/**
 * The Containerfile as podman builds it. Its two base images are made here, Debian by debootstrap and the Node that runs this: there is
 * no registry of images. Packages of npm and of Debian are asked for as anybody would.
 */
describe.skipIf(absent !== undefined)(titled('the Containerfile', absent), () => {
  const tag = 'localhost/superfluidity-test/kuryr:1';
  const bases = [...readFileSync(FILE, 'utf8').matchAll(/^FROM (\S+)/gm)].map(([, name]) => name!);
  let folder: string;
  /** With images of its own: those of this machine keep their names. */
  const podman = async (...args: readonly string[]) => {
    const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
    return (await run('podman', [...storage, ...args], MOST)).stdout;
  };
  /** In a container without a network. Limits that Podman sets by itself may be more than this process is allowed. */
  const limits = ['nofile', 'nproc'].flatMap((name) => ['--ulimit', `${name}=1024:1024`]);
  const start = (...args: readonly string[]) =>
    podman('run', '--rm', '--network', 'none', '--read-only', ...limits, ...args);
  const inside = (program: string, ...args: readonly string[]) => start('--entrypoint', program, tag, ...args);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-containerfile-'));
    const archive = join(folder, 'base.tar');
    await makeBase(join(folder, 'base'), archive);
    for (const base of new Set(bases)) await podman('import', archive, base);
    // Where packages of npm come from is a matter of who builds.
    const settings = [
      [join(homedir(), '.npmrc'), '/root/.npmrc'],
      ['/etc/npmrc', '/usr/local/etc/npmrc'],
    ] as const;
    const volumes = settings.flatMap(([here, there]) => (existsSync(here) ? ['--volume', `${here}:${there}:ro`] : []));
    const how = ['--pull=never', '--network', 'host', '--isolation', 'chroot', '--quiet', ...volumes];
    await podman('build', ...how, '--file', FILE, '--tag', tag, ROOT);
  }, BUILD_MS);
  afterAll(async () => {
    await podman('rmi', '--all', '--force');
    rmSync(folder, { recursive: true, force: true });
  });

  test('has what the image has that the laboratory runs, and no test', async () => {
    const found = (await inside('find', '/opt/superfluidity', '-type', 'f')).trim().split('\n');
    const own = found.filter((path) => !path.includes('/node_modules/'));
    expect(own.filter((path) => path.endsWith('.test.ts'))).toEqual([]);
    const wanted = filesOfImage().filter((path) => !path.endsWith('.test.ts'));
    expect(own).toEqual(expect.arrayContaining(wanted));
    for (const program of ['nft', 'conntrack', 'nsenter']) expect(await inside('which', program)).toContain(program);
  });

  test('starts as controller and as daemon, as nobody, and has the plugin', async () => {
    const help = await start(tag, '--help');
    expect(help).toMatch(/controller[\s\S]*cni/);
    expect(await inside('id', '-u')).toBe('65532\n');
    const version = await inside('env', 'CNI_COMMAND=VERSION', EXECUTABLE);
    expect(JSON.parse(version)).toMatchObject({ supportedVersions: expect.arrayContaining(['1.1.0']) });
  });
});

/** What the official images of Node are as far as the Containerfile asks: Debian 12 with Node, npm, and gcc. */
async function makeBase(root: string, archive: string): Promise<void> {
  // As apt of this machine has it.
  const targets = ['indextargets', '--format', '$(RELEASE) $(SITE)', 'Created-By: Packages'];
  const sites = (await run('apt-get', targets)).stdout.split('\n').map((line) => line.split(' '));
  const site = sites.find(([release]) => release === 'bookworm')?.[1] ?? 'http://deb.debian.org/debian';
  const packages = '--include=ca-certificates,gcc,libc6-dev';
  await run('debootstrap', ['--variant=minbase', packages, 'bookworm', root, site], MOST);
  // Whom this machine trusts: what is between it and npm may sign for itself.
  cpSync(CERTIFICATES, join(root, CERTIFICATES));
  const local = join(root, 'usr/local');
  cpSync(process.execPath, join(local, 'bin/node'));
  const npm = dirname(dirname(realpathSync((await run('which', ['npm'])).stdout.trim())));
  mkdirSync(join(local, 'lib/node_modules'), { recursive: true });
  cpSync(npm, join(local, 'lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
  await run('tar', ['--directory', root, '--create', '--file', archive, '.'], MOST);
}
