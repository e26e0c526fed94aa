import type { DriverKind } from '@superfluidity/site';
import { configSchema, parseConfig } from './config.ts';
import { sharedSite } from './shared-site.ts';
import { SimulatedSite } from './site.ts';

export { SimulatedSite } from './site.ts';

/** Sites in memory, or in a file of the state folder, that anything can be tried on. Runs everywhere. */
export const simulated = {
  kind: 'simulated',
  configSchema,
  missing: async () => [],
  open: async (options) => {
    const config = parseConfig(options.name, options.config);
    return new SimulatedSite(options, config, sharedSite(options, config));
  },
} as const satisfies DriverKind;
