import { SuperfluidityError } from '@superfluidity/core';
import type { CloudConfig } from './credentials.ts';
import type { Session } from './session.ts';

/** Types of the catalogue (service-types authority), with the older names that clouds still list. */
const SERVICE_TYPES = {
  identity: ['identity'],
  compute: ['compute'],
  network: ['network'],
  image: ['image'],
  placement: ['placement'],
  orchestration: ['orchestration'],
  'load-balancer': ['load-balancer'],
  workflow: ['workflow', 'workflowv2'],
  baremetal: ['baremetal', 'bare-metal'],
  'block-storage': ['block-storage', 'volumev3'],
} as const;
export type ServiceType = keyof typeof SERVICE_TYPES;

/** Versions that some catalogues have at the end of an address and others leave to those who call. */
const LEFT_TO_CALLS: Partial<Record<ServiceType, RegExp>> = {
  network: /\/v2\.0$/,
  image: /\/v2(?:\.\d+)?$/,
  'load-balancer': /\/v2(?:\.0)?$/,
  baremetal: /\/v1$/,
};

type Place = Omit<CloudConfig, 'credentials'>;

/** Address of a service, or undefined when the catalogue has none for this region and interface. */
export function endpointOf(service: ServiceType, place: Place, session: Session): string | undefined {
  const replaced = place.endpoints?.[service]?.replaceAll(/[%$]\((?:project|tenant)_id\)s/g, session.projectId);
  const url = replaced ?? (service === 'identity' ? identity(place, session) : listed(service, place, session));
  return url?.replace(/\/+$/, '').replace(LEFT_TO_CALLS[service] ?? /$^/, '');
}

/** Keystone may stand in one region for all, and be listed without its version: it is where the token came from. */
function identity(place: Place, session: Session): string {
  const url = listed('identity', place, session)?.replace(/\/+$/, '');
  if (url === undefined) return place.authUrl;
  return url.endsWith('/v3') ? url : `${url}/v3`;
}

function listed(service: ServiceType, place: Place, session: Session): string | undefined {
  const region = regionOf(place, session);
  return entriesOf(service, session)
    .flatMap(({ endpoints }) => endpoints)
    .find((one) => one.interface === (place.interface ?? 'public') && one.region === region)?.url;
}

/** With more than one region and none named, services of different regions would be mixed. */
function regionOf({ region }: Place, { catalogue }: Session): string | undefined {
  if (region !== undefined) return region;
  const regions = [...new Set(catalogue.flatMap(({ endpoints }) => endpoints.map((one) => one.region)))];
  if (regions.length <= 1) return regions[0];
  throw new SuperfluidityError('SF-OPENSTACK-CONFIG', {
    doing: 'choose a region of the cloud',
    reason: `name one of its regions: ${regions.toSorted().join(', ')}`,
  });
}

function entriesOf(service: ServiceType, { catalogue }: Session) {
  const types: readonly string[] = SERVICE_TYPES[service];
  return catalogue
    .filter(({ type }) => types.includes(type))
    .toSorted((a, b) => types.indexOf(a.type) - types.indexOf(b.type));
}

export function noService(service: ServiceType, doing: string, place: Place, session: Session): SuperfluidityError {
  const offers = entriesOf(service, session)
    .flatMap(({ endpoints }) => endpoints)
    .map((one) => `${one.interface} in ${one.region}`);
  const types = session.catalogue.map(({ type }) => type).toSorted();
  const found =
    offers.length > 0 ? `it has ${offers.join(', ')}` : `it has ${types.join(', ') || 'no services at all'}`;
  const where = place.region === undefined ? '' : ` in region ${place.region}`;
  return new SuperfluidityError('SF-OPENSTACK-NO-SERVICE', {
    doing,
    reason: `the catalogue has no ${place.interface ?? 'public'} endpoint of ${service}${where}; ${found}`,
  });
}
