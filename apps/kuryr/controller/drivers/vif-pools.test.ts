import { silentLogger, SuperfluidityError, VirtualClock } from '@superfluidity/core';
import type { Node } from '@superfluidity/driver-kubernetes';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { KURYR } from '@superfluidity/fabric';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linuxNetwork } from './subnets.ts';
import type { VifType } from './types.ts';
import { linuxVif } from './vif-linux.ts';
import { type Held, VifPools } from './vif-pools.ts';

const subnet = linuxNetwork('10.0.0.0/26', 1_450, undefined);
/** Without those of the network, of broadcast and of the gateway. */
const CAPACITY = 61;
const node = (name: string, labels = {}): Node => ({ metadata: { name, labels } });
const HOLDER = 'uid';
const never = new AbortController().signal;

interface Opened {
  readonly type?: VifType;
  readonly minimum?: number;
  readonly batch?: number;
  readonly verify?: boolean;
  readonly names?: boolean;
}

function open(clock: VirtualClock, options: Opened = {}): VifPools {
  const { type = linuxVif({ bridge: 'pods' }), minimum = 2, batch = 3, verify = true, names = false } = options;
  return new VifPools({
    clock,
    log: silentLogger,
    types: [type],
    kind: 'linux',
    keep: { ...KURYR, minimum, batch, foresees: false },
    updateMs: 20_000,
    verify,
    names,
    stopwatch: () => clock.now(),
  });
}

const wish = (name: string, groups: readonly string[] = []) => ({
  node: node(name),
  project: '',
  subnet,
  groups,
  isDefault: true,
  holder: HOLDER,
  owner: 'a pod',
});

