import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DescriptorSource } from '@superfluidity/api';
import { routes } from '@superfluidity/api';
import { isSuperfluidityError, type Logger } from '@superfluidity/core';
import type { DriverKind } from '@superfluidity/site';
import type { RunningServer } from './server.ts';

const descriptor = fileURLToPath(new URL('../../examples/mobile-edge/service.yaml', import.meta.url));
const SERVICE = 'mobile-edge';

/** One way, as between a street cabinet and a data centre some thousand kilometres away. */
const LINK = { a: 'edge', b: 'core', latencyMs: 12, jitterMs: 0, loss: 0, bandwidthMbps: 1_000 } as const;

/** The demo's world: two sites, the link between them and the service, each where it is not there yet. */
export async function setUpDemo({ handlers }: RunningServer, kinds: readonly DriverKind[], log: Logger): Promise<void> {
  const call = { principal: { name: 'demo', role: 'admin' }, signal: new AbortController().signal } as const;
  const kind = await firstUsable(kinds);
  const known = new Set(
    (await handlers.listSites({ ...call, query: routes.listSites.query.parse({ limit: 1_000 }) })).items.map(
      (site) => site.name,
    ),
  );
  const base = { kind, config: {}, services: [], price: { core: 1, gib: 0.1 } };
  if (!known.has('edge')) {
    const edge = { name: 'edge', tier: 'edge', cells: ['cell-1'], latitude: 44.8, longitude: 10.33 };
    await handlers.addSite({ ...call, body: { ...base, ...edge, price: { core: 3, gib: 0.3 } } });
  }
  if (!known.has('core')) {
    const core = { name: 'core', tier: 'core', cells: [], latitude: 50.11, longitude: 8.68 };
    await handlers.addSite({ ...call, body: { ...base, ...core } });
  }
  const ofCore = routes.listLinks.query.parse({ site: 'core', limit: 1_000 });
  const { items: links } = await handlers.listLinks({ ...call, query: ofCore });
  const linked = links.some(({ a, b }) => [a, b].sort().join() === 'core,edge');
  if (!linked) await handlers.setLink({ ...call, body: LINK });
  try {
    await handlers.getService({ ...call, params: { name: SERVICE }, query: { units: 0 } });
  } catch (error) {
    if (!isSuperfluidityError(error) || error.kind.status !== 404) throw error;
    const { operation } = await handlers.deployService({
      ...call,
      body: { source: await exampleSource(), name: SERVICE },
    });
    log.info({ operation, kind }, 'the demo is being deployed');
  }
}

async function exampleSource(): Promise<DescriptorSource> {
  const text = await readFile(descriptor);
  return { files: [{ path: 'service.yaml', base64: text.toString('base64') }], baseFolder: dirname(descriptor) };
}

async function firstUsable(kinds: readonly DriverKind[]): Promise<string> {
  for (const { kind, missing } of kinds) {
    if (!(await missing()).some((one) => one.required)) return kind;
  }
  return 'simulated';
}
