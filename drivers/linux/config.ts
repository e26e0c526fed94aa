import { cpus, totalmem } from 'node:os';
import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';

/** How a site of this kind is configured: the hosts into which the machine is divided. */
const host = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$/)
    .describe('Name of the host: lower case letters, digits and hyphens'),
  cpu: z
    .number()
    .positive()
    .max(4096)
    .optional()
    .describe('Processor cores that units may take; default: those of the machine'),
  memoryMiB: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('Memory that units may take; default: that of the machine'),
  storageMiB: z.number().int().positive().optional().describe('Storage that units may take'),
  rack: z.string().min(1).max(63).optional().describe('Rack in which the host stands'),
  rackUnit: z.number().int().min(1).max(100).optional().describe('Where in the rack, from the bottom'),
});

/** Port numbers on the host's side of the locator leave room for this many. */
const HOSTS_MAX = 64;
const STORAGE_DEFAULT_MIB = 16_384;

const config = z.strictObject({
  hosts: z
    .array(host)
    .min(1)
    .max(HOSTS_MAX)
    .refine((hosts) => new Set(hosts.map(({ name }) => name)).size === hosts.length, 'two hosts have one name')
    .optional()
    .describe('Hosts of the site; default: one, h1, of the size of the machine'),
  reachable: z
    .boolean()
    .optional()
    .describe('This machine reaches units whose rules let everybody in, at their addresses; default: no'),
});

export interface HostConfig {
  readonly name: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly storageMiB: number;
  readonly rack?: string;
  readonly rackUnit?: number;
}

export interface SiteConfig {
  readonly hosts: readonly HostConfig[];
  readonly reachable: boolean;
}

export const configSchema = z.toJSONSchema(config) as Readonly<Record<string, unknown>>;

export function readConfig(site: string, value: Readonly<Record<string, unknown>>): SiteConfig {
  const parsed = config.safeParse(value);
  if (!parsed.success) {
    throw new SuperfluidityError('SF-SITE-CONFIG', {
      doing: `open site ${site}`,
      reason: z.prettifyError(parsed.error),
      data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
    });
  }
  const machine = { cpu: cpus().length, memoryMiB: Math.floor(totalmem() / 2 ** 20), storageMiB: STORAGE_DEFAULT_MIB };
  const hosts = (parsed.data.hosts ?? [{ name: 'h1' }]).map((declared) => ({
    name: declared.name,
    cpu: declared.cpu ?? machine.cpu,
    memoryMiB: declared.memoryMiB ?? machine.memoryMiB,
    storageMiB: declared.storageMiB ?? machine.storageMiB,
    ...(declared.rack === undefined ? {} : { rack: declared.rack }),
    ...(declared.rackUnit === undefined ? {} : { rackUnit: declared.rackUnit }),
  }));
  return { hosts, reachable: parsed.data.reachable ?? false };
}
