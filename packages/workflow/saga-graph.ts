import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
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

export function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
