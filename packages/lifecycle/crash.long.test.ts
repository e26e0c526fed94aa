import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { crashCases, survivesCrash } from './testing/two-sites.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, 60_000);
afterAll(() => store.close());

it.each(crashCases)(
  'a crash at every point of a $what is survived: each thing is there once',
  async ({ what, expected, pointsMin }) => {
    let points = 1;
    while (await survivesCrash(store, what, expected, points)) points += 1;
    expect(points).toBeGreaterThan(pointsMin);
  },
);
