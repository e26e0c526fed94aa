import type { FoundDescriptors } from './package.ts';
import { isGroup } from './style.ts';

/** Fields that only OSM has, and that the standard demands. */
const osmOnly = ['mgmt-cp', 'kdu', 'k8s-cluster'];
const mandatory = { vnfd: ['vnfm-info', 'software-version'], nsd: ['invariant-id', 'designer'] } as const;

/**
 * Descriptors of OSM stand alone in their file, under `vnfd` or `nsd: nsd`, without the names of modules. So may those of the
 * standard: they have fields that it demands and OSM does not know.
 */
export function looksLikeOsm(found: FoundDescriptors): boolean {
  const all = [...found.nsd.map((one) => ['nsd', one] as const), ...found.vnfd.map((one) => ['vnfd', one] as const)];
  return (
    all.length > 0 &&
    found.pnfd.length === 0 &&
    all.every(([kind, { path, value, file }]) => {
      if (path[0] === 'nfv' || !isGroup(value) || file.toLowerCase().endsWith('.xml')) return false;
      return osmOnly.some((name) => name in value) || mandatory[kind].every((name) => !(name in value));
    })
  );
}
