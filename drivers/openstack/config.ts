import { SuperfluidityError } from '@superfluidity/core';
import { formatIpv4, isHostAddress, parseIpv4, parseIpv4Prefix, prefixSize } from '@superfluidity/model';
import { z } from 'zod';

const text = z.string().min(1).max(1_000);
const name = z.string().min(1).max(255);

/** Words of clouds.yaml, which people know and the client reads. */
const auth = z.strictObject({
  auth_url: z.url({ protocol: /^https?$/ }).describe('Keystone, version 3'),
  username: text.exactOptional(),
  user_id: text.exactOptional(),
  user_domain_name: text.exactOptional(),
  user_domain_id: text.exactOptional(),
  password: text.exactOptional().describe('Best as `secret:NAME`'),
  project_name: text.exactOptional(),
  project_id: text.exactOptional(),
  project_domain_name: text.exactOptional(),
  project_domain_id: text.exactOptional(),
  application_credential_id: text.exactOptional(),
  application_credential_name: text.exactOptional(),
  application_credential_secret: text.exactOptional().describe('Best as `secret:NAME`'),
});

const reach = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }).describe('Nobody but Nova says whether a unit is ready'),
  z.strictObject({ kind: z.literal('direct') }).describe('The networks of units are routed to this server'),
  z.strictObject({ kind: z.literal('floating-ip') }).describe('Each unit gets a floating IP for its first port'),
  z
    .strictObject({ kind: z.literal('proxy'), url: z.url({ protocol: /^http$/ }) })
    .describe('An HTTP proxy (CONNECT) that is in the networks of the units, or is routed to them'),
]);
export type Reach = z.infer<typeof reach>;

const gateway = z.strictObject({
  device: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,14}$/)
    .describe('Bridge or interface of this machine that is in the external network'),
  address: z
    .string()
    .max(18)
    .refine(isAddressInPrefix, 'an IPv4 address of a host with the length of its prefix: 203.0.113.9/24')
    .describe('Address there that nobody else has, outside the pools of its subnet: 203.0.113.9/24'),
  sourceNat: z
    .boolean()
    .default(false)
    .describe(
      'True: routers go on to hide units behind their address, so that connections which units of the cloud begin do not reach other sites',
    ),
});
export type GatewayConfig = z.infer<typeof gateway>;

function isAddressInPrefix(text: string): boolean {
  const [host = '', length = ''] = text.split('/');
  const address = parseIpv4(host);
  if (address === undefined || !/^\d{1,2}$/.test(length)) return false;
  const prefix = parseIpv4Prefix(`${formatIpv4(address - (address % prefixSize(Number(length))))}/${length}`);
  return prefix !== undefined && isHostAddress(prefix, address);
}

const schema = z
  .strictObject({
    cloud: name
      .exactOptional()
      .describe('Name in clouds.yaml of the server; without it and without `auth`, its OS_* variables'),
    auth: auth.exactOptional().describe('The credentials themselves, instead of `cloud`'),
    region: name.exactOptional(),
    interface: z.enum(['public', 'internal', 'admin']).exactOptional(),
    verify: z.boolean().exactOptional().describe('False: certificates are not checked'),
    hosts: z
      .enum(['auto', 'hypervisors', 'zones'])
      .default('auto')
      .describe('What counts as a host: auto is hypervisors where the credentials show them, else availability zones'),
    only: z
      .array(name)
      .min(1)
      .max(1_000)
      .exactOptional()
      .describe('Hosts, by name, that may be used; `*` stands for any text. Default: all'),
    externalNetwork: name
      .exactOptional()
      .describe('Name or id: each network gets a router to it. Without it networks have none'),
    gateway: gateway
      .exactOptional()
      .describe(
        'Joins the site to others of this machine by links: where the machine touches the external network of the cloud',
      ),
    physicalNetwork: z
      .strictObject({ name, type: z.enum(['vlan', 'flat']).default('vlan') })
      .exactOptional()
      .describe('Networks are made on this one, without tunnels; for administrators. Guaranteed bandwidth needs it'),
    dns: z.array(z.ipv4()).max(5).default([]).describe('Name servers for units'),
    flavors: z
      .strictObject({
        only: z.array(name).min(1).max(1_000).exactOptional().describe('By name; `*` stands for any text'),
        units: z.record(name, name).default({}).describe('Flavour that a unit gets, by the path of the unit'),
        create: z.boolean().default(false).describe('Make one where none fits; for administrators'),
      })
      .prefault({})
      .describe('Which flavours units get. Else the smallest that fits'),
    images: z
      .record(text, name)
      .default({})
      .describe('What stands for an image of a descriptor: {"guest:": "busybox"}. By name or id'),
    upload: z.boolean().default(true).describe('Upload disks (`disk:PATH`) to Glance'),
    bootFromVolume: z
      .strictObject({ sizeGiB: z.int().min(1).max(65_536), type: name.exactOptional() })
      .exactOptional()
      .describe('Units boot from a volume of this size made from their image'),
    keyName: name.exactOptional().describe('Key pair with which people can log in'),
    spread: z
      .enum(['none', 'soft-anti-affinity', 'anti-affinity', 'soft-affinity', 'affinity'])
      .default('none')
      .describe('Server group for the instances of each unit'),
    deploy: z
      .enum(['direct', 'heat', 'mistral'])
      .default('direct')
      .describe('How services are made: by calls, as stacks of Heat, or as stacks that workflows of Mistral make'),
    health: z
      .strictObject({
        reach: reach.prefault({ kind: 'none' }),
        consoleMarker: z
          .string()
          .min(1)
          .max(200)
          .exactOptional()
          .describe('Where units cannot be reached: what the console shows when a unit is ready'),
      })
      .prefault({})
      .describe('How the server finds out whether a unit is ready'),
    requestMs: z
      .int()
      .min(1_000)
      .max(600_000)
      .exactOptional()
      .describe('How long one answer of the cloud may take. Default: two minutes'),
    notifications: z
      .strictObject({
        url: z
          .string()
          .regex(/^(?:amqps?|rabbit):\/\/[^/]+/)
          .max(1_000)
          .describe(
            'RabbitMQ of the cloud, as `transport_url` of its services: amqp://USER:PASSWORD@HOST/. Best as `secret:NAME`',
          ),
        exchanges: z.array(name).min(1).max(10).default(['nova', 'neutron', 'heat']),
      })
      .exactOptional()
      .describe('Where services tell what changes, so that it is seen before the next look. Default: nowhere'),
    pollMs: z.int().min(200).max(600_000).default(5_000).describe('Between two looks at what runs'),
  })
  .refine(({ cloud, auth: given }) => cloud === undefined || given === undefined, 'give cloud or auth, not both')
  .refine(
    ({ health, externalNetwork }) => health.reach.kind !== 'floating-ip' || externalNetwork !== undefined,
    'floating IPs need externalNetwork',
  )
  .refine(
    ({ gateway: given, externalNetwork }) => given === undefined || externalNetwork !== undefined,
    'a gateway needs externalNetwork',
  );
