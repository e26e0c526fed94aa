import { VirtualClock } from '@superfluidity/core';
import { expect, test } from 'vitest';
import { Kept } from './kept.ts';

function setup() {
  const clock = new VirtualClock();
  const kept = new Kept<number>(clock, { freshMs: 100, oldMs: 1_000 });
  let asked = 0;
  let isDown = false;
  const read = async () => {
    const answer = (asked += 1);
    await clock.sleep(10);
    if (isDown) throw new Error('down');
    return answer;
  };
  return {
    clock,
    asked: () => asked,
    fall: (down: boolean) => (isDown = down),
    of: (about = '') => kept.of('a', read, about),
  };
}

test('an old answer is given at once, and asked for anew by one of those who ask', async () => {
  const { clock, of, asked } = setup();
  expect(await clock.runUntil(Promise.all([of(), of()]))).toEqual([1, 1]);
  await clock.advance(89);
  expect([await of(), asked()]).toEqual([1, 1]);
  await clock.advance(5);
  expect([await of(), await of(), asked()]).toEqual([1, 1, 2]);
  await clock.advance(10);
  expect([await of(), asked()]).toEqual([2, 2]);
});

test('one that is too old, about something else, or that could not be had anew is waited for', async () => {
  const { clock, of, asked, fall } = setup();
  expect(await clock.runUntil(of())).toBe(1);
  await clock.advance(1_000);
  expect(await clock.runUntil(of())).toBe(2);
  expect(await clock.runUntil(of('other'))).toBe(3);
  await clock.advance(200);
  fall(true);
  expect(await of('other')).toBe(3);
  await clock.advance(20);
  await expect(clock.runUntil(of('other'))).rejects.toThrow('down');
  fall(false);
  expect([await clock.runUntil(of('other')), asked()]).toEqual([6, 6]);
});

test('what nobody asks about any more is forgotten, and what is asked about is not', async () => {
  const clock = new VirtualClock();
  const kept = new Kept<number>(clock, { freshMs: 100, oldMs: 1_000 });
  for (let one = 0; one < 50; one += 1) {
    await kept.of('lasting', async () => one);
    await kept.of(`passing ${one}`, async () => one);
    await clock.advance(100);
  }
  // Those of the last second, and the one that lasts.
  expect(kept.size).toBeLessThanOrEqual(12);
  // An answer of long ago: it was never waited for again.
  expect(await kept.of('lasting', async () => -1)).toBe(49);
});
