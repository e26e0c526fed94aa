import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@superfluidity/api';
import { shortName, silentLogger, systemClock } from '@superfluidity/core';
import { linuxDriver } from '@superfluidity/driver-linux';
import { takeInventory } from '@superfluidity/driver-linux/inventory';
import { sourceOf, until } from './operations.ts';

/** Sites `edge` and `core` of network namespaces on this machine, and the example that streams over them. */
export interface LinuxWorld {
  readonly sites: Readonly<Record<string, string>>;
  /** What the kernel has of these sites, as lines `kind name`. */
  kernel(): Promise<readonly string[]>;
  /** Of each kind how many: equal for equal deployments, whose names differ. */
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Processes of the sites, with the time at which each began. */
  processes(): Promise<readonly string[]>;
  /** Without any server: whatever became of the last one, nothing stays on this machine. */
  purge(): Promise<void>;
}

const EXAMPLE = fileURLToPath(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
export const exampleFolder = dirname(EXAMPLE);

/** Why containers cannot be run on sites of this machine. */
export const whyNoLinuxSites = (): Promise<string | undefined> => whyNot(['runc']);
/** Why virtual machines cannot. */
export const whyNoVirtualMachines = (): Promise<string | undefined> => whyNot(['runc', 'qemu', 'tun']);

async function whyNot(needed: readonly string[]): Promise<string | undefined> {
  const missing = (await linuxDriver.missing()).filter((each) => each.required || needed.includes(each.name));
  return missing.length === 0 ? undefined : missing.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
}

export async function linuxSites(client: Client): Promise<LinuxWorld> {
  const sites: Record<string, string> = {};
  for (const [name, core] of [
    ['edge', 3],
    ['core', 1],
  ] as const) {
    const price = { core, gib: core / 10 };
    const body = { name, kind: 'linux', config: {}, tier: name, cells: [], services: [], price };
    sites[name] = (await client.call('addSite', { body })).id;
  }
  await client.call('setLink', {
    body: { a: 'edge', b: 'core', latencyMs: 3, jitterMs: 0, loss: 0, bandwidthMbps: 1_000 },
  });
  const scopes = Object.values(sites).map((id) => shortName('', id));
  const kernel = async () => {
    const lines = [...(await takeInventory())];
    return lines.filter((line) => scopes.some((scope) => line.includes(scope))).sort();
  };
  const processes = async () => (await kernel()).filter((line) => line.startsWith('process '));
  return {
    sites,
    kernel,
    processes,
    async counts() {
      const counts: Record<string, number> = {};
      for (const line of await kernel()) {
        // The site's own group, made with its first container; what counts is what is in it.
        if (scopes.some((scope) => line.startsWith('cgroup ') && line.endsWith(scope))) continue;
        const kind = line.slice(0, line.indexOf(' '));
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
      return counts;
    },
    async purge() {
      for (const [name, id] of Object.entries(sites)) {
        const driver = await linuxDriver.open({
          id,
          name,
          config: {},
          stateFolder: '/nonexistent',
          clock: systemClock,
          log: silentLogger,
        });
        await driver.purge();
        await driver.close();
      }
    },
  };
}

/** The example, with changes to its text, as if it lay in another folder. */
export async function mobileEdge(change: (text: string) => string = (text) => text, folder = exampleFolder) {
  return sourceOf(change(await readFile(EXAMPLE, 'utf8')), folder);
}

export interface Request {
  readonly t: number;
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly connection: number;
  readonly from?: string;
  readonly error?: string;
}

/** Every request of the stream since its unit was started: read from what the user equipment itself wrote down. */
export async function requests(client: Client, service: string): Promise<readonly Request[]> {
  const found: Request[] = [];
  for (let offset = 0; ; ) {
    const { lines, next } = await client.call('readUnitOutput', {
      params: { name: service, unit: 'ue' },
      query: { offset },
    });
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const { warmup, ...request } = JSON.parse(line) as Request & { readonly warmup?: true };
      if (warmup !== true) found.push(request);
    }
    if (next === offset) return found;
    offset = next;
  }
}

/** Resolves when the stream has had this many good requests after the time. */
export function streaming(client: Client, service: string, count: number, afterMs = 0): Promise<readonly Request[]> {
  return until(
    `${count} requests of ${service} are answered`,
    async () => {
      const all = await requests(client, service);
      return all.filter(({ t, ok }) => ok && t > afterMs).length >= count ? all : undefined;
    },
    30_000,
    100,
  );
}
