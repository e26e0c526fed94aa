import { kubernetesDriver } from '@superfluidity/driver-kubernetes';
import { linuxDriver } from '@superfluidity/driver-linux';
import { openstackDriver } from '@superfluidity/driver-openstack';
import { simulated } from '@superfluidity/driver-simulated';
import type { DriverKind } from '@superfluidity/site';

/** The kinds of sites that this server can use, in the order in which the demo prefers them. A new driver is added here. */
export const driverKinds: readonly DriverKind[] = [linuxDriver, simulated, openstackDriver, kubernetesDriver];
