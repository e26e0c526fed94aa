import { VirtualClock } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KuryrNetworkPolicy } from '../../api/network-policy.ts';
import type { PolicyDriver, PolicyWish, ProjectDriver } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import { LIMITS } from '../limits.ts';
import { namedKey } from '../translate/policies.ts';
import type { World } from '../world.ts';
import { RulesHandler } from './rules.ts';

const KEY = 'red/p';
const signal = AbortSignal.timeout(60_000);
const rule = (portFirst: number) =>
  ({ direction: 'ingress', protocol: 'TCP', portFirst, portLast: portFirst, cidr: '10.0.0.1/32' }) as const;
type Spec = KuryrNetworkPolicy['spec'];
const specOf = (numbers: readonly number[]): Spec => ({
  isolates: ['ingress'],
  rules: [rule(22)],
  pods: numbers.map((one) => `pod-${one}`),
  named: numbers.map((number) => ({
    protocol: 'TCP',
    port: 'web',
    number,
    pods: [`pod-${number}`],
    rules: [rule(number)],
  })),
});

/** A cloud that keeps groups, and refuses to remove those that ports have. */
class Groups implements PolicyDriver {
  readonly there = new Map<string, PolicyWish>();
  readonly inUse = new Set<string>();
  /** The controller is killed when it has made this one. */
  killsAt: string | undefined;

  async ensure(wish: PolicyWish): Promise<string> {
    const id = `${wish.uid} ${wish.named}`.trimEnd();
    this.there.set(id, wish);
    if (wish.named === this.killsAt) throw new Error('killed');
    return id;
  }

  async made(uid: string): Promise<ReadonlyMap<string, string>> {
    const own = [...this.there].filter(([, wish]) => wish.uid === uid);
    return new Map(own.map(([id, { named }]) => [named, id]));
  }

  async open(): Promise<string> {
    return 'open';
  }

  async remove(id: string): Promise<void> {
    if (this.inUse.has(id)) throw new Error(`${id} is in use`);
    this.there.delete(id);
  }
}

