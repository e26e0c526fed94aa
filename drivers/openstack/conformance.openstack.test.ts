import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { siteConformance } from '@superfluidity/site/testing';
import { openstackDriver } from './index.ts';
import { hasExtension, type OwnCloud, ownCloud, skip } from './testing.ts';

/** The suite that every driver passes, against the services of the laboratory, as a tenant sees them. */

const id = newId('site');
const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-openstack-'));
const execution = {
  environment: 'vm',
  image: 'name:lab-image',
  health: { kind: 'running', timeoutMs: 2_000 },
} as const;
const health = { kind: 'tcp', port: 81, timeoutMs: 1_000 } as const;

const chains = (await hasExtension('sfc')) ? {} : { paths: 'Neutron of this cloud has no service chains' };
let cloud: OwnCloud | undefined;

/** Into the networks of units, where nothing listens. */
let proxy: Server | undefined;
async function proxyUrl(): Promise<string> {
  if (proxy === undefined) {
    proxy = createServer();
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    await new Promise<void>((resolve) => proxy!.listen(0, '127.0.0.1', resolve));
  }
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

siteConformance('openstack', {
  open: async () =>
    openstackDriver.open({
      id,
      name: 'cloud',
      config: {
        auth: (cloud ??= await ownCloud(`driver-${id}`, 'member')).auth,
        health: { reach: { kind: 'proxy', url: await proxyUrl() } },
        pollMs: 500,
      },
      stateFolder,
      clock: systemClock,
      log: silentLogger,
    }),
  cleanup: async () => {
    proxy?.close();
    await cloud?.project.remove();
    rmSync(stateFolder, { recursive: true });
  },
  ...(skip === undefined ? {} : { skip }),
  healthy: { execution },
  neverReady: { execution: { ...execution, health } },
  imageMissing: { execution: { ...execution, image: 'name:no-such-image' } },
  unsupported: {
    pool: 'servers are made when they are asked for; what lies ready are ports',
    'data plane': 'tenants do not read the rules of the hosts of a cloud',
    metrics: 'Nova gives diagnostics to administrators only',
    terminal: 'consoles are read, not written',
    ...chains,
  },
  // Of the flavour that it gets: a host is used by flavours.
  size: { cpu: 1, memoryMiB: 192, storageMiB: 64 },
  network: {
    id: 'net-c',
    service: 'svc-conformance',
    name: 'data',
    prefix: '10.60.1.0/24',
    supernet: '10.60.0.0/16',
    mtu: 1400,
  },
  serviceAddress: '10.99.0.1',
  balancerAddress: '10.60.1.200',
  burst: 4,
  timeoutMs: 300_000,
});
