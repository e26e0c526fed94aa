import { defineErrors } from '@superfluidity/core';

export const runtimeErrors = defineErrors({
  'SF-LINUX-IMAGE': {
    status: 422,
    title: 'An image cannot be used',
    hint: 'Give `host:`, `folder:<root file system>` or `oci:<OCI image layout, a folder or a tar file>`.',
  },
  'SF-LINUX-CONTAINER': {
    status: 500,
    title: 'The container runtime refused',
    hint: 'The answer is what the runtime logged. `superfluidity doctor` checks the runtime.',
  },
  'SF-LINUX-VM': {
    status: 500,
    title: 'A virtual machine could not be run or controlled',
    hint: 'The console log of the machine and the log of QEMU lie in its folder.',
  },
  'SF-LINUX-GUEST-KERNEL': {
    status: 501,
    title: 'There is no kernel for virtual machines',
    hint: 'Run `superfluidity doctor --fix`, or name a kernel image in the configuration of the site.',
  },
});
