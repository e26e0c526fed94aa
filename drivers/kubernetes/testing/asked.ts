import type { PortSpec } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import { readConfig } from '../config.ts';
import { Marks } from '../marks.ts';
import type { World } from '../world.ts';

/** What is asked for in tests of translations, which need no cluster. */

export function worldWith(config: Readonly<Record<string, unknown>> = {}): World {
  return {
    siteId: 'site-1',
    name: 'cluster',
    marks: new Marks('site-1'),
    config: readConfig('cluster', config),
    cluster: { namespace: 'edge' },
  } as World;
}

export const port: PortSpec = { id: 'port-1', name: 'eth0', network: 'net-1', serviceAddresses: [] };

export function unit(execution: Partial<Execution> = {}, changes: Partial<UnitSpec> = {}): UnitSpec {
  return {
    id: 'unit-1',
    service: 'svc-1',
    path: 'video/server',
    index: 0,
    host: 'node1',
    execution: { environment: 'pod', image: 'name:registry.test/video:1', ...execution },
    cpu: 0.25,
    memoryMiB: 64,
    storageMiB: 0,
    ports: [port],
    facts: { site: 'edge' },
    ...changes,
  };
}
