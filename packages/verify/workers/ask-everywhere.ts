import { Worker } from 'node:worker_threads';
import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import type { Coverage } from '../engine/coverage.ts';
import type { Start } from '../engine/explore.ts';
import type { ShownPath } from '../engine/path.ts';
import type { EquivalenceOptions, EquivalenceVerdict } from '../equivalence/equivalence.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { type AskedPolicy, type Found, gathered, type Job, outOfTime, partsOf } from './job.ts';
import { type Reply, received, take, type Work } from './messages.ts';
import type { EveryStartQuestion } from './question.ts';
import { now, sweep } from './sweep.ts';

export interface EverywhereOptions {
  /** `milliseconds` is for all starts together, and for each policy; the other bounds for each start or policy. */
  readonly limits?: Partial<Limits>;
  /** At most; default: this one alone. */
  readonly threads?: number;
  /**
   * How long this thread works alone before it starts others: most questions are answered by then. Another one is started for
   * each eight times that long that this thread would still need, so that what it costs to begin is made good; and none when
   * this process did not get a processor to itself until then. 0: others are started at once.
   */
  readonly patienceMs?: number;
  /** Is told which rules packets met. Then this thread alone asks. */
  readonly coverage?: Coverage;
}

const PATIENCE_MS = 300;
/** A thread reads the engine, gets a copy of the network, and works on a cold engine: up to 1.7 s of a processor. */
const WORTH = 8;
/** Of the time that passed, a process of its own has had more than that of a processor. */
const OWN = 0.8;
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
  const [found] = await inThreads({ kind: 'question', network, question, starts }, options);
  return found!.verdict;
}

/** Formulas about one network; the verdicts in their order. */
export async function checkPolicies(
  network: Network,
  policies: readonly AskedPolicy[],
  options: EverywhereOptions = {},
): Promise<readonly Verdict<ShownPath>[]> {
  const found = await inThreads({ kind: 'policies', network, policies }, options);
  return found.map(({ verdict }) => verdict);
}

/** Two networks, from many starts. */
export async function compareEverywhere(
  networks: readonly [Network, Network],
  starts: readonly [Start, ...Start[]],
  options: EverywhereOptions & Pick<EquivalenceOptions, 'ports' | 'ignored'> = {},
): Promise<EquivalenceVerdict<ShownPath>> {
  const { ports, ignored, ...rest } = options;
  const compared = { ...(ports === undefined ? {} : { ports }), ...(ignored === undefined ? {} : { ignored }) };
  const [found] = await inThreads({ kind: 'diff', networks, starts, options: compared }, rest);
  return found!.verdict as EquivalenceVerdict<ShownPath>;
}

async function inThreads(job: Job, options: EverywhereOptions): Promise<readonly Found[]> {
  const limits = { ...defaultLimits, ...options.limits };
  const began = now();
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const work: Work = { job, limits, endMs: began + limits.milliseconds, taken };
  const { coverage } = options;
  const parts = partsOf(job);
  const threads = coverage === undefined ? Math.min(options.threads ?? 1, THREADS_MAX) : 1;
  const patience = options.patienceMs ?? PATIENCE_MS;
  const before = process.cpuUsage();
  let others: Threads | undefined;
  try {
    const next = () => {
      // This thread goes on with its share: it has the network, and its code is warm.
      if (others === undefined && threads > 1) {
        const done = Atomics.load(taken, 0);
        const spent = process.cpuUsage(before);
        const hasOwn = (spent.user + spent.system) / 1_000 >= OWN * (now() - began);
        const worth = patience === 0 ? threads : hasOwn ? worthThreads(now() - began, done, parts - done, patience) : 1;
        const wanted = Math.min(threads, parts - done, worth);
        if (wanted > 1) others = new Threads(work, wanted - 1);
      }
      return take(work);
    };
    const mine: readonly Found[] = await sweep(work, next, coverage);
    const found = [...mine, ...((await others?.found()) ?? [])];
    if (job.kind !== 'policies') return gathered(job, found);
    // Of those that a thread had no time for, nothing was heard.
    const byPart = new Map(found.map((each) => [each.part, each]));
    return job.policies.map((_, part) => byPart.get(part) ?? { part, verdict: outOfTime(job, part) });
  } finally {
    await others?.end();
  }
}

/** How many threads are worth it, by how long the parts took that are done. */
function worthThreads(elapsedMs: number, done: number, left: number, patienceMs: number): number {
  if (elapsedMs < patienceMs || done === 0) return 1;
  return 1 + Math.floor((elapsedMs / done) * (left / (WORTH * patienceMs)));
}

class Threads {
  readonly #workers: readonly Worker[];
  readonly #replies: readonly Promise<Reply | 'late'>[];
  readonly #job: Job;

  constructor(work: Work, count: number) {
    this.#job = work.job;
    const each = work.job.kind === 'policies' ? partsOf(work.job) * work.limits.milliseconds : work.endMs - now();
    const patienceMs = Math.min(Math.max(0, each) + GRACE_MS, TIMER_MAX);
    const thread = () => new Worker(new URL('./thread.ts', import.meta.url), { workerData: work });
    this.#workers = Array.from({ length: count }, thread);
    this.#replies = this.#workers.map((worker) => replyOf(worker, patienceMs));
    // A thread may fail before anybody waits for it; who waits then still learns of it.
    for (const reply of this.#replies) reply.catch(() => undefined);
  }

  async found(): Promise<readonly Found[]> {
    return (await Promise.all(this.#replies)).flatMap((reply) => {
      if (reply === 'late') return this.#job.kind === 'policies' ? [] : [{ part: 0, verdict: outOfTime(this.#job, 0) }];
      if ('refused' in reply) throw new SuperfluidityError(reply.refused.code, { reason: reply.refused.reason });
      return reply.found.map(received);
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    // Those that had no time to answer are of no interest any more.
    await Promise.allSettled(this.#replies);
  }
}

/** Of timers of Node, milliseconds. */
const TIMER_MAX = 2 ** 31 - 1;

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
