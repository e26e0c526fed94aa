import { parentPort, workerData } from 'node:worker_threads';
import type { DescriptorFile } from '../files.ts';
import { fuzzReader } from './fuzz.ts';

/** One reader in a thread of its own, so that as many are fuzzed at once as there are processors. */
export interface FuzzTask {
  readonly corpus: readonly (readonly DescriptorFile[])[];
  readonly cpuMs: number;
  readonly seed: number;
}

const { corpus, cpuMs, seed } = workerData as FuzzTask;
parentPort!.postMessage(fuzzReader(corpus, cpuMs, seed));
