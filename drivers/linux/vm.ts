import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SuperfluidityError, systemClock } from '@superfluidity/core';
import type { HealthCheck } from '@superfluidity/model';
import { isAlive, type Scope } from '@superfluidity/router';
import { guestCacheFolder } from './guest.ts';
import { awaitHealthy } from './health.ts';
import { addToCgroup, createCgroup } from './kernel/cgroup.ts';
import { ping } from './kernel/icmp.ts';
import { buildInitramfs, FACTS_AWAITED, fetchGuestKernel, type ServiceFile } from './runtime/guest-kernel.ts';
import { acceleratorFor } from './machine.ts';
import { pauseVm, startVm, type Vm } from './runtime/qemu.ts';
import { portDevice, type Slot } from './wiring.ts';

/** Units that are micro virtual machines: booted and paused when they are prepared, let go when they start. */
export interface VmWish {
  readonly scope: Scope;
  readonly slot: Slot;
  /** Namespace of the host, in which the TAP device is. */
  readonly namespace: string;
  readonly folder: string;
  readonly cgroup: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: string | undefined;
  readonly serviceAddress: string | undefined;
  readonly health: HealthCheck | undefined;
  readonly cpu: number;
  readonly memoryMiB: number;
}

/** What QEMU needs beside the memory of its guest. */
const OVERHEAD_MIB = 192;
const PIDS_MAX = 64;
/** As in containers. */
const FACTS_INSIDE = '/run/superfluidity';
const FILES_MAX = 10_000;
const FILES_BYTES_MAX = 256 << 20;
/** The whole boot; an interpreted processor is some twenty times slower than a real one. */
const BOOT_TIMEOUT_MS = { kvm: 15_000, tcg: 60_000 } as const;
const FACTS_READER_TIMEOUT_MS = 20_000;
const PING_INTERVAL_MS = 20;

export async function prepareVm(wish: VmWish, signal: AbortSignal): Promise<Vm> {
  const { slot } = wish;
  const doing = `boot a virtual machine for slot ${slot.id}`;
  const port = slot.ports[0];
  if (port === undefined || slot.ports.length > 1) {
    throw new SuperfluidityError('SF-SITE-ENVIRONMENT', {
      doing,
      reason: `it has ${slot.ports.length} ports instead of 1`,
    });
  }
  if (wish.image !== 'guest:') {
    throw new SuperfluidityError('SF-SITE-IMAGE', {
      doing,
      reason: `images of virtual machines are 'guest:', not '${wish.image}'`,
    });
  }
  const kernel = await fetchGuestKernel(guestCacheFolder(), signal);
  const initramfsPath = storeInitramfs(wish.scope, buildInitramfs(kernel, serviceFiles(wish)));
  const accelerator = await acceleratorFor(kernel.kernelPath);
  createCgroup(wish.cgroup, {
    cpuCores: Math.max(wish.cpu, 0.1),
    memoryMiB: wish.memoryMiB + OVERHEAD_MIB,
    pidsMax: PIDS_MAX,
  });
  const vm = await startVm({
    folder: wish.folder,
    namespace: wish.namespace,
    tap: portDevice(port.number),
    mac: port.mac,
    kernelPath: kernel.kernelPath,
    initramfsPath,
    memoryMiB: wish.memoryMiB,
    cpus: Math.max(1, Math.floor(wish.cpu)),
    accelerator,
    address: `${port.address}/32`,
    gateway: port.gateway,
    mtu: port.mtu,
    ...(wish.serviceAddress === undefined ? {} : { virtualAddress: `${wish.serviceAddress}/32` }),
  });
  addToCgroup(wish.cgroup, vm.process.pid);
  await ping(wish.namespace, port.address, {
    timeoutMs: BOOT_TIMEOUT_MS[accelerator],
    intervalMs: PING_INTERVAL_MS,
    signal,
  });
  // Stopped only when its service answers: what is let go from here is ready at once.
  if (wish.health !== undefined) {
    const ended = () => (isAlive(vm.process) ? undefined : 'QEMU ended');
    await awaitHealthy(doing, wish.health, { namespace: wish.namespace, address: port.address, ended }, signal);
  }
  await awaitFactsReader(doing, vm, signal);
  await pauseVm(vm);
  return vm;
}

/** The network is up before the first program comes to reading. Pausing there makes the start cost one line of it. */
async function awaitFactsReader(doing: string, vm: Vm, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + FACTS_READER_TIMEOUT_MS;
  while (!readFileSync(vm.consolePath, 'latin1').includes(FACTS_AWAITED)) {
    const reason = signal.aborted ? 'cancelled' : isAlive(vm.process) ? 'its first program is not ready' : 'QEMU ended';
    if (signal.aborted || !isAlive(vm.process) || performance.now() >= deadline)
      throw new SuperfluidityError('SF-LINUX-VM', { doing, reason });
    await systemClock.sleep(PING_INTERVAL_MS, signal).catch(() => {});
  }
}

/** Equal contents are one file, however many machines boot from it. */
function storeInitramfs(scope: Scope, content: Buffer): string {
  const folder = join(scope.folder, 'guests');
  const path = join(folder, `${createHash('sha256').update(content).digest('hex').slice(0, 32)}.cpio`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.partial`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, path);
  return path;
}

function serviceFiles(wish: VmWish): readonly ServiceFile[] {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const badName = Object.keys(wish.env).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (badName !== undefined) {
    throw new SuperfluidityError('SF-SITE-UNIT-FAILED', { reason: `'${badName}' cannot be the name of a variable` });
  }
  const script = [
    '#!/bin/sh',
    `export FACTS_FILE=${FACTS_INSIDE}/facts.json`,
    ...(wish.files === undefined ? [] : ['ln -s /service/app /app']),
    ...Object.entries(wish.env).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...(wish.command.length === 0 ? [] : [`exec ${wish.command.map(quote).join(' ')}`]),
    '',
  ].join('\n');
  return [{ path: 'run', content: script, executable: true }, ...packFolder(wish.files)];
}

function packFolder(root: string | undefined): readonly ServiceFile[] {
  if (root === undefined) return [];
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  let bytes = 0;
  return entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    bytes += statSync(path).size;
    if (entries.length > FILES_MAX || bytes > FILES_BYTES_MAX) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing: `pack ${root} for a virtual machine`,
        reason: `more than ${FILES_MAX} files or ${FILES_BYTES_MAX} bytes`,
      });
    }
    const executable = (statSync(path).mode & 0o100) !== 0;
    return { path: join('app', relative(root, path)), content: readFileSync(path), executable };
  });
}

export function vmOf(folder: string, process: Vm['process']): Vm {
  return { process, qmpPath: join(folder, 'qmp.sock'), consolePath: consolePath(folder) };
}

export function consolePath(folder: string): string {
  return join(folder, 'console.log');
}
