import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { characteriseLimits as limits } from '../errors.ts';

/**
 * A ramp of simulated users in steps (seed D6.1, A3.9.5): of each phase, how many users a step adds (or with a minus takes away),
 * how many seconds it lasts, and how many steps there are.
 */
export const rampShape = {
  step_deltas: z.array(z.number().min(-1e6).max(1e6)).min(1).max(limits.phases),
  step_periods: z.array(z.number().gt(0).max(86_400)).min(1).max(limits.phases),
  step_repetitions: z.array(z.int().min(1).max(limits.steps)).min(1).max(limits.phases),
  requests_per_user_per_second: z.number().gt(0).max(1e6).default(1),
};

type RampInput = { readonly [K in keyof typeof rampShape]: z.infer<(typeof rampShape)[K]> };

export interface RampStep {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly users: number;
  /** Requests that arrive in a second, whether those before were answered or not. */
  readonly perSecond: number;
}

/** Rejects with SF-CHARACTERISE-USE-CASE lists of different lengths and negative users, with -LIMIT what is too long. */
export function rampOf(input: RampInput): readonly RampStep[] {
  const { step_deltas: deltas, step_periods: periods, step_repetitions: repetitions } = input;
  const doing = 'read the ramp';
  if (deltas.length !== periods.length || deltas.length !== repetitions.length) {
    const reason = 'step_deltas, step_periods and step_repetitions have as many items each as there are phases';
    throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', { doing, reason });
  }
  const count = repetitions.reduce((a, b) => a + b, 0);
  const lengthMs = 1_000 * periods.reduce((sum, period, i) => sum + period * repetitions[i]!, 0);
  if (count > limits.steps || lengthMs > limits.rampMs) {
    const reason = `${count} steps and ${lengthMs / 1_000} s; at most ${limits.steps} and ${limits.rampMs / 1_000} s`;
    throw new SuperfluidityError('SF-CHARACTERISE-LIMIT', { doing, reason });
  }
  const steps: RampStep[] = [];
  let [users, atMs, requests] = [0, 0, 0];
  for (const [phase, delta] of deltas.entries()) {
    for (let step = 0; step < repetitions[phase]!; step += 1) {
      users += delta;
      if (users < 0)
        throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
          doing,
          reason: `phase ${phase + 1} ends below 0 users`,
        });
      const untilMs = atMs + periods[phase]! * 1_000;
      const perSecond = users * input.requests_per_user_per_second;
      requests += perSecond * periods[phase]!;
      steps.push({ fromMs: atMs, untilMs, users, perSecond });
      atMs = untilMs;
    }
  }
  if (requests > limits.requests) {
    const reason = `${Math.round(requests)} requests, at most ${limits.requests}`;
    throw new SuperfluidityError('SF-CHARACTERISE-LIMIT', { doing, reason });
  }
  return steps;
}

/** Times at which requests are due, in milliseconds from the start: evenly within each step. */
export function* arrivals(ramp: readonly RampStep[]): Generator<number> {
  // What part of a request the steps before have left over: slow ramps have steps of less than one request.
  let left = 0;
  for (const { fromMs, untilMs, perSecond } of ramp) {
    const periodMs = untilMs - fromMs;
    const due = left + (perSecond * periodMs) / 1_000;
    const count = Math.floor(due + 1e-9);
    for (let i = 1; i <= count; i += 1) yield fromMs + (periodMs * (i - left)) / Math.max(due - left, 1e-12);
    left = Math.max(0, due - count);
  }
}

export function usersAt(ramp: readonly RampStep[], atMs: number): number {
  return ramp.find(({ untilMs }) => atMs < untilMs)?.users ?? 0;
}
