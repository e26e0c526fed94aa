import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { PortSpec } from '@superfluidity/fabric';
import { listLinks, listRoutes } from '@superfluidity/netlink';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { machineDevice, scopeOf } from '@superfluidity/router';
import type { SiteDriver, UnitStatus } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linuxDriver } from './index.ts';
import { ping } from './kernel/icmp.ts';

const TIMEOUT_MS = 60_000;
const PREFIX = '10.79.1.0/24';
const TAKEN = '10.79.2.0/24';
const reason = missingForKernelTests(['ip', 'nft']);
const web = `require('node:http').createServer((request, response) => response.end(request.socket.remoteAddress)).listen(8080, '0.0.0.0')`;

describe.skipIf(reason !== undefined)(
  titled('a site that its machine reaches', reason),
  { timeout: TIMEOUT_MS },
  () => {
    const id = newId('site');
    const device = machineDevice(scopeOf(id));
    const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-reach-'));
    let site: SiteDriver;
    let fence = 0;
    const call = () => ({ key: 'test', fence, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const network = (name: string, prefix: string) => ({
      id: `net-${name}`,
      service: 'svc',
      name,
      prefix,
      supernet: prefix,
      mtu: 1500,
    });
    const open = async (reachable: boolean) => {
      await site?.close();
      fence += 1;
      const options = { id, name: 'trial', config: { reachable }, stateFolder, clock: systemClock, log: silentLogger };
      site = await linuxDriver.open(options);
      await site.fabric.ensureNetwork(network('one', PREFIX), call());
    };
    const start = (name: string, port: Partial<PortSpec>) =>
      site.ensureUnit(
        {
          id: `unit-${name}`,
          service: 'svc',
          path: name,
          index: 0,
          host: 'h1',
          execution: {
            environment: 'process',
            command: [process.execPath, '-e', web],
            health: { kind: 'tcp', port: 8080, timeoutMs: 20_000 },
          },
          cpu: 0.1,
          memoryMiB: 128,
          storageMiB: 1,
          ports: [{ id: `port-${name}`, name: 'eth0', network: 'net-one', serviceAddresses: [], ...port }],
          facts: {},
        },
        call(),
      );
    const fetched = (to: UnitStatus) =>
      fetch(`http://${to.ports[0]!.address}:8080/`, { signal: AbortSignal.timeout(1_500) }).then(
        (response) => response.text(),
        () => undefined,
      );
    const routes = () => listRoutes(undefined, { family: 4 }).filter(({ destination }) => destination === PREFIX);
    const isThere = () => listLinks(undefined).some(({ name }) => name === device);
    let known: UnitStatus;

    beforeAll(() => open(true));
    afterAll(async () => {
      const removed = await site?.purge();
      expect(removed).toContain(`interface ${device}`);
      expect([isThere(), routes()]).toEqual([false, []]);
      await site?.close();
      rmSync(stateFolder, { recursive: true, force: true });
    });

    test('it gets to units whose rules let everybody in, and to no others', async () => {
      known = await start('open', { allow: [{ protocol: 'tcp', ports: [8080] }] });
      const inside = await start('inside', { allow: [{ from: PREFIX }] });
      const plain = await start('plain', {});
      expect(await fetched(known)).toBe('169.254.255.1');
      expect(await Promise.all([inside, plain].map(fetched))).toEqual([undefined, undefined]);
    });

    test('units begin nothing with it', async () => {
      await expect(ping(known.handles['namespace']!, '169.254.255.1', { timeoutMs: 300 })).rejects.toThrow();
    });

    test('another control plane finds the wire as it is', async () => {
      await open(true);
      expect(routes()).toHaveLength(1);
      expect(await fetched(known)).toBe('169.254.255.1');
    });

    test('a prefix to which the machine has a way of its own is refused, and free again once that has gone', async () => {
      execFileSync('ip', ['route', 'add', 'blackhole', TAKEN]);
      try {
        await expect(site.fabric.ensureNetwork(network('two', TAKEN), call())).rejects.toMatchObject({
          code: 'SF-SITE-CONFLICT',
        });
        expect((await site.fabric.listNetworks()).map((one) => one.name)).toEqual(['one']);
      } finally {
        execFileSync('ip', ['route', 'delete', 'blackhole', TAKEN]);
      }
      await site.fabric.ensureNetwork(network('two', TAKEN), call());
      await site.fabric.removeNetwork('net-two', call());
      expect(listRoutes(undefined, { family: 4 }).filter(({ destination }) => destination === TAKEN)).toEqual([]);
    });

    test('the wire goes when it is not wanted any more, and comes back', async () => {
      await open(false);
      expect([isThere(), routes()]).toEqual([false, []]);
      await open(true);
      expect(await fetched(known)).toBe('169.254.255.1');
    });
  },
);
