import { scaleLimits } from '../errors.ts';
import { scaleInput } from '../input.ts';
import { BlockHistory } from './history.ts';
import { findPeriod } from './period.ts';

export interface SeasonalOptions {
  /** Seconds between two values. */
  readonly stepS: number;
  /** Values between now and what is forecast. */
  readonly ahead: number;
  /** Seconds after which the load returns (default: found, once it has returned twice). */
  readonly periodS?: number;
}

/** Parts of a period that are told apart. */
const SLOTS = 1_440;
/** A period that is found this near to one of people is that one. */
const PEOPLE_S = [3_600, 86_400, 604_800];
const NEAR = 0.02;
/** A period is looked for each time that the history has grown by this part. */
const GROWN = 1.125;
/** The season is used where its error is below this part of the least without it. */
const BETTER = 0.9;
/** Fewer forecasts prove nothing, however short the period. */
const EVIDENCE = 120;
/** Weights of a new value, after Holt and Winters: on the level, on the trend, which fades, and, once a period, on the season. */
const [LEVEL, TREND, FADES, SEASON] = [0.2, 0.05, 0.9, 0.3];

/** What lies above the season, and how fast that grows. */
interface Level {
  level: number;
  trend: number;
}

interface Season {
  readonly period: number;
  readonly parts: Float64Array;
  /** With the season, and for comparison as if there were none. */
  readonly above: Level;
  readonly plain: Level;
  /** Values since it was begun. */
  age: number;
  /** Fading sums of squares of errors: of forecasts with it, without it, and along straight lines. */
  readonly errors: Float64Array;
}

/**
 * Forecasts a load by its season: additive, after Holt and Winters. The period is given or found by autocorrelation; the season
 * begins with what was seen before. It is used only while it is proven: over half a period at least, its forecasts of
 * what has come since must have been better than straight lines, and than its own level and trend without the season. Memory is constant (1,024 blocks, 1,440 parts, `ahead`
 * forecasts). A value takes O(`ahead`), and O(1,024^2 / 2) each time that a period is looked for, which is as often as the length grows by an eighth.
 */
export class SeasonalForecast {
  readonly #options: SeasonalOptions;
  readonly #history = new BlockHistory();
  /** What the season, the level alone and the lines said, `ahead` values ago and since. */
  readonly #said: (readonly number[])[] = [];
  #season: Season | undefined;
  #count = 0;
  #lookAt = 32;

  constructor(options: SeasonalOptions) {
    const { stepS, ahead, periodS } = options;
    if (!(stepS > 0 && Number.isFinite(stepS))) throw scaleInput('a step must be longer than 0 s', 'forecast');
    if (!(Number.isSafeInteger(ahead) && ahead >= 1 && ahead <= scaleLimits.stepsAhead)) {
      throw scaleInput(`1 to ${scaleLimits.stepsAhead} steps ahead are forecast, not ${ahead}`, 'forecast');
    }
    if (periodS !== undefined && !(periodS >= 4 * stepS && Number.isFinite(periodS))) {
      throw scaleInput('a period must have at least four steps', 'forecast');
    }
    this.#options = options;
  }

  /** Seconds after which the load returns, as far as is known. */
  get periodS(): number | undefined {
    return this.#season === undefined ? this.#options.periodS : this.#season.period * this.#options.stepS;
  }

