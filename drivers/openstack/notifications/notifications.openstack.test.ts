import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, type Logger, silentLogger, systemClock } from '@superfluidity/core';
import { Cloud, deleteServer, ports } from '@superfluidity/openstack';
import { FaultProxy } from '@superfluidity/openstack/testing';
import type { SiteDriver, SiteEvent, UnitSpec } from '@superfluidity/site';
import { Connection, type Publisher } from 'rabbitmq-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openstackDriver } from '../index.ts';
import { type OwnCloud, ownCloud } from '../testing.ts';
import { broker, why, Wire } from './testing.ts';

/** What the site is told by RabbitMQ: it looks by itself every ten minutes only. */

const POLL_MS = 600_000;
const LONG_MS = 400_000;
/** From a server that Nova has deleted to the event; on a busy machine Nova itself takes many seconds to delete one. */
const SOON_MS = 120_000;

describe.skipIf(why !== undefined)(
  `a site that listens to the notifications of its cloud${why === undefined ? '' : ` (${why})`}`,
  { timeout: LONG_MS },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'superfluidity-notified-'));
    const wire = new Wire();
    const said: string[] = [];
    const seen: { readonly event: SiteEvent; readonly atMs: number }[] = [];
    const ended = new AbortController();
    const log: Logger = {
      ...silentLogger,
      warn: (_fields: unknown, text?: string) => void said.push(text ?? ''),
      info: (_fields: unknown, text?: string) => void said.push(text ?? ''),
    };
    const signal = AbortSignal.timeout(LONG_MS * 4);
    const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(LONG_MS) });
    let own: OwnCloud;
    let cloud: Cloud;
    let site: SiteDriver;
    /** Between the site and the services: tells when it looks. */
    let proxy: FaultProxy;
    let connection: Connection;
    let publisher: Publisher;

    const unit = (id: string): UnitSpec => ({
      id: `unit-${id}`,
      service: 'svc',
      path: 'function/unit',
      index: 0,
      host: 'nova',
      execution: { environment: 'vm', image: 'name:lab-image', health: { kind: 'running', timeoutMs: 1_000 } },
      cpu: 1,
      memoryMiB: 64,
      storageMiB: 64,
      ports: [{ id: `port-${id}`, name: 'eth0', network: 'net-own', serviceAddresses: [] }],
      facts: {},
    });
    const notified = async () => (await site.fingerprint()).capabilities.find(({ name }) => name === 'notifications')!;
    const eventOf = (id: string, state: string) =>
      seen.find(({ event }) => event.kind === 'unit' && event.unitId === `unit-${id}` && event.state === state);
    const told = (id: string, state: string) =>
      expect.poll(() => eventOf(id, state) !== undefined, { timeout: SOON_MS, interval: 50 }).toBe(true);

    const send = (body: unknown) =>
      publisher.send({ exchange: 'nova', routingKey: 'notifications.forged' }, body as object);
    /** Until the site has looked at what is there now. Somebody tells it that a server has changed. */
    const looked = async () => {
      const from = proxy.seen.length;
      const message = { event_type: 'compute.instance.update', payload: { tenant_id: own.project.id } };
      await send({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) });
      const hasBegun = () => proxy.seen.slice(from).some(({ path }) => path.includes('/servers/detail'));
      await expect.poll(hasBegun, { timeout: SOON_MS, interval: 50 }).toBe(true);
      let count = -1;
      const isQuiet = () => count === (count = proxy.seen.length);
      await expect.poll(isQuiet, { timeout: SOON_MS, interval: 3_000 }).toBe(true);
    };

    beforeAll(async () => {
      own = await ownCloud(`notified-${process.pid}`, 'member');
      cloud = new Cloud({ config: own.project.config, clock: systemClock, log: silentLogger });
      await wire.join();
      proxy = await FaultProxy.start(own.project.config.authUrl);
      connection = new Connection({ url: broker!.href });
      publisher = connection.createPublisher({ confirm: true });
      const config = {
        auth: { ...own.auth, auth_url: proxy.authUrl },
        pollMs: POLL_MS,
        notifications: { url: wire.url },
      };
      const options = { id: newId('site'), name: 'cloud', stateFolder: folder, clock: systemClock, log };
      site = await openstackDriver.open({ ...options, config });
      void (async () => {
        for await (const event of site.watch(ended.signal)) seen.push({ event, atMs: Date.now() });
      })();
      const network = { id: 'net-own', service: 'svc', name: 'data', prefix: '10.61.1.0/24', supernet: '10.61.0.0/16' };
      await site.fabric.ensureNetwork({ ...network, mtu: 1_500 }, call());
    }, LONG_MS);
    afterAll(async () => {
      ended.abort();
      await site.purge();
      await site.close();
      await cloud.close();
      await proxy.stop();
      await publisher.close();
      await connection.close();
      await wire.cut();
      await own.project.remove();
      rmSync(folder, { recursive: true });
    }, LONG_MS);

    test('sees long before its next look that a server was deleted, or a port', async () => {
      await expect.poll(notified, { timeout: SOON_MS }).toMatchObject({ present: true });
      const made = await site.ensureUnit(unit('a'), call());
      await looked();
      await deleteServer(cloud, made.handles['server']!, signal);
      await told('a', 'stopped');

      const next = await site.ensureUnit(unit('b'), call());
      await looked();
      const [port] = await ports.list(cloud, { device_id: next.handles['server'] }, signal);
      const beganMs = Date.now();
      await ports.delete(cloud, port!.id, signal);
      await told('b', 'failed');
      expect(eventOf('b', 'failed')!.atMs - beganMs).toBeLessThan(POLL_MS / 10);
      await site.removeUnit('unit-b', call());
    });

    test('goes on without RabbitMQ, says so once, and makes up for what it missed', async () => {
      const made = await site.ensureUnit(unit('c'), call());
      await looked();
      said.length = 0;
      await wire.cut();
      await expect.poll(notified, { timeout: SOON_MS }).toMatchObject({
        present: false,
        note: expect.stringMatching(/changes are seen by polling$/),
      });
      await deleteServer(cloud, made.handles['server']!, signal);
      // Units are made as before; nobody tells the site of the server that is gone.
      await site.ensureUnit(unit('d'), call());
      expect(eventOf('c', 'stopped')).toBeUndefined();
      expect(said.filter((text) => /no notifications/.test(text))).toHaveLength(1);
      expect(said.join('\n')).not.toContain(broker!.password);

      await wire.join();
      await told('c', 'stopped');
      await expect.poll(notified, { timeout: SOON_MS }).toMatchObject({ present: true });
      expect(said.filter((text) => /come again/.test(text))).toHaveLength(1);
      await site.removeUnit('unit-d', call());
    });

    test('is not misled by what somebody makes up', async () => {
      const made = await site.ensureUnit(unit('e'), call());
      await looked();
      const before = seen.length;
      const forged = {
        event_type: 'compute.instance.delete.end',
        payload: { instance_id: made.handles['server'], tenant_id: own.project.id, state: 'deleted' },
      };
      await send({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(forged) });
      await send('no notification');
      await send({ 'oslo.version': '2.0', 'oslo.message': '{' });
      await looked();
      expect(seen.slice(before)).toEqual([]);
      expect(await site.getUnit('unit-e')).toMatchObject({ state: 'running' });
      expect(await notified()).toMatchObject({ present: true });
      await site.removeUnit('unit-e', call());
    });
  },
);
