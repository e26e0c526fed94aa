import { sha256 } from '@superfluidity/core';
import type { Group } from './groups.ts';

/** Requirements of a whole VNF: metadata of its node, as JSON. */
export const REQUIREMENTS = 'requirements';
export const FLAVOUR = 'default';

/** SOL001 wants UUIDs for what is known here by name: of version 8 (RFC 9562, clause 5.8), from the name. */
function uuid(name: string): string {
  const hex = sha256(`superfluidity:${name}`);
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Properties that a node of a VNF must have, as they are written where nothing is carried. */
export function usualVnf(name: string, version: string): Group {
  return {
    properties: {
      descriptor_id: uuid(`vnf:${name}`),
      descriptor_version: version,
      provider: 'superfluidity',
      product_name: name,
      software_version: version,
      flavour_id: FLAVOUR,
      flavour_description: 'The only one',
      vnfm_info: ['0:superfluidity'],
    },
  };
}

export function usualNs(name: string): Group {
  return {
    properties: {
      descriptor_id: uuid(`ns:${name}`),
      invariant_id: uuid(`ns:${name}:invariant`),
      designer: 'superfluidity',
      flavour_id: FLAVOUR,
    },
  };
}
