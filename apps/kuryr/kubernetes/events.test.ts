import { silentLogger, VirtualClock } from '@superfluidity/core';
import type { Cluster } from '@superfluidity/driver-kubernetes';
import { expect, test } from 'vitest';
import { EventWriter } from './events.ts';
import { LIMITS } from './limits.ts';

function setup() {
  const clock = new VirtualClock();
  const written: [atMs: number, reason: string][] = [];
  const cluster = {
    create: async (_path: string, { reason }: { readonly reason: string }) => void written.push([clock.now(), reason]),
  } as unknown as Cluster;
  let isBusy = false;
  const busy = { isBusy: () => isBusy, stopwatch: () => clock.now() };
  const events = new EventWriter({ cluster, clock, log: silentLogger, component: 'test', busy });
  const subject = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'red', name: 'p', uid: 'u' } };
  return {
    clock,
    written,
    events,
    setBusy: (now: boolean) => (isBusy = now),
    tell: (reason: string, warning = false) => events.tell(subject, { reason, message: reason, warning }),
  };
}

test('events give way as long as pods wait, those that warn do not, and none waits for ever', async () => {
  const { clock, written, events, setBusy, tell } = setup();
  tell('First');
  await clock.advance(LIMITS.eventsPauseMs);
  expect(written).toEqual([[LIMITS.eventsPauseMs, 'First']]);
  setBusy(true);
  tell('Held');
  tell('Warned', true);
  await clock.advance(LIMITS.eventsPauseMs * 3);
  expect(written.map(([, reason]) => reason)).toEqual(['First', 'Warned']);
  await clock.advance(LIMITS.eventsHeldMs);
  expect(written.map(([, reason]) => reason)).toEqual(['First', 'Warned', 'Held']);
  tell('Then');
  await clock.advance(LIMITS.eventsPauseMs * 2);
  setBusy(false);
  await clock.advance(LIMITS.eventsPauseMs);
  expect(written.at(-1)![1]).toBe('Then');
  await events.close();
});
