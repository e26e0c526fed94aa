import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@superfluidity/api';
import { silentLogger, systemClock } from '@superfluidity/core';
import { simulated } from '@superfluidity/driver-simulated';

/** Two simulated sites that outlive their servers, and a service that takes every kind of step to deploy. */
export interface SimulatedWorld {
  readonly sites: Readonly<Record<string, string>>;
  /** All that is in the sites, by name. */
  inventory(): Promise<readonly string[]>;
  /** Calls that came with a lower fence than one before them: the sites refused them. */
  fencedCalls(): number;
}

export const simulatedService = `
superfluidity: 1
service:
  name: stream
  version: '1'
  networks:
    - {name: users, prefix: 10.45.0.0/16}
    - {name: apps, prefix: 10.46.0.0/16}
  functions:
    - name: ue
      environment: container
      image: 'host:'
      ports: [users]
      requirements: {cpu: 0.5, location: {sites: [edge]}, after: [video]}
    - name: firewall
      environment: nft
      program: 'table inet filter { }'
      forwards: true
      ports: [apps]
      pool: 1
      requirements: {cpu: 0.5, location: {sites: [edge]}}
    - name: video
      environment: container
      image: 'host:'
      ports: [apps]
      scale: {initial: 2, min: 0, max: 8}
      requirements: {cpu: 0.5, location: {sites: [core]}}
  chains:
    - {name: watch, from: ue, through: [firewall], to: video, address: 10.99.0.10, protocol: tcp, ports: [8080]}
  balancers:
    - {name: front, unit: video, address: 10.99.0.20, port: 80, targetPort: 8080}
`;

export interface Pace {
  readonly startMs: number;
  readonly fabricMs: number;
  readonly traffic?: Readonly<Record<string, unknown>>;
}

export async function simulatedSites(client: Client, folder: string, pace: Pace): Promise<SimulatedWorld> {
  const fixed = (ms: number) => ({ kind: 'fixed', ms });
  const config = {
    persist: true,
    hosts: { count: 2 },
    ...(pace.traffic === undefined ? {} : { traffic: pace.traffic }),
    latency: { start: fixed(pace.startMs), fabric: fixed(pace.fabricMs), remove: fixed(pace.fabricMs) },
  };
  const sites: Record<string, string> = {};
  for (const name of ['edge', 'core']) {
    const price = { core: 1, gib: 0.1 };
    const body = { name, kind: 'simulated', config, tier: name, cells: [], services: [], price };
    sites[name] = (await client.call('addSite', { body })).id;
  }
  await client.call('setLink', {
    body: { a: 'edge', b: 'core', latencyMs: 12, jitterMs: 0, loss: 0, bandwidthMbps: 1_000 },
  });
  return worldOf(folder, sites, config);
}

function worldOf(folder: string, sites: Readonly<Record<string, string>>, config: Record<string, unknown>) {
  const base = { config, stateFolder: folder, clock: systemClock, log: silentLogger };
  const lines = (id: string) =>
    readFileSync(join(folder, `${encodeURIComponent(id)}.simulated.jsonl`), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => (JSON.parse(line) as { readonly command: JournalCommand }).command);
  return {
    sites,
    async inventory() {
      const found: string[] = [];
      for (const [name, id] of Object.entries(sites)) {
        const driver = await simulated.open({ ...base, id, name });
        for (const unit of await driver.listUnits()) found.push(`${name} ${unit.id} ${unit.path}#${unit.index}`);
        for (const network of await driver.fabric.listNetworks()) found.push(`${name} network ${network.id}`);
        await driver.close();
      }
      return found.sort();
    },
    fencedCalls() {
      let refused = 0;
      for (const id of Object.values(sites)) {
        let highest = 0;
        for (const { fence } of lines(id)) {
          if (fence === undefined) continue;
          if (fence < highest) refused += 1;
          highest = Math.max(highest, fence);
        }
      }
      return refused;
    },
  };
}

interface JournalCommand {
  readonly fence?: number;
}
