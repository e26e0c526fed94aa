import { type Json, SuperfluidityError, VirtualClock } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryEngine } from './memory-engine.ts';
import { runSaga, type SagaOptions, type SagaResult, undoSaga } from './run-saga.ts';
import type { SagaStep } from './saga.ts';
import { wavesOf } from './saga-graph.ts';
import { testSaga } from './test-saga.ts';

interface Node {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/** A random graph without cycles: each node depends on some of those made before it; then the order is mixed up. */
const graphs: fc.Arbitrary<readonly Node[]> = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 14 })
  .map((choices) =>
    choices.map((choice, i) => ({
      id: `n${String((i * 7) % 100).padStart(2, '0')}`,
      dependsOn: i === 0 ? [] : [...new Set(choice.map((n) => `n${String(((n % i) * 7) % 100).padStart(2, '0')}`))],
    })),
  )
  .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length }));

async function run(steps: readonly SagaStep[], options: SagaOptions, clock = new VirtualClock()): Promise<SagaResult> {
  const engine = memoryEngine({ clock });
  let result: SagaResult | undefined;
  engine.register({
    name: 'saga',
    async run(context) {
      result = await runSaga(context, steps, options);
      return null;
    },
  });
  await engine.launch();
  await engine.start('saga', null, { id: 'op-1' });
  const { error } = await clock.runUntil(engine.result('op-1'));
  if (result === undefined) throw error;
  return result;
}

function recorded(nodes: readonly Node[], log: string[], fails: ReadonlySet<string> = new Set()): readonly SagaStep[] {
  return nodes.map(({ id, dependsOn }) => ({
    id,
    dependsOn,
    async do() {
      log.push(`do ${id}`);
      if (fails.has(id)) throw new SuperfluidityError('SF-CORE-LIMIT', { reason: `${id} fails` });
      return id;
    },
    async undo() {
      log.push(`undo ${id}`);
    },
  }));
}

describe('runSaga', () => {
  it('runs every step once and none before its predecessors', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (nodes) => {
        const log: string[] = [];
        const result = await run(recorded(nodes, log), { onFailure: 'undo' });
        expect(result.status).toBe('done');
        expect(log.toSorted()).toEqual(nodes.map(({ id }) => `do ${id}`).toSorted());
        for (const { id, dependsOn } of nodes) {
          for (const before of dependsOn) expect(log.indexOf(`do ${before}`)).toBeLessThan(log.indexOf(`do ${id}`));
        }
        expect([...result.outputs.keys()].toSorted()).toEqual(nodes.map(({ id }) => id).toSorted());
      }),
      { numRuns: 60 },
    );
  });

  it('undoes exactly what was begun, and nothing before what was built on it', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat(), async (nodes, pick) => {
        const log: string[] = [];
        const victim = nodes[pick % nodes.length]!.id;
        const result = await run(recorded(nodes, log, new Set([victim])), { onFailure: 'undo' });
        expect(result.status).toBe('undone');
        expect(result.failures.map(({ stepId }) => stepId)).toEqual([victim]);
        const done = log.filter((entry) => entry.startsWith('do ')).map((entry) => entry.slice(3));
        const undone = log.filter((entry) => entry.startsWith('undo ')).map((entry) => entry.slice(5));
        expect(undone.toSorted()).toEqual(done.toSorted());
        for (const { id, dependsOn } of nodes) {
          if (!undone.includes(id)) continue;
          for (const before of dependsOn) expect(undone.indexOf(id)).toBeLessThan(undone.indexOf(before));
        }
        for (const { id, dependsOn } of nodes) if (dependsOn.includes(victim)) expect(done).not.toContain(id);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same waves for the same graph however it is written', () => {
    fc.assert(
      fc.property(graphs, (nodes) => {
        const waves = (list: readonly Node[]) => wavesOf(recorded(list, [])).map((wave) => wave.map(({ id }) => id));
        expect(waves(nodes)).toEqual(waves(nodes.toReversed()));
      }),
    );
  });

  it.each([
    [
      'a cycle',
      [
        { id: 'a', dependsOn: ['b'] },
        { id: 'b', dependsOn: ['a'] },
      ],
    ],
    ['a step that waits for itself', [{ id: 'a', dependsOn: ['a'] }]],
    ['an unknown predecessor', [{ id: 'a', dependsOn: ['none'] }]],
    [
      'an id used twice',
      [
        { id: 'a', dependsOn: [] },
        { id: 'a', dependsOn: [] },
      ],
    ],
  ])('refuses %s', async (_name, nodes) => {
    const log: string[] = [];
    await expect(run(recorded(nodes, log), { onFailure: 'undo' })).rejects.toMatchObject({ code: 'SF-WORKFLOW-GRAPH' });
    expect(log).toEqual([]);
  });

  const line: readonly Node[] = [
    { id: 'a', dependsOn: [] },
    { id: 'b', dependsOn: ['a'] },
    { id: 'c', dependsOn: ['b'] },
  ];

  it('stops when told to, and a second round does only what is left', async () => {
    const log: string[] = [];
    const engine = memoryEngine({ clock: new VirtualClock() });
    engine.register({
      name: 'two rounds',
      async run(context) {
        const first = await runSaga(context, recorded(line, log, new Set(['b'])), { onFailure: 'stop' });
        expect(first).toMatchObject({ status: 'failed', cancelled: false });
        const { outputs: done, started } = first;
        const second = await runSaga(context, recorded(line, log), { onFailure: 'stop', round: 2, done, started });
        expect(second.status).toBe('done');
        return (await undoSaga(context, recorded(line, log), { ...second, round: 3 })).length;
      },
    });
    await engine.launch();
    await engine.start('two rounds', null, { id: 'op-2' });
    expect(await engine.result('op-2')).toEqual({ status: 'succeeded', output: 0 });
    expect(log).toEqual(['do a', 'do b', 'do b', 'do c', 'undo c', 'undo b', 'undo a']);
  });

  it('tells the observer every change, with stable keys and attempts', async () => {
    const changes: string[] = [];
    const keys = new Set<string>();
    const flaky: SagaStep = {
      id: 'f',
      dependsOn: [],
      retry: { attempts: 3, delayMs: 100 },
      async do({ key, attempt }) {
        keys.add(key);
        if (attempt < 3) throw new Error('not yet');
        return 'x';
      },
    };
    const bad: SagaStep = { id: 'g', dependsOn: ['f'], do: () => Promise.reject(new Error('no')) };
    const late: SagaStep = { id: 'h', dependsOn: ['g'], do: async () => null };
    const result = await run([flaky, bad, late], {
      onFailure: 'undo',
      keyPrefix: 'op-7',
      observer: ({ stepId, state, attempt }) => {
        changes.push(`${stepId} ${state} ${attempt}`);
        throw new Error('observers cannot break a saga');
      },
    });
    expect(result.status).toBe('undone');
    expect([...keys]).toEqual(['op-7/f']);
    expect(changes).toEqual([
      'f running 1',
      'f running 2',
      'f running 3',
      'f done 3',
      'g running 1',
      'g failed 1',
      'g undoing 1',
      'g undone 1',
      'f undoing 1',
      'f undone 1',
    ]);
  });

  it('retries an undo, gives up in the end, and keeps what the step was built on', async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    let tries = 0;
    const steps = recorded([...line, { id: 'z', dependsOn: [] }], log, new Set(['c'])).map(
      (step): SagaStep =>
        step.id === 'b'
          ? {
              ...step,
              async undo() {
                tries += 1;
                throw new Error('stuck');
              },
            }
          : step,
    );
    const result = await run(steps, { onFailure: 'undo' }, clock);
    expect(result.status).toBe('undo-failed');
    expect(result.undoFailures.map(({ stepId }) => stepId)).toEqual(['b']);
    expect(tries).toBe(6);
    expect(log.filter((entry) => entry.startsWith('undo'))).toEqual(['undo c', 'undo z']);
    expect(clock.now()).toBeLessThan(30_000);
  });

  it('undoes when it is cancelled, and does not begin what was not begun', async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const engine = memoryEngine({ clock });
    const steps = recorded(line, log).map(
      (step): SagaStep =>
        step.id === 'b' ? { ...step, do: ({ signal }) => clock.sleep(10_000, signal).then(() => null) } : step,
    );
    engine.register({
      name: 'saga',
      run: async (context) => (await runSaga(context, steps, { onFailure: 'undo' })) as unknown as Json,
    });
    await engine.launch();
    await engine.start('saga', null, { id: 'op-3' });
    await clock.advance(100);
    await engine.cancel('op-3');
    const { output } = await clock.runUntil(engine.result('op-3'));
    expect(output).toMatchObject({ status: 'undone', cancelled: true, failures: [] });
    expect(log).toEqual(['do a', 'undo b', 'undo a']);
    expect(clock.now()).toBe(100);
  });
});

