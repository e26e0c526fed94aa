import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Turns, Turnstile } from './turns.ts';

const never = new AbortController().signal;

describe('a turnstile', () => {
  test('lets no more in than it may, in order, and nobody is lost who leaves or fails', async () => {
    const visitors = fc.array(fc.constantFrom('works', 'fails', 'leaves'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), visitors, async (most, all) => {
        const turnstile = new Turnstile(most);
        const entered: number[] = [];
        const open: (() => void)[] = [];
        let inside = 0;
        const leaving = new AbortController();
        const passed = all.map((kind, at) =>
          turnstile
            .pass('test', kind === 'leaves' ? leaving.signal : never, async () => {
              entered.push(at);
              inside += 1;
              expect(inside).toBeLessThanOrEqual(most);
              await new Promise<void>((resolve) => open.push(resolve));
              inside -= 1;
              if (kind === 'fails') throw new Error('as told');
            })
            .then(
              () => 'done',
              (error: Error & { readonly code?: string }) => error.code ?? error.message,
            ),
        );
        await turn();
        const first = entered.length;
        expect(first).toBe(Math.min(most, all.length));
        leaving.abort();
        while (inside > 0) {
          open.shift()?.();
          await turn();
        }
        const ends = await Promise.all(passed);
        // Who was in already goes on; who waited and left never enters.
        const wanted = all.map((kind, at) =>
          kind === 'fails' ? 'as told' : kind === 'leaves' && at >= first ? 'SF-CORE-CANCELLED' : 'done',
        );
        expect(ends).toEqual(wanted);
        expect(entered).toEqual(all.flatMap((kind, at) => (kind === 'leaves' && at >= first ? [] : [at])));
      }),
    );
  });

  test('refuses who comes when too many wait', async () => {
    const turnstile = new Turnstile(1, 1);
    let leave = () => {};
    const inside = turnstile.pass('first', never, () => new Promise<void>((resolve) => (leave = resolve)));
    const waiting = turnstile.pass('second', never, async () => 2);
    await expect(turnstile.pass('third', never, async () => 3)).rejects.toMatchObject({ code: 'SF-CORE-LIMIT' });
    leave();
    expect(await Promise.all([inside, waiting])).toEqual([undefined, 2]);
  });
});

test('turns: one after the other for one thing, beside each other for two, and on after a failure', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await turn();
    log.push(`${name} ends`);
    if (name === 'a1') throw new Error('as told');
  };
  const all = [turns.take('a', work('a1')), turns.take('a', work('a2')), turns.take('b', work('b1'))];
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(log.filter((line) => line.startsWith('a'))).toEqual(['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends']);
  expect(log.indexOf('b1 begins')).toBeLessThan(log.indexOf('a2 begins'));
});
