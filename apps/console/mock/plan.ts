import type { DescriptorSource, Plan, VerificationReport } from '@superfluidity/api';
import { proofOf } from './proof.ts';
import { MOBILE_EDGE, SENTINELS } from './scenario.ts';

/** The text of what is to be deployed. */
export function textOf(source: DescriptorSource, known: (id: string) => string): string {
  return 'descriptor' in source ? known(source.descriptor) : atob(source.files[0]!.base64);
}

export const proofOfSource = (source: string): VerificationReport =>
  proofOf(source.includes(SENTINELS.open) ? 'violated' : 'holds', 'intended');

/** Where the units of the demo would go under another name. */
export function planOf(service: string, verification: VerificationReport): Plan {
  const creates = MOBILE_EDGE.map(({ path, environment, site, host }) => ({
    id: `create-${path}`,
    title: `create ${environment} ${path}#0 on ${site}/${host}`,
    verb: `create ${environment}`,
    site,
    dependsOn: [`network-${site}`],
  }));
  const networks = ['edge', 'core'].map((site) => ({
    id: `network-${site}`,
    title: `create network users in ${site}`,
    verb: 'create network',
    site,
    dependsOn: [],
  }));
  const chain = {
    id: 'chain',
    title: 'install chain uplink',
    verb: 'install chain',
    dependsOn: creates.map(({ id }) => id),
  };
  return {
    service,
    kind: 'INSTANTIATE',
    assignments: MOBILE_EDGE.map(({ path, environment, site, host }) => ({
      unit: `${path}#0`,
      path,
      index: 0,
      environment,
      site,
      host,
      reasons: [
        site === 'edge' ? 'tier is edge, as wanted' : 'cheapest site with room for 2 cores and 2 GiB',
        `${host} has the most room of ${site}`,
      ],
    })),
    chains: [{ chain: 'uplink', latencyMs: 15.4, desiredMs: 20, maxMs: 40, sites: ['edge', 'edge', 'core'] }],
    costPerHour: 12.4,
    steps: [...networks, ...creates, chain],
    digest: 'sha256:7f3a90c1',
    verification,
  };
}
