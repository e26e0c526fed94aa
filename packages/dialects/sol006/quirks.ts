import type { FoundDescriptors } from './package.ts';
import { isGroup } from './style.ts';

/** Fields that only OSM has. */
const osmOnly = ['mgmt-cp', 'kdu', 'k8s-cluster'];
/** Fields that the standard demands, and that are not usual in OSM. */
const mandatory = { vnfd: 'vnfm-info', nsd: 'invariant-id' } as const;

/**
 * Descriptors of OSM stand alone in their file, under `vnfd` or `nsd: nsd`, without the names of modules. So may those of the
 * standard: they have fields that it demands and OSM does not. Where there are VNFDs, those tell.
 */
export function looksLikeOsm({ nsd, vnfd, pnfd }: FoundDescriptors): boolean {
  const kind = vnfd.length > 0 ? 'vnfd' : 'nsd';
  const found = kind === 'vnfd' ? vnfd : nsd;
  if (found.length === 0 || pnfd.length > 0) return false;
  return found.every(({ path, value, file }) => {
    if (path[0] === 'nfv' || !isGroup(value) || file.toLowerCase().endsWith('.xml')) return false;
    return osmOnly.some((name) => name in value) || !(mandatory[kind] in value);
  });
}
