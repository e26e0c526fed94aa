import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Together } from './together.ts';

const never = new AbortController().signal;

test('one question for all who ask in one turn, and another for who comes later', async () => {
  const asked: (readonly string[])[] = [];
  const together = new Together<string>(async (keys) => {
    asked.push(keys);
    return new Map(keys.filter((key) => key !== 'none').map((key) => [key, key.toUpperCase()]));
  }, 3);
  const answers = ['a', 'b', 'a', 'none', 'c'].map((key) => together.ask(key, 'ask', never));
  expect(await Promise.all(answers)).toEqual(['A', 'B', 'A', undefined, 'C']);
  expect(await together.ask('a', 'ask', never)).toBe('A');
  expect(asked).toEqual([['a', 'b'], ['none', 'c'], ['a']]);
});

test('who gives up does not wait, and the others get their answers', async () => {
  let answer = (_: ReadonlyMap<string, number>) => {};
  const together = new Together<number>(() => new Promise((resolve) => (answer = resolve)), 8);
  const tired = new AbortController();
  const one = together.ask('one', 'find one', tired.signal);
  const two = together.ask('two', 'find two', never);
  await setImmediate();
  tired.abort();
  await expect(one).rejects.toMatchObject({ code: 'SF-CORE-CANCELLED', details: { doing: 'find one' } });
  answer(new Map([['two', 2]]));
  expect(await two).toBe(2);
  await expect(together.ask('three', 'find three', tired.signal)).rejects.toMatchObject({ code: 'SF-CORE-CANCELLED' });
});

test('a question that fails fails for all of it, and for nobody else', async () => {
  const together = new Together<number>(async (keys) => {
    if (keys.includes('bad')) throw new Error('no answer');
    return new Map(keys.map((key) => [key, 1]));
  }, 2);
  const outcomes = await Promise.allSettled(['a', 'bad', 'b'].map((key) => together.ask(key, 'ask', never)));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});
