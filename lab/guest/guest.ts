import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SuperfluidityError } from '@superfluidity/core';
import { acceleratorFor, encodeCpio, fetchGuestKernel, file, folder, symlink } from '@superfluidity/driver-linux/guest';
import '../errors.ts';
import { labEnvironment } from '../command.ts';
import { labCacheFolder } from '../paths.ts';
import { makeDisk } from './disk.ts';

/**
 * A virtual machine of a test, on QEMU: Debian's cloud kernel, a root file system of the test's own, and one device whose packets go to
 * a TAP device of this machine. Beside it there is a network of QEMU's own, in user space, by which the test tells it what to do, and by
 * which it reaches the loopback of this machine.
 */

/** Each needs the ones before it. */
const MODULES = [
  'virtio_ring',
  'virtio',
  'failover',
  'net_failover',
  'virtio_net',
  'virtio_mmio',
  'virtio_blk',
  'llc',
  'stp',
  'garp',
  'mrp',
  '8021q',
  'macvlan',
];
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'];
const FOLDERS = ['bin', 'dev', 'disk', 'lib', 'lib/modules', 'proc', 'sys'];
/** A microvm has no clock chip from which an interpreted processor could learn its speed. */
const TCG_CLOCK = 'tsc_early_khz=1000000 tsc=reliable lpj=4000000 mitigations=off';
const DOOR_MAC = '52:54:00:00:00:01';
const DOOR_PORT = 9999;
/** An interpreted processor on a machine that others keep busy. */
const BOOT_MS = 300_000;
const COMMAND_MS = 60_000;
const POLL_MS = 100;
const LOG_CHARACTERS = 3_000;

interface GuestDevice {
  /** TAP device of this machine, which is there and up. */
  readonly tap: string;
  readonly mac: string;
  /** In the guest. */
  readonly name: string;
  /** With prefix length. */
  readonly address: string;
  readonly mtu: number;
}

interface GuestOptions {
  /** Fills a folder with what the guest shall have, which has `bin/busybox` and the folders that it mounts on. */
  readonly fill: (root: string) => Promise<void>;
  readonly device: GuestDevice;
  /** Under this address the guest finds the loopback of this machine; it has another one of the same prefix of 24 bits. */
  readonly machine: string;
  readonly memoryMiB: number;
}

export const missingForGuests = (): string | undefined => {
  if (!existsSync('/usr/bin/qemu-system-x86_64')) return 'needs qemu-system-x86';
  if (!existsSync('/usr/sbin/mke2fs')) return 'needs e2fsprogs';
  return BUSYBOX.some((path) => existsSync(path)) ? undefined : 'needs busybox-static';
};

export class Guest {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #port: number;
  /** Who says it first is let in. */
  readonly #word: string;

