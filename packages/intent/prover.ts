import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { canonicalJson } from '@superfluidity/core';
import { intentLimits } from './limits.ts';
import type { ProofRequest } from './prove.ts';
import type { VerificationReport, WaysReport } from './report.ts';
import type { Message, Reply } from './thread.ts';
import type { WaysRequest } from './ways.ts';

/** Why there is no answer: the question could not be read, or the thread did not come to an end with it. */
export interface NoAnswer {
  readonly why: 'refused' | 'lost';
  readonly reason: string;
}

/**
 * Proves in a thread of its own, which loads the engine when it is first needed and ends when it has been idle for long: who
 * has no policies pays nothing. What is the same as before was proven before.
 */
export class Prover {
  readonly #known = new Map<string, Promise<VerificationReport>>();
  readonly #waiting = new Map<number, (answer: Reply | NoAnswer) => void>();
  #thread: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #last = 0;
  #closed = false;

  prove(request: ProofRequest): Promise<VerificationReport> {
    const digest = createHash('sha256').update(canonicalJson(request)).digest('hex');
    const known = this.#known.get(digest);
    this.#known.delete(digest);
    const report = known ?? this.#proveAndCompare(request);
    this.#known.set(digest, report);
    for (const [oldest] of this.#known) if (this.#known.size > intentLimits.reports) this.#known.delete(oldest);
    // A bound that was hit says something of this moment, not of the plane.
    report.then(
      ({ policies, likeness }) => {
        if ([...policies, likeness].some((each) => each?.bound !== undefined)) this.#known.delete(digest);
      },
      () => this.#known.delete(digest),
    );
    return report;
  }

  /** A comparison that broke its bounds takes no proof of policies with it: they are proven once more, by themselves. */
  async #proveAndCompare(request: ProofRequest): Promise<VerificationReport> {
    const report = await this.#ask(request);
    if (report.lost === undefined || this.#closed || !('realised' in request) || request.meant === undefined)
      return plain(report);
    const { meant: _meant, ...alone } = request;
    const because = `It was not compared with what was meant: ${report.lost}.`;
    const unknown = {
      answer: 'unknown',
      because,
      bound: 'milliseconds',
      dependsOn: [],
      differences: [],
      leftOut: [],
    } as const;
    return { ...plain(await this.#ask(alone)), likeness: unknown };
  }

  /** Where packets go: asked by people one by one, and not remembered. */
  async ways(request: WaysRequest): Promise<WaysReport | NoAnswer> {
    const answer = await this.#send(request, 0);
    return 'ways' in answer ? answer.ways : (answer as NoAnswer);
  }

  /** Loads the engine before it is needed: half a second that the first deployment need not wait for. */
  warm(): void {
    this.#thread ??= this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    const thread = this.#thread;
    this.#lose('the control plane is closing');
    await thread?.terminate();
  }

  async #ask(request: ProofRequest): Promise<Asked> {
    const comparing = 'realised' in request && request.meant !== undefined ? intentLimits.likenessMs : 0;
    const answer = await this.#send(request, comparing);
    if ('report' in answer) return answer.report;
    const { why, reason } = answer as NoAnswer;
    return { ...notProven(request, reason), ...(why === 'lost' ? { lost: reason } : {}) };
  }

  #send(request: Message['request'], moreMs: number): Promise<Reply | NoAnswer> {
    const { promise, resolve } = Promise.withResolvers<Reply | NoAnswer>();
    this.#last += 1;
    const id = this.#last;
    const patience = (request.milliseconds ?? intentLimits.milliseconds) + moreMs + intentLimits.graceMs;
    const timer = setTimeout(
      () => this.#lose('it took longer than it may'),
      Math.max(0, patience * (this.#waiting.size + 1)),
    );
    this.#waiting.set(id, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    clearTimeout(this.#idle);
    this.#thread ??= this.#start();
    this.#thread.postMessage({ id, request } satisfies Message);
    return promise;
  }

  #start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: intentLimits.heapMiB };
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { resourceLimits });
    thread.unref();
    thread.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      waiting?.('refused' in reply ? { why: 'refused', reason: reply.refused.message } : reply);
      if (this.#waiting.size > 0) return;
      this.#idle = setTimeout(() => this.#lose('idle'), intentLimits.idleMs).unref();
    });
    thread.on('error', (error) => {
      if (this.#thread === thread) this.#lose(error.message);
    });
    return thread;
  }

  /** Who waits learns that nothing is known, and why; the next one starts another thread. */
  #lose(reason: string): void {
    const thread = this.#thread;
    this.#thread = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const answer of waiting) answer({ why: 'lost', reason });
    void thread?.terminate();
  }
}

/** With the reason when the thread did not come to an answer. */
type Asked = VerificationReport & { readonly lost?: string };

const plain = ({ lost: _lost, ...report }: Asked): VerificationReport => report;

/** Nothing is known, and that is said of each policy. */
function notProven(request: ProofRequest, reason: string): VerificationReport {
  return {
    plane: 'intended' in request ? 'intended' : 'realised',
    answer: 'unknown',
    policies: (request.service.policies ?? []).map(({ name }) => ({
      policy: name,
      answer: 'unknown',
      because: `It was not proven: ${reason}.`,
      bound: 'milliseconds',
      dependsOn: [],
      rules: [],
      paths: [],
    })),
    assumptions: [],
    tookMs: 0,
  };
}
