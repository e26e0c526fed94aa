import type { Unit } from '@superfluidity/api';

export interface Blueprint {
  readonly path: string;
  readonly environment: Unit['environment'];
  readonly site: string;
  readonly host: string;
}

export const MOBILE_EDGE: readonly Blueprint[] = [
  { path: 'ue/client', environment: 'container', site: 'edge', host: 'e1' },
  { path: 'radio/rrh', environment: 'container', site: 'edge', host: 'e1' },
  { path: 'radio/bbu', environment: 'container', site: 'edge', host: 'e1' },
  { path: 'epc/gateway', environment: 'container', site: 'edge', host: 'e2' },
  { path: 'offload/tof', environment: 'nft', site: 'edge', host: 'e2' },
  { path: 'firewall/filter', environment: 'nft', site: 'edge', host: 'e2' },
  { path: 'video/server', environment: 'vm', site: 'core', host: 'c1' },
];
