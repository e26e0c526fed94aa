import type { Operation, OperationDetail, ServiceDetail, Step } from '@superfluidity/api';
import { failureOf } from './failure.ts';
import { Refusal } from './refusal.ts';
import { putOperation, putStep, tell, type World } from './world.ts';

export interface Action {
  readonly id: string;
  readonly title: string;
  readonly verb: string;
  readonly site?: string;
  readonly after: readonly string[];
  readonly ms: number;
  readonly start?: () => void;
  readonly end?: () => void;
  readonly undo?: () => void;
  readonly fails?: boolean;
}

interface Run {
  readonly operation: OperationDetail;
  readonly actions: readonly Action[];
  readonly over: () => void;
}

/** Operations as the control plane carries them out: steps after those that they depend on, to the end or to what fails. */
export abstract class Runs {
  readonly world: World;
  /** Above 1: everything goes that much faster. */
  readonly speed: number;
  readonly #runs = new Map<string, Run>();
  protected next = 1;

  constructor(world: World, speed: number) {
    this.world = world;
    this.speed = speed;
  }

  protected id(prefix: string): string {
    const id = `${prefix}-0mk${String(this.next).padStart(6, '0')}`;
    this.next += 1;
    return id;
  }

  /** Of what happened before the mock was started, nothing goes on. */
  #run(id: string): Run {
    const run = this.#runs.get(id);
    if (run !== undefined) return run;
    throw new Refusal(409, 'SF-LIFECYCLE-STATE', `operation ${id} is of the past`, 'Begin another one.');
  }

  retry(id: string): void {
    const run = this.#run(id);
    for (const step of run.operation.steps.filter((one) => one.state === 'failed')) {
      const { error: _gone, endedAt: _over, ...rest } = step;
      putStep(this.world, run.operation, { ...rest, state: 'pending' });
    }
    const healed = { ...run, actions: run.actions.map((action) => ({ ...action, fails: false })) };
    this.#runs.set(id, healed);
    delete run.operation.error;
    putOperation(this.world, run.operation, 'PROCESSING');
    this.#advance(healed);
  }

  rollback(id: string): void {
    const run = this.#run(id);
    putOperation(this.world, run.operation, 'ROLLING_BACK');
    const undone = run.operation.steps.filter((step) => step.state === 'done' || step.state === 'failed').reverse();
    const next = (i: number): void => {
      const step = undone[i];
      if (step === undefined) {
        this.#finish(run, 'ROLLED_BACK');
        return;
      }
      putStep(this.world, run.operation, { ...step, state: 'undoing' });
      this.#later(250, () => {
        run.actions.find((action) => action.id === step.id)?.undo?.();
        putStep(this.world, run.operation, { ...step, state: 'undone' });
        next(i + 1);
      });
    };
    next(0);
  }

  /** Goes on without what failed and without what depends on it. */
  continue(id: string): void {
    const run = this.#run(id);
    const { operation } = run;
    for (const failed of operation.steps.filter((step) => step.state === 'failed')) {
      putStep(this.world, operation, { ...failed, state: 'skipped' });
    }
    // Steps stand after those that they depend on.
    for (const step of operation.steps) {
      const skipped = step.dependsOn.some((id) => operation.steps.find((one) => one.id === id)?.state === 'skipped');
      if (skipped && step.state === 'pending') putStep(this.world, operation, { ...step, state: 'skipped' });
    }
    delete operation.error;
    putOperation(this.world, operation, 'PROCESSING');
    this.#advance(run);
  }

  fail(id: string): void {
    this.#finish(this.#run(id), 'FAILED');
  }

  cancel(id: string): void {
    this.#run(id).operation.cancelPending = true;
  }

  protected begin(
    service: { readonly name: string; busy?: string | undefined },
    kind: Operation['kind'],
    params: Record<string, unknown>,
    actions: readonly Action[],
    over: () => void = () => {},
  ): OperationDetail {
    const operation: OperationDetail = {
      id: this.id('op'),
      service: service.name,
      kind,
      state: 'STARTING',
      automatic: false,
      params,
      startedAt: Date.now(),
      stateEnteredAt: Date.now(),
      cancelPending: false,
      executor: 'srv-mock',
      steps: actions.map(
        ({ id, title, verb, site, after }): Step => ({
          id,
          title,
          verb,
          ...(site === undefined ? {} : { site }),
          dependsOn: [...after],
          state: 'pending',
          attempt: 0,
        }),
      ),
    };
    const run: Run = { operation, actions, over };
    this.#runs.set(operation.id, run);
    service.busy = operation.id;
    putOperation(this.world, operation, 'STARTING');
    this.tellService(service, `${service.name} is being changed by ${operation.id}`);
    this.#later(100, () => {
      putOperation(this.world, operation, 'PROCESSING');
      this.#advance(run);
    });
    return operation;
  }

  /** Starts every step whose predecessors are done. */
  #advance(run: Run): void {
    const { operation } = run;
    const stateOf = new Map(operation.steps.map((step) => [step.id, step.state]));
    if (operation.steps.every((step) => step.state === 'done' || step.state === 'skipped')) {
      this.#finish(run, 'COMPLETED');
      return;
    }
    const busy = operation.steps.some((step) => step.state === 'running');
    const failed = operation.steps.find((step) => step.state === 'failed');
    if (failed !== undefined || operation.cancelPending) {
      if (busy) return;
      if (failed?.error !== undefined) operation.error = failed.error;
      operation.cancelPending = false;
      putOperation(this.world, operation, 'FAILED_TEMP');
      return;
    }
    for (const action of run.actions) {
      const ready = stateOf.get(action.id) === 'pending' && action.after.every((id) => stateOf.get(id) === 'done');
      if (ready) this.#perform(run, action);
    }
  }

  #perform(run: Run, action: Action): void {
    const { operation } = run;
    const startedAt = Date.now();
    const attempt = operation.steps.find((step) => step.id === action.id)!.attempt + 1;
    const set = (changes: Partial<Step>) => {
      const step = operation.steps.find((one) => one.id === action.id)!;
      putStep(this.world, operation, { ...step, attempt, startedAt, ...changes });
    };
    set({ state: 'running' });
    action.start?.();
    this.#later(action.ms, () => {
      if (action.fails === true) {
        action.undo?.();
        set({ state: 'failed', endedAt: Date.now(), error: failureOf(action) });
      } else {
        action.end?.();
        set({ state: 'done', endedAt: Date.now() });
      }
      this.#advance(run);
    });
  }

  #finish(run: Run, state: Operation['state']): void {
    const service = this.world.services.get(run.operation.service);
    if (service !== undefined) delete service.busy;
    putOperation(this.world, run.operation, state);
    if (state === 'COMPLETED') run.over();
  }

  #later(ms: number, work: () => void): void {
    setTimeout(work, ms / this.speed).unref();
  }

  protected tellService(service: Pick<ServiceDetail, 'name'>, message: string): void {
    tell(this.world, {
      kind: 'service',
      subject: service.name,
      service: service.name,
      severity: 'info',
      message,
      body: {},
    });
  }
}
