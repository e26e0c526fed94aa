import { type Clock, type Json, SuperfluidityError } from '@superfluidity/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowDefinition, WorkflowEngine } from './engine.ts';
import { runSaga } from './run-saga.ts';

/** One engine, launched with the given workflows. */
export interface EngineUnderTest {
  readonly engine: WorkflowEngine;
  readonly clock: Clock;
  /** Awaits in the engine's time: virtual for the memory engine. */
  wait<T>(promise: Promise<T>): Promise<T>;
  end(): Promise<void>;
}

export type MakeEngine = (definitions: readonly WorkflowDefinition[]) => Promise<EngineUnderTest>;

/** What every engine must do. Crashes are tested apart: each engine has its own way to die. */
export function describeEngine(name: string, make: MakeEngine, options: { readonly skip?: boolean } = {}): void {
  describe.skipIf(options.skip === true)(`the workflow engine ${name}`, () => {
    const effects: string[] = [];
    let under: EngineUnderTest;
    let engine: WorkflowEngine;
    let runs = 0;

    beforeAll(async () => {
      under = await make(conformanceWorkflows(effects, () => under.clock));
      engine = under.engine;
    }, 60_000);
    afterAll(() => under.end());

    const begin = async (workflow: string, input: Json = null): Promise<string> => {
      runs += 1;
      effects.length = 0;
      const id = `${workflow}-${runs}`;
      await under.wait(engine.start(workflow, input, { id }));
      return id;
    };
    const run = async (workflow: string, input: Json = null) => {
      const id = await begin(workflow, input);
      return { id, ...(await under.wait(engine.result(id))) };
    };
    const settled = async (condition: () => boolean) => {
      for (let i = 0; i < 400 && !condition(); i += 1) await under.wait(under.clock.sleep(5));
      expect(condition()).toBe(true);
    };

    it('runs steps in order and gives each a stable key', async () => {
      const { id, status, output } = await run('ordering', 'x');
      expect({ status, output }).toEqual({ status: 'succeeded', output: ['x', 'a', 'b', 'c'] });
      expect(effects).toEqual([`${id}/a#1`, `${id}/b#1`, `${id}/c#1`]);
    });

    it('starts a run once, however often it is asked', async () => {
      const id = await begin('ordering', 'x');
      await under.wait(engine.start('ordering', 'other', { id }));
      await under.wait(engine.result(id));
      await under.wait(engine.start('ordering', 'third', { id }));
      expect((await under.wait(engine.result(id))).output).toEqual(['x', 'a', 'b', 'c']);
      expect(effects).toHaveLength(3);
    });

    it('runs steps of one turn at the same time', async () => {
      expect((await run('parallel')).output).toEqual({ most: 5, outputs: [0, 1, 2, 3, 4] });
    });

    it('runs a batch at the same time and reports each item', async () => {
      const { id, output } = await run('batch');
      expect(output).toEqual(['0', 'SF-CORE-LIMIT: no 1', '2', 'third time lucky']);
      expect(effects.toSorted()).toEqual([0, 1, 2, 3, 3, 3].map((n) => `${id}/all/${n}`));
    });

    it('retries with growing delays what may succeed later', async () => {
      const { output } = await run('retry');
      const { times, result } = output as { times: number[]; result: string };
      expect(result).toBe('after 3');
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(18);
      expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(38);
    });

    it('does not retry what cannot succeed', async () => {
      const { status, error } = await run('hopeless');
      expect(status).toBe('failed');
      expect(error).toMatchObject({
        code: 'SF-CORE-LIMIT',
        details: { doing: 'fill the glass', reason: 'full', data: { ml: 200 } },
        cause: { message: 'the cause', code: 'EFULL' },
      });
      expect(effects).toEqual(['try 1']);
    });

    it('ends a step that takes too long, and tells it', async () => {
      const { status, error } = await run('timeout');
      expect(status).toBe('failed');
      expect(error).toMatchObject({ code: 'SF-CORE-TIMEOUT' });
      expect(effects).toEqual(['signalled']);
    });

    it('sleeps', async () => {
      const before = under.clock.now();
      expect((await run('sleep', 60)).status).toBe('succeeded');
      expect(under.clock.now() - before).toBeGreaterThanOrEqual(58);
    });

    it('receives signals in order, also early ones, and gives up after the timeout', async () => {
      const id = await begin('receive');
      await under.wait(engine.signal(id, 'other', 'not this'));
      await under.wait(engine.signal(id, 'news', { n: 1 }));
      await under.wait(engine.signal(id, 'news', null));
      expect((await under.wait(engine.result(id))).output).toEqual([{ n: 1 }, 'null', 'nothing']);
    });

    it('stops a run that is cancelled, lets it undo, and starts no further step', async () => {
      const id = await begin('cancel');
      await settled(() => effects.includes('working'));
      await under.wait(engine.cancel(id));
      const { status, error } = await under.wait(engine.result(id));
      expect(status).toBe('cancelled');
      expect(error).toMatchObject({ code: 'SF-WORKFLOW-CANCELLED' });
      expect(effects).toEqual(['first', 'working', 'signalled', 'undone']);
      await under.wait(engine.cancel(id));
    });

    it.each(['sleeper', 'receiver'])('cancels a %s at once', async (workflow) => {
      const before = under.clock.now();
      const id = await begin(workflow);
      await settled(() => effects.includes('ready'));
      await under.wait(engine.cancel(id));
      expect((await under.wait(engine.result(id))).status).toBe('cancelled');
      expect(under.clock.now() - before).toBeLessThan(5_000);
    });

    it('undoes a saga in reverse order', async () => {
      const { output } = await run('saga');
      expect(output).toEqual({ status: 'undone', failed: ['d'], started: ['a', 'b', 'c', 'd'] });
      expect(effects).toEqual(['do a', 'do b', 'do c', 'do d', 'undo d', 'undo c', 'undo b', 'undo a']);
    });

    it('lists runs by status and describes one', async () => {
      const id = await begin('receiver');
      const running = await under.wait(engine.list({ status: 'running' }));
      expect(running.map((one) => one.id)).toContain(id);
      expect(await under.wait(engine.get(id))).toMatchObject({ id, name: 'receiver', status: 'running' });
      await under.wait(engine.cancel(id));
      await under.wait(engine.result(id));
      expect((await under.wait(engine.get(id)))?.status).toBe('cancelled');
      const cancelled = await under.wait(engine.list({ status: 'cancelled' }));
      expect(cancelled.map((one) => one.id)).toContain(id);
      expect(await under.wait(engine.list({ limit: 2 }))).toHaveLength(2);
    });

    it('names what it does not know', async () => {
      expect(await under.wait(engine.get('none'))).toBeUndefined();
      await expect(under.wait(engine.result('none'))).rejects.toMatchObject({ code: 'SF-WORKFLOW-NOT-FOUND' });
      await expect(under.wait(engine.cancel('none'))).rejects.toMatchObject({ code: 'SF-WORKFLOW-NOT-FOUND' });
      await expect(under.wait(engine.start('none', null, { id: 'x' }))).rejects.toMatchObject({
        code: 'SF-WORKFLOW-UNKNOWN',
      });
    });

    it('takes nothing over from an executor that is alive', async () => {
      const id = await begin('receiver');
      const run = await under.wait(engine.get(id));
      expect(await under.wait(engine.takeOver(run!.executorId))).toBe(0);
      await under.wait(engine.cancel(id));
      await under.wait(engine.result(id));
    });
  });
}

