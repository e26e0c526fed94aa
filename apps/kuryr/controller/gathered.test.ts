import { VirtualClock } from '@superfluidity/core';
import { expect, test } from 'vitest';
import { gathered } from './gathered.ts';

test('one change is told at once, many of a key that come together as two, and the last is not lost', async () => {
  const clock = new VirtualClock();
  const told: (readonly [atMs: number, key: string])[] = [];
  const ask = gathered(clock, 50, (key) => told.push([clock.now(), key]));
  ask('a');
  ask('b');
  expect(told).toEqual([
    [0, 'a'],
    [0, 'b'],
  ]);
  await clock.advance(200);
  told.length = 0;
  for (let at = 0; at < 100; at += 1) ask('a');
  expect(told).toEqual([[200, 'a']]);
  await clock.advance(200);
  expect(told).toEqual([
    [200, 'a'],
    [250, 'a'],
  ]);
  told.length = 0;
  // One each 10 ms, for a second.
  for (let at = 0; at < 100; at += 1) {
    ask('a');
    await clock.advance(10);
  }
  await clock.advance(200);
  expect(told.length).toBeLessThanOrEqual(1_000 / 50 + 2);
  expect(told.at(-1)![0]).toBeGreaterThanOrEqual(400 + 990);
});
