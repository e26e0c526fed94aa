import { silentLogger, SuperfluidityError, VirtualClock } from '@superfluidity/core';
import { expect, test } from 'vitest';
import type { Cluster } from './cluster.ts';
import type { KubeObject } from './objects.ts';
import './errors.ts';
import { ObjectWatch } from './watch.ts';

const PATH = '/apis/example.org/v1/things';
const thing = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, uid: name, resourceVersion },
});

test('there is nothing of a kind that the cluster does not have, until somebody defines it', async () => {
  const clock = new VirtualClock();
  let things: readonly KubeObject[] | undefined;
  let asked = 0;
  let end = () => {};
  const cluster = {
    // As the API server answers: 404 to both.
    list: async () => {
      asked += 1;
      return things === undefined ? { items: [], version: '' } : { items: things, version: '9' };
    },
    lines: async (path: string, { signal }: { readonly signal: AbortSignal }) => {
      if (things === undefined)
        throw new SuperfluidityError('SF-KUBE-REFUSED', { reason: `GET ${path}`, data: { status: 404 } });
      return (async function* () {
        await new Promise<void>((resolve) => {
          end = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        yield '';
      })();
    },
  } as unknown as Cluster;
  const told: string[] = [];
  const watch = new ObjectWatch<KubeObject>({
    world: { name: 'test', cluster, clock, log: silentLogger },
    path: PATH,
    onChange: (before, now) => told.push(`${before?.metadata.name ?? '-'} ${now?.metadata.name ?? '-'}`),
  });
  watch.start();
  await clock.advance(0);
  expect([watch.isKnown, watch.all()]).toEqual([true, []]);
  await clock.advance(20_000);
  // Asked again and again, and not as fast as it can be.
  expect([asked > 2, asked < 10]).toEqual([true, true]);

  things = [thing('one', '4')];
  await clock.advance(5_000);
  expect(watch.get('one')).toBeDefined();
  things = undefined;
  end();
  await clock.advance(20_000);
  // Whoever answers so may be wrong: what goes is told one by one before.
  expect(watch.get('one')).toBeDefined();
  things = [thing('two', '7')];
  await clock.advance(5_000);
  expect(watch.all().map(({ metadata }) => metadata.name)).toEqual(['two']);
  expect(told).toEqual(['- one', '- two', 'one -']);
  await watch.stop();
});
