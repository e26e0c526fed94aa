import { silentLogger } from '@superfluidity/core';
import { afterEach, expect, test, vi } from 'vitest';
import { LIMITS } from './limits.ts';
import { NodeTables } from './tables.ts';

afterEach(() => void vi.useRealTimers());

test('pods that come without a pause do not put off that the kernel is told of them', async () => {
  vi.useFakeTimers();
  let change = () => {};
  const ports = {
    isKnown: false,
    entries: () => [],
    onChange: (listener: () => void) => void (change = listener),
    onKnown: () => {},
  };
  let syncs = 0;
  const onSync = (table: string) => void (syncs += table === 'policies' ? 1 : 0);
  const tables = new NodeTables({ namespace: undefined, ports, log: silentLogger, onSync });
  for (let at = 0; at < 100; at += 1) {
    change();
    await vi.advanceTimersByTimeAsync(LIMITS.gatherMs / 2);
  }
  expect(syncs).toBeGreaterThan(20);
  // Not one for each either.
  expect(syncs).toBeLessThanOrEqual(50);
  await tables.close();
});
