import { switchForms } from './choices.ts';
import { SuperfluidityError } from '@superfluidity/core';
import { placeLimits } from '../errors.ts';
import { nonNegativeLeastSquares } from './least-squares.ts';
import { concurrentCost, type FitError, hopsOf, MICRO_CORES, type SwitchModel, switchingWork } from './switch-model.ts';

/** What the switch of a host took, in cores, for a number of copies of a chain that were gathered there. */
export interface Measurement {
  readonly ratePps: number;
  readonly length: number;
  readonly copies: number;
  readonly cpu: number;
}

export interface Calibration {
  readonly model: SwitchModel;
  /** The measurement that the model is farthest from, and what it says instead. */
  readonly worst: { readonly measurement: Measurement; readonly predicted: number };
  /** Pairs of measurements in which more of everything took less: noise, or something that the model does not know. */
  readonly notMonotone: number;
}

const COLUMNS = ['rate', 'length', 'copies', 'cpu'] as const;

/**
 * Reads measurements: CSV with the columns rate (packets a second), length (functions), copies, and cpu (cores), in any order;
 * more columns are left alone. Rejects with SF-PLACE-INPUT and the line.
 */
export function readMeasurements(text: string, file = 'the CSV'): readonly Measurement[] {
  const lines = text.split(/\r?\n/);
  const fail = (line: number, reason: string) =>
    new SuperfluidityError('SF-PLACE-INPUT', {
      doing: `read ${file}`,
      reason: `line ${line}: ${reason}`,
      data: { position: { line, column: 1 } },
    });
  const header = (lines[0] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const missing = COLUMNS.filter((name) => !header.includes(name));
  if (missing.length > 0) throw fail(1, `there is no column ${missing.join(', ')}`);
  const at = COLUMNS.map((name) => header.indexOf(name));
  const measurements: Measurement[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '' || line.startsWith('#')) continue;
    const cells = line.split(',');
    const [ratePps, length, copies, cpu] = at.map((column) => {
      const cell = (cells[column] ?? '').trim();
      return cell === '' ? Number.NaN : Number(cell);
    }) as [number, number, number, number];
    const bad = COLUMNS.find((_, i) => !([ratePps, length, copies, cpu][i]! > 0));
    if (bad !== undefined) throw fail(index + 1, `${bad} must be a number above 0`);
    if (![ratePps, length, copies, cpu].every(Number.isFinite)) throw fail(index + 1, 'a number is not finite');
    if (!Number.isSafeInteger(length) || !Number.isSafeInteger(copies))
      throw fail(index + 1, 'length and copies are whole numbers');
    measurements.push({ ratePps, length, copies, cpu });
    if (measurements.length > placeLimits.measurements) {
      throw fail(index + 1, `more than ${placeLimits.measurements} measurements`);
    }
  }
  if (measurements.length < 3) throw fail(lines.length, 'at least 3 measurements are needed');
  return measurements;
}

/**
 * Fits a model to measurements so that the squares of relative errors are least: a tenth of a core more is much where a
 * twentieth was measured. O(n log n) for n measurements.
 */
export function calibrate(
  measurements: readonly Measurement[],
  about: Pick<SwitchModel, 'name' | 'switch' | 'frameBytes' | 'source'> & { readonly form?: SwitchModel['form'] },
): Calibration {
  const { form, ...named } = about;
  const forms = form === undefined ? switchForms : [form];
  const fitted = forms.map((each) => {
    const coefficients = each === 'interrupt' ? fitInterrupt(measurements) : fitPoll(measurements);
    return describe({ ...named, form: each, coefficients }, measurements);
  });
  return fitted.reduce((a, b) => (b.model.fit!.mape < a.model.fit!.mape ? b : a));
}

function fitInterrupt(measurements: readonly Measurement[]): SwitchModel['coefficients'] {
  const rows = measurements.map(({ ratePps, length, copies, cpu }) => {
    const load = (copies * hopsOf(length) * ratePps) / 1e6;
    const inner = (copies * (length - 1) * ratePps) / 1e6;
    return [1 / cpu, load / cpu, (load * Math.log2(1 + length)) / cpu, inner / cpu];
  });
  const [base, perHop, perHopLog, perInner] = nonNegativeLeastSquares(
    rows,
    measurements.map(() => 1),
  ) as [number, number, number, number];
  return rounded({ base, perHop, perHopLog, perInner });
}

