import { describe, expect, it, vi } from 'vitest';
import { formatBandwidth, formatMiB, formatMs, formatPercent, hitRate } from './format.ts';
import { createRefresher } from './refresher.ts';
import { takeToken } from './token.ts';

describe('takeToken', () => {
  it('takes the token out of the fragment and leaves the rest', () => {
    expect(takeToken('#token=abc')).toEqual({ token: 'abc', hash: '' });
    expect(takeToken('#x=1&token=a%2Bb')).toEqual({ token: 'a+b', hash: '#x=1' });
    expect(takeToken('#token=')).toEqual({ token: undefined, hash: '' });
    expect(takeToken('#main')).toEqual({ token: undefined, hash: '#main' });
  });
});

describe('formats', () => {
  it('are short', () => {
    expect([0.44, 9.96, 31.6, 1_540, 61_000].map(formatMs)).toEqual([
      '0.4 ms',
      '10.0 ms',
      '32 ms',
      '1.54 s',
      '1 min 1 s',
    ]);
    expect([512, 16_384].map(formatMiB)).toEqual(['512 MiB', '16 GiB']);
    expect([100, 2_500].map(formatBandwidth)).toEqual(['100 Mb/s', '2.5 Gb/s']);
    expect([0, 0.001, 0.5, 1].map(formatPercent)).toEqual(['0 %', '<1 %', '50 %', '100 %']);
    expect(hitRate({ hits: 0, misses: 0 })).toBeUndefined();
    expect(hitRate({ hits: 3, misses: 1 })).toBe(0.75);
  });
});

describe('createRefresher', () => {
  it('refreshes at once, then coalesces, and loses nothing', async () => {
    vi.useFakeTimers();
    try {
      let answer = () => {};
      const refresh = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
      const refresher = createRefresher({ intervalMs: () => 100, refresh });
      for (let i = 0; i < 1_000; i += 1) refresher.mark('service');
      expect(refresh).toHaveBeenCalledTimes(1);
      refresher.mark('service');
      answer();
      await vi.advanceTimersByTimeAsync(99);
      expect(refresh).toHaveBeenCalledTimes(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(refresh).toHaveBeenCalledTimes(2);
      answer();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(refresh).toHaveBeenCalledTimes(2);
      refresher.stop();
    } finally {
      vi.useRealTimers();
    }
  });
});
