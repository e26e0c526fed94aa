import { readNative } from '@superfluidity/dialects';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NetworkSpec } from '@superfluidity/fabric';
import { type Action, type PlannedChain, type PlannedStep, type PlannedUnit, unitsAt } from './actions.ts';
import type { NetworkHomes } from './shared-networks.ts';
import { nothingThere, type Placed, planTransition, type Situation, type Transition } from './transition.ts';

const { service } = readNative(`
superfluidity: 1
service:
  name: stream
  version: '1'
  networks:
    - { name: users, prefix: 10.45.0.0/16 }
    - { name: apps, prefix: 10.60.0.0/16 }
  functions:
    - { name: ue, environment: container, image: 'host:', ports: [users], pool: 1, requirements: { after: [video] } }
    - { name: firewall, environment: nft, program: 'table ip x { }', forwards: true, ports: [apps] }
    - { name: video, environment: container, image: 'host:', ports: [apps], drain: SIGTERM, scale: { initial: 1, min: 0, max: 9 } }
  chains:
    - { name: watch, from: ue, through: [firewall], to: video, address: 10.99.0.10, protocol: tcp, ports: [8080] }
`);

/** The world as the steps change it: the oracle is what must be true of it after every single step. */
class World {
  readonly networks = new Map<string, NetworkSpec>();
  readonly units = new Map<string, PlannedUnit>();
  readonly installed = new Map<string, PlannedChain>();
  readonly active = new Map<string, number>();
  readonly #seamless: boolean;
  readonly #homes: NetworkHomes | undefined;

  constructor(seamless: boolean, homes?: NetworkHomes) {
    this.#seamless = seamless;
    this.#homes = homes;
  }

  apply(action: Action): void {
    switch (action.verb) {
      case 'create-network':
        this.networks.set(`${action.site} ${action.spec.id}`, action.spec);
        break;
      case 'remove-network':
        this.networks.delete(`${action.site} ${action.spec.id}`);
        break;
      case 'create-units':
        for (const unit of action.units) this.units.set(unit.spec.id, unit);
        break;
      case 'remove-units':
        for (const unit of action.units) this.units.delete(unit.spec.id);
        break;
      case 'install-chain':
        this.installed.set(`${action.chain.id}@${action.chain.version}`, action.chain);
        break;
      case 'activate-chain':
        expect(this.installed.has(`${action.chain.id}@${action.chain.version}`)).toBe(true);
        this.active.set(action.chain.id, action.chain.version);
        break;
      case 'remove-chain':
        if (this.active.get(action.chain.id) === action.chain.version) this.active.delete(action.chain.id);
        this.installed.delete(`${action.chain.id}@${action.chain.version}`);
        break;
      default:
        break;
    }
    this.#check();
  }

  #check(): void {
    // One expectation for all units: thousands of them would take longer than what is tested.
    const wanted = [...this.units.values()].flatMap(({ site, spec }) =>
      spec.ports.map((port) => `${site} ${port.network}`),
    );
    expect(wanted.filter((network) => !this.networks.has(network))).toEqual([]);
    // Nobody is in a network of another site that is not there, or is another one.
    for (const [site, home] of this.#homes ?? []) {
      const joined = [...this.networks].filter(([key]) => key.startsWith(`${site} `));
      const those = joined.map(([, { id }]) => this.networks.get(`${home} ${id}`));
      expect(those).toEqual(joined.map(([, spec]) => spec));
    }
    if (!this.#seamless) return;
    const hops = [...this.active].flatMap(([id, version]) => this.installed.get(`${id}@${version}`)!.hops);
    expect(hops.flatMap(unitsAt).filter((unitId) => !this.units.has(unitId))).toEqual([]);
  }

  /** Everything, as plain text. */
  get all(): readonly string[] {
    return [
      ...this.networks.keys(),
      ...this.units.keys(),
      ...this.installed.keys(),
      ...this.active.entries().map(String),
    ].sort();
  }
}

