import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { AF_INET, errnoName, SOCK_CLOEXEC, SOCK_DGRAM, systemCall } from './libc.ts';
import { checkInterfaceName } from './links.ts';
import { inNamespace, type NamespaceName } from './namespaces.ts';

/**
 * Work that a device promises to do later: checksums and the cutting of large segments (ethtool(8) -K). A tunnel that
 * ends in a program has nobody behind it who would keep the promise. include/uapi/linux/ethtool.h.
 */

const SIOCETHTOOL = 0x8946;
const ETHTOOL_STXCSUM = 0x17;
const ETHTOOL_STSO = 0x1f;
const ETHTOOL_SGSO = 0x24;
const EOPNOTSUPP = 95;

type Ioctl = (fd: number, request: number, argument: { readonly name: string; readonly data: Buffer }) => number;

let library: { readonly ioctl: Ioctl; readonly errno: () => number } | undefined;

function load(): NonNullable<typeof library> {
  if (library !== undefined) return library;
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  // struct ifreq, 40 bytes; the name is padded with zeros.
  const request = koffi.struct('sf_ifreq', {
    name: koffi.array('char', 16, 'String'),
    data: 'void *',
    rest: 'uint64_t[2]',
  });
  const ioctl = koffi.load('libc.so.6').func('ioctl', 'int', ['int', 'unsigned long', koffi.pointer(request)]);
  library = {
    ioctl: (fd, number, argument) => Number(ioctl(fd, number, { ...argument, rest: [0n, 0n] })),
    errno: () => koffi.errno(),
  };
  return library;
}

/** Packets leave the device complete: checksummed, and no larger than its MTU. */
export function disableOffloads(namespace: NamespaceName, device: string): void {
  checkInterfaceName(device);
  const doing = `switch off the offloads of ${device}`;
  const { ioctl, errno } = load();
  const fd = inNamespace(namespace, () => systemCall(doing, 'socket', AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    for (const command of [ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM]) {
      const value = Buffer.alloc(8);
      value.writeUInt32LE(command, 0);
      if (ioctl(fd, SIOCETHTOOL, { name: device, data: value }) !== -1 || errno() === EOPNOTSUPP) continue;
      const answer = errnoName(errno());
      throw new SuperfluidityError('SF-LINUX-SYSCALL', {
        doing,
        reason: answer,
        request: `ioctl(SIOCETHTOOL, ${device}, 0x${command.toString(16)} = 0)`,
        answer,
        data: { errno: answer },
      });
    }
  } finally {
    closeSync(fd);
  }
}
