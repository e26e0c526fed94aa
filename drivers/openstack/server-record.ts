import { createHash } from 'node:crypto';
import { canonicalJson, reportError, SuperfluidityError } from '@superfluidity/core';
import { portSid, type PortStatus } from '@superfluidity/fabric';
import { type Environment, environments } from '@superfluidity/model';
import type { Port, Server } from '@superfluidity/openstack';
import type { UnitSpec, UnitState, UnitStatus } from '@superfluidity/site';
import { z } from 'zod';
import { OURS } from './marks.ts';

/**
 * What the metadata of a server says of its unit: all that is needed to find it again without any record of ours. Nova takes
 * keys and values of 255 characters. Members of the project read it, and so does the unit: nothing secret is in it.
 */
const VALUE_MAX = 255;

const key = (name: string) => `${OURS}:${name}`;

/** Of a port: its id, name and network in the fabric, Neutron's id, address, MAC. */
const portEntry = z.tuple([z.string(), z.string(), z.string(), z.string(), z.string(), z.string()]);

export interface PortRecord {
  readonly status: PortStatus;
  /** Neutron's id. */
  readonly portId: string;
}

/** What of a server tells of its unit. */
export type RecordedServer = Pick<Server, 'id' | 'status' | 'metadata' | 'fault' | 'OS-EXT-STS:task_state'>;

export interface ServerRecord {
  readonly server: RecordedServer;
  readonly siteId: string;
  readonly unitId: string;
  readonly service: string;
  readonly path: string;
  readonly index: number;
  readonly host: string;
  readonly environment: Environment;
  readonly digest: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly isDraining: boolean;
  readonly ports: readonly PortRecord[];
  readonly floatingIp?: string;
}

export function metadataOf(
  siteId: string,
  spec: UnitSpec,
  ports: readonly Port[],
  floatingIp: string | undefined,
): Readonly<Record<string, string>> {
  const entries: Record<string, string> = {
    site: siteId,
    id: spec.id,
    service: spec.service,
    path: spec.path,
    index: String(spec.index),
    host: spec.host,
    environment: spec.execution.environment,
    spec: digestOf(spec),
    cpu: String(spec.cpu),
    memoryMiB: String(spec.memoryMiB),
    ...(floatingIp === undefined ? {} : { floatingIp }),
  };
  spec.ports.forEach(({ id, name, network }, at) => {
    const { id: portId, fixed_ips, mac_address } = ports[at]!;
    entries[`port.${at}`] = JSON.stringify([id, name, network, portId, fixed_ips[0]?.ip_address ?? '', mac_address]);
  });
  for (const [name, value] of Object.entries(entries)) {
    if (value.length <= VALUE_MAX) continue;
    throw new SuperfluidityError('SF-CORE-LIMIT', {
      doing: `describe unit ${spec.path} in the metadata of its server`,
      reason: `${name} has ${value.length} characters, Nova takes ${VALUE_MAX}: give shorter names`,
    });
  }
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [key(name), value]));
}

export const DRAINING = { [key('draining')]: 'true' } as const;

/** Undefined for a server that is not of the site, or whose metadata somebody took away. */
export function recordOf(siteId: string, server: RecordedServer): ServerRecord | undefined {
  const fact = (name: string) => server.metadata[key(name)];
  if (fact('site') !== siteId) return undefined;
  const environment = environments.find((one) => one === fact('environment'));
  const [unitId, service, path, host] = [fact('id'), fact('service'), fact('path'), fact('host')];
  if (environment === undefined || unitId === undefined || service === undefined) return undefined;
  if (path === undefined || host === undefined) return undefined;
  const floatingIp = fact('floatingIp');
  return {
    server,
    siteId,
    unitId,
    service,
    path,
    index: Number(fact('index') ?? 0),
    host,
    environment,
    digest: fact('spec') ?? '',
    cpu: Number(fact('cpu') ?? 0),
    memoryMiB: Number(fact('memoryMiB') ?? 0),
    isDraining: fact('draining') === 'true',
    ports: portsOf(siteId, host, fact),
    ...(floatingIp === undefined ? {} : { floatingIp }),
  };
}

function portsOf(siteId: string, host: string, fact: (name: string) => string | undefined): readonly PortRecord[] {
  const ports: PortRecord[] = [];
  for (let at = 0; ; at += 1) {
    const text = fact(`port.${at}`);
    if (text === undefined) return ports;
    const parsed = portEntry.safeParse(parsedJson(text));
    if (!parsed.success) continue;
    const [id, name, network, portId, address, mac] = parsed.data;
    ports.push({ portId, status: { id, name, network, host, address, mac, sid: portSid(siteId, id) } });
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Tells units of one id apart. Values of the environment may be secrets, and the digest can be read by others: only their
 * names count.
 */
export function digestOf(spec: UnitSpec): string {
  const { execution, baseFolder: _folder, ...rest } = spec;
  const env = execution.env === undefined ? {} : { env: Object.keys(execution.env).toSorted() };
  const text = canonicalJson({ ...rest, execution: { ...execution, ...env } });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** `drift` says what of the unit is not as it was made, when Nova does not see it. */
export function statusOf(record: ServerRecord, drift?: string): UnitStatus {
  const { server, floatingIp } = record;
  const { state, reason } = drift === undefined ? stateOf(record) : { state: 'failed' as const, reason: drift };
  return {
    id: record.unitId,
    service: record.service,
    path: record.path,
    index: record.index,
    host: record.host,
    environment: record.environment,
    state,
    ports: record.ports.map(({ status }) => status),
    pooled: false,
    handles: { server: server.id, ...(floatingIp === undefined ? {} : { floatingIp }) },
    ...(reason === undefined ? {} : { error: reportError(failureOf(record, reason)) }),
  };
}

export function failureOf({ path, server }: ServerRecord, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-UNIT-FAILED', {
    doing: `run unit ${path}`,
    reason,
    request: `server ${server.id}`,
    answer: server.fault?.message ?? server.status,
  });
}

/** Of Nova's states of servers: https://docs.openstack.org/api-guide/compute/server_concepts.html */
export function stateOf({ server, isDraining }: ServerRecord): { readonly state: UnitState; readonly reason?: string } {
  switch (server.status) {
    case 'BUILD':
    case 'REBUILD':
      return { state: 'starting' };
    case 'ACTIVE':
    case 'PASSWORD':
    case 'REBOOT':
    case 'HARD_REBOOT':
    case 'RESIZE':
    case 'VERIFY_RESIZE':
    case 'REVERT_RESIZE':
    case 'MIGRATING':
      return { state: isDraining ? 'draining' : 'running' };
    case 'ERROR':
      return { state: 'failed', reason: `Nova says ERROR: ${server.fault?.message ?? 'no reason is given'}` };
    default:
      return isDraining
        ? { state: 'stopped' }
        : { state: 'stopped', reason: `the server is ${server.status}, which this control plane did not ask for` };
  }
}
