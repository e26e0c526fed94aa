import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { run } from '@superfluidity/router';
import { type CpioEntry, encodeCpio, file, folder, symlink } from './cpio.ts';
import './errors.ts';

/** Kernel and first root file system of micro virtual machines. Nothing is installed on the machine itself. */

export interface GuestKernel {
  readonly kernelPath: string;
  /** The modules that a guest needs to have a network, in the order in which they are loaded. */
  readonly modules: readonly { readonly name: string; readonly path: string }[];
}

/** Order matters: each needs the ones before it. What is built into a kernel is absent from its modules. */
const MODULES = ['virtio_ring', 'virtio', 'failover', 'net_failover', 'virtio_net', 'virtio_mmio'];
const META_PACKAGE = 'linux-image-cloud-amd64';
const DOWNLOAD_TIMEOUT_MS = 180_000;
const BUSYBOX_PATHS = ['/bin/busybox', '/usr/bin/busybox'];

function refuse(doing: string, reason: string, cause?: unknown): never {
  throw new SuperfluidityError('SF-LINUX-GUEST-KERNEL', { doing, reason, ...(cause === undefined ? {} : { cause }) });
}

/** The kernel that was fetched before, if there is one. */
export function findGuestKernel(stateFolder: string, wanted: readonly string[] = MODULES): GuestKernel | undefined {
  const home = join(stateFolder, 'guest-kernel');
  const kernelPath = join(home, 'vmlinuz');
  if (!existsSync(kernelPath)) return undefined;
  const modules = wanted.flatMap((name) => {
    const path = join(home, `${name}.ko`);
    return existsSync(path) ? [{ name, path }] : [];
  });
  return { kernelPath, modules };
}

function filesBelow(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Takes Debian's cloud kernel from its package into the state folder, with these modules in the order in which they are
 * loaded. Idempotent; needs apt and the network once.
 */
export async function fetchGuestKernel(
  stateFolder: string,
  signal?: AbortSignal,
  wanted: readonly string[] = MODULES,
): Promise<GuestKernel> {
  const known = findGuestKernel(stateFolder, wanted);
  if (known !== undefined) return known;
  const doing = 'fetch a kernel for virtual machines';
  mkdirSync(stateFolder, { recursive: true });
  const work = mkdtempSync(join(stateFolder, 'guest-kernel-'));
  const options = { timeoutMs: DOWNLOAD_TIMEOUT_MS, cwd: work, ...(signal === undefined ? {} : { signal }) };
  try {
    const { stdout } = await run(['apt-cache', 'depends', META_PACKAGE], options);
    const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1] ?? refuse(doing, `${META_PACKAGE} names no kernel`);
    await run(['apt-get', 'download', name], options);
    const archive =
      readdirSync(work).find((entry) => entry.endsWith('.deb')) ?? refuse(doing, 'apt-get fetched nothing');
    await run(['dpkg-deb', '-x', archive, 'unpacked'], options);
    const files = filesBelow(join(work, 'unpacked'));
    const ready = join(work, 'ready');
    mkdirSync(ready);
    const kernel =
      files.find((path) => basename(path).startsWith('vmlinuz')) ?? refuse(doing, 'the package has no kernel');
    copyFileSync(kernel, join(ready, 'vmlinuz'));
    for (const module of wanted) {
      const path = files.find((candidate) => basename(candidate).startsWith(`${module}.ko`));
      if (path !== undefined) await run(['cp', path, join(ready, basename(path))], options);
      if (path?.endsWith('.xz') === true) await run(['xz', '-d', join(ready, basename(path))], options);
    }
    renameSync(ready, join(stateFolder, 'guest-kernel'));
  } catch (error) {
    if (error instanceof SuperfluidityError && error.code === 'SF-LINUX-GUEST-KERNEL') throw error;
    return refuse(doing, error instanceof Error ? error.message : String(error), error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return findGuestKernel(stateFolder, wanted) ?? refuse(doing, 'it is not there after it was fetched');
}

/** What the guest prints when it can be told its facts, and when it has them. */
export const FACTS_AWAITED = 'superfluidity: awaiting facts';
export const FACTS_READ = 'superfluidity: facts read';

/**
 * The first program of the guest. Addresses come on the kernel's command line; a service lies in /service and is
 * started from /service/run. Everything it prints goes to the console. Facts come in by the console, when it is known
 * what the machine is for: a service that runs before then waits for the file, which appears whole. Somebody who presses
 * Enter on the console gets a shell.
 */
const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
for module in $(cat /lib/modules/order); do insmod /lib/modules/$module.ko; done
for word in $(cat /proc/cmdline); do
  case "$word" in
    sf.ip=*) ip=\${word#sf.ip=} ;;
    sf.gw=*) gw=\${word#sf.gw=} ;;
    sf.vip=*) vip=\${word#sf.vip=} ;;
    sf.mtu=*) mtu=\${word#sf.mtu=} ;;
  esac
done
ip link set lo up
[ -n "$mtu" ] && ip link set eth0 mtu "$mtu"
ip link set eth0 up
[ -n "$ip" ] && ip addr add "$ip" dev eth0
[ -n "$vip" ] && ip addr add "$vip" dev lo
[ -n "$gw" ] && ip route add default via "$gw" dev eth0 onlink
echo "superfluidity: network ready"
if [ -x /service/run ]; then
  (cd /service; /service/run </dev/null; echo "superfluidity: service ended with $?") &
fi
mkdir -p /run/superfluidity
stty -echo
# What an interpreted processor does for the first time takes long. This is not the moment in which somebody waits.
printf %s {} >/run/superfluidity/rehearsal
mv /run/superfluidity/rehearsal /run/superfluidity/facts.json.new
rm /run/superfluidity/facts.json.new
echo "${FACTS_AWAITED}"
while read -r line; do
  case "$line" in
    =*) facts="$facts\${line#=}" ;;
    .) printf %s "$facts" >/run/superfluidity/facts.json.new
       mv /run/superfluidity/facts.json.new /run/superfluidity/facts.json
       echo "${FACTS_READ}"
       facts= ;;
    '') stty echo
        setsid cttyhack sh
        stty -echo ;;
  esac
