import { type Logger, silentLogger, systemClock } from '@superfluidity/core';
import { Cloud, networks, ports } from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnCloud, ownCloud } from '../testing.ts';
import { NotificationListener } from './listener.ts';
import { broker, why, Wire } from './testing.ts';

const PATIENCE_MS = 300_000;
const SOON_MS = 60_000;

/** Of Neutron alone, which tells of a port what Nova tells of a server. */
describe.skipIf(why !== undefined)(
  `a listener to the notifications of the laboratory${why === undefined ? '' : ` (${why})`}`,
  { timeout: PATIENCE_MS },
  () => {
    const wire = new Wire();
    const said: string[] = [];
    const log: Logger = {
      ...silentLogger,
      warn: (_fields, text) => void said.push(text),
      info: (_fields, text) => void said.push(text),
    };
    const signal = AbortSignal.timeout(PATIENCE_MS * 3);
    let own: OwnCloud;
    let cloud: Cloud;
    let network: string;
    let listener: NotificationListener;
    let woken = 0;
    const isWoken = (since: number) => expect.poll(() => woken > since, { timeout: SOON_MS, interval: 20 }).toBe(true);

    beforeAll(async () => {
      own = await ownCloud(`listener-${process.pid}`, 'member');
      cloud = new Cloud({ config: own.project.config, clock: systemClock, log: silentLogger });
      network = (await networks.create(cloud, { name: 'told' }, signal)).id;
      await wire.join();
      listener = new NotificationListener({
        site: 'cloud',
        config: { url: wire.url, exchanges: ['nova', 'neutron', 'heat'] },
        project: async () => own.project.id,
        wake: () => void (woken += 1),
        log,
      });
    }, PATIENCE_MS);
    afterAll(async () => {
      await listener.close();
      await wire.cut();
      for (const { id } of await ports.list(cloud, { network_id: network }, signal))
        await ports.delete(cloud, id, signal);
      await networks.delete(cloud, network, signal);
      await cloud.close();
      await own.project.remove();
    }, PATIENCE_MS);

    it('is woken by what becomes of the project, cut off and reached again', async () => {
      const all = { present: true, note: 'of nova, neutron, heat' };
      await expect.poll(() => listener.state, { timeout: SOON_MS }).toEqual(all);
      let since = woken;
      // It may be told before the answer is here.
      const port = await ports.create(cloud, { name: 'told', network_id: network }, signal);
      await isWoken(since);
      const isQuiet = () => since === (since = woken);
      await expect.poll(isQuiet, { timeout: SOON_MS, interval: 2_000 }).toBe(true);
      const beganMs = performance.now();
      await ports.delete(cloud, port.id, signal);
      await isWoken(since);
      console.log(`told ${Math.round(performance.now() - beganMs)} ms after the request to delete a port`);

      await wire.cut();
      await expect.poll(() => listener.state.present, { timeout: SOON_MS }).toBe(false);
      expect(listener.state.note).toMatch(/^none come \(.+\): changes are seen by polling$/);
      since = woken;
      const missed = await ports.create(cloud, { name: 'missed', network_id: network }, signal);
      await ports.delete(cloud, missed.id, signal);
      expect(woken).toBe(since);
      expect(said).toEqual(['no notifications of the cloud: changes are seen by polling']);

      await wire.join();
      await isWoken(since);
      await expect.poll(() => listener.state.present, { timeout: SOON_MS }).toBe(true);
      await expect.poll(() => said.length, { timeout: SOON_MS }).toBe(2);
      expect(said.join('\n')).not.toContain(broker!.password);
    });

    it('says which exchange is not there, and hears the others', async () => {
      let heard = 0;
      const other = new NotificationListener({
        site: 'cloud',
        config: { url: broker!.href, exchanges: ['neutron', 'no-such-exchange'] },
        project: async () => own.project.id,
        wake: () => void (heard += 1),
        log: silentLogger,
      });
      try {
        await expect.poll(() => other.state.note, { timeout: SOON_MS }).toMatch(/^none come of no-such-exchange \(/);
        expect(other.state.present).toBe(true);
        const since = heard;
        const port = await ports.create(cloud, { name: 'told', network_id: network }, signal);
        await expect.poll(() => heard > since, { timeout: SOON_MS }).toBe(true);
        await ports.delete(cloud, port.id, signal);
      } finally {
        await other.close();
      }
    });
  },
);
