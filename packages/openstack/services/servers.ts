import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { microversion } from '../microversions.ts';
import { list } from '../paging.ts';

/** Servers of Nova: https://docs.openstack.org/api-ref/compute/. */

/** 2.71: flavors inside of servers, tags, groups, `none` as networks. 2.74 lets a host be asked for. */
const SERVERS = { atLeast: '2.71', atMost: '2.87' } as const;

const server = z.object({
  id: z.string(),
  name: z.string(),
  /** BUILD, ACTIVE, ERROR, SHUTOFF, PAUSED, SUSPENDED, REBOOT, RESIZE, VERIFY_RESIZE, MIGRATING, DELETED, ... */
  status: z.string(),
  'OS-EXT-STS:task_state': z.string().nullish(),
  'OS-EXT-STS:vm_state': z.string().nullish(),
  'OS-EXT-AZ:availability_zone': z.string().nullish(),
  /** With admin's role only. */
  'OS-EXT-SRV-ATTR:host': z.string().nullish(),
  'OS-EXT-SRV-ATTR:hypervisor_hostname': z.string().nullish(),
  /** Why it is in ERROR. */
  fault: z.object({ code: z.number().optional(), message: z.string(), details: z.string().optional() }).optional(),
  flavor: z.object({
    original_name: z.string(),
    vcpus: z.number(),
    ram: z.number(),
    disk: z.number(),
  }),
  /** '' when it booted from a volume. */
  image: z.union([z.literal(''), z.object({ id: z.string() })]).nullish(),
  addresses: z
    .record(
      z.string(),
      z.array(
        z.object({
          addr: z.string(),
          version: z.number(),
          'OS-EXT-IPS-MAC:mac_addr': z.string().optional(),
          'OS-EXT-IPS:type': z.string().optional(),
        }),
      ),
    )
    .default({}),
  metadata: z.record(z.string(), z.string()).default({}),
  tags: z.array(z.string()).default([]),
  key_name: z.string().nullish(),
  created: z.string(),
  updated: z.string(),
  /** Only of one server, not in lists. */
  server_groups: z.array(z.string()).optional(),
});
export type Server = z.infer<typeof server>;

export interface NewServer {
  readonly name: string;
  readonly flavorRef: string;
  /** Absent where a volume or an image in `block_device_mapping_v2` has the boot index 0. */
  readonly imageRef?: string;
  readonly networks: 'none' | readonly ({ readonly port: string } | { readonly uuid: string })[];
  readonly block_device_mapping_v2?: readonly BlockDevice[];
  /** In base64. */
  readonly user_data?: string;
  readonly config_drive?: boolean;
  readonly key_name?: string;
  readonly availability_zone?: string;
  /** By admins only: the host, past the weights of the scheduler but not past its filters. */
  readonly host?: string;
  readonly hypervisor_hostname?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Up to 50, of up to 60 characters, without commas and slashes. */
  readonly tags?: readonly string[];
  /** Names; only where ports are not given. */
  readonly security_groups?: readonly { readonly name: string }[];
}

export interface BlockDevice {
  readonly boot_index: number;
  readonly source_type: 'image' | 'volume' | 'snapshot' | 'blank';
  readonly destination_type: 'local' | 'volume';
  readonly uuid?: string;
  /** GiB. */
  readonly volume_size?: number;
  readonly delete_on_termination?: boolean;
}

export interface Hints {
  /** Id of a server group. */
  readonly group?: string;
  readonly same_host?: readonly string[];
  readonly different_host?: readonly string[];
}

/** Answers at once; the server is in BUILD. The answer of Nova has a password in it, which is not taken. */
export async function createServer(
  cloud: Cloud,
  wanted: NewServer,
  hints: Hints,
  signal: AbortSignal,
): Promise<{ readonly id: string }> {
  const atLeast = (wanted.host ?? wanted.hypervisor_hostname) === undefined ? SERVERS.atLeast : '2.74';
  const body = {
    server: { imageRef: '', ...wanted },
    ...(Object.keys(hints).length === 0 ? {} : { 'os:scheduler_hints': hints }),
  };
  const call = { service: 'compute', method: 'POST', path: '/servers', body } as const;
  const version = await microversion(cloud, 'compute', { ...SERVERS, atLeast }, signal);
  const answer = await cloud.json(
    { ...call, microversion: version, doing: `create server ${wanted.name}`, signal },
    z.object({ server: z.object({ id: z.string() }) }),
  );
  return answer.server;
}

export async function getServer(cloud: Cloud, id: string, signal: AbortSignal): Promise<Server> {
  const version = await microversion(cloud, 'compute', SERVERS, signal);
  const call = { service: 'compute', method: 'GET', path: path`/servers/${id}`, microversion: version } as const;
  return (await cloud.json({ ...call, doing: `get server ${id}`, signal }, z.object({ server }))).server;
}

