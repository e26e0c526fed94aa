import { isSuperfluidityError, type Json } from '@superfluidity/core';
import type { RetryPolicy, StepCall, StepItem, StepResult, WorkflowContext } from './engine.ts';
import { limits } from './limits.ts';
import type { SagaObserver, SagaStep, SagaStepState } from './saga.ts';
import { inOrder, reversed } from './saga-graph.ts';

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

/**
 * Executes every step as soon as those are done that it depends on. After a failure no more are begun. Rejects only for
 * a graph that is none: what steps do is in the result.
 */
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

  await inOrder(
    steps,
    new Set(outputs.keys()),
    async (step) => {
      const result = await run.do(step, outputs);
      // Also when it was refused for a cancellation: an execution that crashed may have begun it.
      started.add(step.id);
      if (result.ok) outputs.set(step.id, result.output);
      else if (isSuperfluidityError(result.error, 'SF-WORKFLOW-CANCELLED')) cancelled = true;
      else failures.push({ stepId: step.id, error: result.error });
      return result.ok;
    },
    'stop',
  );

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
 * Takes the started steps back, cancelled or not, each as soon as those are taken back that depend on it. When an undo
 * fails for good, what its step was built on stays (a network is not deleted under a port that is still there), and the
 * others go on.
 */
export async function undoSaga(
  context: WorkflowContext,
  steps: readonly SagaStep[],
  options: UndoOptions,
): Promise<readonly SagaFailure[]> {
  const run = new SagaRun(context, options);
  const failures: SagaFailure[] = [];
  const untouched = new Set(steps.filter(({ id }) => !options.started.has(id)).map(({ id }) => id));
  await inOrder(
    reversed(steps),
    untouched,
    async (step) => {
      const result = await run.undo(step, options.outputs);
      if (!result.ok) failures.push({ stepId: step.id, error: result.error });
      return result.ok;
    },
    'go on',
  );
  return failures;
}

type RunnerOptions = Omit<SagaOptions, 'onFailure' | 'done'>;
type Item = Pick<StepItem, 'work' | 'retry' | 'timeoutMs'>;

/** Runs steps through the durable steps of the context, and tells the observer. */
class SagaRun {
  readonly #context: WorkflowContext;
  readonly #options: RunnerOptions;
  readonly #round: number;
  readonly #keyPrefix: string;

  constructor(context: WorkflowContext, options: RunnerOptions) {
    this.#context = context;
    this.#options = options;
    this.#round = options.round ?? 1;
    this.#keyPrefix = options.keyPrefix ?? context.workflowId;
  }

  do(step: SagaStep, outputs: ReadonlyMap<string, Json>): Promise<StepResult> {
    const item: Item = {
      work: (call) => step.do(call, outputs),
      ...(step.retry === undefined ? {} : { retry: step.retry }),
      ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
    };
    return this.#run('do', step.id, item, ['running', 'done', 'failed']);
  }

  undo(step: SagaStep, outputs: ReadonlyMap<string, Json>): Promise<StepResult> {
    const item: Item = {
      work: async (call) => {
        await step.undo?.(call, outputs.get(step.id));
        return null;
      },
      retry: this.#options.undoRetry ?? UNDO_RETRY,
      ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
    };
    return this.#run('undo', step.id, item, ['undoing', 'undone', 'failed']);
  }

  async #run(
    verb: 'do' | 'undo',
    id: string,
    item: Item,
    [running, good, bad]: readonly [SagaStepState, SagaStepState, SagaStepState],
  ): Promise<StepResult> {
    const telling: Promise<void>[] = [];
    let settled = false;
    const settle = (result: StepResult) => {
      settled = true;
      const { attempts: attempt } = result;
      if (result.ok) telling.push(this.#tell({ stepId: id, state: good, attempt, output: result.output }));
      else if (attempt === 0) telling.push(this.#tell({ stepId: id, state: 'skipped', attempt }));
      else telling.push(this.#tell({ stepId: id, state: bad, attempt, error: result.error }));
    };
    const work = async (call: StepCall): Promise<Json> => {
      telling.push(this.#tell({ stepId: id, state: running, attempt: call.attempt }));
      const output = await item.work({ ...call, key: `${this.#keyPrefix}/${id}` });
      // Told now, not when it is recorded: somebody is watching.
      if (!call.signal.aborted) settle({ ok: true, output, attempts: call.attempt });
      return output;
    };
    // By the name of the step: which ones begin together is a matter of time, and differs when the run is replayed.
    const record = `${this.#round}/${verb}/${id}`;
    const [result] = await this.#context.steps(record, [{ ...item, id, work }], { shielded: verb === 'undo' });
    // A failure, or what is remembered from an earlier execution.
    if (!settled) settle(result!);
    await Promise.all(telling);
    return result!;
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
