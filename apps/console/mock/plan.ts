import type { DescriptorSource, Plan, ServiceDetail, VerificationReport } from '@superfluidity/api';
import { networksIn, rewired } from './networks.ts';
import { proofOf } from './proof.ts';
import { MOBILE_EDGE } from './blueprints.ts';
import { SENTINELS } from './sentinels.ts';

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

/** What another descriptor would change of the networks of a service, and so of its units. */
export function updatePlan(service: ServiceDetail, source: string): Plan {
  const units = rewired(service, networksIn(source));
  const creates = units.map(({ path, index, environment, site, host }) => ({
    id: `create-${path}`,
    title: `create ${environment} ${path}#${index} on ${site}/${host}`,
    verb: 'create-units',
    site,
    dependsOn: [],
  }));
  const removes = units.map(({ path, index, site, host }) => ({
    id: `remove-${path}`,
    title: `remove ${path}#${index} from ${site}/${host}`,
    verb: 'remove-units',
    site,
    dependsOn: creates.map(({ id }) => id),
  }));
  return {
    service: service.name,
    kind: 'UPDATE',
    assignments: [],
    chains: [],
    costPerHour: 0,
    steps: [...creates, ...removes],
    digest: `sha256:${source.length.toString(16)}`,
    verification: proofOfSource(source),
  };
}
