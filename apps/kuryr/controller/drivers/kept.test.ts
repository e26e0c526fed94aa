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
