import type { PolicyDriver } from './types.ts';

/** Nodes enforce what stands in the resources. */
export const linuxPolicies: PolicyDriver = {
  byNodes: true,
  ensure: async () => '',
  open: async () => '',
  remove: async () => {
    // They see that it is gone.
  },
};
