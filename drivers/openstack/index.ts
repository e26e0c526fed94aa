import type { DriverKind } from '@superfluidity/site';
import { configSchema, readConfig } from './config.ts';
import './errors.ts';
import { OpenstackSite } from './site.ts';

const GATEWAY_HINT =
  'Say in its configuration where this machine is in the external network of the cloud: `gateway: {device: br-ex, address: 203.0.113.9/24}`.';

/** Sites that are projects of OpenStack clouds: units are Nova's servers, networks Neutron's. */
export const openstackDriver = {
  kind: 'openstack',
  configSchema,
  // Without a gateway, what lies between a cloud and other sites is its operator's; chains across it are refused, and not cut in two unseen.
  joins: ({ gateway }) =>
    gateway === undefined ? { kinds: [], hint: GATEWAY_HINT } : { kinds: ['linux', 'openstack'] },
  // All that it needs is on the other side of the network.
  missing: async () => [],
  open: async (options) => OpenstackSite.open(options, readConfig(options.name, options.config)),
} as const satisfies DriverKind;

export { openstackSiteErrors } from './errors.ts';

export { NeutronPorts, type NeutronPortsOptions, nodeIn, type PortBinding } from './neutron/ports-backend.ts';
export { KURYR_TAG } from './neutron/pod-ports.ts';
export { PairPorts } from './neutron/pair-ports.ts';
export { TrunkPorts } from './neutron/trunk-ports.ts';
