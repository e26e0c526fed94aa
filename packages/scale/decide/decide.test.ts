import { seeded } from '@superfluidity/core';
import type { Autoscale } from '@superfluidity/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { trainQuality } from '../learned/model.ts';
import { solveExact } from '../mdp/solve-scaling.ts';
import { thresholdsOf } from '../mdp/thresholds.ts';
import { autoscaleDefaults, Decider, memoryS, type PastDecision } from './decider.ts';
import { type Measured, measure } from './measure.ts';
import { policyGrid, replicasByPolicy } from './mdp-count.ts';

const problem = {
  queues: 8,
  buffer: 3,
  arrivalRate: 4,
  serviceRate: 1,
  rejectFine: 30,
  keepAliveCost: 1,
  buildCost: 2,
  destroyCost: 1,
  delayCost: 2,
};
const solved = solveExact(problem);
const table = {
  format: 'superfluidity-scaling-policy',
  version: 1,
  problem,
  table: btoa(String.fromCharCode(...solved.policy.bytes)),
};
const model = (() => {
  const rate = Float64Array.from({ length: 300 }, (_, i) => (i + 1) / 3);
  const latency = rate.map((each) => 5 / (1 - each / 101));
  return { ...trainQuality([rate], latency, { perPod: ['rate'], fixed: [], quality: 'latencyMs' }) };
})();

const measured = (rate: number): Measured => ({
  spanS: 30,
  requests: 1,
  values: { rate, tasks: rate / 10, latencyMs: rate },
});

const limits = fc.record(
  {
    everyS: fc.constantFrom(10, 15, 30),
    cooldownS: fc.integer({ min: 0, max: 120 }),
    behavior: fc.record(
      {
        scaleUp: fc.record({ stabilizationWindowSeconds: fc.integer({ min: 0, max: 60 }) }),
        scaleDown: fc.record({ stabilizationWindowSeconds: fc.integer({ min: 0, max: 300 }) }),
      },
      { requiredKeys: [] },
    ),
    min: fc.integer({ min: 1, max: 3 }),
    max: fc.integer({ min: 3, max: 12 }),
  },
  { requiredKeys: [] },
);
const policies: fc.Arbitrary<Autoscale> = fc
  .tuple(
    fc.constantFrom<Autoscale>(
      { kind: 'hpa', metric: 'rate', target: 20 },
      { kind: 'hpa', metric: 'latencyMs', target: 40, tolerance: 0 },
      { kind: 'threshold', metric: 'rate', above: 30, below: 25 },
      { kind: 'threshold', metric: 'tasks', above: 3, below: 2, step: 3 },
      { kind: 'mdp', table },
      { kind: 'learned', model, atMost: 20, guard: { metric: 'rate', target: 20 } },
    ),
    limits,
  )
  .map(([policy, rest]) => ({ ...policy, ...rest }) as Autoscale);

const scale = { min: 1, max: 12 };

interface Tick {
  readonly nowMs: number;
  readonly from: number;
  readonly to: number;
}

/** Lives through loads; a part of the changes is refused, as by an operation that is under way, or takes a while. */
function live(
  policy: Autoscale,
  loads: readonly number[],
  start: number,
  refused: (i: number) => boolean,
): readonly Tick[] {
  const decider = new Decider(policy, scale);
  const { everyS = autoscaleDefaults.everyS } = policy;
  const past: PastDecision[] = [];
  const ticks: Tick[] = [];
  let replicas = Math.max(decider.bounds.minReplicas, Math.min(decider.bounds.maxReplicas, start));
  for (const [i, load] of loads.entries()) {
    const nowMs = 1_000_000 + i * everyS * 1_000;
    const { from, to, recommended } = decider.decide({
      nowMs,
      replicas,
      ready: Math.max(1, replicas - (i % 2)),
      measured: measured(load),
      past: past.filter(({ atMs }) => atMs > nowMs - memoryS(policy) * 1_000),
    });
    const done = to !== from && !refused(i);
    past.push({ atMs: nowMs, recommended, from, to, done });
    ticks.push({ nowMs, from, to: done ? to : from });
    if (done) replicas = to;
  }
  return ticks;
}

