import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { type Clock, SuperfluidityError, systemClock } from '@superfluidity/core';
import { isAlive, killProcess, type ProcessRef, spawnDetached, waitForExit } from '@superfluidity/router';
import './errors.ts';
import { FACTS_READ } from './guest-kernel.ts';
import { QmpClient } from './qmp.ts';

/** Micro virtual machines: QEMU's microvm machine type, direct kernel boot, a TAP device, control through QMP. */

export interface VmSettings {
  /** Of this machine: sockets, console and log lie there. A Unix socket's path may have 107 bytes. */
  readonly folder: string;
  readonly namespace: string;
  /** Made with `createTap` in that namespace, and up. */
  readonly tap: string;
  readonly mac: string;
  readonly kernelPath: string;
  readonly initramfsPath: string;
  readonly memoryMiB: number;
  readonly cpus?: number;
  /** `tcg` interprets: it works everywhere. */
  readonly accelerator: 'kvm' | 'tcg';
  /** For the init of `buildInitramfs`. Addresses with prefix length, the gateway without. */
  readonly address?: string;
  readonly gateway?: string;
  readonly virtualAddress?: string;
  readonly mtu?: number;
}

export interface Vm {
  readonly process: ProcessRef;
  readonly qmpPath: string;
  readonly consolePath: string;
}

const SOCKET_TIMEOUT_MS = 10_000;
const SOCKET_POLL_MS = 2;
const FACTS_TIMEOUT_MS = 20_000;
const CONSOLE_SEEN_MAX = 4096;
const NO_SPACE = /^\S+$/;

/**
 * A microvm has no clock chip from which an interpreted processor could learn its speed: without these parameters the
 * kernel waits for a timer that never ticks. QEMU's interpreter counts exactly 1 GHz; Debian's kernels tick at 250 Hz.
 */
const TCG_CLOCK = 'tsc_early_khz=1000000 tsc=reliable lpj=4000000';

function commandLine(vm: VmSettings): string {
  const words = [
    'console=ttyS0,115200 quiet reboot=t panic=-1 no_timer_check random.trust_cpu=on',
    ...(vm.accelerator === 'tcg' ? [TCG_CLOCK, 'mitigations=off'] : []),
  ];
  const own = { 'sf.ip': vm.address, 'sf.gw': vm.gateway, 'sf.vip': vm.virtualAddress, 'sf.mtu': vm.mtu?.toString() };
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) continue;
    if (!NO_SPACE.test(value)) {
      throw new SuperfluidityError('SF-LINUX-BAD-ADDRESS', {
        doing: `set ${name} of a virtual machine`,
        reason: `${JSON.stringify(value)} has spaces`,
      });
    }
    words.push(`${name}=${value}`);
  }
  return words.join(' ');
}

export function qemuArgv(vm: VmSettings): readonly [string, ...string[]] {
  return [
    'qemu-system-x86_64',
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-no-reboot',
    '-M',
    'microvm,acpi=on,x-option-roms=off',
    '-accel',
    vm.accelerator,
    ...(vm.accelerator === 'kvm' ? ['-cpu', 'host'] : []),
    '-m',
    String(vm.memoryMiB),
    '-smp',
    String(vm.cpus ?? 1),
    '-kernel',
    vm.kernelPath,
    '-initrd',
    vm.initramfsPath,
    '-append',
    commandLine(vm),
    // What the guest prints is kept whether or not somebody is connected; what is written to the socket, it reads.
    '-chardev',
    `socket,id=console,path=${join(vm.folder, 'console.sock')},server=on,wait=off,logfile=${join(vm.folder, 'console.log')}`,
    '-serial',
    'chardev:console',
    '-qmp',
    `unix:${join(vm.folder, 'qmp.sock')},server=on,wait=off`,
    '-netdev',
    `tap,id=net0,ifname=${vm.tap},script=no,downscript=no`,
    '-device',
    `virtio-net-device,netdev=net0,mac=${vm.mac}`,
    '-sandbox',
    'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
  ];
}