done
while :; do sleep 3600; done
`;

export interface ServiceFile {
  /** Relative to /service. */
  readonly path: string;
  readonly content: Uint8Array | string;
  readonly executable?: boolean;
}

function serviceEntries(files: readonly ServiceFile[]): readonly CpioEntry[] {
  const folders = new Set<string>(['service']);
  const entries: CpioEntry[] = [];
  for (const { path, content, executable } of files) {
    const name = posix.normalize(`service/${path}`);
    if (!name.startsWith('service/')) refuse('pack the files of a service', `${path} leaves the folder of the service`);
    for (let parent = dirname(name); parent !== '.'; parent = dirname(parent)) folders.add(parent);
    entries.push(file(name, Buffer.from(content), executable === true ? 0o755 : 0o644));
  }
  return [...[...folders].toSorted().map((name) => folder(name)), ...entries];
}

/** A whole root file system in memory: busybox, the modules, and the files of the service. */
export function buildInitramfs(kernel: GuestKernel, files: readonly ServiceFile[] = []): Buffer {
  const busybox = BUSYBOX_PATHS.find((path) => existsSync(path) && statSync(path).size > 0);
  if (busybox === undefined) return refuse('build an initramfs', 'busybox-static is not installed');
  return encodeCpio([
    ...['bin', 'dev', 'etc', 'lib', 'lib/modules', 'proc', 'root', 'run', 'sys', 'tmp'].map((name) => folder(name)),
    file('bin/busybox', readFileSync(busybox), 0o755),
    symlink('sbin', 'bin'),
    file('init', Buffer.from(INIT), 0o755),
    file('lib/modules/order', Buffer.from(kernel.modules.map(({ name }) => name).join('\n'))),
    ...kernel.modules.map(({ name, path }) => file(`lib/modules/${name}.ko`, readFileSync(path))),
    ...serviceEntries(files),
  ]);
}
