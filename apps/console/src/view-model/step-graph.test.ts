import { describe, expect, it } from 'vitest';
import { aStep } from './fixtures.ts';
import { buildStepGraph, stateOfGroup, stepDurationMs, STEPS_DRAWN, summarise } from './step-graph.ts';

describe('buildStepGraph', () => {
  it('draws each step once and leaves out edges that others imply', () => {
    const graph = buildStepGraph([aStep('a'), aStep('b', ['a']), aStep('c', ['a', 'b'])]);
    expect(graph.nodes.map((node) => node.id)).toEqual(['a', 'b', 'c']);
    expect(graph.edges.map((edge) => edge.id)).toEqual(['a→b', 'b→c']);
  });

  it('has the same shape while only states change', () => {
    const before = buildStepGraph([aStep('a'), aStep('b', ['a'])]);
    const after = buildStepGraph([aStep('a', [], { state: 'done' }), aStep('b', ['a'], { state: 'running' })]);
    expect(after.shape).toBe(before.shape);
  });

  it('groups thousands of steps by wave, verb and site', () => {
    const units = Array.from({ length: 3 * STEPS_DRAWN }, (_, i) =>
      aStep(`u${i}`, ['grant'], {
        verb: 'create',
        site: i % 2 === 0 ? 'edge' : 'core',
        state: i < 10 ? 'done' : 'pending',
      }),
    );
    const graph = buildStepGraph([
      aStep('grant', [], { state: 'done' }),
      ...units,
      aStep(
        'chain',
        units.map((u) => u.id),
      ),
    ]);
    expect(graph.nodes.map((node) => [node.title, node.state])).toEqual([
      ['do grant', 'done'],
      ['90 × create', 'running'],
      ['90 × create', 'running'],
      ['do chain', 'pending'],
    ]);
    expect(graph.edges).toHaveLength(4);
  });

  it('survives a dependency that is not there and a cycle', () => {
    expect(buildStepGraph([aStep('a', ['gone'])]).edges).toEqual([]);
    expect(buildStepGraph([aStep('a', ['b']), aStep('b', ['a'])]).nodes).toHaveLength(2);
  });
});

describe('the state of a group', () => {
  it('is what needs attention', () => {
    const group = (...states: Parameters<typeof aStep>[2][]) =>
      stateOfGroup(states.map((more, i) => aStep(`${i}`, [], more)));
    expect(group({ state: 'done' }, { state: 'failed' }, { state: 'running' })).toBe('failed');
    expect(group({ state: 'done' }, { state: 'pending' })).toBe('running');
    expect(group({ state: 'done' }, { state: 'done' })).toBe('done');
    expect(group({ state: 'undone' }, { state: 'undoing' })).toBe('undoing');
  });
});

describe('times and counts', () => {
  it('measures from the first start to the last end, or to now', () => {
    const over = [aStep('a', [], { startedAt: 100, endedAt: 300 }), aStep('b', [], { startedAt: 200, endedAt: 500 })];
    expect(stepDurationMs(over, 9_999)).toBe(400);
    expect(stepDurationMs([...over, aStep('c', [], { startedAt: 250 })], 1_100)).toBe(1_000);
    expect(stepDurationMs([aStep('a')], 1_000)).toBeUndefined();
  });

  it('counts', () => {
    const steps = [
      aStep('a', [], { state: 'done' }),
      aStep('b', [], { state: 'failed' }),
      aStep('c', [], { state: 'running' }),
    ];
    expect(summarise(steps)).toEqual({ total: 3, finished: 1, failed: 1, running: 1 });
  });
});