  /** Resolves when it runs commands. */
  static async start(options: GuestOptions): Promise<Guest> {
    const at = mkdtempSync(join(tmpdir(), 'superfluidity-guest-'));
    try {
      const disk = join(at, 'disk');
      const word = randomBytes(16).toString('hex');
      await makeDisk(disk, options.fill);
      const kernel = await fetchGuestKernel(join(labCacheFolder(), 'worker'), undefined, MODULES);
      writeFileSync(join(at, 'initramfs'), initramfs(kernel.modules, word), { mode: 0o600 });
      const accelerator = await acceleratorFor(kernel.kernelPath);
      const port = await freePort();
      const argv = qemuArgv({ ...options, at, port, accelerator, kernel: kernel.kernelPath });
      const log = openSync(join(at, 'qemu.log'), 'a', 0o600);
      const child = spawn('qemu-system-x86_64', argv, { stdio: ['ignore', log, log], env: labEnvironment() });
      closeSync(log);
      const guest = new Guest(at, child, port, word);
      try {
        await guest.#booted();
        return guest;
      } catch (error) {
        await guest.stop();
        throw error;
      }
    } catch (error) {
      rmSync(at, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(at: string, child: ChildProcess, port: number, word: string) {
    this.#folder = at;
    this.#child = child;
    this.#port = port;
    this.#word = word;
    child.on('error', () => {});
  }

  /** A script for the shell of the guest, as root. Its output, with that of errors; rejects where it fails. */
  async run(script: string, timeoutMs = COMMAND_MS): Promise<string> {
    const { code, output } = await this.ask(script, timeoutMs);
    if (code === 0) return output;
    throw new Error(`in the guest ${script} ended with ${code}: ${output.slice(-LOG_CHARACTERS)}`);
  }

  async ask(script: string, timeoutMs = COMMAND_MS): Promise<{ readonly code: number; readonly output: string }> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms to ${script}`)));
    // The shell reads lines: the last one ends it.
    socket.write(`${this.#word}\n( ${script}\n) </dev/null 2>&1; echo "lab-guest:$?"; exit\n`);
    let text = '';
    for await (const piece of socket.setEncoding('utf8') as AsyncIterable<string>) text += piece;
    const end = /lab-guest:(\d+)\n$/.exec(text);
    if (end === null) throw new Error(`the guest broke off: ${text.slice(-LOG_CHARACTERS)}`);
    return { code: Number(end[1]), output: text.slice(0, end.index) };
  }

  console(): string {
    const path = join(this.#folder, 'console.log');
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #booted(): Promise<void> {
    const deadline = performance.now() + BOOT_MS;
    while (true) {
      const isThere = this.console().includes('lab guest: ready');
      if (isThere && (await this.ask('true').catch(() => undefined))?.code === 0) return;
      const { exitCode } = this.#child;
      if (exitCode !== null || performance.now() >= deadline) {
        const log = readFileSync(join(this.#folder, 'qemu.log'), 'utf8') + this.console();
        throw new SuperfluidityError('SF-LAB-PROCESS', {
          doing: 'boot a virtual machine',
          reason: exitCode === null ? `it did not answer within ${BOOT_MS} ms` : 'QEMU ended',
          answer: log.slice(-LOG_CHARACTERS),
        });
      }
      await sleep(POLL_MS);
    }
  }
}

type GuestModules = readonly { readonly name: string; readonly path: string }[];

interface QemuWish extends Pick<GuestOptions, 'device' | 'machine' | 'memoryMiB'> {
  readonly at: string;
  readonly port: number;
  readonly kernel: string;
  readonly accelerator: 'kvm' | 'tcg';
}

function qemuArgv({ at, port, kernel, accelerator, device, machine, memoryMiB }: QemuWish): readonly string[] {
  const net = machine.slice(0, machine.lastIndexOf('.'));
  const inside = `${net}.99`;
  const { tap, mac, name, address, mtu } = device;
  const words = [
    'console=ttyS0,115200 quiet reboot=t panic=-1 no_timer_check random.trust_cpu=on',
    ...(accelerator === 'tcg' ? [TCG_CLOCK] : []),
    `lab.device=${DOOR_MAC}/door/${inside}/24/1500`,
    `lab.device=${mac}/${name}/${address}/${mtu}`,
  ];
  // Open vSwitch in user space takes packets as they are: checksums are made by the guest itself.
  const plain = 'csum=off,gso=off,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off';
  return [
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-no-reboot',
    '-M',
    'microvm,acpi=on,x-option-roms=off',
    '-accel',
    accelerator,
    ...(accelerator === 'kvm' ? ['-cpu', 'host'] : ['-cpu', 'max']),
    '-m',
    String(memoryMiB),
    '-smp',
    '1',
    '-kernel',
    kernel,
    '-initrd',
    join(at, 'initramfs'),
    '-append',
    words.join(' '),
    '-serial',
    `file:${join(at, 'console.log')}`,
    '-drive',
    `id=disk,file=${join(at, 'disk')},format=raw,if=none,readonly=on`,
    '-device',
    'virtio-blk-device,drive=disk',
    '-netdev',
    `user,id=door,ipv6=off,net=${net}.0/24,host=${machine},hostfwd=tcp:127.0.0.1:${port}-${inside}:${DOOR_PORT}`,
    '-device',
    `virtio-net-device,netdev=door,mac=${DOOR_MAC}`,
    '-netdev',
    `tap,id=data,ifname=${tap},script=no,downscript=no,vnet_hdr=off`,
    '-device',
    `virtio-net-device,netdev=data,mac=${mac},${plain}`,
    '-sandbox',
    'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
  ];
}

function initramfs(modules: GuestModules, word: string): Buffer {
  const busybox = BUSYBOX.find((path) => existsSync(path));
  if (busybox === undefined)
    throw new SuperfluidityError('SF-LAB-PACKAGES', { doing: 'make a guest', reason: 'missing: busybox-static' });
  return encodeCpio([
    ...FOLDERS.map((path) => folder(path)),
    file('bin/busybox', readFileSync(busybox), 0o755),
    symlink('sbin', 'bin'),
    file('init', readFileSync(new URL('init.sh', import.meta.url)), 0o755),
    file('lib/door.sh', readFileSync(new URL('door.sh', import.meta.url)), 0o755),
    file('lib/word', Buffer.from(word), 0o600),
    file('lib/modules/order', Buffer.from(`${modules.map(({ name }) => name).join('\n')}\n`)),
    ...modules.map(({ name, path }) => file(`lib/modules/${name}.ko`, readFileSync(path))),
  ]);
}

/** Free a moment ago: whoever takes it meanwhile makes the start fail. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
