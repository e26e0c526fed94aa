import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { describe, expect, test } from 'vitest';
import { LIMITS } from './limits.ts';
import { PortRegistry } from './registry.ts';

const port = (name: string, podUid = 'u'): KuryrPort => ({
  metadata: { namespace: 'default', name },
  spec: { podUid, node: 'n' },
});

describe('the ports of a node', () => {
  test('wake those who wait for them, and no others', async () => {
    const registry = new PortRegistry();
    let looks = 0;
    const waiting = registry.until(
      'default/a',
      (found) => {
        looks += 1;
        return found?.spec.podUid === 'right' ? found : undefined;
      },
      AbortSignal.timeout(5_000),
    );
    registry.put(port('b', 'right'));
    registry.put(port('a', 'wrong'));
    await Promise.resolve();
    registry.put(port('a', 'right'));
    expect(await waiting).toMatchObject({ spec: { podUid: 'right' } });
    expect(looks).toBeLessThanOrEqual(3);
  });

  test('tell of what is gone, and let go of who gave up', async () => {
    const registry = new PortRegistry();
    const told: (string | undefined)[] = [];
    registry.onChange((key, now) => told.push(now === undefined ? `no ${key}` : key));
    registry.put(port('a'));
    const stop = new AbortController();
    const gone = registry.until('default/a', (found) => (found === undefined ? 'gone' : undefined), stop.signal);
    const never = registry.until('default/c', () => undefined, stop.signal);
    registry.remove('default', 'a');
    registry.remove('default', 'a');
    expect(await gone).toBe('gone');
    stop.abort(new Error('enough'));
    await expect(never).rejects.toThrow('enough');
    expect(told).toEqual(['default/a', 'no default/a']);
  });

  test('are no more than a node can have', () => {
    const registry = new PortRegistry();
    for (let i = 0; i <= LIMITS.ports; i += 1) registry.put(port(`p${i}`));
    expect(registry.size).toBe(LIMITS.ports);
    registry.put(port('p0', 'changed'));
    expect(registry.get('default/p0')?.spec.podUid).toBe('changed');
  });
});