/** An order in which an engine might run the steps: any that respects the dependencies. */
function inSomeOrder(steps: readonly PlannedStep[], choose: (among: number) => number): readonly PlannedStep[] {
  const done = new Set<string>();
  const left = [...steps];
  const order: PlannedStep[] = [];
  while (left.length > 0) {
    const ready = left.filter((step) => step.dependsOn.every((id) => done.has(id)));
    expect(ready.length).toBeGreaterThan(0);
    const next = ready[choose(ready.length)]!;
    left.splice(left.indexOf(next), 1);
    done.add(next.id);
    order.push(next);
  }
  return order;
}

const place = fc.record({ site: fc.constantFrom('a', 'b', 'c'), host: fc.constantFrom('h1', 'h2') });
/** Ue once, or not at all; firewalls in a row; video up to 70 times, so that batches come up too. */
const target: fc.Arbitrary<readonly Placed[]> = fc
  .record({
    ue: fc.option(place, { nil: undefined }),
    firewalls: fc.array(place, { maxLength: 3 }),
    video: fc.oneof(fc.array(place, { maxLength: 4 }), fc.array(place, { minLength: 65, maxLength: 70 })),
  })
  .map(({ ue, firewalls, video }) => [
    ...(ue === undefined ? [] : [{ path: 'ue/ue', index: 0, ...ue }]),
    ...firewalls.map((each, index) => ({ path: 'firewall/firewall', index, ...each })),
    ...video.map((each, index) => ({ path: 'video/video', index, ...each })),
  ]);

/** All sites have networks of their own, or one is in those of another. */
const sharing: fc.Arbitrary<NetworkHomes | undefined> = fc.constantFrom(undefined, new Map([['b', 'a']]));

const seed = fc.array(fc.nat(1_000), { minLength: 20, maxLength: 20 });
const chooser = (numbers: readonly number[]) => {
  let at = 0;
  return (among: number) => numbers[at++ % numbers.length]! % among;
};

function go(
  current: Situation,
  to: readonly Placed[],
  order: Transition['order'],
  replace: readonly string[] = [],
  homes?: NetworkHomes,
) {
  const base = { name: 'stream', service: service!, current, target: to, replace: new Set(replace), order };
  return planTransition({ ...base, spreading: new Set(['a']), ...(homes === undefined ? {} : { homes }) });
}

/** The service with another prefix, and with ports on other networks. */
const variant = fc
  .record({
    prefix: fc.constantFrom('10.60', '10.61'),
    mtu: fc.constantFrom(1_500, 9_000),
    ue: fc.constantFrom('users', 'users, apps', 'apps'),
    video: fc.constantFrom('apps', 'apps, users'),
  })
  .map(
    ({ prefix, mtu, ue, video }) =>
      readNative(`
superfluidity: 1
service:
  name: stream
  version: '1'
  networks:
    - { name: users, prefix: 10.45.0.0/16 }
    - { name: apps, prefix: ${prefix}.0.0/16, mtu: ${mtu} }
  functions:
    - { name: ue, environment: container, image: 'host:', ports: [${ue}] }
    - { name: firewall, environment: nft, program: 'table ip x { }', forwards: true, ports: [apps] }
    - { name: video, environment: container, image: 'host:', ports: [${video}], scale: { initial: 1, min: 0, max: 90 } }
  chains:
    - { name: watch, from: ue, through: [firewall], to: video, address: 10.99.0.10, protocol: tcp, ports: [8080] }
`).service!,
  );

