import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchServer } from '../server.ts';
import { completed, pause, terminate } from '../server.ts';
import { type Timing, timing } from '../statistics.ts';

const DESCRIPTOR = fileURLToPath(new URL('../../examples/mobile-edge/service.yaml', import.meta.url));
const SERVICE = 'mobile-edge';
const FIRST_BYTE_TIMEOUT_MS = 60_000;

/** The whole example on two sites: from the request with the descriptor to the first byte that the user gets. */
export async function measureMobileEdge({ client }: BenchServer, runs: number): Promise<readonly Timing[]> {
  const base = { kind: 'linux', config: {}, services: [] };
  await client.call('addSite', {
    body: { ...base, name: 'edge', tier: 'edge', cells: ['cell-1'], price: { core: 3, gib: 0.3 } },
  });
  await client.call('addSite', {
    body: { ...base, name: 'core', tier: 'core', cells: [], price: { core: 1, gib: 0.1 } },
  });
  await client.call('setLink', { body: { a: 'edge', b: 'core', latencyMs: 12, bandwidthMbps: 1_000 } });
  const files = [{ path: 'service.yaml', base64: readFileSync(DESCRIPTOR).toString('base64') }];
  const source = { files, baseFolder: dirname(DESCRIPTOR) };
  const [deployed, firstByte, terminated]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < runs; i += 1) {
    const asked = Date.now();
    const { operation } = await client.call('deployService', { body: { source, name: SERVICE } });
    deployed.push((await completed(client, operation)).stateEnteredAt - asked);
    firstByte.push((await firstByteAt(client, asked)) - asked);
    const ending = Date.now();
    await terminate(client, SERVICE);
    terminated.push(Date.now() - ending);
  }
  for (const name of ['edge', 'core']) await client.call('removeSite', { params: { name } });
  return [
    timing('mobile-edge: deployed', deployed),
    timing('mobile-edge: first video byte', firstByte),
    timing('mobile-edge: terminated', terminated),
  ];
}

/** As the user equipment recorded it, by the clock of this machine. */
async function firstByteAt(client: BenchServer['client'], afterMs: number): Promise<number> {
  for (const deadline = performance.now() + FIRST_BYTE_TIMEOUT_MS; performance.now() < deadline; await pause(20)) {
    const samples = await client.call('getSamples', {
      params: { name: SERVICE },
      query: { since: afterMs, limit: 5_000 },
    });
    const first = samples.find(({ t, ok, bytes }) => t >= afterMs && ok && bytes > 0);
    if (first !== undefined) return first.t + first.latencyMs;
  }
  throw new Error('the user equipment of mobile-edge gets no video');
}
