import type { BalancerDriver } from './types.ts';

/** Nodes balance: what they need stands in the spec, and there is nothing to make anywhere else. */
export const linuxBalancer: BalancerDriver = {
  kind: 'linux',
  ensure: async ({ spec }) => ({
    balancerId: '',
    provider: 'linux',
    address: spec.address,
    ...(spec.type === 'LoadBalancer' && spec.externalAddress !== undefined
      ? { external: { id: '', address: spec.externalAddress, isOurs: false } }
      : {}),
  }),
  remove: async () => {
    // They see that it is gone.
  },
};
