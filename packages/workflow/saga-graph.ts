import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { limits } from './limits.ts';
import type { SagaStep } from './saga.ts';

/**
 * The steps in waves: a step stands in the first wave after those of all its predecessors. Within a wave they are
 * ordered by id, so that the same graph gives the same waves however it was written down.
 */
export function wavesOf(steps: readonly SagaStep[]): readonly (readonly SagaStep[])[] {
  checkNames(steps);
  const waves: (readonly SagaStep[])[] = [];
  const done = new Set<string>();
  let left = [...steps].sort((a, b) => (a.id < b.id ? -1 : 1));
  while (left.length > 0) {
    const ready = left.filter((step) => step.dependsOn.every((id) => done.has(id)));
    if (ready.length === 0) {
      throw invalid(
        `these wait for each other: ${left
          .slice(0, 10)
          .map((step) => step.id)
          .join(', ')}`,
      );
    }
    for (const step of ready) done.add(step.id);
    const started = new Set(ready);
    left = left.filter((step) => !started.has(step));
    waves.push(ready);
  }
  return waves;
}

/**
 * Runs `work` for every step that is not done, as soon as those are done that it depends on, so many at a time at most.
 * A step that says no holds back those that depend on it, and with `stop` all that were not begun. Resolves when none is
 * under way.
 */
export async function inOrder(
  steps: readonly SagaStep[],
  done: ReadonlySet<string>,
  work: (step: SagaStep) => Promise<boolean>,
  afterNo: 'stop' | 'go on',
): Promise<void> {
  const todo = wavesOf(steps)
    .flat()
    .filter((step) => !done.has(step.id));
  const missing = new Map(todo.map((step) => [step.id, step.dependsOn.filter((id) => !done.has(id)).length]));
  const dependents = Map.groupBy(
    todo.flatMap((step) => step.dependsOn.map((id) => ({ id, step }))),
    ({ id }) => id,
  );
  const ready = todo.filter((step) => missing.get(step.id) === 0);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let underWay = 0;
  let stopped = false;

  const ended = (step: SagaStep, ok: boolean) => {
    underWay -= 1;
    if (!ok && afterNo === 'stop') stopped = true;
    for (const { step: next } of (ok ? dependents.get(step.id) : undefined) ?? []) {
      const left = missing.get(next.id)! - 1;
      missing.set(next.id, left);
      if (left === 0) ready.push(next);
    }
    begin();
  };
  const begin = () => {
    while (!stopped && underWay < limits.stepsAtOnce && ready.length > 0) {
      const step = ready.shift()!;
      underWay += 1;
      work(step).then((ok) => ended(step, ok), reject);
    }
    if (underWay === 0) resolve();
  };
  begin();
  await promise;
}

function checkNames(steps: readonly SagaStep[]): void {
  const ids = new Set<string>();
  for (const { id } of steps) {
    if (ids.has(id)) throw invalid(`the id '${id}' is used twice`);
    ids.add(id);
  }
  for (const { id, dependsOn } of steps) {
    const missing = dependsOn.find((other) => !ids.has(other));
    if (missing !== undefined) throw invalid(`'${id}' depends on '${missing}', which does not exist`);
  }
}

function invalid(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-WORKFLOW-GRAPH', { doing: 'order the steps', reason });
}

/** The same steps, each depending on those that depended on it. */
export function reversed(steps: readonly SagaStep[]): readonly SagaStep[] {
  const dependents = Map.groupBy(
    steps.flatMap(({ id, dependsOn }) => dependsOn.map((before) => ({ before, id }))),
    ({ before }) => before,
  );
  return steps.map((step) => ({ ...step, dependsOn: (dependents.get(step.id) ?? []).map(({ id }) => id) }));
}
