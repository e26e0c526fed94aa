import { SuperfluidityError } from '@superfluidity/core';
import { characteriseLimits as limits } from '../errors.ts';

/** Offers frames at a rate (frames a second) for a time, and counts those that do not arrive. */
export type Trial = (offered: { readonly rate: number; readonly durationMs: number }) => Promise<Trialled>;

export interface Trialled {
  readonly sent: number;
  readonly lost: number;
}

export interface TrialRecord extends Trialled {
  readonly rate: number;
  readonly durationMs: number;
}

export function unsearchable(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-CHARACTERISE-SEARCH', { doing: 'search for throughput', reason });
}

export function checkRange(minRate: number, maxRate: number): void {
  if (!(minRate > 0 && maxRate > minRate && maxRate <= limits.amount))
    throw unsearchable(`rates from ${minRate} to ${maxRate}`);
}

export function checkDuration(durationMs: number): void {
  if (!(durationMs > 0 && durationMs <= limits.rampMs)) throw unsearchable(`a duration of ${durationMs} ms`);
}

/** Makes trials, keeps them, and takes no more than there may be. */
export class Trials {
  readonly records: TrialRecord[] = [];
  readonly #trial: Trial;
  readonly #most: number;

  constructor(trial: Trial, most: number = limits.trials) {
    this.#trial = trial;
    this.#most = most;
  }

  get exhausted(): boolean {
    return this.records.length >= this.#most;
  }

  async make(rate: number, durationMs: number): Promise<TrialRecord> {
    const { sent, lost } = await this.#trial({ rate, durationMs });
    if (!(Number.isFinite(sent) && sent > 0 && lost >= 0 && lost <= sent))
      throw unsearchable(`a trial sent ${sent} frames and lost ${lost}`);
    const record = { rate, durationMs, sent, lost };
    this.records.push(record);
    return record;
  }
}
