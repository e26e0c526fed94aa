import { storageKinds } from '@superfluidity/model';
import { z } from 'zod';
import { anyName, anyOf, listOf, listQuery } from './lists.ts';
import { accepted, byName } from './route.ts';
import * as s from './schemas.ts';

/** Of storage, networks and links: what there is, and how it is changed. A part of the table in routes.ts. */
export const topologyRoutes = {
  listStorage: {
    method: 'GET',
    path: '/api/v1/storage',
    summary: 'The storage of all sites, by tier',
    tag: 'sites',
    query: listQuery(['name', 'site', 'kind', 'capacity', 'fill'], '-fill', {
      site: anyName('Site'),
      kind: anyOf(storageKinds),
      rack: anyName('Rack'),
    }),
    reply: listOf(s.listedStorage, 'StorageList'),
    status: 200,
    role: 'reader',
  },
  listPools: {
    method: 'GET',
    path: '/api/v1/pools',
    summary: 'The pools of all sites, and how often they had one ready',
    tag: 'sites',
    query: listQuery(['name', 'site', 'ready', 'hitRate', 'asked'], 'site', { site: anyName('Site') }),
    reply: listOf(s.listedPool, 'PoolList'),
    status: 200,
    role: 'reader',
  },
  listNetworks: {
    method: 'GET',
    path: '/api/v1/networks',
    summary: 'The networks of all services, and those of segments that sites have',
    tag: 'sites',
    query: listQuery(['name', 'owner', 'prefix', 'mtu', 'portCount'], 'owner', {
      of: anyOf(['service', 'site']),
      owner: anyName('Service, or site'),
      site: anyName('Site where a part of it is'),
    }),
    reply: listOf(s.listedNetwork, 'NetworkList'),
    status: 200,
    role: 'reader',
  },
  listDurations: {
    method: 'GET',
    path: '/api/v1/durations',
    summary: 'How long steps of operations and requests to the API took, since this server was started',
    tag: 'events',
    query: listQuery(['name', 'count', 'meanMs', 'p95Ms'], '-count', { of: anyOf(['step', 'request']) }),
    reply: listOf(s.duration, 'DurationList'),
    status: 200,
    role: 'reader',
  },
  changeLink: {
    method: 'POST',
    path: '/api/v1/links',
    summary: 'Declare the link between two sites, or change it, by an operation that can be watched and taken back',
    tag: 'sites',
    body: z.object({
      link: s.siteLink,
      before: s.siteLink.nullable().optional().meta({
        description: 'The link as the writer knows it, null for none: refused when it is another by now',
      }),
    }),
    reply: accepted,
    status: 202,
    role: 'admin',
  },
  planUpdate: {
    method: 'POST',
    path: '/api/v1/services/:name/plan',
    summary: 'What another descriptor would change of a service that is there; changes nothing',
    tag: 'services',
    params: byName,
    body: z.object({ source: s.descriptorSource, ...s.deployWay }),
    reply: s.plan,
    status: 200,
    role: 'reader',
  },
  updateService: {
    method: 'PUT',
    path: '/api/v1/services/:name',
    summary: 'Make a service what another descriptor says: what is otherwise is made anew, the rest is left alone',
    tag: 'services',
    params: byName,
    body: z.object({
      source: s.descriptorSource,
      ...s.deployWay,
      after: z.string().max(64).optional().meta({
        description:
          'Id of the descriptor from which the writer knows it to be made: refused when it is another by now',
      }),
      digest: z.string().max(64).optional().meta({
        description: 'Of the plan that was looked at: refused when something else would be done by now',
      }),
    }),
    reply: accepted,
    status: 202,
    role: 'admin',
  },
  getServiceOverlay: {
    method: 'GET',
    path: '/api/v1/services/:name/overlay',
    summary: 'The segments of a service and the routes of its chains over the routers of sites',
    tag: 'services',
    params: byName,
    reply: s.overlay,
    status: 200,
    role: 'reader',
  },
} as const;
