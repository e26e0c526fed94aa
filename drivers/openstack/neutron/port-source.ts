import type { PortSpec } from '@superfluidity/fabric';
import type { Port } from '@superfluidity/openstack';
import type { PoolClass, PoolOrders, PoolStatus } from '@superfluidity/site';

/**
 * Where the ports of units come from: made on the spot, or out of a pool. Which port a unit has is written into the
 * metadata of its server, so that a port need not be changed when it is handed out.
 */
export interface PortSource {
  /**
   * Ports for a unit, in the order of the wishes: all or none. The same wish again gives the same port, also after a crash
   * between this and the server. Throws `SF-SITE-NO-NETWORK` and what the site says of addresses.
   */
  acquire(wishes: readonly PortWish[], signal: AbortSignal): Promise<readonly Port[]>;
  /** Neutron's ids. Their servers are gone. What is not there is released. */
  release(portIds: readonly string[], signal: AbortSignal): Promise<void>;
  /** Those that were acquired for units and not released, whether or not there is a server. */
  acquired(signal: AbortSignal): Promise<readonly AcquiredPort[]>;
  /** Replaces what was said for the service before. */
  prepare(service: string, classes: readonly PoolClass[]): void;
  status(): readonly PoolStatus[];
  /** Absent where nothing is kept ready. */
  readonly orders?: PoolOrders;
  /** The network is about to go: what lies ready in it goes first. */
  leave(networkId: string, signal: AbortSignal): Promise<void>;
  /** Lets go without changing anything. */
  close(): Promise<void>;
}

export interface PortWish {
  readonly unitId: string;
  readonly service: string;
  readonly path: string;
  /** Name of the hypervisor on which the unit will be, where that is known. */
  readonly host?: string;
  readonly port: PortSpec;
  /** Packets of others pass through the unit: their addresses are not its own. */
  readonly forwards: boolean;
}

export interface AcquiredPort {
  readonly port: Port;
  readonly unitId: string;
}