function conformanceWorkflows(effects: string[], clock: () => Clock): readonly WorkflowDefinition[] {
  const log = (effect: string) => {
    effects.push(effect);
  };
  const limit = (reason: string, cause?: Error) =>
    new SuperfluidityError('SF-CORE-LIMIT', {
      reason,
      ...(cause === undefined ? {} : { cause, doing: 'fill the glass', data: { ml: 200 } }),
    });
  const untilSignalled = (signal: AbortSignal) =>
    clock()
      .sleep(3_600_000, signal)
      .catch((error: unknown) => {
        log('signalled');
        throw error;
      });

  return [
    {
      name: 'ordering',
      async run(context, input) {
        const outputs: Json[] = [input];
        for (const name of ['a', 'b', 'c']) {
          outputs.push(
            await context.step(name, async ({ key, attempt }) => {
              log(`${key}#${attempt}`);
              return name;
            }),
          );
        }
        return outputs;
      },
    },
    {
      name: 'parallel',
      async run(context) {
        let now = 0;
        let most = 0;
        const outputs = await Promise.all(
          [0, 1, 2, 3, 4].map((n) =>
            context.step(`p${n}`, async () => {
              now += 1;
              most = Math.max(most, now);
              // All wait for the last to have started.
              for (let i = 0; i < 500 && now < 5 && most < 5; i += 1) await clock().sleep(5);
              now -= 1;
              return n;
            }),
          ),
        );
        return { most, outputs };
      },
    },
    {
      name: 'batch',
      async run(context) {
        const results = await context.steps<string>(
          'all',
          [0, 1, 2, 3].map((n) => ({
            id: String(n),
            retry: { attempts: 3, delayMs: 5 },
            work: async ({ key, attempt }) => {
              log(key);
              if (n === 1) throw limit('no 1');
              if (n === 3 && attempt < 3) throw new Error('not yet');
              return n === 3 ? 'third time lucky' : String(n);
            },
          })),
        );
        return results.map((result) =>
          result.ok
            ? result.output
            : `${(result.error as SuperfluidityError).code}: ${String((result.error as Error).message)}`,
        );
      },
    },
    {
      name: 'retry',
      async run(context) {
        const times: number[] = [];
        const result = await context.step(
          'flaky',
          async ({ attempt }) => {
            times.push(clock().now());
            if (attempt < 3) throw new Error('not yet');
            return `after ${attempt}`;
          },
          { retry: { attempts: 5, delayMs: 20 } },
        );
        return { times, result };
      },
    },
    {
      name: 'hopeless',
      run: (context) =>
        context.step(
          'fill',
          async ({ attempt }) => {
            log(`try ${attempt}`);
            throw limit('full', Object.assign(new Error('the cause'), { code: 'EFULL' }));
          },
          { retry: { attempts: 5, delayMs: 1 } },
        ),
    },
    {
      name: 'timeout',
      run: (context) =>
        context.step('slow', ({ signal }) => untilSignalled(signal).then(() => null), { timeoutMs: 30 }),
    },
    {
      name: 'sleep',
      async run(context, input) {
        await context.sleep(input as number);
        return null;
      },
    },
    {
      name: 'receive',
      async run(context) {
        const first = await context.receive('news', 5_000);
        const second = await context.receive('news', 5_000);
        const third = await context.receive('news', 20);
        return [first ?? 'nothing', second === null ? 'null' : 'other', third ?? 'nothing'];
      },
    },
    {
      name: 'cancel',
      async run(context) {
        await context.step('first', async () => {
          log('first');
          return null;
        });
        try {
          await context.step(
            'long',
            async ({ signal }) => {
              log('working');
              await untilSignalled(signal);
              return null;
            },
            { retry: { attempts: 3, delayMs: 1 } },
          );
        } catch (error) {
          await context
            .step('never', async () => {
              log('never');
              return null;
            })
            .catch(() => {});
          const undo = async ({ signal }: { signal: AbortSignal }) => {
            log(signal.aborted ? 'undo was signalled' : 'undone');
            return null;
          };
          await context.step('undo', undo, { shielded: true });
          throw error;
        }
        return null;
      },
    },
    {
      name: 'sleeper',
      async run(context) {
        log('ready');
        await context.sleep(3_600_000);
        return null;
      },
    },
    {
      name: 'receiver',
      async run(context) {
        log('ready');
        return (await context.receive('topic', 3_600_000)) ?? null;
      },
    },
    {
      name: 'saga',
      async run(context) {
        const step = (id: string, dependsOn: readonly string[]) => ({
          id,
          dependsOn,
          async do() {
            log(`do ${id}`);
            if (id === 'd') throw limit('no d');
            return id;
          },
          async undo() {
            log(`undo ${id}`);
          },
        });
        const steps = [step('d', ['c']), step('b', ['a']), step('c', ['b']), step('a', []), step('e', ['d'])];
        const { status, failures, started } = await runSaga(context, steps, { onFailure: 'undo' });
        return { status, failed: failures.map(({ stepId }) => stepId), started: [...started] };
      },
    },
  ];
}
