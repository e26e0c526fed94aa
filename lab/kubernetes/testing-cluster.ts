import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildKuryrImage } from '../../apps/kuryr/install/testing/image.ts';
import { TestHosts } from '../../examples/kubernetes-cluster/testing/hosts.ts';
import { binariesFolder, PROGRAMS } from './binaries.ts';
import { buildImages, IMAGES } from './images.ts';

/** What tests of examples/kubernetes-cluster have in common: machines that are namespaces of this one, and no registry. */

const KURYR = 'superfluidity.test/kuryr:1';
const PACKAGES = ['etcd', 'containerd', 'runc', 'conntrack', 'nft'] as const;

/** Why no cluster can be made of machines that this one plays; undefined when one can. */
export function whyNoClusters(): string | undefined {
  const missing = PROGRAMS.filter((program) => !existsSync(join(binariesFolder(), program)));
  const packages = PACKAGES.filter((one) => spawnSync('sh', ['-c', `command -v ${one}`]).status !== 0);
  return (
    TestHosts.reasonToSkip() ??
    (missing.length > 0 ? `no ${missing.join(', ')}: npm run lab -- kubernetes up builds them` : undefined) ??
    (packages.length > 0 ? `there is no ${packages.join(', ')}` : undefined)
  );
}

/** Makes archives of the images in the folder; variables of the playbooks for machines that share the kernel and the programs of this one. */
export async function clusterVars(folder: string) {
  const [images, kuryr] = [join(folder, 'images.tar'), join(folder, 'kuryr.tar')];
  await buildImages(images);
  await buildKuryrImage(kuryr, KURYR);
  return {
    kubernetes_binaries: binariesFolder(),
    // Modules and swap are those of the machine.
    kernel_modules: [],
    kubelet_more: { failSwapOn: false, failCgroupV1: false, imageGCHighThresholdPercent: 100 },
    pause_image: IMAGES.pause,
    check_image: IMAGES.busybox,
    kuryr_image: KURYR,
    images: [
      { archive: images, image: IMAGES.busybox },
      { archive: kuryr, image: KURYR },
    ],
  };
}
