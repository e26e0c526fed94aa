import { seeded } from '@superfluidity/core';
import { type Autoscale, autoscaleShape, withDocument } from '@superfluidity/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { solveExact } from '../mdp/solve-scaling.ts';
import { Decider, type ScalingDecision } from './decider.ts';
import { measure, type RequestSample } from './measure.ts';
import { policyGrid } from './mdp-count.ts';
import { busyOf } from './mdp-policy.ts';

/** Rates are those of a minute. */
const problem = {
  queues: 6,
  buffer: 4,
  arrivalRate: 90,
  serviceRate: 60,
  rejectFine: 20,
  keepAliveCost: 60,
  buildCost: 5,
  destroyCost: 1,
  delayCost: 20,
};
const tableOf = (of: typeof problem) => ({
  format: 'superfluidity-scaling-policy',
  version: 1,
  problem: of,
  table: btoa(String.fromCharCode(...solveExact(of).policy.bytes)),
});
const EVERY_S = 15;

/** Requests of a Poisson process, each to the shortest of the queues that there are; what is answered is reported. */
function traffic(seed: number) {
  const random = seeded(seed);
  const gap = (rate: number) => -Math.log1p(-random()) / rate;
  const samples: RequestSample[] = [];
  let free: number[] = [];
  let at = 0;
  return (untilS: number, replicas: number, arrivals: number, served: number) => {
    free = Array.from({ length: replicas }, (_, i) => free[i] ?? at);
    for (at += gap(arrivals); at < untilS; at += gap(arrivals)) {
      // Whoever is free first is who has least to do.
      const vm = free.reduce((best, each, i) => (each < free[best]! ? i : best), 0);
      const from = Math.max(at, free[vm]!);
      free[vm] = from + gap(served);
      samples.push({ t: free[vm]! * 1_000, latencyMs: (free[vm]! - at) * 1_000, bytes: 1, ok: true });
    }
    at = untilS;
    return measure(samples, untilS * 1_000, 30, 0);
  };
}

function live(policy: Autoscale, minutes: number, rates: (minute: number) => readonly [number, number], seed: number) {
  const [decider, next] = [new Decider(policy, { min: 1, max: 6 }), traffic(seed)];
  const decisions: ScalingDecision[] = [];
  let replicas = 3;
  for (let s = EVERY_S; s <= minutes * 60; s += EVERY_S) {
    const measured = next(s, replicas, ...rates(s / 60));
    if ('nothing' in measured) continue;
    const decision = decider.decide({ nowMs: s * 1_000, replicas, ready: replicas, measured, past: [] });
    decisions.push(decision);
    replicas = decision.to;
  }
  return { decider, decisions };
}

const anew = (decisions: readonly ScalingDecision[]) =>
  decisions.flatMap(({ reasons }) => reasons.filter((each) => each.includes('solved anew')));

test('a policy that is given by its model decides by its table, and keeps it while rates are those of the model', () => {
  const policy: Autoscale = { kind: 'mdp', problem: { 'superfluidity-scaling': 1, ...problem }, unitS: 60 };
  const { decider, decisions } = live(policy, 60, () => [1.5, 1], 1);
  expect(anew(decisions)).toEqual([]);
  expect(decider.grid()).toEqual(policyGrid(solveExact(problem).policy));
});

test('when the load drifts, it is solved anew for about the rates that there are', () => {
  const policy: Autoscale = { kind: 'mdp', table: tableOf(problem), unitS: 60 };
  const { decider, decisions } = live(policy, 90, (minute) => (minute < 20 ? [1.5, 1] : [3, 0.8]), 2);
  const times = anew(decisions);
  expect(times.length).toBeGreaterThan(0);
  expect(times.length).toBeLessThan(8);
  const [arrivals, served] = [...times.at(-1)!.matchAll(/[\d.]+(?= arrivals| served)/g)].map(Number) as [
    number,
    number,
  ];
  expect(arrivals / 3).toBeCloseTo(1, 0);
  expect(Math.abs(arrivals / 3 - 1)).toBeLessThan(0.2);
  expect(Math.abs(served / 0.8 - 1)).toBeLessThan(0.2);
  const now = decider.grid()!;
  expect(now).not.toEqual(policyGrid(solveExact(problem).policy));
  // A table that nobody said the unit of time of stays what it is.
  const still = live({ kind: 'mdp', table: tableOf(problem) }, 90, (minute) => (minute < 20 ? [1.5, 1] : [3, 0.8]), 2);
  expect(anew(still.decisions)).toEqual([]);
  expect(still.decider.grid()).toEqual(policyGrid(solveExact(problem).policy));
});

test('of a large model the table is kept, and that is said; without a table it is refused', () => {
  const large = { ...problem, queues: 10, buffer: 6 };
  const { decisions } = live({ kind: 'mdp', table: tableOf(large), unitS: 60 }, 2, () => [3, 1], 3);
  expect(decisions[0]!.reasons[0]).toMatch(/its table is kept: the model has 19448 states, at most 1000/);
  for (const wrong of [{ 'superfluidity-scaling': 1, ...large }, { ...problem }, { 'superfluidity-scaling': 1 }]) {
    expect(() => new Decider({ kind: 'mdp', problem: wrong, unitS: 60 }, { min: 1, max: 6 })).toThrow(
      expect.objectContaining({ code: 'SF-SCALE-INPUT' }),
    );
  }
});

test('a model from a file that does not say its unit of time is refused with that reason', () => {
  const policy: Autoscale = { kind: 'mdp', problem: { 'superfluidity-scaling': 1, ...problem } };
  expect(() => new Decider(policy, { min: 1, max: 6 })).toThrow(/needs unitS/);
});

test('one of table, model and file is given, a model with its unit of time, and files are told apart by what is in them', () => {
  const model = { 'superfluidity-scaling': 1, ...problem };
  const ok = (policy: object) => autoscaleShape.safeParse({ kind: 'mdp', ...policy }).success;
  expect([{}, { problem: model }, { problem: model, unitS: 1, file: 'x' }, { unitS: 1 }].map(ok)).not.toContain(true);
  expect([{ problem: model, unitS: 60 }, { file: 'x', unitS: 60 }, { table: {} }].map(ok)).not.toContain(false);
  const policy: Autoscale = { kind: 'mdp', file: 'x', unitS: 60 };
  expect(withDocument(policy, model)).toEqual({ kind: 'mdp', unitS: 60, problem: model });
  expect(withDocument(policy, { version: 1 })).toEqual({ kind: 'mdp', unitS: 60, table: { version: 1 } });
});

test('busy VMs are those that have the tasks, between as many as tasks and all', () => {
  // M/M/1: rho / (1 - rho) tasks. M/M/2: 2 rho / (1 - rho^2).
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (rho) => {
      expect(busyOf(1, rho / (1 - rho))).toBeCloseTo(rho, 6);
      expect(busyOf(2, (2 * rho) / (1 - rho ** 2))).toBeCloseTo(2 * rho, 6);
    }),
  );
  expect([busyOf(0, 3), busyOf(3, 0)]).toEqual([0, 0]);
  expect(busyOf(3, 1e6)).toBeCloseTo(3, 3);
});
