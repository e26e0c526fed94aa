import { seeded } from '@superfluidity/core';
import type { Features } from '../learned/model.ts';
import { type PodModel, PodSimulation } from './pods.ts';

export const podFeatures: Features = { perPod: ['cpu', 'memoryMiB', 'rxKB', 'txKB'], fixed: [] };

/** Measurements as the project took them (D6.1, B5.2.4): numbers of pods by numbers of clients, each held for a while. */
export function experiments(
  model: PodModel,
  seed: number,
): { columns: readonly Float64Array[]; quality: Float64Array } {
  const random = seeded(seed);
  const rows: number[][] = [];
  for (let pods = 1; pods <= 12; pods += 1) {
    for (let part = 0.02; part <= 1.2; part += 0.02) {
      const simulation = new PodSimulation(model, pods, random);
      for (let step = 0; step < 3; step += 1) {
        const { metrics, latencyMs } = simulation.step(step * 15, 15, part * pods * model.capacity);
        rows.push([metrics.cpu, metrics.memoryMiB, metrics.rxKB, metrics.txKB, latencyMs]);
      }
    }
  }
  const column = (i: number) => Float64Array.from(rows, (row) => row[i]!);
  return { columns: [0, 1, 2, 3].map(column), quality: column(4) };
}
