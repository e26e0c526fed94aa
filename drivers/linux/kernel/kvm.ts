import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { run } from './command.ts';

const FIRMWARE_BYTES = 65_536;
const RESET_VECTOR = 0xfff0;
/** mov al, 0x10; out 0xf4, al; hlt. The first instructions that the processor of the guest executes. */
const PROGRAM = [0xb0, 0x10, 0xe6, 0xf4, 0xf4];
/** What the isa-debug-exit device makes of 0x10: value * 2 + 1. */
const EXIT_CODE = 33;
const TIMEOUT_MS = 3000;

let known: Promise<string | undefined> | undefined;

async function tryGuest(): Promise<string | undefined> {
  if (!existsSync('/dev/kvm')) return 'there is no /dev/kvm';
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-kvm-'));
  try {
    const firmware = Buffer.alloc(FIRMWARE_BYTES, 0xf4);
    firmware.set(PROGRAM, RESET_VECTOR);
    writeFileSync(join(folder, 'firmware'), firmware);
    await run(
      [
        'qemu-system-x86_64',
        '-nodefaults',
        '-no-user-config',
        '-display',
        'none',
        '-M',
        'pc',
        '-accel',
        'kvm',
        '-m',
        '16',
        '-bios',
        join(folder, 'firmware'),
        '-device',
        'isa-debug-exit,iobase=0xf4,iosize=0x04',
      ],
      { timeoutMs: TIMEOUT_MS },
    );
    return 'the guest ended in an unexpected way';
  } catch (error) {
    if (!(error instanceof SuperfluidityError)) throw error;
    if (error.details.data?.['exitCode'] === EXIT_CODE) return undefined;
    return error.code === 'SF-LINUX-COMMAND-TIMEOUT'
      ? '/dev/kvm is there, but a guest makes no progress'
      : error.details.reason;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Why KVM cannot be used, or undefined when it ran a guest: some nested hosts have a /dev/kvm that cannot. Asked once,
 * when a virtual machine is first wanted, because the answer takes up to seconds.
 */
export function kvmAbsence(): Promise<string | undefined> {
  known ??= tryGuest();
  return known;
}
