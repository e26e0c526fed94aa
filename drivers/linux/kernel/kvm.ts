import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killProcess, spawnDetached, waitForExit } from '@superfluidity/router';

const FIRST_WORD_TIMEOUT_MS = 4000;
const POLL_MS = 10;

let known: Promise<string | undefined> | undefined;

async function tryGuest(kernelPath: string): Promise<string | undefined> {
  if (!existsSync('/dev/kvm')) return 'there is no /dev/kvm';
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-kvm-'));
  const [console, log] = [join(folder, 'console'), join(folder, 'log')];
  try {
    const qemu = await spawnDetached(
      [
        'qemu-system-x86_64',
        '-nodefaults',
        '-no-user-config',
        '-display',
        'none',
        '-no-reboot',
        '-M',
        'microvm',
        '-accel',
        'kvm',
        '-m',
        '128',
        '-kernel',
        kernelPath,
        '-append',
        'console=ttyS0 earlyprintk=ttyS0 panic=-1',
        '-serial',
        `file:${console}`,
      ],
      { stdoutPath: log },
    );
    let waited = 0;
    const spoke = () => existsSync(console) && readFileSync(console, 'latin1').includes('Linux version');
    while (!spoke() && waited < FIRST_WORD_TIMEOUT_MS && !(await waitForExit(qemu, POLL_MS))) waited += POLL_MS;
    killProcess(qemu, 'SIGKILL');
    await waitForExit(qemu, 2000);
    if (spoke()) return undefined;
    const complaint = readFileSync(log, 'utf8').trim().slice(0, 500);
    return `/dev/kvm is there, but a guest makes no progress${complaint === '' ? '' : `: ${complaint}`}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Why KVM cannot be used, or undefined when it booted a kernel as far as its first word. Some nested hosts have a
 * /dev/kvm that runs a few instructions and then no kernel, so nothing less is a proof. Asked once, when a virtual
 * machine is first wanted, because the answer may take seconds.
 */
export function kvmAbsence(kernelPath: string): Promise<string | undefined> {
  known ??= tryGuest(kernelPath);
  return known;
}
