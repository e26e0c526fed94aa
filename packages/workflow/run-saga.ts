import { isSuperfluidityError, type Json } from '@superfluidity/core';
import type { RetryPolicy, StepCall, StepItem, StepResult, WorkflowContext } from './engine.ts';
import { limits } from './limits.ts';
import type { SagaObserver, SagaStep, SagaStepState } from './saga.ts';
import { chunks, wavesOf } from './saga-graph.ts';

export interface SagaOptions {
  readonly observer?: SagaObserver;
  /** `stop`: leave everything as it is, the caller decides (retry, or `undoSaga`). `undo`: take everything back. */
  readonly onFailure: 'stop' | 'undo';
  /** Distinguishes the durable records when one workflow runs the saga again (retry). Steps do not see it. */
  readonly round?: number;
  /** Outputs of steps that an earlier round has done: they are not run again. */
  readonly done?: ReadonlyMap<string, Json>;
  /** Steps that an earlier round has begun: they are taken back too. */
  readonly started?: ReadonlySet<string>;
  /** Of `StepCall.key`. Default: the workflow's id. Give the operation's id when its retry is another workflow. */
  readonly keyPrefix?: string;
  readonly undoRetry?: RetryPolicy;
  /**
   * Steps of a wave that share a durable record, default `limits.batchSize`. A record costs some seven statements, so
   * sharing is what makes wide waves fast; the price is that after a crash all that share a record run again. 1: none do.
   */
  readonly batchSize?: number;
}

export interface SagaFailure {
  readonly stepId: string;
  readonly error: unknown;
}

export interface SagaResult {
  /** `undo-failed`: some effects are still there; `undoFailures` says whose. */
  readonly status: 'done' | 'failed' | 'undone' | 'undo-failed';
  readonly cancelled: boolean;
  /** Outputs of the steps that were done, by id, also when they were undone later. */
  readonly outputs: ReadonlyMap<string, Json>;
  /** Steps that may have had an effect: done, or failed half-way. What `undoSaga` takes back. */
  readonly started: ReadonlySet<string>;
  readonly failures: readonly SagaFailure[];
  readonly undoFailures: readonly SagaFailure[];
}

const UNDO_RETRY: RetryPolicy = {
  attempts: limits.undoAttempts,
  delayMs: limits.undoDelayMs,
  delayMaxMs: limits.undoDelayMaxMs,
  retryable: () => true,
};

/** Executes the steps wave by wave. Rejects only for a graph that is none: what steps do is in the result. */
export async function runSaga(
  context: WorkflowContext,
  steps: readonly SagaStep[],
  options: SagaOptions,
): Promise<SagaResult> {
  const run = new SagaRun(context, options);
  const outputs = new Map<string, Json>(options.done);
  const started = new Set<string>([...outputs.keys(), ...(options.started ?? [])]);
  const failures: SagaFailure[] = [];
  let cancelled = false;

  for (const wave of wavesOf(steps)) {
    const todo = wave.filter((step) => !outputs.has(step.id));
    for (const part of chunks(todo, limits.waveWidth)) {
      const results = await run.doAll(part, outputs);
      for (const [i, result] of results.entries()) {
        const { id } = part[i]!;
        if (result.ok) outputs.set(id, result.output);
        else if (isSuperfluidityError(result.error, 'SF-WORKFLOW-CANCELLED')) cancelled = true;
        else failures.push({ stepId: id, error: result.error });
        // Also when it was refused for a cancellation: an execution that crashed may have begun it.
        started.add(id);
      }
      if (failures.length > 0 || cancelled) break;
    }
    if (failures.length > 0 || cancelled) break;
  }

  const failed = failures.length > 0 || cancelled;
  const result = { cancelled, outputs, started, failures };
  if (!failed) return { status: 'done', ...result, undoFailures: [] };
  if (options.onFailure === 'stop') return { status: 'failed', ...result, undoFailures: [] };
  const undoFailures = await undoSaga(context, steps, { ...options, started, outputs });
  return { status: undoFailures.length === 0 ? 'undone' : 'undo-failed', ...result, undoFailures };
}

export interface UndoOptions extends Omit<SagaOptions, 'onFailure' | 'done'> {
  readonly started: ReadonlySet<string>;
  readonly outputs: ReadonlyMap<string, Json>;
}

/**
 * Takes the started steps back, the last wave first, cancelled or not. When an undo fails for good, what its step was
 * built on stays (a network is not deleted under a port that is still there), and the others go on.
 */
