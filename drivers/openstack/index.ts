import type { DriverKind } from '@superfluidity/site';
import { configSchema, readConfig } from './config.ts';
import './errors.ts';
import { OpenstackSite } from './site.ts';

/** Sites that are projects of OpenStack clouds: units are Nova's servers, networks Neutron's. */
export const openstackDriver = {
  kind: 'openstack',
  configSchema,
  // All that it needs is on the other side of the network.
  missing: async () => [],
  open: async (options) => OpenstackSite.open(options, readConfig(options.name, options.config)),
} as const satisfies DriverKind;

export { openstackSiteErrors } from './errors.ts';
