import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { encodeCpio, fetchGuestKernel, file, folder, symlink } from '@superfluidity/driver-linux/guest';
import { labCacheFolder } from '../paths.ts';
import { endpoint, type Lab } from './lab.ts';
import { openAdminSession, registerImage } from './register.ts';
import type { Json } from './rest.ts';

/** A guest that boots in seconds on an interpreted processor: Debian's cloud kernel, and busybox. */

const IMAGE = 'lab-image';
/** Each needs the ones before it. The configuration comes on a disc, trunks bring VLANs. */
const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'failover',
  'net_failover',
  'virtio_net',
  'virtio_blk',
  'scsi_common',
  'scsi_mod',
  'virtio_scsi',
  'cdrom',
  'sr_mod',
  'isofs',
  'llc',
  'stp',
  'garp',
  'mrp',
  '8021q',
];
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'];
const FOLDERS = [
  'bin',
  'config',
  'dev',
  'etc',
  'lib',
  'lib/modules',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
  'usr',
  'www',
];
const EMPTY_DISK_BYTES = 1 << 20;
const COMMAND_LINE = 'console=ttyS0 quiet tsc=unstable';

const own = (name: string) => readFileSync(new URL(`guest/${name}`, import.meta.url));

export async function registerGuestImage(lab: Lab): Promise<void> {
  const kernel = await fetchGuestKernel(join(labCacheFolder(), 'guest'), undefined, MODULES);
  const busybox = BUSYBOX.find((path) => existsSync(path));
  if (busybox === undefined)
    throw new SuperfluidityError('SF-LAB-PACKAGES', { doing: 'make an image', reason: 'missing: busybox-static' });
  const initramfs = encodeCpio([
    ...FOLDERS.map((path) => folder(path)),
    file('bin/busybox', readFileSync(busybox), 0o755),
    symlink('sbin', 'bin'),
    symlink('usr/bin', '/bin'),
    file('init', own('init.sh'), 0o755),
    file('etc/udhcpc.sh', own('udhcpc.sh'), 0o755),
    file('lib/cloud-config.awk', own('cloud-config.awk')),
    file('bin/systemctl', own('systemctl.sh'), 0o755),
    file('bin/systemd-tmpfiles', own('systemd-tmpfiles.sh'), 0o755),
    file('lib/modules/order', Buffer.from(`${kernel.modules.map(({ name }) => name).join('\n')}\n`)),
    ...kernel.modules.map(({ name, path }) => file(`lib/modules/${name}.ko`, readFileSync(path))),
  ]);
  const session = await openAdminSession(lab);
  const images = endpoint(lab, 'glance', '/v2/images');
  // One from a laboratory without machines does not boot.
  const known = (await session.get(`${images}?name=${IMAGE}`))['images'] as unknown as readonly Json[];
  for (const image of known)
    if (image['kernel_id'] === undefined) await session.request('DELETE', `${images}/${image['id']}`);
  const part = (name: string, format: string, content: Uint8Array) =>
    registerImage(session, lab, { name: `${IMAGE}-${name}`, disk_format: format, container_format: format, content });
  const [kernelId, ramdiskId] = [
    await part('kernel', 'aki', readFileSync(kernel.kernelPath)),
    await part('ramdisk', 'ari', initramfs),
  ];
  await registerImage(session, lab, {
    name: IMAGE,
    disk_format: 'raw',
    container_format: 'bare',
    content: new Uint8Array(EMPTY_DISK_BYTES),
    properties: {
      kernel_id: kernelId,
      ramdisk_id: ramdiskId,
      os_command_line: COMMAND_LINE,
      hw_disk_bus: 'virtio',
      hw_vif_model: 'virtio',
      hw_cdrom_bus: 'scsi',
      hw_scsi_model: 'virtio-scsi',
    },
  });
}
