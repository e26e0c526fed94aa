import { closeSync, openSync } from 'node:fs';
import { systemCall } from './libc.ts';
import { checkInterfaceName } from './links.ts';
import { inNamespace, type NamespaceName } from './namespaces.ts';

/** TAP devices, the wire of a virtual machine: made through /dev/net/tun, not through netlink. include/uapi/linux/if_tun.h. */

const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const IFF_TAP = 0x2;
const IFF_NO_PI = 0x1000;
const IFREQ_BYTES = 40;

/** Stays after this call, until the device or its namespace is deleted. EBUSY when the name is taken by another user. */
export function createTap(namespace: NamespaceName, name: string): void {
  checkInterfaceName(name);
  const doing = `create TAP device ${name}`;
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 0, 'latin1');
  request.writeUInt16LE(IFF_TAP | IFF_NO_PI, 16);
  inNamespace(namespace, () => {
    const fd = openSync('/dev/net/tun', 'r+');
    try {
      systemCall(doing, 'ioctl', fd, TUNSETIFF, request);
      // This request takes its argument by value: a pointer whose number is 1.
      systemCall(doing, 'ioctl', fd, TUNSETPERSIST, 1n);
    } finally {
      closeSync(fd);
    }
  });
}
