import { invariant, type Json, VirtualClock } from '@superfluidity/core';
import type { StepCall } from './engine.ts';
import { type FaultPoint, memoryEngine } from './memory-engine.ts';
import { MemoryJournal } from './memory-journal.ts';
import { runSaga, type SagaOptions, type SagaResult } from './run-saga.ts';
import type { SagaStep } from './saga.ts';

/** A saga on a world of its own, to be made anew for every experiment. */
export interface SagaUnderTest {
  readonly steps: readonly SagaStep[];
  /** All that the steps can change. */
  snapshot(): Json | Promise<Json>;
  readonly clock?: VirtualClock;
}

export type MakeSaga = () => SagaUnderTest | Promise<SagaUnderTest>;

/**
 * Every saga deserves this: it succeeds; each step in turn fails before and after it has done its work, and the world
 * is as before; every `do` and `undo` runs twice and changes nothing more; and the process dies around every durable
 * record and goes on. Throws with the names of the experiments that went wrong. Returns how many there were.
 */
export async function testSaga(make: MakeSaga): Promise<number> {
  const clean = await make();
  const before = JSON.stringify(await clean.snapshot());
  const result = await execute(clean, clean.steps, 'undo');
  invariant(result.status === 'done', `the saga itself fails: ${describeFailures(result)}`);
  const after = JSON.stringify(await clean.snapshot());

  const wrong: string[] = [];
  let experiments = 0;
  const expectWorld = async (name: string, saga: SagaUnderTest, expected: string, got: SagaResult, status: string) => {
    experiments += 1;
    const world = JSON.stringify(await saga.snapshot());
    if (got.status !== status) wrong.push(`${name}: ended as ${got.status}, not ${status} (${describeFailures(got)})`);
    else if (world !== expected) wrong.push(`${name}: left ${world} instead of ${expected}`);
  };

  for (const { id } of clean.steps) {
    for (const when of ['before', 'after'] as const) {
      const saga = await make();
      const steps = saga.steps.map((step) => (step.id === id ? failing(step, when) : step));
      await expectWorld(`${id} fails ${when} its work`, saga, before, await execute(saga, steps, 'undo'), 'undone');
      const again = await make();
      const twice = again.steps.map((step) => doubled(step.id === id ? failing(step, when) : step));
      const name = `${id} fails ${when} its work, everything runs twice`;
      await expectWorld(name, again, before, await execute(again, twice, 'undo'), 'undone');
    }
  }
  const twice = await make();
  await expectWorld(
    'everything runs twice',
    twice,
    after,
    await execute(twice, twice.steps.map(doubled), 'undo'),
    'done',
  );

  for (const point of await faultPoints(make)) {
    const saga = await make();
    const name = `the process dies (${point.when} ${point.step})`;
    await expectWorld(name, saga, after, await execute(saga, saga.steps, 'undo', point), 'done');
  }
  invariant(wrong.length === 0, `${wrong.length} of ${experiments} experiments went wrong:\n${wrong.join('\n')}`);
  return experiments;
}

function failing(step: SagaStep, when: 'before' | 'after'): SagaStep {
  const { retry: _retry, ...rest } = step;
  return {
    ...rest,
    async do(call: StepCall, outputs) {
      if (when === 'after') await step.do(call, outputs);
      throw new Error(`made to fail ${when} its work`);
    },
  };
}

function doubled(step: SagaStep): SagaStep {
  return {
    ...step,
    async do(call, outputs) {
      const first = await step.do(call, outputs);
      const second = await step.do(call, outputs).catch((error: unknown) => {
        throw new Error(`step ${step.id} fails when it runs again`, { cause: error });
      });
      invariant(
        JSON.stringify(first) === JSON.stringify(second),
        `step ${step.id} gives another output the second time`,
      );
      return second;
    },
    async undo(call, output) {
      await step.undo?.(call, output);
      await step.undo?.(call, output);
    },
  };
}

async function faultPoints(make: MakeSaga): Promise<readonly FaultPoint[]> {
  const saga = await make();
  const points: FaultPoint[] = [];
  await execute(saga, saga.steps, 'undo', (point) => {
    points.push(point);
    return false;
  });
  return points;
}

type Fault = FaultPoint | ((point: FaultPoint) => boolean);

async function execute(
  saga: SagaUnderTest,
  steps: readonly SagaStep[],
  onFailure: SagaOptions['onFailure'],
  fault: Fault = () => false,
): Promise<SagaResult> {
  const clock = saga.clock ?? new VirtualClock();
  const journal = new MemoryJournal();
  let died = false;
  const faults = (point: FaultPoint) => {
    if (died) return false;
    died = typeof fault === 'function' ? fault(point) : point.step === fault.step && point.when === fault.when;
    return died;
  };
  const results: SagaResult[] = [];
  const launch = async () => {
    const engine = memoryEngine({ clock, journal, faults });
    engine.register({
      name: 'saga',
      async run(context) {
        results.push(await runSaga(context, steps, { onFailure }));
        return null;
      },
    });
    await engine.launch();
    return engine;
  };
  const engine = await launch();
  await engine.start('saga', null, { id: 'test-saga' });
  const ended = engine.result('test-saga');
  await clock.runUntil(Promise.race([ended, engine.crashed]));
  if (died) await launch();
  const { error } = await clock.runUntil(ended);
  const result = results.at(-1);
  if (result === undefined) throw error;
  return result;
}

function describeFailures({ failures, undoFailures }: SagaResult): string {
  const describe = ({ stepId, error }: { stepId: string; error: unknown }) => `${stepId}: ${String(error)}`;
  return [...failures.map(describe), ...undoFailures.map((failure) => `undo ${describe(failure)}`)].join('; ');
}
