import { Worker } from 'node:worker_threads';

export interface MilpQuestion {
  /** In the LP format of CPLEX. */
  readonly programme: string;
  readonly timeLimitMs: number;
}

export type MilpAnswer =
  | { readonly status: 'optimal'; readonly objective: number; readonly values: ReadonlyMap<string, number> }
  | { readonly status: 'infeasible' }
  /** It took too long, or failed. */
  | { readonly status: 'unknown'; readonly reason: string };

/** HiGHS looks at its time limit now and then only, and has to be loaded before. */
const GRACE_MS = 5_000;

/**
 * Solves a mixed-integer programme with HiGHS, in a thread of its own that ends with the question. What takes longer than its
 * limit is `unknown`.
 */
export async function solveMilp(question: MilpQuestion): Promise<MilpAnswer> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url));
  try {
    return await answerOf(worker, question);
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker, question: MilpQuestion): Promise<MilpAnswer> {
  return new Promise((resolve) => {
    const unknown = (reason: string) => resolve({ status: 'unknown', reason });
    const tooLate = AbortSignal.timeout(question.timeLimitMs + GRACE_MS);
    tooLate.addEventListener('abort', () => unknown('it took too long'), { once: true });
    worker.on('error', (error) => unknown(String(error)));
    worker.on('exit', () => unknown('its thread ended'));
    worker.on('message', (message: RawAnswer) => resolve(understood(message)));
    worker.postMessage(question);
  });
}

interface RawAnswer {
  readonly status: string;
  readonly objective: number;
  readonly values: readonly (readonly [string, number])[];
}

function understood({ status, objective, values }: RawAnswer): MilpAnswer {
  if (status === 'Optimal') return { status: 'optimal', objective, values: new Map(values) };
  if (status === 'Infeasible') return { status: 'infeasible' };
  return { status: 'unknown', reason: status };
}
