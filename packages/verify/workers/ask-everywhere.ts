import { Worker } from 'node:worker_threads';
import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import type { Coverage } from '../engine/coverage.ts';
import type { Start } from '../engine/explore.ts';
import type { ShownPath } from '../engine/path.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { type Reply, received, take, type Work } from './messages.ts';
import type { EveryStartQuestion } from './question.ts';
import { now, outOfTime, sweep } from './sweep.ts';
import { together } from './together.ts';

export interface EverywhereOptions {
  /** `milliseconds` is for all starts together, the other bounds for each start. */
  readonly limits?: Partial<Limits>;
  /** At most; default: this one alone. */
  readonly threads?: number;
  /** How long this thread works alone before it starts others: most questions are answered by then. */
  readonly patienceMs?: number;
  /** Is told which rules packets met. Then this thread alone asks. */
  readonly coverage?: Coverage;
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
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const work: Work = { network, question, starts, limits, endMs: began + limits.milliseconds, taken };
  const { coverage } = options;
  const threads = coverage === undefined ? Math.min(options.threads ?? 1, THREADS_MAX) : 1;
  const alone = began + (options.patienceMs ?? PATIENCE_MS);
  let others: Threads | undefined;
  try {
    const next = () => {
      // This thread goes on with its share: it has the network, and its code is warm.
      const left = starts.length - Atomics.load(taken, 0);
      if (others === undefined && threads > 1 && left > 1 && now() >= alone)
        others = new Threads(work, Math.min(threads, left) - 1);
      return take(work);
    };
    const mine = await sweep(work, next, coverage);
    const theirs = (await others?.verdicts()) ?? [];
    const [one, ...more] = mine === undefined ? theirs : [mine, ...theirs];
    return together([one!, ...more]);
  } finally {
    await others?.end();
  }
}

class Threads {
  readonly #workers: readonly Worker[];
  readonly #replies: readonly Promise<Reply | 'late'>[];
  readonly #question: EveryStartQuestion;

  constructor(work: Work, count: number) {
    this.#question = work.question;
    const patienceMs = Math.max(0, work.endMs - now()) + GRACE_MS;
    const thread = () => new Worker(new URL('./thread.ts', import.meta.url), { workerData: work });
    this.#workers = Array.from({ length: count }, thread);
    this.#replies = this.#workers.map((worker) => replyOf(worker, patienceMs));
    // A thread may fail before anybody waits for it; who waits then still learns of it.
    for (const reply of this.#replies) reply.catch(() => undefined);
  }

  async verdicts(): Promise<readonly Verdict<ShownPath>[]> {
    return (await Promise.all(this.#replies)).flatMap((reply) => {
      if (reply === 'late') return [outOfTime(this.#question)];
      if ('refused' in reply) throw new SuperfluidityError(reply.refused.code, { reason: reply.refused.reason });
      return reply.verdict === undefined ? [] : [received(reply.verdict)];
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    // Those that had no time to answer are of no interest any more.
    await Promise.allSettled(this.#replies);
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