describe('testSaga', () => {
  const world = (options: { readonly forgetful?: boolean; readonly repeats?: boolean } = {}) => {
    const things = new Map<string, string>();
    const made: string[] = [];
    const step = (id: string, dependsOn: readonly string[]): SagaStep => ({
      id,
      dependsOn,
      async do({ key }) {
        if (options.repeats === true) made.push(key);
        things.set(key, id);
        return id;
      },
      async undo({ key }) {
        if (options.forgetful !== true || id !== 'b') things.delete(key);
        if (options.repeats === true) made.splice(0);
      },
    });
    return {
      steps: [step('a', []), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])],
      snapshot: () => [[...things], made] as unknown as Json,
    };
  };

  it('passes a good saga', async () => {
    expect(await testSaga(() => world())).toBe(4 * 4 + 1 + 4 * 3);
  });

  it('finds an undo that forgets, and a step that is not idempotent', async () => {
    await expect(testSaga(() => world({ forgetful: true }))).rejects.toThrow('d fails before its work: left');
    await expect(testSaga(() => world({ repeats: true }))).rejects.toThrow('everything runs twice: left');
  });
});

describe('a step that takes long', () => {
  it('keeps only those waiting that depend on it', async () => {
    const clock = new VirtualClock();
    const endedAt = new Map<string, number>();
    const step = (id: string, ms: number, ...dependsOn: string[]): SagaStep => ({
      id,
      dependsOn,
      async do() {
        await clock.sleep(ms);
        endedAt.set(id, clock.now());
        return null;
      },
    });
    const began = clock.now();
    await run(
      [step('slow', 100), step('quick', 1), step('next', 1, 'quick'), step('last', 1, 'next', 'slow')],
      { onFailure: 'undo' },
      clock,
    );
    const after = (id: string) => endedAt.get(id)! - began;
    expect([after('next') < 50, after('last') >= 101]).toEqual([true, true]);
  });
});