function setup() {
  const groups = new Groups();
  const clock = new VirtualClock();
  let policy: (KuryrNetworkPolicy & { metadata: { finalizers?: string[] } }) | undefined = {
    metadata: { namespace: 'red', name: 'p', uid: 'uid-1' },
    spec: specOf([]),
  };
  let overtaking: Spec | undefined;
  const rules = {
    get: () => policy,
    write: async (_object: unknown, { status }: { status: KuryrNetworkPolicy['status'] & object }) => {
      if (overtaking !== undefined) {
        policy = { ...policy!, spec: overtaking };
        overtaking = undefined;
        throw new Error('somebody changed it since it was read');
      }
      policy = { ...policy!, status };
      return policy;
    },
    finish: async () => {
      policy = undefined;
    },
  };
  const world = { rules, clock, namespaces: new Map() } as unknown as World;
  const vifs = { releaseGroup: async () => {} } as unknown as VifPools;
  const projects: ProjectDriver = { kind: 'default', of: () => '' };
  let handler = new RulesHandler(world, groups, projects, vifs);
  return {
    groups,
    clock,
    now: () => policy,
    set: (spec: Spec) => {
      policy = { ...policy!, spec };
    },
    /** Asked for when the groups of what was asked before are made, and not written down yet. */
    overtake: (spec: Spec) => {
      overtaking = spec;
    },
    /** The next controller leads. */
    restart: () => {
      handler = new RulesHandler(world, groups, projects, vifs);
    },
    end: () => {
      policy = { ...policy!, metadata: { ...policy!.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    },
    /** Until it has nothing to do any more, as the queue asks it; false when it was refused. */
    async settle(): Promise<boolean> {
      for (let rounds = 0; rounds < 10; rounds += 1)
        try {
          if ((await handler.handle(KEY, signal)) === undefined) return true;
        } catch {
          return false;
        }
      throw new Error('it never ends');
    },
  };
}

const wanted = ({ rules, named = [] }: Spec) =>
  new Map<string, unknown>([['uid-1', rules], ...named.map((one) => [`uid-1 ${namedKey(one)}`, one.rules] as const)]);
const there = ({ groups }: ReturnType<typeof setup>) =>
  new Map([...groups.there].map(([id, { rules }]) => [id, rules as unknown]));

describe('a resolved policy', () => {
  test('has a group for all of its pods and one for each number that a name means, whatever changes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ numbers: fc.subarray([80, 81, 82]), later: fc.boolean(), isBack: fc.boolean() }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (changes) => {
          const cloud = setup();
          for (const [at, { numbers, later, isBack }] of changes.entries()) {
            const before = cloud.now()!;
            cloud.set({ ...specOf(numbers), rules: [rule(100 + at)] });
            // What was asked for before this change, and is written down, is asked for again in the middle of it.
            if (isBack) cloud.overtake(before.spec);
            if (later) await cloud.clock.advance(LIMITS.resyncMs + 1);
            expect(await cloud.settle()).toBe(!isBack);
            expect(await cloud.settle()).toBe(true);
            const { spec, status } = cloud.now()!;
            expect(there(cloud)).toEqual(wanted(spec));
            expect(Object.keys(status!.named ?? {})).toEqual((spec.named ?? []).map(namedKey));
          }
          cloud.end();
          expect(await cloud.settle()).toBe(true);
          expect([cloud.now(), cloud.groups.there.size]).toEqual([undefined, 0]);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('what was made just before a controller was killed goes when the next one leads, as what it was made for does', async () => {
    for (const endsToo of [false, true]) {
      const cloud = setup();
      cloud.groups.killsAt = 'TCP/web/81';
      cloud.set(specOf([80, 81]));
      expect(await cloud.settle()).toBe(false);
      expect([...cloud.groups.there.keys()]).toEqual(['uid-1', 'uid-1 TCP/web/80', 'uid-1 TCP/web/81']);
      expect(cloud.now()!.status).toBeUndefined();
      cloud.groups.killsAt = undefined;
      if (endsToo) cloud.end();
      else cloud.set(specOf([80]));
      cloud.restart();
      expect(await cloud.settle()).toBe(true);
      expect(there(cloud)).toEqual(endsToo ? new Map() : wanted(specOf([80])));
      expect(Object.keys(cloud.now()?.status?.named ?? {})).toEqual(endsToo ? [] : ['TCP/web/80']);
    }
  });

  test('is compared with the cloud at each look at all objects: what somebody changed there is mended by the next one', async () => {
    const cloud = setup();
    cloud.set(specOf([80]));
    await cloud.clock.advance(1);
    await cloud.settle();
    const group = 'uid-1 TCP/web/80';
    cloud.groups.there.set(group, { ...cloud.groups.there.get(group)!, rules: [] });
    // The first look came a moment before it was compared, and so does the next.
    await cloud.clock.advance(LIMITS.resyncMs - 1);
    await cloud.settle();
    expect(there(cloud)).toEqual(wanted(specOf([80])));
  });

  test('keeps in mind what a pod still has, until it can be removed', async () => {
    const cloud = setup();
    cloud.set(specOf([80, 81]));
    await cloud.settle();
    cloud.groups.inUse.add('uid-1 TCP/web/81');
    cloud.set(specOf([80]));
    expect(await cloud.settle()).toBe(false);
    expect(cloud.now()!.status!.named).toEqual({
      'TCP/web/80': 'uid-1 TCP/web/80',
      'TCP/web/81': 'uid-1 TCP/web/81',
    });
    // It comes again before it has gone.
    cloud.set(specOf([80, 81]));
    expect(await cloud.settle()).toBe(true);
    cloud.set(specOf([80]));
    cloud.groups.inUse.clear();
    expect(await cloud.settle()).toBe(true);
    expect(there(cloud)).toEqual(wanted(specOf([80])));
    cloud.groups.inUse.add('uid-1 TCP/web/80');
    cloud.end();
    expect([await cloud.settle(), cloud.now() === undefined]).toEqual([false, false]);
    cloud.groups.inUse.clear();
    expect([await cloud.settle(), cloud.groups.there.size]).toEqual([true, 0]);
  });
});
