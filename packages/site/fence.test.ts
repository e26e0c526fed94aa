import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FenceGuard } from './index.ts';

const fenced = expect.objectContaining({ code: 'SF-SITE-FENCED' });

describe('FenceGuard', () => {
  test('admits rising fences, refuses lower ones, and knows them after a restart', async () => {
    let kept = 0;
    const keep = (fence: number) => {
      kept = fence;
    };
    const guard = new FenceGuard('edge', 0, keep);
    await guard.admit({ key: 'a', fence: 3 });
    await guard.admit({ key: 'b', fence: 3 });
    await expect(guard.admit({ key: 'c', fence: 2 })).rejects.toEqual(fenced);
    expect(kept).toBe(3);
    await expect(new FenceGuard('edge', kept, keep).admit({ key: 'd', fence: 2 })).rejects.toEqual(fenced);
  });

  test('refuses the old caller while the new fence is being written', async () => {
    let written: (() => void) | undefined;
    const guard = new FenceGuard('edge', 1, () => new Promise<void>((resolve) => (written = resolve)));
    const successor = guard.admit({ key: 'new', fence: 2 });
    await expect(guard.admit({ key: 'old', fence: 1 })).rejects.toEqual(fenced);
    written!();
    await successor;
    expect(guard.highest).toBe(2);
  });

  test('admits nobody by a fence that could not be written, and tries again', async () => {
    let broken = true;
    const guard = new FenceGuard('edge', 1, () => {
      if (broken) throw new Error('disk full');
    });
    await expect(guard.admit({ key: 'a', fence: 2 })).rejects.toThrow('disk full');
    broken = false;
    await guard.admit({ key: 'a', fence: 2 });
  });

  test('what was kept is never lower than what was admitted, and whoever is admitted is not refused by it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 20 }), async (fences) => {
        const writes: number[] = [];
        const guard = new FenceGuard('edge', 0, async (fence) => {
          await Promise.resolve();
          writes.push(fence);
        });
        await Promise.all(
          fences.map((fence) =>
            guard.admit({ key: 'k', fence }).then(
              () => expect(Math.max(0, ...writes)).toBeGreaterThanOrEqual(fence),
              () => expect(guard.highest).toBeGreaterThan(fence),
            ),
          ),
        );
        expect(writes).toEqual(writes.toSorted((a, b) => a - b));
        expect(guard.highest).toBe(Math.max(0, ...fences));
      }),
    );
  });
});
