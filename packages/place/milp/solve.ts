import { Worker } from 'node:worker_threads';

export interface MilpQuestion {
  /** In the LP format of CPLEX. */
  readonly programme: string;
  readonly timeLimitMs: number;
  /** Part of the objective by which an answer may miss the optimum and still be called optimal (default: 1e-9). */
  readonly relativeGap?: number;
}

export type MilpAnswer =
  | ({ readonly status: 'optimal' } & MilpSolution)
  /** The best that was found within the time limit. */
  | ({ readonly status: 'feasible' } & MilpSolution)
  | { readonly status: 'infeasible' }
  /** It took too long, or failed. */
  | { readonly status: 'unknown'; readonly reason: string };

export interface MilpSolution {
  readonly objective: number;
  /** No solution has less than this, by the solver's own proof. */
  readonly bound: number;
  readonly values: ReadonlyMap<string, number>;
}

/** HiGHS looks at its time limit now and then only, and has to be loaded before. */
const GRACE_MS = 5_000;

/**
 * Solves a mixed-integer programme with HiGHS, in a thread of its own that ends with the question. At its time limit the
 * answer is the best solution that was found, with its bound, and `unknown` where there is none.
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

/** What the thread posts. */
export interface RawAnswer {
  readonly status: 'optimal' | 'infeasible' | 'limit' | 'failed';
  readonly reason?: string;
  readonly solution?: {
    readonly objective: number;
    readonly bound: number;
    readonly values: readonly (readonly [string, number])[];
  };
}

function understood({ status, reason = status, solution }: RawAnswer): MilpAnswer {
  if (status === 'infeasible') return { status };
  if (solution === undefined || status === 'failed') return { status: 'unknown', reason };
  return { ...solution, status: status === 'optimal' ? 'optimal' : 'feasible', values: new Map(solution.values) };
}
