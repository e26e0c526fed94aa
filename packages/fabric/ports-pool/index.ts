export {
  keyOfPlace,
  type PoolPort,
  type PortChange,
  type PortPlace,
  type PortsBackend,
} from './backend.ts';
export type { PluggedAhead } from './plugged.ts';
export { PortsPool, type PortsPoolOptions, type PortWish } from './ports-pool.ts';
export { VlanIds, type VlanRange } from './vlan-ids.ts';