  /** Has it been better than all that knows no season, for long enough? */
  get proven(): boolean {
    const season = this.#season;
    if (season === undefined || season.age < Math.max(EVIDENCE, season.period / 2) + this.#options.ahead) return false;
    const [own, ...others] = season.errors;
    return others.every((other) => Math.sqrt(own!) < BETTER * Math.sqrt(other));
  }

  /**
   * @param value of now
   * @param lines what straight lines say of the value `ahead` from now: always as many of them
   */
  observe(value: number, lines: readonly number[]): void {
    if (!(Number.isFinite(value) && lines.every(Number.isFinite))) throw scaleInput('a load is no number', 'forecast');
    const { ahead } = this.#options;
    const season = this.#season;
    if (season !== undefined) {
      if (this.#said.length === ahead) judge(season, value, this.#said.shift()!);
      this.#learn(season, value);
    }
    this.#history.add(value);
    this.#count += 1;
    this.#look(lines.length);
    if (this.#season === undefined) return;
    const { plain } = this.#season;
    this.#said.push([this.#seasonal(this.#season, ahead), grown(plain, ahead), ...lines]);
  }

  /** The largest value that is expected up to `ahead` from now; undefined while the season is not proven. */
  largest(): number | undefined {
    const season = this.#season;
    if (season === undefined || !this.proven) return undefined;
    let most = 0;
    for (let steps = 1; steps <= this.#options.ahead; steps += 1) most = Math.max(most, this.#seasonal(season, steps));
    return most;
  }

  #learn(season: Season, value: number): void {
    const slot = slotOf(season, this.#count);
    const error = learn(season.above, value - season.parts[slot]!);
    learn(season.plain, value);
    // Several values in a part share its weight.
    season.parts[slot]! += SEASON * (1 - LEVEL) * Math.min(1, season.parts.length / season.period) * error;
    season.age += 1;
  }

  #seasonal(season: Season, steps: number): number {
    return Math.max(0, grown(season.above, steps) + season.parts[slotOf(season, this.#count - 1 + steps)]!);
  }

  /** Begins a season, or another one where that of now is not proven. */
  #look(lines: number): void {
    if (this.#count < this.#lookAt) return;
    this.#lookAt = Math.ceil(this.#count * GROWN);
    if (this.proven) return;
    const { stepS, periodS } = this.#options;
    const period = periodS === undefined ? this.#found() : periodS / stepS;
    if (period === undefined || period < 4 || this.#history.length < period) return;
    const now = this.#season;
    if (now !== undefined && Math.abs(now.period / period - 1) < NEAR) return;
    const parts = this.#folded(period);
    const mean = parts.reduce((sum, value) => sum + value, 0) / parts.length;
    const last = this.#history.means.at(-1)!;
    const season: Season = {
      period,
      parts: parts.map((value) => value - mean),
      above: { level: mean, trend: 0 },
      plain: { level: last, trend: 0 },
      age: 0,
      errors: new Float64Array(2 + lines),
    };
    season.above.level = last - season.parts[slotOf(season, this.#history.length - 1)]!;
    this.#season = season;
    this.#said.length = 0;
  }

  #found(): number | undefined {
    const lag = findPeriod(this.#history.means);
    if (lag === undefined) return undefined;
    const { stepS } = this.#options;
    const period = lag * this.#history.width;
    const people = PEOPLE_S.find((each) => Math.abs(period * stepS - each) < NEAR * each);
    return people === undefined ? period : people / stepS;
  }

  /** Means of what was seen at each part of the period. */
  #folded(period: number): Float64Array {
    const history = this.#history;
    const count = Math.min(SLOTS, Math.floor(period));
    return Float64Array.from({ length: count }, (_, slot) => {
      let [sum, times] = [0, 0];
      for (let at = ((slot + 0.5) / count) * period; at <= history.length; at += period) {
        sum += history.at(at);
        times += 1;
      }
      return times === 0 ? history.at(history.length) : sum / times;
    });
  }
}

function slotOf({ period, parts }: Season, at: number): number {
  return Math.min(parts.length - 1, Math.floor(((at % period) / period) * parts.length));
}

/** So many values on: the trend fades. */
const grown = ({ level, trend }: Level, steps: number) => level + (trend * FADES * (1 - FADES ** steps)) / (1 - FADES);

/** The answer is by how much it was off. */
function learn(into: Level, value: number): number {
  const error = value - grown(into, 1);
  into.level = grown(into, 1) + LEVEL * error;
  into.trend = FADES * into.trend + LEVEL * TREND * error;
  return error;
}

function judge({ errors, period }: Season, value: number, said: readonly number[]): void {
  const kept = 2 ** (-1 / Math.max(EVIDENCE, period));
  for (const [i, each] of said.entries()) errors[i] = errors[i]! * kept + (each - value) ** 2;
}
