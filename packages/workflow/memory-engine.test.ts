import { type Json, VirtualClock } from '@superfluidity/core';
import { describe, expect, it } from 'vitest';
import { describeEngine } from './conformance.ts';
import type { WorkflowDefinition } from './engine.ts';
import { type FaultPoint, memoryEngine } from './memory-engine.ts';
import { MemoryJournal } from './memory-journal.ts';

describeEngine('in memory', async (definitions) => {
  const clock = new VirtualClock();
  const engine = memoryEngine({ clock });
  for (const definition of definitions) engine.register(definition);
  await engine.launch();
  return { engine, clock, wait: (promise) => clock.runUntil(promise), end: () => clock.runUntil(engine.shutdown()) };
});

describe('a memory engine that crashes', () => {
  const effects: string[] = [];
  const story: WorkflowDefinition = {
    name: 'story',
    async run(context) {
      const outputs: Json[] = [];
      const step = (name: string) =>
        context.step(name, async ({ key, fence }) => {
          effects.push(`${key}@${fence}`);
          return name;
        });
      outputs.push(await step('one'));
      outputs.push(...(await Promise.all([step('two'), step('three')])));
      await context.sleep(100);
      outputs.push((await context.receive('go', 1_000)) ?? 'nothing');
      outputs.push(...(await context.steps('many', [{ id: 'x', work: async () => 'x' }])).map((result) => result.ok));
      outputs.push(await step('four'));
      return outputs;
    },
  };
  const points = [
    'one',
    'two',
    'three',
    'sleep#1/until',
    'sleep#1/end',
    'receive/go#2/until',
    'receive/go#2/end',
    'many',
    'four',
  ];
  const crashes = points.flatMap((step) => (['before', 'done', 'recorded'] as const).map((when) => ({ step, when })));

  it.each(crashes)('$when step $step goes on where it was', async ({ step, when }) => {
    effects.length = 0;
    const clock = new VirtualClock();
    const journal = new MemoryJournal();
    const make = (faults?: (point: FaultPoint) => boolean) => {
      const engine = memoryEngine({ clock, journal, ...(faults === undefined ? {} : { faults }) });
      engine.register(story);
      return engine;
    };
    const first = make((point) => point.step === step && point.when === when);
    await first.launch();
    await first.start('story', null, { id: 'run' });
    await first.signal('run', 'go', 'went');
    await clock.runUntil(first.crashed);
    await expect(first.start('story', null, { id: 'other' })).rejects.toMatchObject({ code: 'SF-WORKFLOW-STOPPED' });
    const second = make();
    await second.launch();
    const { output } = await clock.runUntil(second.result('run'));
    expect(output).toEqual(['one', 'two', 'three', 'went', true, 'four']);
    const repeated = ['one', 'two', 'three', 'four'].map(
      (name) => effects.filter((e) => e.startsWith(`run/${name}@`)).length,
    );
    // Only steps under way at the crash may run again.
    for (const [i, name] of ['one', 'two', 'three', 'four'].entries()) {
      const parallel = (name === 'two' || name === 'three') && (step === 'two' || step === 'three');
      const again = parallel || (name === step && when === 'done');
      expect(repeated[i]).toBeGreaterThanOrEqual(1);
      expect(repeated[i]).toBeLessThanOrEqual(again ? 2 : 1);
    }
    expect(clock.now()).toBeLessThanOrEqual(1_000);
  });

  it('is taken over by another executor with a higher fence, and only when it is dead', async () => {
    effects.length = 0;
    const clock = new VirtualClock();
    const journal = new MemoryJournal();
    const [a, b] = ['a', 'b'].map((executorId) => memoryEngine({ clock, journal, executorId })) as [
      ReturnType<typeof memoryEngine>,
      ReturnType<typeof memoryEngine>,
    ];
    for (const engine of [a, b]) {
      engine.register(story);
      await engine.launch();
    }
    await a.start('story', null, { id: 'run' });
    await clock.advance(50);
    expect(await b.takeOver('a')).toBe(0);
    a.crash();
    expect(await b.takeOver('a')).toBe(1);
    await b.signal('run', 'go', 'b');
    expect((await clock.runUntil(b.result('run'))).output).toContain('b');
    expect(effects).toEqual(['run/one@1', 'run/two@1', 'run/three@1', 'run/four@2']);
  });

  it('ends steps under way at shutdown and starts no more', async () => {
    effects.length = 0;
    const clock = new VirtualClock();
    const engine = memoryEngine({ clock });
    engine.register({
      name: 'slow',
      async run(context) {
        for (const name of ['a', 'b']) {
          await context.step(name, async () => {
            await clock.sleep(100);
            effects.push(name);
            return null;
          });
        }
        return null;
      },
    });
    await engine.launch();
    await engine.start('slow', null, { id: 'run' });
    await clock.advance(10);
    await clock.runUntil(engine.shutdown());
    await clock.advance(1_000);
    expect(effects).toEqual(['a']);
    expect([...engine.journal.run('run').records.keys()]).toEqual(['a']);
  });
});