test('whatever the load does, bounds are kept, and between two changes lies the cool-down', () => {
  fc.assert(
    fc.property(
      policies,
      fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 2, max: 9 }),
      (policy, loads, start, every) => {
        const { bounds } = new Decider(policy, scale);
        const ticks = live(policy, loads, start, (i) => i % every === 0);
        const changes = ticks.filter(({ from, to }) => from !== to);
        for (const { to } of ticks) {
          expect(to).toBeGreaterThanOrEqual(bounds.minReplicas);
          expect(to).toBeLessThanOrEqual(bounds.maxReplicas);
        }
        const { cooldownS = autoscaleDefaults.cooldownS } = policy;
        for (const [i, { nowMs }] of changes.entries()) {
          if (i > 0) expect(nowMs - changes[i - 1]!.nowMs).toBeGreaterThanOrEqual(cooldownS * 1_000);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a load that stays does not make the number go up and down', () => {
  const shared = policies.filter((policy) => !('metric' in policy) || policy.metric !== 'latencyMs');
  fc.assert(
    fc.property(
      shared,
      fc.double({ min: 1, max: 200, noNaN: true }),
      fc.integer({ min: 1, max: 12 }),
      (policy, load, start) => {
        const { everyS = autoscaleDefaults.everyS } = policy;
        const ticks = live(
          policy,
          Array.from({ length: Math.ceil(2_400 / everyS) }, () => load),
          start,
          () => false,
        );
        const directions = ticks.flatMap(({ from, to }) => (from === to ? [] : [Math.sign(to - from)]));
        const turns = directions.filter((way, i) => i > 0 && way !== directions[i - 1]);
        expect(turns.length).toBeLessThanOrEqual(1);
        // The second half is quiet.
        expect(new Set(ticks.slice(-Math.ceil(ticks.length / 4)).map(({ to }) => to)).size).toBe(1);
      },
    ),
    { numRuns: 40 },
  );
});

test('steps follow each other by the cool-down, windows hold what was needed, and a band narrower than a step does not flap', () => {
  const policy: Autoscale = { kind: 'threshold', metric: 'rate', above: 30, below: 25 };
  const loads = [...Array.from({ length: 40 }, () => 1), ...Array.from({ length: 60 }, (_, i) => (i === 0 ? 170 : 1))];
  const ticks = live(policy, loads, 9, () => false);
  // One each minute: four ticks.
  expect(ticks.slice(0, 40).map(({ from }) => from)).toEqual(
    loads.slice(0, 40).map((_, i) => Math.max(1, 9 - Math.ceil(i / 4))),
  );
  // One look at what needs six adds one, and that need is remembered for five minutes.
  expect(ticks.slice(40, 60).map(({ to }) => to)).toEqual(Array.from({ length: 20 }, () => 2));
  expect(ticks.at(-1)!.to).toBe(1);
  // With two each has 32, with three 21: three stay, as two would be three again.
  expect(
    new Set(
      live(
        policy,
        Array.from({ length: 100 }, () => 64),
        3,
        () => false,
      ).map(({ to }) => to),
    ),
  ).toEqual(new Set([3]));
});

test('without its memory of a decision that was carried out, a decider would break the cool-down', () => {
  const decider = new Decider({ kind: 'hpa', metric: 'rate', target: 20, cooldownS: 60 }, scale);
  const situation = { nowMs: 1_000_000, replicas: 2, ready: 2, measured: measured(200) };
  const past = [{ atMs: 970_000, recommended: 2, from: 1, to: 2, done: true }];
  expect(decider.decide({ ...situation, past }).to).toBe(2);
  expect(decider.decide({ ...situation, past }).reasons.at(-1)).toMatch(/30 s ago, and 60 s/);
  expect(decider.decide({ ...situation, past: [] }).to).toBe(6);
  expect(decider.decide({ ...situation, past: past.map((each) => ({ ...each, done: false })) }).to).toBe(6);
});

test('metrics of a window are those that samples say', () => {
  const random = seeded(7);
  const samples = Array.from({ length: 400 }, (_, i) => ({
    t: i * 100,
    latencyMs: 10 + 20 * random(),
    bytes: 1_000,
    ok: i % 4 > 0,
  }));
  const found = measure(samples, 40_000, 20, 0) as Measured;
  const inside = samples.filter(({ t }) => t > 20_000);
  expect(found.requests).toBe(inside.length);
  expect(found.values.rate).toBeCloseTo(inside.length / 20, 9);
  expect(found.values.tasks).toBeCloseTo(inside.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / 20_000, 9);
  expect(found.values.failures).toBeCloseTo(0.25, 1);
  expect(found.values.megabits).toBeCloseTo((inside.length * 8_000) / 1e6 / 20, 9);
  expect(measure([], 40_000, 20, 0)).toEqual({ nothing: 'no request was reported in the last 20 s' });
  expect(measure(samples, 40_000, 20, 35_000)).toEqual({ nothing: 'only 5.0 of 20 s are known yet' });
});

test('a table of a policy builds and destroys where its thresholds say, and its picture shows the same', () => {
  const thresholds = thresholdsOf(problem, solved.policy);
  const grid = policyGrid(solved.policy);
  for (const [row, vms] of grid.vms.entries()) {
    const { buildFrom = Infinity, destroyUpTo = -1 } = thresholds[vms]!;
    for (const [column, tasks] of grid.tasks.entries()) {
      const action = grid.actions[row]![column]!;
      if (action === 'impossible') expect(tasks).toBeGreaterThan(vms * problem.buffer);
      else if (tasks === buildFrom) expect(action).toBe('build');
      const { replicas } = replicasByPolicy(solved.policy, vms, vms, tasks);
      if (action === 'build') expect(replicas).toBeGreaterThan(vms);
      if (replicas < vms) expect(Math.max(1, tasks)).toBeLessThanOrEqual(destroyUpTo);
    }
  }
  expect(grid.actions.flat()).toContain('destroy');
  const { bytes } = solved.policy;
  expect(new Decider({ kind: 'mdp', table }, scale).grid()).toEqual(grid);
  for (const wrong of [
    {},
    { ...table, table: '!' },
    { ...table, table: 'AA==' },
    { ...table, problem: { ...problem, queues: -1 } },
  ]) {
    expect(() => new Decider({ kind: 'mdp', table: wrong }, scale)).toThrow(
      expect.objectContaining({ code: 'SF-SCALE-INPUT' }),
    );
  }
  expect(bytes.length).toBeGreaterThan(100);
});

test('bounds that somebody else left are come back to, and models with other columns are refused', () => {
  const policy: Autoscale = { kind: 'threshold', metric: 'rate', above: 30, below: 10, min: 2, max: 4 };
  const decider = new Decider(policy, scale);
  const past = [{ atMs: 999_000, recommended: 8, from: 4, to: 8, done: true }];
  const decision = decider.decide({ nowMs: 1_000_000, replicas: 8, ready: 8, measured: measured(160), past });
  expect(decision).toMatchObject({ from: 8, to: 4 });
  expect(() => new Decider({ ...policy, min: 13 }, scale)).toThrow(expect.objectContaining({ code: 'SF-SCALE-INPUT' }));
  const strange = { ...model, perPod: ['cpu'] };
  expect(() => new Decider({ kind: 'learned', model: strange, atMost: 5 }, scale)).toThrow(
    expect.objectContaining({ code: 'SF-SCALE-INPUT' }),
  );
});

test('a learned policy that learns on follows a service that has become slower, and one that does not stays with its model', () => {
  const scale = { min: 1, max: 50 };
  const promise = { kind: 'learned', model, atMost: 20, margin: 0 } as const;
  const [fixed, online] = [new Decider(promise, scale), new Decider({ ...promise, online: true }, scale)];
  // Twice as slow as what the model was learned from: 20 ms are reached at half the rate of each instance.
  const now = (rate: number, ready: number): Measured => {
    const each = rate / ready;
    return { spanS: 30, requests: 1, values: { rate, tasks: 1, latencyMs: 10 / (1 - each / 101) } };
  };
  const ask = (decider: Decider, i: number, rate: number) =>
    decider.decide({ nowMs: i * 15_000, replicas: 10, ready: 10, measured: now(rate, 10), past: [] });
  const said: string[] = [];
  for (let i = 1; i <= 480; i += 1) {
    const rate = 20 + ((i * 37) % 800);
    ask(fixed, i, rate);
    said.push(...ask(online, i, rate).reasons);
  }
  expect(said.filter((words) => words.includes('learned anew')).length).toBe(2);
  // 600 a second: by its model 8 instances at 75 each keep 20 ms; of the slow ones only 50 each do, which is 12.
  expect(ask(fixed, 481, 600).recommended).toBeLessThan(9);
  expect(ask(online, 481, 600).recommended).toBeGreaterThan(10);
  const other = { ...model, quality: 'complaints' };
  expect(() => new Decider({ ...promise, model: other, online: true }, scale)).toThrow('complaints');
  expect(() => new Decider({ ...promise, model: other }, scale)).not.toThrow();
});
