import { experiments, LearnedScaler, podFeatures, solveExact, solveFull, trainQuality } from '@superfluidity/scale';
import type { Row } from '../record.ts';
import { processorMs, timing } from '../statistics.ts';
import { solveTable, tables } from './figures.ts';

const RUNS = 9;
const LOOKUPS = 1_000_000;

type Add = (row: Row) => void;

const times = (work: () => unknown, runs = RUNS) => Array.from({ length: runs }, () => processorMs(work));
/** A point of figure 67, 5 VMs. */
const small = tables['figure 67'].of(1);

export const speedCases = {
  /** The tables of both figures, beside the same model with a name for each VM. */
  figures(add: Add): void {
    for (const name of ['figure 66', 'figure 67'] as const) {
      times(() => solveTable(name), 3);
      const what = `${name}: ${tables[name].xs.length} optimal policies`;
      add({
        ...timing(
          what,
          times(() => solveTable(name)),
        ),
        goalMs: 50,
      });
    }
    const full = times(() => solveFull(small), 1);
    add({
      ...timing('one point of figure 67, VMs with names (32,768 states, value iteration)', full),
      peer: true,
      note: 'oracle',
    });
  },
  large(add: Add): void {
    const large = { ...small, queues: 20, arrivalRate: 19, delayCost: 0.5, buildCost: 1 };
    const { delayWeights: _weights, ...linear } = large;
    let sweeps = 0;
    let width = 0;
    const largeMs = times(() => {
      const solution = solveExact(linear, { tolerance: 1e-5 });
      sweeps = solution.sweeps;
      width = solution.upper - solution.lower;
    }, 1);
    add({
      ...timing('20 VMs of buffer 6: 888,030 lumped states', largeMs),
      goalMs: 15_000,
      note: `${sweeps} sweeps, proven to ${width.toExponential(0)}`,
    });
  },
  lookups(add: Add): void {
    const { policy } = solveExact(small);
    const counts = new Uint16Array(policy.model.states.length);
    let sum = 0;
    const lookups = times(() => {
      for (let i = 0; i < LOOKUPS; i += 1) {
        counts.fill(0);
        counts[i % counts.length] = 2;
        counts[(i * 7) % counts.length]! += 3;
        sum += policy.arrival(counts);
      }
    });
    if (sum < 0) throw new Error('no action is negative');
    add({ ...timing('1,000,000 lookups in the table of a policy', lookups), goalMs: 1_000 });
  },
  decisions(add: Add): void {
    const pods = { capacity: 100, serviceMs: 10, bootS: 60, waitMaxMs: 5_000 };
    const { columns, quality } = experiments(pods, 1);
    const model = trainQuality(columns, quality, { ...podFeatures, quality: 'latencyMs' });
    const scaler = new LearnedScaler(model, { minReplicas: 1, maxReplicas: 100, promise: { atMost: 50 } });
    const decide = () => {
      for (let i = 0; i < 1_000; i += 1)
        scaler.recommend([0.4 + (i % 50) / 100, 140, 60 + (i % 40), 900], [], 10, 1.2, 1);
    };
    add({ ...timing('1,000 decisions of the learned scaler', times(decide)), goalMs: 1_000 });
  },
};