/** Starts QEMU in the namespace of its TAP device. Resolves when it can be controlled: the guest is booting then. */
export async function startVm(settings: VmSettings, clock: Clock = systemClock): Promise<Vm> {
  const argv = qemuArgv(settings);
  const logPath = join(settings.folder, 'qemu.log');
  const qmpPath = join(settings.folder, 'qmp.sock');
  const process = await spawnDetached(argv, { namespace: settings.namespace, stdoutPath: logPath });
  for (let waited = 0; !existsSync(qmpPath); waited += SOCKET_POLL_MS) {
    const dead = !isAlive(process);
    if (dead || waited >= SOCKET_TIMEOUT_MS) {
      killProcess(process, 'SIGKILL');
      const answer = existsSync(logPath) ? readFileSync(logPath, 'utf8').slice(-2000) : '';
      throw new SuperfluidityError('SF-LINUX-VM', {
        doing: 'start a virtual machine',
        reason: dead ? 'QEMU ended at once' : 'QEMU offers no control socket',
        request: argv.join(' '),
        answer,
      });
    }
    await clock.sleep(SOCKET_POLL_MS);
  }
  return { process, qmpPath, consolePath: join(settings.folder, 'console.log') };
}

async function command(vm: Vm, name: string): Promise<void> {
  const client = await QmpClient.connect(vm.qmpPath);
  try {
    await client.execute(name);
  } finally {
    client.close();
  }
}

/** The processors stand still; memory and devices stay. */
export function pauseVm(vm: Vm): Promise<void> {
  return command(vm, 'stop');
}

export function resumeVm(vm: Vm): Promise<void> {
  return command(vm, 'cont');
}

/**
 * Tells the guest what it is, and lets it go: facts go in over its console, which works for a machine that was booted
 * before anybody knew what it would be, and only the machine itself can be reached by it. Resolves when the guest says
 * that it has them. `buildInitramfs` reads the other end: lines of text, then one that is a full stop.
 */
export async function giveFacts(vm: Vm, facts: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void> {
  const doing = 'tell a virtual machine its facts';
  const socket = connect(join(dirname(vm.consolePath), 'console.sock'));
  try {
    await new Promise<void>((resolve, reject) => {
      let seen = '';
      const refuse = (reason: string) => reject(new SuperfluidityError('SF-LINUX-VM', { doing, reason, answer: seen }));
      socket.setTimeout(FACTS_TIMEOUT_MS, () => refuse(`no answer within ${FACTS_TIMEOUT_MS} ms`));
      socket.once('error', (error) => refuse(error.message));
      socket.once('close', () => refuse('QEMU closed the console'));
      signal?.addEventListener('abort', () => refuse('cancelled'), { once: true });
      socket.on('data', (chunk: Buffer) => {
        seen = (seen + chunk.toString('latin1')).slice(-CONSOLE_SEEN_MAX);
        if (seen.includes(FACTS_READ)) resolve();
      });
      socket.once('connect', () => {
        socket.write(factsLines(facts));
        resumeVm(vm).catch(reject);
      });
    });
  } finally {
    socket.destroy();
  }
}

/** Plain ASCII in lines that the guest's terminal takes (N_TTY: 4095 characters), and no character that edits them. */
export function factsLines(facts: Readonly<Record<string, string>>): string {
  const text = JSON.stringify(facts).replaceAll(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const lines = text.match(/.{1,1000}/g) ?? [];
  return `${[...lines.map((line) => `=${line}`), '.'].join('\n')}\n`;
}

/** The power button: what the guest makes of it is its own affair. */
export function pressPowerButton(vm: Vm): Promise<void> {
  return command(vm, 'system_powerdown');
}

/** Ends it at once. Idempotent. */
export async function destroyVm(vm: Pick<Vm, 'process'>): Promise<void> {
  if (!killProcess(vm.process, 'SIGTERM')) return;
  if (await waitForExit(vm.process, 2000)) return;
  killProcess(vm.process, 'SIGKILL');
  await waitForExit(vm.process, 5000);
}
