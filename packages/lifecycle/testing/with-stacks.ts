import { simulated } from '@superfluidity/driver-simulated';
import { SuperfluidityError } from '@superfluidity/core';
import type {
  DriverKind,
  FoundStack,
  SiteDriver,
  SiteStacks,
  SiteWorkflows,
  StackChange,
  StackSpec,
  UnitStatus,
} from '@superfluidity/site';

/** Simulated sites, of which those that say `stacks: true` take stacks, and run workflows that are named for what they do. */
export const simulatedWithStacks: DriverKind = {
  ...simulated,
  async open(options) {
    const { stacks, ...config } = options.config;
    const driver = await simulated.open({ ...options, config });
    if (stacks !== true) return driver;
    const ports = { stacks: stacksOf(driver, options.id), workflows: workflowsOf() };
    return new Proxy(driver, {
      get(target, key) {
        if (key === 'stacks' || key === 'workflows') return ports[key];
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  },
};

/** By site and id: they live as long as the process, as the sites do. */
const there = new Map<string, StackSpec>();

export const stacksThere = (): readonly StackSpec[] => [...there.values()];

/** Of somebody else, by name. */
export const foreignStacks = new Map<string, FoundStack>();

function stacksOf(driver: SiteDriver, siteId: string): SiteStacks {
  const key = (id: string) => `${siteId} ${id}`;
  return {
    isPreferred: true,
    async preview(spec) {
      const before = there.get(key(spec.id));
      const names = (one: StackSpec | undefined) => one?.units.map(({ server }) => server) ?? [];
      const [had, has] = [names(before), names(spec)];
      const change = (name: string): StackChange['change'] =>
        !had.includes(name) ? 'add' : has.includes(name) ? 'keep' : 'delete';
      return [...new Set([...had, ...has])].map((name) => ({ change: change(name), name, type: 'OS::Nova::Server' }));
    },
    async ensure(spec, call, tell) {
      const before = there.get(key(spec.id));
      there.set(key(spec.id), spec);
      const stay = new Set(spec.units.map((unit) => unit.spec.id));
      const gone = (before?.units ?? []).map((unit) => unit.spec.id).filter((id) => !stay.has(id));
      await driver.removeUnits(gone, call);
      for (const { spec: network } of spec.networks) await driver.fabric.ensureNetwork(network, call);
      const statuses: UnitStatus[] = [];
      for (const { spec: unit, server } of spec.units) {
        if (spec.adopted?.id === 'fails' && statuses.length > 0)
          throw new SuperfluidityError('SF-SITE-STACK-FAILED', { reason: `${server}: no` });
        statuses.push(await driver.ensureUnit(unit, call));
        tell({ at: 1, what: server, state: 'CREATE_COMPLETE' });
      }
      const networks = new Set(spec.networks.map(({ spec: network }) => network.id));
      for (const { spec: network } of before?.networks ?? [])
        if (!networks.has(network.id)) await driver.fabric.removeNetwork(network.id, call);
      return statuses;
    },
    async remove(id, call, tell) {
      const spec = there.get(key(id));
      if (spec === undefined) return;
      const ids = spec.units.map((unit) => unit.spec.id);
      await driver.removeUnits(ids, call);
      for (const { spec: network } of spec.networks) await driver.fabric.removeNetwork(network.id, call);
      tell({ at: 2, what: id, state: 'DELETE_COMPLETE' });
      there.delete(key(id));
    },
    async find(wanted) {
      const stack = foreignStacks.get(wanted);
      if (stack === undefined) throw new SuperfluidityError('SF-SITE-NO-STACK', { reason: `there is no ${wanted}` });
      const host = (await driver.fingerprint()).hosts[0]!.name;
      const resources = Object.keys((stack.template['resources'] ?? {}) as object);
      return { stack, hosts: Object.fromEntries(resources.map((name) => [name, host])) };
    },
    async release(id, _, call) {
      const spec = there.get(key(id));
      const ids = spec?.units.map((unit) => unit.spec.id) ?? [];
      await driver.removeUnits(ids, call);
      for (const { spec: network } of spec?.networks ?? []) await driver.fabric.removeNetwork(network.id, call);
      there.delete(key(id));
    },
  };
}

function workflowsOf(): SiteWorkflows {
  const cancelled = new Set<string>();
  return {
    async run({ id, name, input }, { signal }, tell) {
      tell({ at: 1, what: 'first', state: 'SUCCESS' });
      if (name === 'fails') throw new SuperfluidityError('SF-SITE-WORKFLOW-FAILED', { reason: 'first: no' });
      if (name === 'waits') {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
      }
      return { execution: id, output: { given: input, cancelled: cancelled.has(id) }, tasks: { SUCCESS: 1 } };
    },
    async cancel(id) {
      cancelled.add(id);
      cancelledRuns.push(id);
    },
  };
}

export const cancelledRuns: string[] = [];
