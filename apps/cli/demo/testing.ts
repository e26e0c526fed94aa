import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { linuxDriver } from '@superfluidity/driver-linux';
import { findGuestKernel, guestCacheFolder } from '@superfluidity/driver-linux/guest';
import { describe, expect, test } from 'vitest';
import type { DemoResult } from './story.ts';

/** `superfluidity demo --json` as a user runs it: the command, its own control plane, the sites of this machine. */
const TIMEOUT_MS = 240_000;
const COMMAND = fileURLToPath(new URL('../bin/superfluidity.js', import.meta.url));

const missing = process.platform === 'linux' ? await linuxDriver.missing() : [];
const required = missing.filter((each) => each.required || each.name === 'runc');
const noSites =
  process.platform !== 'linux'
    ? 'needs Linux'
    : required.length > 0
      ? `needs ${required.map(({ name }) => name).join(', ')}`
      : undefined;
const noMachines =
  noSites ??
  (missing.some(({ name }) => name === 'qemu' || name === 'tun') ? 'needs QEMU and TAP devices' : undefined) ??
  (findGuestKernel(guestCacheFolder()) === undefined ? 'needs a guest kernel: superfluidity doctor --fix' : undefined);

function demo(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const argv = [COMMAND, 'demo', '--json', ...args];
    const child = execFile(process.execPath, argv, { timeout: TIMEOUT_MS - 10_000 }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** The whole story in one variant, every claim of it. */
export function demoSuite(video: 'container' | 'vm', deployMsMax: number): void {
  const reason = video === 'vm' ? noMachines : noSites;
  const title = `superfluidity demo with the video server as ${video}${reason === undefined ? '' : ` (skipped: ${reason})`}`;
  describe.skipIf(reason !== undefined)(title, () => {
    test('measures every claim in one run, and each holds', { timeout: TIMEOUT_MS }, async () => {
      const { code, out, err } = await demo('--watch', '2', '--video', video);
      // What failed, in the words of the demo itself.
      expect(code, err).toBe(0);
      const result = JSON.parse(out) as DemoResult;
      expect(result.claims.filter(({ holds }) => !holds)).toEqual([]);
      expect(result.claims.map(({ claim }) => claim)).toEqual([
        'packets are real',
        'one service of several environments',
        'deployed over two sites',
        'first video byte',
        'streamed before, during and after the move',
        'no request failed',
        'another instance answers after the move',
        'latency is lower after the move',
        'nothing is left behind',
      ]);
      expect(result).toMatchObject({
        realPackets: true,
        environmentsUsed: video === 'vm' ? ['container', 'nft', 'vm'] : ['container', 'nft'],
        failedRequests: 0,
        servedBefore: ['core'],
        servedAfter: ['edge'],
        leftBehind: [],
      });
      expect(result.requestsBeforeMove).toBeGreaterThan(0);
      expect(result.requestsDuringMove).toBeGreaterThan(0);
      expect(result.requestsAfterMove).toBeGreaterThan(0);
      expect(result.deployMs).toBeGreaterThan(0);
      expect(result.deployMs).toBeLessThan(deployMsMax);
      expect(result.firstByteMs).toBeGreaterThan(0);
      // The link between the sites is 12 ms long each way: who answers from the core cannot be faster than that.
      expect(result.latencyBeforeMs).toBeGreaterThan(24);
      expect(result.latencyAfterMs).toBeLessThan(result.latencyBeforeMs);
    });
  });
}
