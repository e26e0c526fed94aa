import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compareOnTrace,
  dailyTrace,
  experiments,
  podFeatures,
  readTrace,
  regularTrace,
  type Trace,
  type TraceResult,
  trainQuality,
} from '@superfluidity/scale';

export interface TraceRow extends TraceResult {
  readonly trace: string;
  readonly cpuTarget?: number;
}

const PROMISE_MS = 50;
/** Of the Numenta Anomaly Benchmark, where a folder has them: counts that stand for requests. */
const NAB = ['elb_request_count_8c0756.csv', 'nyc_taxi.csv'];

const DAYS = 7;

function firstDays({ times, loads }: Trace, days: number): Trace {
  const end = times.findIndex((at) => at > times[0]! + days * 86_400);
  const count = end < 0 ? times.length : end;
  return { times: times.subarray(0, count), loads: loads.subarray(0, count) };
}

/** Each policy on each trace, with pods of which the peak of the trace takes twelve, or twenty on synthetic days. */
export function compareTraces(folder: string, note: (line: string) => void): readonly TraceRow[] {
  const rows: TraceRow[] = [];
  const add = (name: string, trace: Trace, capacity: number, stepS: number) => {
    const pods = { capacity, serviceMs: 10, bootS: 60, waitMaxMs: 5_000 };
    const { columns, quality } = experiments(pods, 1);
    const model = trainQuality(columns, quality, { ...podFeatures, quality: 'latencyMs' });
    const common = { minReplicas: 1, maxReplicas: 200, pods, promiseMs: PROMISE_MS, stepS };
    for (const cpuTarget of [0.5, 0.6, 0.7]) {
      const results = compareOnTrace(trace, { ...common, cpuTarget, ...(cpuTarget === 0.6 ? { model } : {}) });
      for (const result of results) {
        const isHpa = result.policy.startsWith('hpa');
        if (isHpa) rows.push({ trace: name, cpuTarget, ...result });
        else if (cpuTarget === 0.6) rows.push({ trace: name, ...result });
      }
    }
    note(`${name}: compared`);
  };
  add('synthetic days', dailyTrace(2, 2_000, 3), 100, 15);
  add('regular days', regularTrace(DAYS, 2_000, 3), 100, 15);
  for (const file of NAB) {
    const path = join(folder, file);
    if (!existsSync(path)) continue;
    const trace = firstDays(readTrace(readFileSync(path, 'utf8'), file), DAYS);
    add(file.replace('.csv', ''), trace, trace.loads.reduce((a, b) => Math.max(a, b)) / 12, 60);
  }
  return rows;
}