export type OpenstackConfig = z.infer<typeof schema>;

export const configSchema = z.toJSONSchema(schema, { io: 'input' }) as Readonly<Record<string, unknown>>;

export function readConfig(site: string, config: unknown): OpenstackConfig {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new SuperfluidityError('SF-SITE-CONFIG', {
    doing: `open site ${site}`,
    reason: z.prettifyError(parsed.error),
    data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
  });
}

/** Whether a name is one of those that were listed, in which `*` stands for any text. */
export function isAmong(patterns: readonly string[] | undefined, candidate: string): boolean {
  if (patterns === undefined) return true;
  return patterns.some((pattern) => {
    const parts = pattern.split('*');
    if (parts.length === 1) return pattern === candidate;
    const [first = '', ...rest] = parts;
    if (!candidate.startsWith(first)) return false;
    let at = first.length;
    const last = rest.pop() ?? '';
    for (const part of rest) {
      const found = candidate.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return candidate.length - last.length >= at && candidate.endsWith(last);
  });
}

/** Bounds of this package. */
export const LIMITS = {
  /** Units that are being made at a time. */
  unitsAtOnce: 16,
  /** Units by whose tags servers are asked for in one request: its line stays below 2 KiB. */
  unitsInQuestion: 16,
  /** Networks whose ports are asked for in one request, likewise. */
  networksInQuestion: 32,
  /** Requests for ports at a time, and ports in one: Neutron shares its time among all requests, and of few the first are done soon. */
  portRequestsAtOnce: 2,
  portsPerRequest: 50,
  unitsPerCall: 10_000,
  /** From the request to a server that is ACTIVE, besides what the caller's signal allows. */
  buildMs: 300_000,
  /** From the request to a server that is gone. */
  deleteMs: 120_000,
  /** A request that makes something is not given up half way: what came of it would not be known. */
  createMs: 400_000,
  purgeMs: 600_000,
  /** From a network that is to go to the last port that a controller of Kuryr has in it, and between two looks. */
  podPortsMs: 120_000,
  podLookMs: 500,
  /** From a server that is ACTIVE to a port that is. */
  wiredMs: 60_000,
  /** One question outside of an operation. */
  askMs: 30_000,
  /** A health check without a limit of its own. */
  readyMs: 60_000,
  /** Between two looks at servers that are waited for. */
  lookMs: 250,
  /** Times as long as the last look took, up to lookMostMs of it: looks keep a busy cloud from what is waited for. */
  lookTimes: 5,
  lookMostMs: 1_000,
  /** How long what was read of hosts and capabilities is believed. */
  hostsKeptMs: 1_000,
  capabilitiesKeptMs: 60_000,
  /** Of user data, in base64: what Nova takes. */
  userDataBytes: 65_535,
  /** A port without a server is removed when it is older than this. */
  orphanMs: 600_000,
  /** Before a look that somebody woke, and so many times as long as the last look took: messages by the thousand wake a few. */
  wokenMs: 300,
  wokenTimes: 4,
  /** Between two looks at a stack that is waited for, or at an execution. */
  stackLookMs: 500,
  carrierLookMs: 100,
  /** What Heat allows itself. */
  stackMinutes: 60,
  /** Between two looks at the ports of pools. */
  poolLookMs: 20_000,
  /** Ports in one request for a pool: many more are hardly cheaper, and the first of them comes with the last. */
  poolOrder: 10,
  /** What a pool keeps of ports that come back, above what it is told to keep. */
  poolSpare: 20,
  consoleUnits: 10_000,
  consoleKeptMs: 1_000,
  diagnosticsAtOnce: 8,
  hostsWithRatios: 256,
} as const;
