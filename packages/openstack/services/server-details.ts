import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { microversion } from '../microversions.ts';

/** What is asked of single servers of Nova while they run. */

const SERVERS = { atLeast: '2.71', atMost: '2.87' } as const;

const counter = z.number().nullish();

const diagnostics = z.object({
  state: z.string().nullish(),
  /** Nanoseconds. */
  cpu_details: z.array(z.object({ time: counter })).default([]),
  /** MiB. */
  memory_details: z.object({ maximum: counter, used: counter }).nullish(),
  nic_details: z
    .array(
      z.object({
        mac_address: z.string().nullish(),
        rx_octets: counter,
        rx_packets: counter,
        rx_drop: counter,
        tx_octets: counter,
        tx_packets: counter,
        tx_drop: counter,
      }),
    )
    .default([]),
});
export type ServerDiagnostics = z.infer<typeof diagnostics>;

/** By admins only, unless the policy of the cloud says otherwise. */
export async function serverDiagnostics(cloud: Cloud, id: string, signal: AbortSignal): Promise<ServerDiagnostics> {
  const version = await microversion(cloud, 'compute', SERVERS, signal);
  const call = { service: 'compute', method: 'GET', path: path`/servers/${id}/diagnostics` } as const;
  const doing = `read the diagnostics of server ${id}`;
  return cloud.json({ ...call, microversion: version, doing, signal }, diagnostics);
}

/** Adds to the metadata, or replaces what has these keys. */
export async function setServerMetadata(
  cloud: Cloud,
  id: string,
  metadata: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const call = { service: 'compute', method: 'POST', path: path`/servers/${id}/metadata` } as const;
  const doing = `write metadata of server ${id}`;
  await cloud.send({ ...call, body: { metadata }, repeatable: true, doing, signal });
}

/** All that Nova keeps of what the server printed on its console. */
export async function wholeConsole(cloud: Cloud, id: string, signal: AbortSignal): Promise<string> {
  const call = { service: 'compute', method: 'POST', path: path`/servers/${id}/action` } as const;
  const body = { 'os-getConsoleOutput': {} };
  const doing = `read the console of server ${id}`;
  const answer = z.object({ output: z.string().nullish() });
  return (await cloud.json({ ...call, body, repeatable: true, doing, signal }, answer)).output ?? '';
}
