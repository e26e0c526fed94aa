import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import type { Start } from '../engine/explore.ts';
import type { ShownPath } from '../engine/path.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { type Reply, received, type Work } from './messages.ts';
import type { EveryStartQuestion } from './question.ts';
import { now, outOfTime, sweep } from './sweep.ts';
import { together } from './together.ts';

export interface EverywhereOptions {
  /** `milliseconds` is for all starts together, the other bounds for each start. */
  readonly limits?: Partial<Limits>;
  /** At most; default: as many as there are processors. */
  readonly threads?: number;
  /** How long this thread works alone before it starts others: most questions are answered by then. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 300;
const THREADS_MAX = 64;
/** A thread looks at the clock now and then, and may be waiting for the solver. */
const GRACE_MS = 10_000;

/** One question about the packets from many starts, in several threads when there is work for them. */
export async function askEverywhere(
  network: Network,
  starts: readonly [Start, ...Start[]],
  question: EveryStartQuestion,
  options: EverywhereOptions = {},
): Promise<Verdict<ShownPath>> {
  const limits = { ...defaultLimits, ...options.limits };
  const began = now();
  const of = { network, question, starts, limits, endMs: began + limits.milliseconds };
  const threads = Math.min(options.threads ?? availableParallelism(), THREADS_MAX);
  const alone = threads < 2 ? Infinity : began + (options.patienceMs ?? PATIENCE_MS);
  let taken = 0;
  const first = await sweep(of, () => {
    const isLast = taken === starts.length - 1;
    return taken < starts.length && (now() < alone || isLast) ? taken++ : undefined;
  });
  const rest = starts.slice(taken);
  if (rest.length === 0) return first!;
  const others = await inThreads({ ...of, starts: rest }, Math.min(threads, rest.length));
  const [one, ...more] = first === undefined ? others : [first, ...others];
  return together([one!, ...more]);
}

async function inThreads(of: Omit<Work, 'taken'>, count: number): Promise<readonly Verdict<ShownPath>[]> {
  const work: Work = { ...of, taken: new Int32Array(new SharedArrayBuffer(4)) };
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL('./thread.ts', import.meta.url), { workerData: work }),
  );
  try {
    const patienceMs = Math.max(0, of.endMs - now()) + GRACE_MS;
    const replies = await Promise.all(workers.map((worker) => replyOf(worker, patienceMs)));
    return replies.flatMap((reply) => {
      if (reply === 'late') return [outOfTime(of.question)];
      if ('refused' in reply) throw new SuperfluidityError(reply.refused.code, { reason: reply.refused.reason });
      return reply.verdict === undefined ? [] : [received(reply.verdict)];
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function replyOf(worker: Worker, patienceMs: number): Promise<Reply | 'late'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve('late'), patienceMs);
    const done = () => clearTimeout(timer);
    worker.once('message', (reply: Reply) => {
      done();
      resolve(reply);
    });
    worker.once('error', (error) => {
      done();
      reject(error);
    });
    worker.once('exit', () => {
      done();
      reject(new Error('a thread ended without an answer'));
    });
  });
}
