import type { DriverKind } from '@superfluidity/site';
import { configSchema } from './config.ts';
import { missingHere } from './machine.ts';
import { LinuxSite } from './site.ts';

/** Sites that are network namespaces of the machine on which the control plane runs, with real packets. */
export const linuxDriver: DriverKind = {
  kind: 'linux',
  configSchema,
  missing: missingHere,
  open: async (options) => new LinuxSite(options),
};

export { linuxErrors } from './errors.ts';
