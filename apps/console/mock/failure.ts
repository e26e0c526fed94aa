import type { Step } from '@superfluidity/api';

export function failureOf(action: Pick<Step, 'title'>): NonNullable<Step['error']> {
  return {
    code: 'SF-SITE-UNIT-FAILED',
    message: `${action.title}: the runtime gave up before the health check`,
    hint: 'Free memory on the host or choose another host, then retry the operation.',
    cause: {
      code: 'SF-LINUX-COMMAND',
      message: 'the command ended with status 1',
      request: 'qemu-system-x86_64 -M microvm -m 2048 -kernel vmlinuz -initrd video.cpio -netdev tap,id=n0',
      answer: "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
      cause: { code: 'ENOMEM', message: 'mmap of 2147483648 bytes failed' },
    },
  };
}
