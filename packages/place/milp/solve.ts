import { Worker } from 'node:worker_threads';
import { systemClock } from '@superfluidity/core';

export interface MilpQuestion {
  /** In the LP format of CPLEX. */
  readonly programme: string;
  readonly timeLimitMs: number;
  /** Part of the objective by which an answer may miss the optimum and still be called optimal (default: 1e-9). */
  readonly relativeGap?: number;
  /** It stops at so many solutions, each better than the one before, whatever is proven by then. */
  readonly solutionsMax?: number;
}

/** What the thread is asked: by when it must have answered, by the clock of the system. */
export interface RawQuestion extends MilpQuestion {
  readonly endsAt: number;
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

/** HiGHS looks at its time limit now and then only. */
const GRACE_MS = 500;
/** A thread that has answered is kept so long for the next question: to load HiGHS takes longer than most answers. */
const IDLE_MS = 10_000;

/** Each time it waits it is another one. */
interface Idle {
  readonly worker: Worker;
}
let idle: Idle | undefined;

const HIGHS = new URL('./worker.ts', import.meta.url);

/**
 * Solves a mixed-integer programme with HiGHS, in a thread. At its time limit the answer is the best solution that was found,
 * with its bound, and `unknown` where there is none; a thread that says nothing half a second later is ended. Questions that
 * are asked at the same time have threads of their own.
 */
export async function solveMilp(
  question: MilpQuestion,
  thread = HIGHS,
  now: () => number = systemClock.now,
): Promise<MilpAnswer> {
  const worker = thread === HIGHS ? take() : new Worker(thread);
  const answer = await answerOf(worker, { ...question, endsAt: now() + question.timeLimitMs });
  nobodyListens(worker);
  // What did not answer may be at its work still, and nobody waits for its end.
  if (answer === undefined || idle !== undefined || thread !== HIGHS) void worker.terminate();
  else keep(worker);
  return answer ?? { status: 'unknown', reason: 'it took too long, or its thread ended' };
}

/** Begins to load HiGHS, so that a question that comes soon need not wait for it. */
export function prepareSolver(): void {
  if (idle === undefined) keep(new Worker(HIGHS));
}

function take(): Worker {
  if (idle === undefined) return new Worker(HIGHS);
  const { worker } = idle;
  idle = undefined;
  nobodyListens(worker);
  worker.ref();
  return worker;
}

/** By name: threads have listeners of Node's own, without which no message arrives. */
function nobodyListens(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
}

/** Neither the thread nor its end keeps the process from ending. */
function keep(worker: Worker): void {
  const waiting: Idle = { worker };
  idle = waiting;
  worker.unref();
  const forget = () => {
    if (idle !== waiting) return;
    idle = undefined;
    void worker.terminate();
  };
  worker.on('error', forget);
  worker.on('exit', forget);
  AbortSignal.timeout(IDLE_MS).addEventListener('abort', forget, { once: true });
}

/** Undefined where the thread says nothing. */
function answerOf(worker: Worker, question: RawQuestion): Promise<MilpAnswer | undefined> {
  return new Promise((resolve) => {
    const tooLate = AbortSignal.timeout(Math.ceil(question.timeLimitMs + GRACE_MS));
    tooLate.addEventListener('abort', () => resolve(undefined), { once: true });
    worker.on('error', () => resolve(undefined));
    worker.on('exit', () => resolve(undefined));
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
