import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, type Logger, silentLogger, systemClock } from '@superfluidity/core';
import { Cloud, deleteServer, ports } from '@superfluidity/openstack';
import type { SiteDriver, SiteEvent, UnitSpec } from '@superfluidity/site';
import { Connection } from 'rabbitmq-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openstackDriver } from '../index.ts';
import { type OwnCloud, ownCloud, skip } from '../testing.ts';

/** What the site is told by RabbitMQ: it looks by itself every ten minutes only. */

const POLL_MS = 600_000;
const LONG_MS = 400_000;
/** From a server that Nova has deleted to the event; on a busy machine Nova itself takes many seconds to delete one. */
const SOON_MS = 120_000;

function transportUrl(): URL | undefined {
  const folder = process.env['SUPERFLUIDITY_LAB'] ?? '/var/tmp/superfluidity-lab';
  try {
    const text = readFileSync(join(folder, 'openstack/etc/nova/nova.conf'), 'utf8');
    const url = /^transport_url\s*=\s*rabbit:(\S+)/m.exec(text)?.[1];
    return url === undefined ? undefined : new URL(`amqp:${url}`);
  } catch {
    return undefined;
  }
}
const broker = transportUrl();
const why =
  skip ?? (broker === undefined ? 'the cloud is none of `npm run lab`: its RabbitMQ is not known' : undefined);

/** Between the site and RabbitMQ, which goes on working for everybody else. */
class Wire {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  async join(): Promise<void> {
    this.#server = createServer((near) => {
      const far = createConnection(Number(broker!.port), broker!.hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {}).on('close', () => to.destroy());
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.#port, '127.0.0.1', resolve));
    const at = this.#server.address();
    if (at !== null && typeof at === 'object') this.#port = at.port;
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server!.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await closed;
  }

  get url(): string {
    const url = new URL(broker!);
    url.host = `127.0.0.1:${this.#port}`;
    return url.href;
  }
}

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

    beforeAll(async () => {
      own = await ownCloud(`notified-${process.pid}`, 'member');
      cloud = new Cloud({ config: own.project.config, clock: systemClock, log: silentLogger });
      await wire.join();
      const config = { auth: own.auth, pollMs: POLL_MS, notifications: { url: wire.url } };
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
      await wire.cut();
      await own.project.remove();
      rmSync(folder, { recursive: true });
    }, LONG_MS);

    test('sees long before its next look that a server was deleted, or a port', async () => {
      await expect.poll(notified, { timeout: SOON_MS }).toMatchObject({ present: true });
      const made = await site.ensureUnit(unit('a'), call());
      // The look that its creation woke has seen it.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      await deleteServer(cloud, made.handles['server']!, signal);
      await told('a', 'stopped');

      const next = await site.ensureUnit(unit('b'), call());
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const [port] = await ports.list(cloud, { device_id: next.handles['server'] }, signal);
      const beganMs = Date.now();
      await ports.delete(cloud, port!.id, signal);
      await told('b', 'failed');
      expect(eventOf('b', 'failed')!.atMs - beganMs).toBeLessThan(POLL_MS / 10);
      await site.removeUnit('unit-b', call());
    });

    test('goes on without RabbitMQ, says so once, and makes up for what it missed', async () => {
      const made = await site.ensureUnit(unit('c'), call());
      await new Promise((resolve) => setTimeout(resolve, 5_000));
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
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const before = seen.length;
      const connection = new Connection({ url: broker!.href });
      const publisher = connection.createPublisher({ confirm: true });
      const forged = {
        event_type: 'compute.instance.delete.end',
        payload: { instance_id: made.handles['server'], tenant_id: own.project.id, state: 'deleted' },
      };
      const to = { exchange: 'nova', routingKey: 'notifications.forged' };
      await publisher.send(to, { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(forged) });
      await publisher.send(to, 'no notification');
      await publisher.send(to, { 'oslo.version': '2.0', 'oslo.message': '{' });
      await publisher.close();
      await connection.close();
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      expect(seen.slice(before)).toEqual([]);
      expect(await site.getUnit('unit-e')).toMatchObject({ state: 'running' });
      expect(await notified()).toMatchObject({ present: true });
      await site.removeUnit('unit-e', call());
    });
  },
);
