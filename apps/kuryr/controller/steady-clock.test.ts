import { VirtualClock } from '@superfluidity/core';
import { expect, test } from 'vitest';
import { steadyClock } from './steady-clock.ts';

test('a clock that is set, back or forth, does not move what waits for a time to come', async () => {
  const passing = new VirtualClock(5_000);
  let setMs = 1_000_000;
  const clock = steadyClock(
    { now: () => setMs + passing.now(), sleep: (ms, signal) => passing.sleep(ms, signal) },
    () => passing.now(),
  );
  const startMs = clock.now();
  expect(startMs).toBe(1_005_000);
  for (const jumpMs of [-3_600_000, 7_200_000]) {
    setMs += jumpMs;
    expect(clock.now()).toBe(startMs + passing.now() - 5_000);
    await passing.advance(250);
    expect(clock.now()).toBe(startMs + passing.now() - 5_000);
  }
  let isOver = false;
  const slept = clock.sleep(100).then(() => (isOver = true));
  await passing.advance(99);
  expect(isOver).toBe(false);
  await passing.advance(1);
  await slept;
});