describe('interfaces out of pools', () => {
  test('no two pods have one address at a time, whoever asks, gives back and restarts, and none is lost', async () => {
    const act = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), at: fc.constantFrom('a', 'b') }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('give back' as const), at: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const clock = new VirtualClock();
        let vifs = open(clock);
        await vifs.recover([]);
        const given = new Map<string, Held>();
        for (const one of acts) {
          if (one.kind === 'ask') {
            const got = await clock.runUntil(vifs.acquire(wish(one.at), never));
            expect(given.has(got.addresses[0]!)).toBe(false);
            given.set(got.addresses[0]!, { node: one.at, holder: HOLDER, given: got });
          } else if (one.kind === 'give back') {
            const [address, held] = [...given][one.at % Math.max(1, given.size)] ?? [];
            if (address === undefined) continue;
            given.delete(address);
            expect(vifs.release(held!.given, HOLDER)).toBe(true);
            // Twice is once.
            expect(vifs.release(held!.given, HOLDER)).toBe(false);
          } else {
            await vifs.close();
            vifs = open(clock);
            await vifs.recover([...given.values()]);
          }
          expect(vifs.inUse()).toEqual([['linux', given.size]]);
        }
        await clock.runUntil(vifs.settled());
        // All that is left can be had: nothing leaked.
        for (const { given: one } of given.values()) vifs.release(one, HOLDER);
        await vifs.releaseNode(node('a'), never);
        await vifs.releaseNode(node('b'), never);
        await clock.runUntil(vifs.settled());
        await vifs.close();
        vifs = open(clock, { minimum: 0 });
        await vifs.recover([]);
        const all = new Set<string>();
        for (let count = 0; count < CAPACITY; count += 1)
          all.add((await clock.runUntil(vifs.acquire(wish('a'), never))).addresses[0]!);
        expect(all.size).toBe(CAPACITY);
        await vifs.close();
      }),
      { numRuns: 40 },
    );
  });

  test('what another controller wrote late is nobody else’s; two who hold one both keep it', async () => {
    const clock = new VirtualClock();
    const vifs = open(clock, { minimum: 4 });
    await vifs.recover([]);
    const first = await clock.runUntil(vifs.acquire(wish('a'), never));
    await clock.runUntil(vifs.settled());
    const late = (last: number): PodInterface => {
      const address = `10.0.0.${last}`;
      return { ...first, id: `${address}@10.0.0.0/26`, addresses: [`${address}/26`] };
    };
    // One that lies ready, and one that was not made here.
    for (const last of [4, 50]) expect(vifs.claim({ node: 'a', holder: 'other', given: late(last) })).toBe(true);
    expect(vifs.claim({ node: 'a', holder: 'other', given: first })).toBe(false);
    const rest = await clock.runUntil(
      Promise.all(Array.from({ length: CAPACITY - 3 }, () => vifs.acquire(wish('a'), never))),
    );
    const addresses = rest.map(({ addresses: [address] }) => address);
    expect(new Set([...addresses, '10.0.0.4/26', '10.0.0.50/26', first.addresses[0]]).size).toBe(CAPACITY);
    // It is free when the last of both has let go.
    expect(vifs.release(first, HOLDER)).toBe(false);
    expect(vifs.release(first, 'other')).toBe(true);
    expect(vifs.release(late(50), 'other')).toBe(true);
    // What was not made here is taken over at the second look, as all that is found.
    await clock.advance(60_000);
    const again = await clock.runUntil(Promise.all([1, 2].map(() => vifs.acquire(wish('a'), never))));
    expect(new Set(again.map(({ id }) => id))).toEqual(new Set([first.id, late(50).id]));
    await vifs.close();
  });

  test('a prefix that is full is said by name; another node gets what one gives back', async () => {
    const clock = new VirtualClock();
    const vifs = open(clock, { minimum: 0 });
    await vifs.recover([]);
    const got: PodInterface[] = [];
    for (let count = 0; count < CAPACITY; count += 1) got.push(await clock.runUntil(vifs.acquire(wish('a'), never)));
    const refused = await clock.runUntil(vifs.acquire(wish('b'), never).catch((error: unknown) => error));
    expect(refused).toBeInstanceOf(SuperfluidityError);
    expect(refused).toMatchObject({ code: 'SF-KURYR-ADDRESSES', message: expect.stringContaining('10.0.0.0/26') });
    vifs.release(got[0]!, HOLDER);
    await vifs.releaseNode(node('a'), never);
    await clock.runUntil(vifs.settled());
    await vifs.releaseNode(node('a'), never);
    const next = await clock.runUntil(vifs.acquire(wish('b'), never));
    expect(next.addresses).toEqual(got[0]!.addresses);
    // The same address has the same Ethernet address: neighbours need not learn it anew.
    expect(next.mac).toBe(got[0]!.mac);
    await vifs.close();
  });

  test('has the groups that were asked for, also when it was somebody else’s, and gets others while it is in use', async () => {
    const clock = new VirtualClock();
    const type = linuxVif({ bridge: 'pods' });
    const vifs = open(clock, { type, minimum: 0, batch: 1, names: true });
    await vifs.recover([]);
    const groupsOf = async ({ id }: PodInterface) => (await type.backend.show(id, never))?.groups;
    const first = await clock.runUntil(vifs.acquire(wish('a', ['red']), never));
    expect(await groupsOf(first)).toEqual(['red']);
    expect(await vifs.regroup(first, ['red'], never)).toBe(false);
    expect(await vifs.regroup(first, ['green', 'blue'], never)).toBe(true);
    expect(await groupsOf(first)).toEqual(['blue', 'green']);
    // Somebody else: found at the next look of the pool, and mended when the pod is looked at after that.
    await type.backend.update(first.id, { groups: ['anybody'] }, never);
    expect(await vifs.regroup(first, ['green', 'blue'], never)).toBe(false);
    await clock.advance(20_000);
    expect(await vifs.regroup(first, ['green', 'blue'], never)).toBe(true);
    expect(await groupsOf(first)).toEqual(['blue', 'green']);
    vifs.release(first, HOLDER);
    await clock.runUntil(vifs.settled());
    expect(await groupsOf(first)).toEqual(['red']);
    const second = await clock.runUntil(vifs.acquire(wish('a', ['blue']), never));
    expect(await groupsOf(second)).toEqual(['blue']);
    await vifs.close();
  });

  test('tells the node of a pool what lies ready in it, and pods that what they get carries traffic', async () => {
    const clock = new VirtualClock();
    const active = new Set<string>();
    const type: VifType = {
      ...linuxVif({ bridge: 'pods' }),
      activeAtOnce: false,
      active: async (ids) => new Set([...ids].filter((id) => active.has(id))),
      ahead: {
        nodeOf: ({ at }) => at,
        spare: async ({ id, mac }) => ({
          id,
          mac,
          mtu: 1_400,
          plugging: { kind: 'ovs', bridge: 'b', interfaceId: id },
        }),
      },
    };
    const vifs = open(clock, { type, verify: false });
    let told = 0;
    vifs.onReady(() => (told += 1));
    await vifs.recover([]);
    const first = await clock.runUntil(vifs.acquire(wish('a'), never));
    expect(first.active).toBe(false);
    await clock.runUntil(vifs.settled());
    expect(told).toBeGreaterThanOrEqual(3);
    const { name } = vifs.stats()[0]!;
    expect(vifs.nodeOf('linux', name)).toBe('a');
    expect(vifs.nodeOf('linux', 'another')).toBeUndefined();
    const spares = (await vifs.spares('linux', name, never))!;
    expect(spares.map(({ id }) => id)).toEqual(spares.map(({ id }) => id).toSorted());
    expect(spares).toHaveLength(3);
    expect(spares.map(({ id }) => id)).not.toContain(first.id);
    expect(await vifs.spares('linux', name, never)).toEqual(spares);
    // The second of those that are ready, and the only one that its agent has wired.
    active.add(spares[1]!.id);
    await clock.advance(2_000);
    expect(vifs.stats()[0]).toMatchObject({ ready: 3, active: 1 });
    const second = await vifs.acquire(wish('a'), never);
    expect(second).toMatchObject({ id: spares[1]!.id, active: true });
    expect((await vifs.spares('linux', name, never))!.map(({ id }) => id)).not.toContain(second.id);
    await vifs.close();
  });

  test('a node that joined another host leaves no ports where it was, also not those that come back later', async () => {
    const clock = new VirtualClock();
    const type: VifType = {
      ...linuxVif({ bridge: 'pods' }),
      at: async ({ metadata: { name, labels } }) => `${name}@${labels?.['host'] ?? ''}`,
      ahead: { nodeOf: ({ at }) => at.split('@')[0]!, spare: () => Promise.reject(new Error('nobody asks')) },
    };
    const vifs = open(clock, { type, verify: false });
    await vifs.recover([]);
    const ask = (name: string, host: string) =>
      clock.runUntil(vifs.acquire({ ...wish(name), node: node(name, { host }) }, never));
    const there = async () => (await type.backend.list(never)).map(({ place }) => place.at).toSorted();
    const first = await ask('a', 'one');
    await ask('b', 'one');
    await clock.runUntil(vifs.settled());
    const others = (await there()).filter((at) => at !== 'a@one');
    expect(others).toEqual(Array.from({ length: 4 }, () => 'b@one'));

    await ask('a', 'two');
    await clock.runUntil(vifs.settled());
    // What a pod has stays until it is given back.
    expect(await there()).toEqual(['a@one', ...Array.from({ length: 4 }, () => 'a@two'), ...others]);
    vifs.release(first, HOLDER);
    await clock.runUntil(vifs.settled());
    await clock.runUntil(vifs.want(node('a', { host: 'two' }), '', subnet, [], never));
    await clock.runUntil(vifs.settled());
    expect((await there()).filter((at) => at.endsWith('@one'))).toEqual(others);
    await vifs.close();
  });

  test('tells the node also of what carries traffic wherever it lies, once it is known whose it is', async () => {
    const clock = new VirtualClock();
    const owners: string[] = [];
    const type: VifType = {
      ...linuxVif({ bridge: 'pods' }),
      active: () => Promise.reject(new Error('nobody asks')),
      ahead: {
        nodeOf: () => owners[0],
        spare: async ({ id, mac }) => ({ id, mac, mtu: 1_400, plugging: { kind: 'vlan', id: 7 } }),
      },
    };
    const vifs = open(clock, { type, verify: false });
    await vifs.recover([]);
    expect(await clock.runUntil(vifs.acquire(wish('a'), never))).toMatchObject({ active: true });
    await clock.runUntil(vifs.settled());
    await clock.advance(10_000);
    const { name, ready, active } = vifs.stats()[0]!;
    expect([ready > 0, active, vifs.nodeOf('linux', name)]).toEqual([true, undefined, undefined]);
    owners.push('a');
    expect([vifs.nodeOf('linux', name), (await vifs.spares('linux', name, never))!.length]).toEqual(['a', ready]);
    await vifs.close();
  });

  test('what lies ready is had by asking nobody, and what is made at once too; else nothing is', async () => {
    const clock = new VirtualClock();
    const { isInstant: _, ...slow } = linuxVif({ bridge: 'pods' });
    for (const [type, isAtOnce] of [
      [slow, false],
      [linuxVif({ bridge: 'pods' }), true],
    ] as const) {
      const vifs = open(clock, { type, minimum: 1, batch: 1, verify: false });
      await vifs.recover([]);
      const take = async () => (await vifs.ready(wish('a'), never))();
      const first = await take();
      expect(first !== undefined).toBe(isAtOnce);
      expect(vifs.inUse()).toEqual([['linux', isAtOnce ? 1 : 0]]);
      const second = first ?? (await clock.runUntil(vifs.acquire(wish('a'), never)));
      await clock.runUntil(vifs.settled());
      const third = (await take())!;
      expect(third.id).not.toBe(second.id);
      expect(vifs.release(third, HOLDER)).toBe(true);
      await vifs.close();
    }
  });

  test('refuses nodes whose label is not known, or not configured', async () => {
    const vifs = open(new VirtualClock());
    const labelled = (value: string) => node('n', { 'superfluidity.dev/vif': value });
    expect(vifs.kindOf(labelled('linux'))).toBe('linux');
    expect(() => vifs.kindOf(labelled('nested-vlan'))).toThrow(/says nested-vlan, for which the controller is not/);
    expect(() => vifs.kindOf(labelled('x'))).toThrow(expect.objectContaining({ code: 'SF-KURYR-NODE' }));
    await vifs.close();
  });
});