describe('an update', () => {
  it('in any order of its steps leads to what is described now, and changes nothing the second time', () => {
    fc.assert(
      fc.property(variant, variant, target, sharing, seed, (old, next, to, homes, numbers) => {
        const choose = chooser(numbers);
        const world = new World(false, homes);
        const base = {
          name: 'stream',
          target: to,
          replace: new Set<string>(),
          order: 'make-before-break',
          ...(homes === undefined ? {} : { homes }),
        } as const;
        const deployed = planTransition({ ...base, service: old, current: nothingThere });
        for (const step of inSomeOrder(deployed.steps, choose)) world.apply(step.action);
        const seen = (situation: Situation): Situation => ({
          ...situation,
          networks: situation.networks.map((each) => ({
            ...each,
            spec: world.networks.get(`${each.site} stream.${each.network}`)!,
          })),
        });
        const request = { ...base, service: next, previous: old, current: seen(deployed.after) };
        const updated = planTransition(request);
        for (const step of inSomeOrder(updated.steps, choose)) world.apply(step.action);
        const fresh = planTransition({
          ...base,
          service: next,
          current: { ...nothingThere, slots: updated.after.slots },
        });
        const ports = (units: Iterable<PlannedUnit>) =>
          [...units]
            .map(
              ({ site, spec }) =>
                `${site} ${spec.path}#${spec.index} ${spec.ports.map(({ network }) => network).join()}`,
            )
            .sort();
        expect(ports(world.units.values())).toEqual(ports(fresh.after.units));
        const made = fresh.steps.flatMap(({ action }) => (action.verb === 'create-network' ? [action.spec] : []));
        const byId = (specs: Iterable<NetworkSpec>) => [...specs].map((spec) => JSON.stringify(spec)).sort();
        expect(byId(world.networks.values())).toEqual(byId(made));
        expect(planTransition({ ...request, previous: next, current: seen(updated.after) }).steps).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a transition', () => {
  it('in any order of its steps leads from one situation to the next, seamlessly, and back again by the opposites', () => {
    fc.assert(
      fc.property(target, target, sharing, seed, (first, second, homes, numbers) => {
        const choose = chooser(numbers);
        const world = new World(true, homes);
        const deployed = go(nothingThere, first, 'make-before-break', [], homes);
        for (const step of inSomeOrder(deployed.steps, choose)) world.apply(step.action);
        const changed = go(deployed.after, second, 'make-before-break', [], homes);
        for (const step of inSomeOrder(changed.steps, choose)) world.apply(step.action);
        expect(
          [...world.units.values()]
            .map((unit) => `${unit.spec.path}#${unit.spec.index} ${unit.site}/${unit.spec.host}`)
            .sort(),
        ).toEqual(second.map((each) => `${each.path}#${each.index} ${each.site}/${each.host}`).sort());
        expect(world.installed.size).toBe(changed.after.chains.length);
        const gone = go(changed.after, [], 'make-before-break', [], homes);
        for (const step of inSomeOrder(gone.steps, choose)) world.apply(step.action);
        expect(world.all).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('changes nothing when everything is where it should be', () => {
    fc.assert(
      fc.property(target, (to) => {
        const { after } = go(nothingThere, to, 'make-before-break');
        expect(go(after, to, 'make-before-break').steps).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('replaces a dead unit by its next incarnation, the old one first', () => {
    const to: readonly Placed[] = [
      { path: 'ue/ue', index: 0, site: 'a', host: 'h1' },
      { path: 'firewall/firewall', index: 0, site: 'a', host: 'h1' },
      { path: 'video/video', index: 0, site: 'b', host: 'h1' },
    ];
    const { after } = go(nothingThere, to, 'make-before-break');
    const dead = after.units.find((unit) => unit.spec.path === 'video/video')!;
    const { steps, after: healed } = go(after, to, 'break-before-make', [dead.spec.id]);
    const ids = steps.map((step) => step.id);
    expect(ids.indexOf('remove:video/video#0')).toBeLessThan(ids.indexOf('create:video/video#0'));
    expect(healed.units.find((unit) => unit.spec.path === 'video/video')).toMatchObject({
      generation: dead.generation + 1,
    });
    expect(healed.chains.map((chain) => chain.version)).toEqual([2]);
  });

  it('sets anew what leads to a unit that has another address, and nothing else', () => {
    const balanced = readNative(`
superfluidity: 1
service:
  name: stream
  version: '1'
  networks: [{ name: apps, prefix: 10.60.0.0/16 }]
  functions:
    - { name: ue, environment: container, image: 'host:', ports: [apps] }
    - { name: video, environment: container, image: 'host:', ports: [apps], scale: { initial: 2, min: 0, max: 9 } }
    - { name: audio, environment: container, image: 'host:', ports: [apps] }
  chains:
    - { name: watch, from: ue, to: video, address: 10.99.0.10, protocol: tcp, ports: [8080] }
    - { name: hear, from: ue, to: audio, address: 10.99.0.11, protocol: tcp, ports: [8080] }
  balancers:
    - { name: films, unit: video, address: 10.99.0.20, port: 80 }
    - { name: songs, unit: audio, address: 10.99.0.21, port: 80 }
`).service!;
    const to: readonly Placed[] = ['ue', 'video', 'audio', 'video'].map((name, at) => ({
      path: `${name}/${name}`,
      index: at === 3 ? 1 : 0,
      site: 'a',
      host: 'h1',
    }));
    const base = { name: 'stream', service: balanced, target: to, replace: new Set<string>() } as const;
    const { after } = planTransition({ ...base, current: nothingThere, order: 'make-before-break' });
    const idOf = (index: number) =>
      after.units.find(({ spec }) => spec.path === 'video/video' && spec.index === index)!.spec.id;
    const learned = (id: string) => ({
      [id]: [{ id: `${id}.apps`, name: 'apps', network: 'n', host: 'h1', address: '10.60.0.9', mac: '', sid: '' }],
    });
    const moved = (index: number) =>
      planTransition({ ...base, current: after, order: 'break-before-make', learned: learned(idOf(index)) });
    const idsOf = ({ steps }: ReturnType<typeof moved>) => steps.map(({ id }) => id);
    expect(idsOf(moved(0))).toEqual([
      'install-chain:watch@2',
      'activate-chain:watch@2',
      'balancer:films@a',
      'remove-chain:watch@1',
      'learn-ports',
    ]);
    // The chain is over the first instance alone.
    expect(idsOf(moved(1))).toEqual(['balancer:films@a', 'learn-ports']);
    const { steps } = moved(1);
    expect(steps[0]!.action).toMatchObject({ verb: 'set-balancer', learned: learned(idOf(1)) });
    expect(steps.at(-1)!.dependsOn).toEqual(['balancer:films@a']);
    const ue = after.units.find(({ spec }) => spec.path === 'audio/audio')!.spec.id;
    expect(
      idsOf(planTransition({ ...base, current: after, order: 'break-before-make', learned: learned(ue) })),
    ).toEqual([
      'install-chain:hear@2',
      'activate-chain:hear@2',
      'balancer:songs@a',
      'remove-chain:hear@1',
      'learn-ports',
    ]);
  });

  it('leads chains over all instances of a function where the site spreads flows, and over the first one elsewhere', () => {
    const at = (site: string): readonly Placed[] => [
      { path: 'ue/ue', index: 0, site, host: 'h1' },
      ...[0, 1].map((index) => ({ path: 'firewall/firewall', index, site, host: 'h1' })),
      { path: 'video/video', index: 0, site, host: 'h1' },
    ];
    const functionOf = (site: string) => go(nothingThere, at(site), 'make-before-break').after.chains[0]!.hops[1]!;
    expect(functionOf('a').others).toMatchObject([{ unit: 'firewall/firewall#1' }]);
    expect(functionOf('b').others).toBeUndefined();
  });

  it('clears away versions of chains that a failed operation left without traffic', () => {
    const to: readonly Placed[] = [
      { path: 'ue/ue', index: 0, site: 'a', host: 'h1' },
      { path: 'firewall/firewall', index: 0, site: 'a', host: 'h1' },
      { path: 'video/video', index: 0, site: 'b', host: 'h1' },
    ];
    const { after } = go(nothingThere, to, 'make-before-break');
    const leftover = { ...after.chains[0]!, version: 2 };
    const { steps, after: moved } = go(
      { ...after, leftovers: [leftover] },
      [...to.slice(0, 2), { ...to[2]!, site: 'a' }],
      'make-before-break',
    );
    expect(steps.map((step) => step.id)).toContain('remove-chain:watch@2');
    expect(moved.chains.map((chain) => chain.version)).toEqual([3]);
  });
});
