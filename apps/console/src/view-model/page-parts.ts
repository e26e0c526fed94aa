import type { PagePath } from './pages.ts';

export const infrastructureParts = {
  sites: 'Sites',
  topology: 'Topology',
  racks: 'Racks',
  load: 'Load',
  hosts: 'Hosts',
  storage: 'Storage',
  units: 'Units',
  networks: 'Networks',
  links: 'Links',
  pools: 'Pools',
} as const;

export const settingsParts = {
  tokens: 'Tokens',
  users: 'Users',
  secrets: 'Secrets',
  sites: 'Sites',
  you: 'You',
} as const;

export const insightParts = {
  traffic: 'Traffic',
  operations: 'Operations',
  scaling: 'Scaling',
  anomalies: 'Anomalies',
  characterisation: 'Characterisation',
} as const;

/** Tabs of the pages that have some: by `tab` in their address. */
export const partsOf: Readonly<Partial<Record<PagePath, Readonly<Record<string, string>>>>> = {
  '/infrastructure': infrastructureParts,
  '/insight': insightParts,
  '/settings': settingsParts,
};
