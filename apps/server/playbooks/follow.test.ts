import type { Progress } from '@superfluidity/site';
import { expect, test } from 'vitest';
import { PlaybookFollower } from './follow.ts';

function follow(...lines: readonly unknown[]) {
  const told: Progress[] = [];
  const follower = new PlaybookFollower(
    (line) => void told.push(line),
    () => 7,
  );
  for (const line of lines) follower.take(typeof line === 'string' ? line : JSON.stringify(line));
  return { told, follower };
}
const host = (state: string, name = 'a', text = '') => ({ event: 'host', state, host: name, text });

test('a line of each task that a host had to do, with how many it changed', () => {
  const { told, follower } = follow(
    { event: 'play', name: 'nodes' },
    { event: 'task', name: 'node : packages' },
    host('ok'),
    host('changed', 'b'),
    { event: 'task', name: 'skipped' },
    host('skipped'),
    { event: 'task', name: 'node : kubelet' },
    host('ok'),
    { event: 'stats', hosts: { a: { ok: 2, changed: 0 } }, said: { reached: ['x'] } },
  );
  expect(told).toEqual([
    { at: 7, what: 'node : packages', state: 'CHANGED', reason: '1 of 2 hosts' },
    { at: 7, what: 'node : kubelet', state: 'OK', reason: '1 hosts' },
  ]);
  expect(follower.outcome).toEqual({ hosts: { a: { ok: 2, changed: 0 } }, said: { reached: ['x'] } });
});

test('a failure is told at once, with what the host said, bounded', () => {
  const { told, follower } = follow(
    { event: 'task', name: 't'.repeat(1_000) },
    host('failed', 'a', 'x'.repeat(100_000)),
    host('unreachable', 'b', 'no route'),
  );
  expect(told.map(({ state, reason }) => [state, reason!.slice(0, 11)])).toEqual([
    ['FAILED', 'a: xxxxxxxx'],
    ['FAILED', 'b: no route'],
  ]);
  expect(told[0]!.what).toHaveLength(200);
  expect(told[0]!.reason!.length).toBeLessThan(1_010);
  expect(follower.failures).toHaveLength(2);
});

test('what is no line of ours is left out', () => {
  const { told, follower } = follow(
    '[WARNING]: something',
    '{"event":"host","state":"exploded","host":"a","text":""}',
    '{"event":"stats","hosts":{"a":{"ok":"many"}},"said":{}}',
    '{"event":"task"}',
    'null',
    '[]',
  );
  expect(told).toEqual([]);
  expect(follower.outcome).toBeUndefined();
});