/** Where the pinned cores end and work begins is tried between every two measurements, in the order of their load. */
function fitPoll(measurements: readonly Measurement[]): SwitchModel['coefficients'] {
  const points = measurements
    .map(({ ratePps, length, copies, cpu }) => ({ load: (copies * hopsOf(length) * ratePps) / 1e6, cpu }))
    .toSorted((a, b) => a.load - b.load);
  // Sums over the points with the most load, from the end: of load/cpu and of its square.
  const [once, twice] = [new Float64Array(points.length + 1), new Float64Array(points.length + 1)];
  for (let i = points.length - 1; i >= 0; i -= 1) {
    const { load, cpu } = points[i]!;
    once[i] = once[i + 1]! + load / cpu;
    twice[i] = twice[i + 1]! + (load / cpu) ** 2;
  }
  let best = { base: 0, perHop: 0, error: Number.POSITIVE_INFINITY };
  let [flatOnce, flatTwice] = [0, 0];
  for (let split = 0; split <= points.length; split += 1) {
    const base = flatTwice === 0 ? 0 : flatOnce / flatTwice;
    const perHop = twice[split] === 0 ? 0 : once[split]! / twice[split]!;
    const error = points.length - base * flatOnce - perHop * once[split]!;
    // The two parts meet between the points that they are of.
    const meets =
      (split === 0 || perHop * points[split - 1]!.load <= base * (1 + 1e-9)) &&
      (split === points.length || perHop * points[split]!.load >= base * (1 - 1e-9));
    if (meets && error < best.error) best = { base, perHop, error };
    const point = points[split];
    if (point === undefined) break;
    flatOnce += 1 / point.cpu;
    flatTwice += (1 / point.cpu) ** 2;
  }
  return rounded({ base: best.base, perHop: best.perHop, perHopLog: 0, perInner: 0 });
}

function rounded(coefficients: SwitchModel['coefficients']): SwitchModel['coefficients'] {
  const short = (value: number) => Number(value.toPrecision(6));
  const { base, perHop, perHopLog, perInner } = coefficients;
  return { base: short(base), perHop: short(perHop), perHopLog: short(perHopLog), perInner: short(perInner) };
}

function describe(model: Omit<SwitchModel, 'validRange' | 'fit'>, measurements: readonly Measurement[]): Calibration {
  const span = (of: (one: Measurement) => number) => {
    const values = measurements.map(of);
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] as const;
  };
  const validRange = {
    rateMpps: span(({ ratePps }) => ratePps / 1e6),
    length: span(({ length }) => length),
    copies: span(({ copies }) => copies),
  };
  const whole: SwitchModel = { ...model, validRange };
  const predicted = measurements.map((one) => predictedCores(whole, one));
  const fit = fitError(measurements, predicted);
  const errors = measurements.map(({ cpu }, i) => Math.abs(predicted[i]! - cpu) / cpu);
  const worst = errors.indexOf(errors.reduce((a, b) => Math.max(a, b)));
  return {
    model: { ...whole, fit },
    worst: { measurement: measurements[worst]!, predicted: predicted[worst]! },
    notMonotone: countNotMonotone(measurements),
  };
}

export function predictedCores(model: SwitchModel, { copies, ...subChain }: Omit<Measurement, 'cpu'>): number {
  return concurrentCost(model, switchingWork(model, subChain), copies) / MICRO_CORES;
}

export function fitError(measurements: readonly Measurement[], predicted: readonly number[]): FitError {
  const mean = measurements.reduce((sum, { cpu }) => sum + cpu, 0) / measurements.length;
  let [left, spread, relative, maxError] = [0, 0, 0, 0];
  measurements.forEach(({ cpu }, i) => {
    const error = Math.abs(predicted[i]! - cpu);
    left += error ** 2;
    spread += (cpu - mean) ** 2;
    relative += error / cpu;
    maxError = Math.max(maxError, error / cpu);
  });
  const short = (value: number) => Number(value.toFixed(4));
  return {
    samples: measurements.length,
    r2: short(spread === 0 ? (left === 0 ? 1 : 0) : 1 - left / spread),
    mape: short(relative / measurements.length),
    maxError: short(maxError),
  };
}

/** Among neighbours in the order of load only: of n measurements there are n squared pairs. */
function countNotMonotone(measurements: readonly Measurement[]): number {
  const sorted = measurements.toSorted((a, b) => a.length - b.length || a.copies - b.copies || a.ratePps - b.ratePps);
  return sorted.filter((one, i) => {
    const before = sorted[i - 1];
    return before?.length === one.length && before.copies === one.copies && one.cpu < before.cpu;
  }).length;
}
