import { silentLogger, VirtualClock } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Keep, KURYR, type PoolPort, type PortsBackend, PortsPool, type PortsPoolOptions } from '../index.ts';
import { ModelCloud } from './testing/model-cloud.ts';

const place = { project: 'p', at: 'host', network: 'net' };
const never = new AbortController().signal;
const kuryr: Keep = { ...KURYR, foresees: false };

function world(changes: Partial<PortsPoolOptions> = {}, workers?: number) {
  const clock = new VirtualClock();
  const cloud = new ModelCloud(clock, workers);
  const open = (more: Partial<PortsPoolOptions> = {}) =>
    new PortsPool({
      backend: cloud.connect(),
      clock,
      log: silentLogger,
      keep: kuryr,
      updateEveryMs: 20_000,
      orderMost: 50,
      readyTimeoutMs: 5_000,
      ...changes,
      ...more,
    });
  const get = (pool: PortsPool, groups: readonly string[] = ['sg'], more = {}) =>
    pool.acquire({ ...place, groups, ...more }, never);
  const ready = (pool: PortsPool) => pool.stats().reduce((sum, one) => sum + one.ready, 0);
  return { clock, cloud, open, get, ready };
}

/** Its methods, of which some are to be others. */
function portsOf(backend: PortsBackend): PortsBackend {
  return {
    createMany: (...args) => backend.createMany(...args),
    update: (...args) => backend.update(...args),
    show: (...args) => backend.show(...args),
    remove: (...args) => backend.remove(...args),
    list: (...args) => backend.list(...args),
    watch: (...args) => backend.watch(...args),
    isOverQuota: (...args) => backend.isOverQuota(...args),
    room: (...args) => backend.room(...args),
  };
}