export async function undoSaga(
  context: WorkflowContext,
  steps: readonly SagaStep[],
  options: UndoOptions,
): Promise<readonly SagaFailure[]> {
  const run = new SagaRun(context, options);
  const failures: SagaFailure[] = [];
  const blocked = new Set<string>();
  for (const wave of wavesOf(steps).toReversed()) {
    const todo = wave.toReversed().filter((step) => options.started.has(step.id) && !blocked.has(step.id));
    for (const step of wave.filter(({ id }) => blocked.has(id))) step.dependsOn.forEach((id) => blocked.add(id));
    for (const part of chunks(todo, limits.waveWidth)) {
      const results = await run.undoAll(part, options.outputs);
      for (const [i, result] of results.entries()) {
        if (result.ok) continue;
        failures.push({ stepId: part[i]!.id, error: result.error });
        part[i]!.dependsOn.forEach((id) => blocked.add(id));
      }
    }
  }
  return failures;
}

type RunnerOptions = Omit<SagaOptions, 'onFailure' | 'done'>;

/** Runs parts of waves through the durable steps of the context, and tells the observer. */
class SagaRun {
  readonly #context: WorkflowContext;
  readonly #options: RunnerOptions;
  readonly #round: number;
  readonly #keyPrefix: string;
  #batches = 0;

  constructor(context: WorkflowContext, options: RunnerOptions) {
    this.#context = context;
    this.#options = options;
    this.#round = options.round ?? 1;
    this.#keyPrefix = options.keyPrefix ?? context.workflowId;
  }

  doAll(steps: readonly SagaStep[], outputs: ReadonlyMap<string, Json>): Promise<readonly StepResult[]> {
    return this.#all('do', steps, 'running', ['done', 'failed'], (step) => ({
      work: (call) => step.do(call, outputs),
      ...(step.retry === undefined ? {} : { retry: step.retry }),
      ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
    }));
  }

  undoAll(steps: readonly SagaStep[], outputs: ReadonlyMap<string, Json>): Promise<readonly StepResult[]> {
    return this.#all('undo', steps, 'undoing', ['undone', 'failed'], (step) => ({
      work: async (call) => {
        await step.undo?.(call, outputs.get(step.id));
        return null;
      },
      retry: this.#options.undoRetry ?? UNDO_RETRY,
      ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
    }));
  }

  async #all(
    verb: 'do' | 'undo',
    steps: readonly SagaStep[],
    running: SagaStepState,
    [good, bad]: readonly [SagaStepState, SagaStepState],
    itemOf: (step: SagaStep) => Omit<StepItem, 'id'>,
  ): Promise<readonly StepResult[]> {
    const told = new Set<string>();
    const telling: Promise<void>[] = [];
    const tell = (
      stepId: string,
      state: SagaStepState,
      result: { attempt: number; error?: unknown; output?: Json },
    ) => {
      telling.push(this.#tell({ stepId, state, ...result }));
    };
    const settled = (id: string, result: StepResult) => {
      told.add(id);
      if (result.ok) tell(id, good, { attempt: result.attempts, output: result.output });
      else if (result.attempts === 0) tell(id, 'skipped', { attempt: 0 });
      else tell(id, bad, { attempt: result.attempts, error: result.error });
    };
    const items = steps.map((step): StepItem => {
      const { work, ...rest } = itemOf(step);
      return {
        ...rest,
        id: step.id,
        work: async (call: StepCall) => {
          tell(step.id, running, { attempt: call.attempt });
          const output = await work({ ...call, key: `${this.#keyPrefix}/${step.id}` });
          // Told now, not when the whole batch has ended: somebody is watching.
          if (!call.signal.aborted) settled(step.id, { ok: true, output, attempts: call.attempt });
          return output;
        },
      };
    });
    const results = await this.#durably(verb, items);
    // Failures, and what is remembered from an earlier execution.
    for (const [i, result] of results.entries()) if (!told.has(items[i]!.id)) settled(items[i]!.id, result);
    await Promise.all(telling);
    return results;
  }

  async #durably(verb: 'do' | 'undo', items: readonly StepItem[]): Promise<readonly StepResult[]> {
    const parts = chunks(items, this.#options.batchSize ?? limits.batchSize).map((part) => {
      this.#batches += 1;
      return this.#context.steps(`${this.#round}/${verb}#${this.#batches}`, part, { shielded: verb === 'undo' });
    });
    return (await Promise.all(parts)).flat();
  }

  /** The record of an operation must not decide how it goes on, so a failing observer is not heard. */
  async #tell(change: Parameters<SagaObserver>[0]): Promise<void> {
    try {
      await this.#options.observer?.(change);
    } catch {
      // Observers log their own failures.
    }
  }
}
