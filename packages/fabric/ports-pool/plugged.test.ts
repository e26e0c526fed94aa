import { silentLogger, VirtualClock } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KURYR, PortsPool } from '../index.ts';
import { ModelCloud } from './testing/model-cloud.ts';

const place = { project: 'p', at: 'host', network: 'net' };
const never = new AbortController().signal;
const KEEP = { ...KURYR, minimum: 4, batch: 4, foresees: false };

/** A pool whose ports somebody plugs while they lie there, and an agent that makes them carry traffic: each takes it a while, then it says so. */
function world(agentMs = 1_500, eachMs = 0) {
  const clock = new VirtualClock();
  const cloud = new ModelCloud(clock);
  cloud.activeMs = 0;
  /** As the cloud says, which is behind the agent, and as it is. */
  const active = new Set<string>();
  const carries = new Set<string>();
  const state = { isPlugging: true, told: 0, looks: 0 };
  const plugged = new Set<string>();
  let freeMs = 0;
  /** The agent has looked at the port. */
  const looks = (id: string) => {
    for (const set of [active, carries])
      if (plugged.has(id)) set.add(id);
      else set.delete(id);
    cloud.change(id, { active: plugged.has(id) });
  };
  const pool = new PortsPool({
    backend: cloud.connect(),
    clock,
    log: silentLogger,
    keep: KEEP,
    updateEveryMs: 20_000,
    orderMost: 50,
    readyTimeoutMs: 5_000,
    ahead: {
      active: async (ids) => {
        state.looks += 1;
        await clock.sleep(cloud.callMs);
        return new Set([...ids].filter((id) => active.has(id)));
      },
      onReady: () => {
        state.told += 1;
        // The node is told a moment later, of what lies there by then.
        void clock.sleep(250).then(() => {
          for (const { id } of pool.contents('p/host/net')?.ready ?? []) {
            if (!state.isPlugging || plugged.has(id)) continue;
            plugged.add(id);
            // One after the other.
            freeMs = Math.max(freeMs, clock.now()) + eachMs;
            void clock.sleep(freeMs - clock.now() + agentMs).then(() => looks(id));
          }
        });
      },
    },
  });
  const get = () => pool.acquire({ ...place, groups: ['sg'] }, never);
  /** The pod is gone, and with it its plug. */
  const release = (id: string) => {
    plugged.delete(id);
    carries.delete(id);
    void clock.sleep(agentMs).then(() => looks(id));
    return pool.release(id);
  };
  return { clock, cloud, pool, active, carries, state, get, release };
}

describe('ports that are plugged while they lie in a pool', () => {
  test('are handed out before those that carry nothing yet, and it is said which they are', async () => {
    const { clock, pool, active, get } = world();
    pool.want(place, ['sg']);
    await clock.advance(1_000);
    expect(pool.stats()[0]).toMatchObject({ ready: 4, active: 0 });
    const early = await get();
    expect(early.active).toBe(false);
    await clock.advance(4_000);
    expect(pool.stats()[0]).toMatchObject({ ready: 7, hits: 1, late: 1 });
    await clock.advance(4_000);
    expect(pool.stats()[0]).toMatchObject({ ready: 7, active: 7 });
    const port = await get();
    expect(port.active).toBe(true);
    expect(active.has(port.id)).toBe(true);
    expect(pool.stats()[0]).toMatchObject({ ready: 6, active: 6, hits: 2, late: 1 });
  });

  test('are not waited for where nobody plugs them: pods get them as they are, and it is not asked for ever', async () => {
    const { clock, pool, state, get } = world();
    state.isPlugging = false;
    pool.want(place, ['sg']);
    await clock.advance(600_000);
    const { looks } = state;
    expect(looks).toBeGreaterThan(2);
    await clock.advance(600_000);
    expect(state.looks).toBe(looks);
    const before = clock.now();
    expect((await get()).active).toBe(false);
    expect(clock.now()).toBe(before);
    expect(pool.stats()[0]).toMatchObject({ hits: 1, late: 1, misses: 0 });
  });

  test('are waited for as long as the agent gets on, however many it has to wire', async () => {
    const { clock, pool } = world(0, 2_000);
    pool.want({ ...place }, ['sg']);
    pool.populate('p/host/net', 150);
    await clock.advance(400_000);
    const { ready, active } = pool.stats()[0]!;
    expect(ready).toBeGreaterThanOrEqual(150);
    expect(active).toBe(ready);
  });

  test('that come back are not believed to carry traffic before the agent must have seen that they were let go of', async () => {
    const { clock, pool, carries, get, release } = world();
    pool.want(place, ['sg']);
    await clock.advance(10_000);
    const port = await get();
    await clock.advance(10_000);
    const { ready } = pool.stats()[0]!;
    release(port.id);
    await clock.advance(1_000);
    expect([carries.has(port.id), pool.stats()[0]]).toMatchObject([false, { ready: ready + 1, active: ready }]);
    await clock.advance(9_000);
    expect([carries.has(port.id), pool.stats()[0]]).toMatchObject([true, { ready: ready + 1, active: ready + 1 }]);
  });

  test('that carry traffic no more are known by the next comparison', async () => {
    const { clock, cloud, pool, active } = world();
    pool.want(place, ['sg']);
    await clock.advance(10_000);
    expect(pool.stats()[0]!.active).toBe(4);
    for (const id of active) cloud.change(id, { active: false });
    active.clear();
    await clock.runUntil(pool.look());
    expect(pool.stats()[0]).toMatchObject({ ready: 4, active: 0 });
  });

  test('are never said to carry traffic when they do not, and never preferred to one that does', async () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('give back' as const), at: fc.nat() }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4_000) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), fc.integer({ min: 10, max: 5_500 }), async (acts, agentMs) => {
        const { clock, pool, carries, get, release } = world(agentMs);
        pool.want(place, ['sg']);
        const held: string[] = [];
        for (const one of acts) {
          if (one.kind === 'wait') await clock.advance(one.ms);
          else if (one.kind === 'give back') {
            const [id] = held.splice(one.at % Math.max(1, held.length), 1);
            if (id !== undefined) expect(release(id)).toBe(true);
          } else {
            const before = pool.stats()[0]!;
            const port = await clock.runUntil(get());
            held.push(port.id);
            if (port.active === true) expect(carries.has(port.id)).toBe(true);
            if (before.ready > 0) expect(port.active).toBe(before.active! > 0);
          }
          const { ready, active: carrying } = pool.stats()[0]!;
          expect(carrying).toBeLessThanOrEqual(ready);
        }
        expect(new Set(held).size).toBe(held.length);
      }),
      { numRuns: 60 },
    );
  });
});