describe('PortsPool', () => {
  test('an empty pool makes one for who asks, and a batch behind; the next takes what is ready without a call', async () => {
    const { clock, cloud, open, get, ready } = world();
    const pool = open();
    const first = await clock.runUntil(get(pool));
    expect(clock.now()).toBeLessThan(300);
    await clock.advance(2_000);
    expect(cloud.ports.size).toBe(1 + kuryr.batch);
    const calls = cloud.calls;
    const second = await get(pool);
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ ready: true, groups: ['sg'] });
    expect(cloud.calls).toBe(calls);
    // 9 are ready: a refill begins at 4.
    for (let at = 0; at < 4; at += 1) await get(pool);
    await clock.advance(2_000);
    expect(ready(pool)).toBe(5);
    await get(pool);
    await clock.advance(2_000);
    expect(ready(pool)).toBe(4 + kuryr.batch);
  });

  test('what lies ready with the groups that are asked for is handed out without a call, and nothing else is', async () => {
    const { clock, cloud, open, get, ready } = world();
    const pool = open();
    const take = (groups: readonly string[] = ['sg']) => pool.takeReady({ ...place, groups });
    expect(take()).toBeUndefined();
    expect([cloud.calls, pool.stats()]).toEqual([0, []]);
    const first = await clock.runUntil(get(pool));
    await clock.advance(2_000);
    const [calls, before] = [cloud.calls, ready(pool)];
    const taken = new Set([first.id]);
    expect(take(['other'])).toBeUndefined();
    for (let count = 0; count < before; count += 1) {
      const port = take()!;
      expect(port).toMatchObject({ ready: true, groups: ['sg'] });
      taken.add(port.id);
    }
    expect(take()).toBeUndefined();
    expect(taken.size).toBe(1 + before);
    expect(cloud.calls - calls).toBeLessThanOrEqual(1);
    expect(pool.stats()[0]).toMatchObject({ hits: before, misses: 1 });
    // The refill that began meanwhile is not waited for.
    await clock.advance(2_000);
    expect(ready(pool)).toBeGreaterThan(0);
    for (const id of taken) expect(pool.release(id)).toBe(true);
    await clock.runUntil(pool.settled());
    expect(ready(pool)).toBe(cloud.ports.size);
    // Who is to be asked whether the port is as it was is asked.
    const verified = open({ verify: true });
    await clock.runUntil(verified.recover(new Set()));
    expect([ready(verified) > 0, verified.takeReady({ ...place, groups: ['sg'] })]).toEqual([true, undefined]);
  });

  test('200 who ask an empty pool at once get one each, out of few creations', async () => {
    const { clock, cloud, open, get } = world();
    const pool = open();
    const got = await clock.runUntil(Promise.all(Array.from({ length: 200 }, () => get(pool))));
    expect(new Set(got.map(({ id }) => id)).size).toBe(200);
    await clock.advance(10_000);
    expect(cloud.creationsMost).toBeLessThanOrEqual(5);
    expect(cloud.ports.size).toBeLessThanOrEqual(200 + kuryr.batch + kuryr.minimum);
    expect(pool.stats()[0]).toMatchObject({ misses: 200, waiting: 0, making: 0, inUse: 200 });
  });

  test.each([
    [1, 50],
    [1, 200],
    [8, 50],
  ])(
    'a cloud of %i workers: %i who ask an empty pool at once wait no longer than for requests of their own',
    async (workers, many) => {
      const slow = { callMs: 60, portMs: 120, activeMs: 5_000 };
      const own = world({}, workers);
      Object.assign(own.cloud, slow);
      const connection = own.cloud.connect();
      const onDemand = async () => {
        await connection.createMany(place, ['sg'], 1);
        // Seen at once.
        await own.clock.sleep(own.cloud.activeMs);
      };
      await own.clock.runUntil(Promise.all(Array.from({ length: many }, onDemand)));

      const { clock, cloud, open, get } = world({ orderMost: 10, readyTimeoutMs: 60_000 }, workers);
      Object.assign(cloud, slow);
      const pool = open();
      const got = await clock.runUntil(Promise.all(Array.from({ length: many }, () => get(pool))));
      expect(new Set(got.map(({ id }) => id)).size).toBe(many);
      expect(clock.now()).toBeLessThanOrEqual(own.clock.now() * 1.05);
      // Few requests, few at a time.
      expect(cloud.creationsMost).toBeLessThanOrEqual(5);
      expect(cloud.calls).toBeLessThan(many / 5 + 5);
      await clock.advance(60_000);
      expect(cloud.ports.size).toBeLessThanOrEqual(many + kuryr.batch + kuryr.minimum);
    },
  );

  test('beside what is made for many who wait, nothing is made for nobody', async () => {
    const { clock, cloud, open, get, ready } = world({ orderMost: 10 });
    const pool = open();
    const first = get(pool);
    // The direct creation, and a refill.
    await clock.advance(55);
    expect(cloud.creations).toBe(2);
    await clock.runUntil(first);
    await clock.advance(5_000);
    pool.free();
    await clock.advance(5_000);
    cloud.creationsMost = 0;
    await clock.runUntil(Promise.all(Array.from({ length: 20 }, () => get(pool))));
    expect(cloud.creationsMost).toBe(2);
    await clock.advance(5_000);
    expect(ready(pool)).toBe(kuryr.batch);
  });

  test('for whom a port is being made already, none is made anew', async () => {
    const { clock, cloud, open, get, ready } = world();
    Object.assign(cloud, { portMs: 100, activeMs: 1_000 });
    const pool = open();
    const first = get(pool);
    await clock.advance(200);
    // A batch of ten is on its way.
    const others = Promise.all(Array.from({ length: 5 }, () => get(pool)));
    await clock.runUntil(Promise.all([first, others]));
    await clock.advance(5_000);
    expect([cloud.ports.size, ready(pool)]).toEqual([1 + kuryr.batch, kuryr.batch - 5]);
  });

  test('who waits for a port that another order brings is not refused when his own order is', async () => {
    const { clock, cloud, open, get } = world({ keep: { minimum: 0, batch: 1, maximum: 10, foresees: false } });
    Object.assign(cloud, { quota: 2, activeMs: 3_000 });
    const pool = open();
    const first = await clock.runUntil(get(pool));
    const second = get(pool);
    await clock.advance(200);
    pool.release(first.id);
    await clock.advance(1);
    // It takes a second until this one is refused; by then the second has what the first gave back.
    cloud.callMs = 2_000;
    const third = get(pool);
    expect((await clock.runUntil(second)).id).toBe(first.id);
    expect((await clock.runUntil(third)).id).toBe('port-2');
    expect(cloud.ports.size).toBe(2);
  });

  test('a batch that is more than one request is made by several, one after the other', async () => {
    const { clock, cloud, open, ready } = world({ orderMost: 10, keep: { ...kuryr, batch: 25 } });
    const pool = open();
    pool.want(place, ['sg']);
    await clock.advance(10_000);
    expect([ready(pool), cloud.ports.size, cloud.creationsMost]).toEqual([25, 25, 1]);
  });

  test('foresees: the refill begins before the minimum is reached, and comes before the pool is empty', async () => {
    const misses = async (foresees: boolean) => {
      const { clock, cloud, open, get } = world({ keep: { ...KURYR, foresees } });
      // Two refills of ten take as long as 80 are asked for.
      cloud.portMs = 75;
      cloud.activeMs = 1_000;
      const pool = open();
      pool.want(place, ['sg']);
      await clock.advance(5_000);
      for (let at = 0; at < 300; at += 1) {
        void get(pool);
        await clock.advance(200);
      }
      await clock.advance(20_000);
      return pool.stats()[0]!.misses;
    };
    const [blind, foreseeing] = [await misses(false), await misses(true)];
    expect(blind).toBeGreaterThan(20);
    expect(foreseeing).toBeLessThan(blind / 4);
  });

  test('a port comes back as it was in the pool: only what somebody changed is written', async () => {
    const { clock, cloud, open, get, ready } = world();
    const pool = open();
    const [named, changed, same] = await clock.runUntil(
      Promise.all([get(pool, ['sg'], { owner: 'web-0' }), get(pool), get(pool)]),
    );
    await clock.advance(2_000);
    expect(cloud.ports.get(named.id)!.owner).toBe('web-0');
    cloud.change(changed.id, { groups: ['other'] });
    const calls = cloud.calls;
    const before = ready(pool);
    for (const { id } of [named, changed, same]) expect(pool.release(id)).toBe(true);
    expect(pool.release(same.id)).toBe(false);
    await clock.advance(2_000);
    // One list, or two when one was under way; one change each of those that differ.
    expect(cloud.calls - calls).toBeLessThanOrEqual(4);
    expect(ready(pool)).toBe(before + 3);
    expect(cloud.ports.get(named.id)).toMatchObject({ owner: '' });
    expect(cloud.ports.get(changed.id)).toMatchObject({ groups: ['sg'] });
  });

  test('a port that something still has is not taken back before it lets go', async () => {
    const { clock, cloud, open, get, ready } = world();
    const pool = open();
    const port = await clock.runUntil(get(pool));
    await clock.advance(2_000);
    cloud.change(port.id, { used: true });
    pool.release(port.id);
    await clock.advance(10_000);
    expect(ready(pool)).toBe(kuryr.batch);
    cloud.change(port.id, { used: false });
    await clock.advance(20_000);
    expect(ready(pool)).toBe(kuryr.batch + 1);
  });

  test('other groups: the port that was asked for longest ago is changed, not made', async () => {
    const { clock, cloud, open, get } = world();
    const pool = open();
    await clock.runUntil(get(pool, ['a']));
    await clock.advance(2_000);
    const size = cloud.ports.size;
    const port = await clock.runUntil(get(pool, ['b', 'a']));
    expect(port.groups).toEqual(['a', 'b']);
    expect(cloud.ports.get(port.id)!.groups).toEqual(['a', 'b']);
    expect(cloud.ports.size).toBe(size);
  });

  test('ports that were made though nobody answered are taken over, and not made a second time', async () => {
    const { clock, cloud, open, ready } = world();
    const connection = cloud.connect();
    let lost = 1;
    const backend: PortsBackend = {
      ...portsOf(connection),
      createMany: async (at, groups, count) => {
        const made = await connection.createMany(at, groups, count);
        if (lost-- > 0) throw new Error('the connection ended');
        return made;
      },
    };
    const pool = open({ backend });
    pool.want(place, ['sg']);
    await clock.advance(30_000);
    expect(ready(pool)).toBe(kuryr.batch);
    expect(cloud.ports.size).toBe(kuryr.batch);
    expect(pool.stats()[0]).toMatchObject({ making: 0, hits: 0, misses: 0 });
  });

  test.each([0, 100])(
    'what is made when the pool has been closed stays, and is the next one’s: ready after %s ms',
    async (ms) => {
      const { clock, cloud, open, ready } = world();
      cloud.callMs = 10_000;
      cloud.activeMs = ms;
      const first = open();
      first.want(place, ['sg']);
      // Asked about the quota, then made; the answer is on its way.
      await clock.advance(16_000);
      const made = [...cloud.ports.keys()];
      expect(made).toHaveLength(kuryr.batch);
      await clock.runUntil(first.close());
      const next = open();
      await clock.runUntil(next.recover(new Set()));
      await clock.advance(60_000);
      expect([...cloud.ports.keys()]).toEqual(made);
      expect(ready(next)).toBe(kuryr.batch);
    },
  );

  test('a port that does not become ready is removed, and who asked is told', async () => {
    const { clock, cloud, open, get } = world();
    cloud.activeMs = 1e9;
    const pool = open();
    await expect(clock.runUntil(get(pool))).rejects.toThrow(
      expect.objectContaining({ code: 'SF-FABRIC-PORT-NOT-READY' }),
    );
    await clock.advance(500);
    expect(pool.stats()[0]!.trouble?.code).toBe('SF-FABRIC-PORT-NOT-READY');
    expect(cloud.ports.size).toBe(0);
  });

  test('quota: fills what is free, rests when nothing is, tells why, and goes on when there is room', async () => {
    const { clock, cloud, open, get, ready } = world();
    cloud.quota = 7;
    const pool = open();
    await clock.runUntil(get(pool));
    await clock.advance(2_000);
    expect([cloud.ports.size, ready(pool)]).toEqual([7, 6]);
    const got = await clock.runUntil(Promise.all(Array.from({ length: 6 }, () => get(pool))));
    await expect(clock.runUntil(get(pool))).rejects.toThrow('quota of 7 exceeded');
    await clock.advance(60_000);
    expect(pool.stats()[0]!.trouble?.code).toBe('SF-FABRIC-POOL-QUOTA');
    expect(cloud.calls).toBeLessThan(60);
    pool.release(got[0]!.id);
    await clock.advance(1_000);
    expect((await get(pool)).id).toBe(got[0]!.id);
    cloud.quota = 100;
    await clock.advance(60_000);
    expect(ready(pool)).toBe(kuryr.batch);
    expect(pool.stats()[0]!.trouble).toBeUndefined();
  });

  test('the maximum is what remains when all come back; free empties, and who asks next fills again', async () => {
    const { clock, cloud, open, get, ready } = world({ keep: { ...kuryr, maximum: 12 } });
    const pool = open();
    const got = await clock.runUntil(Promise.all(Array.from({ length: 30 }, () => get(pool))));
    for (const { id } of got) pool.release(id);
    await clock.advance(10_000);
    expect([cloud.ports.size, ready(pool)]).toEqual([12, 12]);
    const { name } = pool.stats()[0]!;
    expect(pool.free(name)).toBe(true);
    await clock.advance(60_000);
    expect([cloud.ports.size, ready(pool)]).toEqual([0, 0]);
    expect(pool.populate(name, 3)).toBe(true);
    await clock.advance(10_000);
    expect(ready(pool)).toBe(kuryr.batch);
  });

  test('a group, a network that goes', async () => {
    const { clock, cloud, open, get } = world();
    const pool = open();
    await clock.runUntil(get(pool, ['sg', 'old']));
    await clock.advance(2_000);
    await clock.runUntil(pool.releaseGroup('old'));
    const ready = [...cloud.ports.values()].filter(({ id }) => id !== 'port-1');
    expect(ready.every(({ groups }) => groups.length === 0)).toBe(true);
    const calls = cloud.ports.size;
    expect((await clock.runUntil(get(pool, ['sg']))).groups).toEqual(['sg']);
    expect(cloud.ports.size).toBe(calls);
    await clock.runUntil(pool.releaseNetwork('net'));
    expect([...cloud.ports.values()]).toHaveLength(2);
    expect(pool.stats()).toEqual([]);
  });

  test('a group that goes while ports come back: each lies in the pool once', async () => {
    const { clock, cloud, open, get, ready } = world();
    const pool = open();
    const held = await clock.runUntil(Promise.all([1, 2, 3].map(() => get(pool, ['old']))));
    await clock.advance(2_000);
    const gone = pool.releaseGroup('old');
    for (const { id } of held) pool.release(id);
    await clock.advance(5_000);
    await gone;
    expect(ready(pool)).toBe(cloud.ports.size);
    const got = await clock.runUntil(Promise.all(Array.from({ length: cloud.ports.size }, () => get(pool, ['new']))));
    expect(new Set(got.map(({ id }) => id)).size).toBe(got.length);
  });

  test('takes over what it finds: what is free once, what is used never, what a dead one left after a second look', async () => {
    const { clock, cloud, open, get, ready } = world();
    const pool = open();
    const got = await clock.runUntil(Promise.all([get(pool), get(pool)]));
    await clock.advance(2_000);
    const size = cloud.ports.size;
    await pool.close();
    const next = open();
    await clock.runUntil(next.recover(new Set([got[0].id])));
    cloud.change(got[0].id, { used: true });
    expect(cloud.ports.size).toBe(size);
    expect(ready(next)).toBe(size - 1);
    const [stray] = cloud.make(place, ['sg'], 1);
    await clock.advance(25_000);
    expect(ready(next)).toBe(size - 1);
    await clock.advance(20_000);
    expect(ready(next)).toBe(size);
    expect(stray).toBeDefined();
    await next.settled();
    await next.close();
  });

  test('what somebody else gave away is not given again, whether it lies ready, comes back, or was never seen', async () => {
    const { clock, cloud, open, get, ready } = world();
    const pool = open();
    await clock.runUntil(pool.recover(new Set()));
    const first = await clock.runUntil(get(pool));
    await clock.advance(2_000);
    const free = [...cloud.ports.keys()].filter((id) => id !== first.id);
    const before = ready(pool);
    expect(pool.claim(free[0]!)).toBe(true);
    expect(ready(pool)).toBe(before - 1);
    // It was given away here.
    expect(pool.claim(first.id)).toBe(false);
    expect(pool.release(first.id)).toBe(true);
    expect(pool.claim(first.id)).toBe(true);
    const [unseen] = cloud.make(place, ['sg'], 1);
    expect(pool.claim(unseen!.id)).toBe(true);
    await clock.advance(60_000);
    const claimed = [free[0]!, first.id, unseen!.id];
    const got = await clock.runUntil(Promise.all(Array.from({ length: 30 }, () => get(pool))));
    for (const { id } of got) expect(claimed).not.toContain(id);
    for (const id of claimed) expect(pool.release(id)).toBe(true);
    await clock.advance(60_000);
    const all = ready(pool);
    const rest = await clock.runUntil(Promise.all(Array.from({ length: all }, () => get(pool))));
    const ids = rest.map(({ id }) => id);
    for (const id of claimed) expect(ids).toContain(id);
    await clock.runUntil(pool.close());
  });

  test('every port is held once, as it was asked for, within quota and limits, whatever happens', async () => {
    const groups = fc.constantFrom([], ['a'], ['b'], ['a', 'b']);
    const at = fc.constantFrom('h1', 'h2');
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('ask' as const), at, groups, count: fc.integer({ min: 1, max: 12 }) }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('release' as const),
          pick: fc.nat(),
          count: fc.integer({ min: 1, max: 8 }),
        }),
      },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('foreign' as const), pick: fc.nat(), groups }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('loss' as const), pick: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('free' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('group' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 19 })),
        fc.boolean(),
        async (steps, luck, foresees) => {
          const { clock, cloud, open } = world({
            keep: { minimum: 2, batch: 4, maximum: 9, foresees },
            orderMost: 8,
            verify: true,
          });
          cloud.quota = 60;
          cloud.fails = () => luck.next().value === 0;
          let backend = cloud.connect();
          let pool = open({ backend });
          const held = new Map<string, PoolPort>();
          const recover = async (): Promise<void> =>
            clock.runUntil(pool.recover(new Set(held.keys()))).catch(() => recover());
          await recover();
          let generation = 0;
          const ask = async (where: string, wanted: readonly string[], born: number) => {
            const port = await pool.acquire({ ...place, at: where, groups: wanted }, never).catch(() => undefined);
            if (port === undefined || born !== generation) return;
            expect(held.has(port.id)).toBe(false);
            held.set(port.id, port);
            expect(port.place.at).toBe(where);
            expect(port.groups).toEqual(wanted);
          };
          const nth = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];
          for (const what of steps) {
            if (what.kind === 'wait') await clock.advance(what.ms);
            else if (what.kind === 'ask') {
              for (let n = 0; n < what.count; n += 1) void ask(what.at, what.groups, generation);
            } else if (what.kind === 'release') {
              for (let n = 0; n < what.count; n += 1) {
                const port = nth([...held.values()], what.pick);
                if (port === undefined) break;
                held.delete(port.id);
                pool.release(port.id);
              }
            } else if (what.kind === 'foreign') {
              // Between the look at a port and its hand-out nobody can help it.
              if (cloud.underWay > 0) continue;
              const port = nth(
                [...cloud.ports.values()].filter(({ id }) => !held.has(id)),
                what.pick,
              );
              if (port !== undefined) cloud.change(port.id, { groups: what.groups });
            } else if (what.kind === 'loss') {
              if (cloud.underWay > 0) continue;
              const port = nth(
                [...cloud.ports.values()].filter(({ id }) => !held.has(id)),
                what.pick,
              );
              if (port !== undefined) cloud.ports.delete(port.id);
            } else if (what.kind === 'free') pool.free();
            else if (what.kind === 'group') void pool.releaseGroup('a').catch(() => {});
            else {
              backend.dead = true;
              generation += 1;
              backend = cloud.connect();
              pool = open({ backend });
              await recover();
            }
            expect(cloud.ports.size).toBeLessThanOrEqual(cloud.quota);
            for (const { ready } of pool.stats()) expect(ready).toBeLessThanOrEqual(9);
          }
          expect(cloud.creationsMost).toBeLessThanOrEqual(8 + 8 * generation);
          cloud.fails = () => false;
          await clock.advance(200_000);
          // Each is in one state: with somebody, or ready.
          const readyNow = pool.stats().reduce((sum, one) => sum + one.ready, 0);
          expect(readyNow + [...held.keys()].filter((id) => cloud.ports.has(id)).length).toBe(cloud.ports.size);
          for (const { id, groups: wanted } of held.values()) expect(cloud.ports.get(id)?.groups).toEqual(wanted);
          for (const { id } of held.values()) pool.release(id);
          await clock.advance(60_000);
          const stats = pool.stats();
          for (const { ready } of stats) expect(ready).toBeLessThanOrEqual(9);
          expect(stats.reduce((sum, one) => sum + one.ready, 0)).toBe(cloud.ports.size);
          await clock.runUntil(pool.drain());
          expect(cloud.ports.size).toBe(0);
          await clock.runUntil(pool.close());
        },
      ),
      { numRuns: 60 },
    );
  });
});
