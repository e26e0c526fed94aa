import { silentLogger } from '@superfluidity/core';
import { changeLink, createNamespace, deleteNamespace, transact } from '@superfluidity/netlink';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { PortRegistry } from '../cni/registry.ts';
import { applyNft, namesIn } from './nft.ts';
import { runOnNode } from './run.ts';
import { SERVICES } from './services.ts';
import { NodeTables, removeTables } from './tables.ts';
import { balancer } from './testing/fleet.ts';

const absent = missingForKernelTests(['nft', 'conntrack', 'nsenter']);
const NODE = `sfk-faults-${process.pid}`;

describe.skipIf(absent !== undefined)(titled('tables of a node that cannot do what it should', absent), () => {
  let tables: NodeTables;
  const told: { readonly kind: string; readonly key: string | undefined; readonly reason: string }[] = [];
  const syncs: string[] = [];
  const start = (resyncMs = 60_000) => {
    const onSync = (table: string, seconds: number, isDone: boolean) =>
      void syncs.push(`${table} ${isDone} ${seconds >= 0}`);
    tables = new NodeTables({ namespace: NODE, ports: new PortRegistry(), log: silentLogger, onSync, resyncMs });
    tables.onTrouble((kind, key, reason) => void told.push({ kind, key, reason }));
  };
  afterEach(async () => {
    await tables.close();
    deleteNamespace(NODE);
    told.length = 0;
  });

  test('what the kernel refuses is told, tried again, and done when it can be', async () => {
    start();
    // The node has no network at all yet.
    tables.putBalancer('default/a', balancer('a', '10.96.0.1', [{ address: '10.0.0.1' }]));
    tables.setKnown('services');
    await tables.settled();
    expect(told).toMatchObject([{ kind: 'services', key: undefined, reason: expect.stringContaining('SF-KURYR-') }]);
    expect(tables.trouble).toContain('SF-KURYR-');
    createNamespace(NODE);
    await expect.poll(() => tables.trouble, { timeout: 5_000 }).toBeUndefined();
    expect((await namesIn(NODE, SERVICES))?.chains.filter((name) => name.startsWith('port_'))).toHaveLength(1);
    expect(syncs).toContain('services false true');
    expect(syncs).toContain('services true true');
  });

  test('a table of another version, or one that somebody changed, is replaced whole', async () => {
    createNamespace(NODE);
    transact(NODE, [changeLink(1, { up: true })]);
    await applyNft(
      NODE,
      `table ip ${SERVICES.table} {\nmap ports { type ipv4_addr : verdict; }\nchain old { }\nchain answer { accept; }\n}\n`,
    );
    start();
    tables.putBalancer('default/a', balancer('a', '10.96.0.1', [{ address: '10.0.0.1' }]));
    tables.setKnown('services');
    await tables.settled();
    expect(told).toEqual([]);
    expect((await namesIn(NODE, SERVICES))?.chains).not.toContain('old');
    await applyNft(NODE, `flush map ip ${SERVICES.table} ports\n`);
    tables.putBalancer('default/a', undefined);
    await tables.settled();
    expect(told).toEqual([]);
    await removeTables(NODE);
    expect((await runOnNode(NODE, ['nft', 'list', 'tables'])).stdout).toBe('');
  });

  test('what somebody took away is there again after a while, without a change', async () => {
    createNamespace(NODE);
    start(200);
    tables.putBalancer('default/a', balancer('a', '10.96.0.1', [{ address: '10.0.0.1' }]));
    tables.setKnown('services');
    await tables.settled();
    await removeTables(NODE);
    expect(await namesIn(NODE, SERVICES)).toBeUndefined();
    await expect.poll(() => namesIn(NODE, SERVICES), { timeout: 5_000 }).toBeDefined();
    expect(told).toEqual([]);
  });

  test('a node without Services and policies has no table', async () => {
    createNamespace(NODE);
    start();
    tables.putBalancer('default/cloud', {
      ...balancer('cloud', '10.96.0.1', [{ address: '10.0.0.1' }]),
      status: { balancerId: 'x', provider: 'octavia', address: '10.96.0.1', observed: '', members: 1 },
    });
    tables.setKnown('services');
    tables.setKnown('policies');
    await tables.settled();
    expect((await runOnNode(NODE, ['nft', 'list', 'tables'])).stdout).toBe('');
  });
});
