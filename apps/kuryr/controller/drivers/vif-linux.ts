import type { VifType } from './types.ts';
import { LinuxPorts } from './linux-ports.ts';

/** Pods on a bridge of their node, in the built-in fabric. */
export function linuxVif(options: { readonly bridge: string; readonly gateway?: string }): VifType {
  const backend = new LinuxPorts(options.gateway);
  return {
    kind: 'linux',
    backend,
    at: async ({ metadata }) => metadata.name,
    plugging: () => ({ kind: 'bridge', bridge: options.bridge }),
    // There is one for all.
    project: async () => '',
    activeAtOnce: true,
    isInstant: true,
    active: async (ids) => ids,
    adopt: (ports) => {
      for (const port of ports) backend.adopt(port);
    },
  };
}