export interface ServerFilter {
  /** A regular expression: `^web-0$`. */
  readonly name?: string;
  readonly status?: string;
  /** Has all of these, with commas between them. */
  readonly tags?: string;
  /** Has one of these. */
  readonly 'tags-any'?: string;
  readonly host?: string;
  /** By admins only. */
  readonly all_tenants?: boolean;
  readonly project_id?: string;
  /** Changed since then, with those that were deleted: ISO 8601. */
  readonly 'changes-since'?: string;
}

export async function listServers(cloud: Cloud, filter: ServerFilter, signal: AbortSignal): Promise<readonly Server[]> {
  return list(cloud, {
    service: 'compute',
    path: '/servers/detail',
    query: { ...filter },
    microversion: await microversion(cloud, 'compute', SERVERS, signal),
    key: 'servers',
    item: server,
    doing: 'list servers',
    signal,
  });
}

/** Their ids alone. Of servers in full, Nova asks Neutron about ports and groups each time. */
export async function listServerIds(
  cloud: Cloud,
  filter: ServerFilter,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const found = await list(cloud, {
    service: 'compute',
    path: '/servers',
    query: { ...filter },
    microversion: await microversion(cloud, 'compute', SERVERS, signal),
    key: 'servers',
    item: z.object({ id: z.string() }),
    doing: 'list ids of servers',
    signal,
  });
  return new Set(found.map(({ id }) => id));
}

export async function deleteServer(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'compute', method: 'DELETE', path: path`/servers/${id}` } as const;
  await cloud.remove({ ...call, doing: `delete server ${id}`, signal });
}

/** What can be done to a server, with the body that Nova wants. */
export const serverActions = {
  start: { 'os-start': null },
  stop: { 'os-stop': null },
  reboot: { reboot: { type: 'SOFT' } },
  rebootHard: { reboot: { type: 'HARD' } },
  pause: { pause: null },
  unpause: { unpause: null },
  suspend: { suspend: null },
  resume: { resume: null },
  shelve: { shelve: null },
  unshelve: { unshelve: null },
  confirmResize: { confirmResize: null },
  revertResize: { revertResize: null },
  forceDelete: { forceDelete: null },
} as const;
export type ServerAction = keyof typeof serverActions;

export async function actOnServer(cloud: Cloud, id: string, action: ServerAction, signal: AbortSignal): Promise<void> {
  await act(cloud, id, action, serverActions[action], signal);
}

export async function resizeServer(cloud: Cloud, id: string, flavorRef: string, signal: AbortSignal): Promise<void> {
  await act(cloud, id, 'resize', { resize: { flavorRef } }, signal);
}

export async function rebuildServer(cloud: Cloud, id: string, imageRef: string, signal: AbortSignal): Promise<void> {
  await act(cloud, id, 'rebuild', { rebuild: { imageRef } }, signal);
}

/** To another host, which Nova chooses where none is named. */
export async function liveMigrateServer(
  cloud: Cloud,
  id: string,
  host: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  await act(cloud, id, 'live migration', { 'os-migrateLive': { host: host ?? null, block_migration: 'auto' } }, signal);
}

export async function consoleOutput(cloud: Cloud, id: string, lines: number, signal: AbortSignal): Promise<string> {
  const call = actionCall(id, { 'os-getConsoleOutput': { length: lines } });
  const doing = `read the console of server ${id}`;
  return (await cloud.json({ ...call, repeatable: true, doing, signal }, z.object({ output: z.string() }))).output;
}

async function act(cloud: Cloud, id: string, name: string, body: object, signal: AbortSignal): Promise<void> {
  const version = await microversion(cloud, 'compute', SERVERS, signal);
  await cloud.send({ ...actionCall(id, body), microversion: version, doing: `${name} of server ${id}`, signal });
}

function actionCall(id: string, body: object) {
  return { service: 'compute', method: 'POST', path: path`/servers/${id}/action`, body } as const;
}

const attachment = z.object({
  port_id: z.string(),
  net_id: z.string(),
  mac_addr: z.string(),
  port_state: z.string(),
  fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })).nullish(),
});
export type Attachment = z.infer<typeof attachment>;

export async function listInterfaces(cloud: Cloud, id: string, signal: AbortSignal): Promise<readonly Attachment[]> {
  return list(cloud, {
    service: 'compute',
    path: path`/servers/${id}/os-interface`,
    key: 'interfaceAttachments',
    item: attachment,
    next: 'none',
    doing: `list the interfaces of server ${id}`,
    signal,
  });
}

/** Waits until the host has done it. */
export async function attachPort(cloud: Cloud, id: string, port: string, signal: AbortSignal): Promise<Attachment> {
  const body = { interfaceAttachment: { port_id: port } };
  const call = { service: 'compute', method: 'POST', path: path`/servers/${id}/os-interface`, body } as const;
  const doing = `attach port ${port} to server ${id}`;
  const answer = await cloud.json({ ...call, doing, signal }, z.object({ interfaceAttachment: attachment }));
  return answer.interfaceAttachment;
}

export async function detachPort(cloud: Cloud, id: string, port: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'compute', method: 'DELETE', path: path`/servers/${id}/os-interface/${port}` } as const;
  await cloud.remove({ ...call, doing: `detach port ${port} from server ${id}`, signal });
}
