import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@superfluidity/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listCgroupProcesses } from './kernel/cgroup.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { running, TerminalTrial, until } from './testing-trial.ts';

const MEGABYTE = 1_000_000;
const reason = missingForKernelTests(['nft', 'runc']);
const trial = new TerminalTrial();
const options = { timeout: trial.timeoutMs };

describe.skipIf(reason !== undefined)(titled('terminals of a linux site that last', reason), options, () => {
  beforeAll(() => trial.openSite());
  afterEach(() => trial.site.removeUnit('unit-a', trial.call()));
  afterAll(() => trial.close());

  describe.each(['container', 'process'] as const)('of a %s', (environment) => {
    test('make a program wait for a slow reader, and lose nothing', async () => {
      await trial.start(environment);
      const terminal = await trial.terminal('sh', '-c', `head -c ${10 * MEGABYTE} /dev/zero | tr '\\0' x`);
      const pieces = terminal.output[Symbol.asyncIterator]();
      let bytes = (await pieces.next()).value!.length;
      const { arrayBuffers, heapUsed } = process.memoryUsage();
      await systemClock.sleep(300);
      const now = process.memoryUsage();
      expect(now.arrayBuffers + now.heapUsed - arrayBuffers - heapUsed).toBeLessThan(5 * MEGABYTE);
      let ended = false;
      void terminal.ended.then(() => (ended = true));
      await systemClock.sleep(0);
      expect(ended).toBe(false);
      for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) {
        bytes += piece.value.length;
      }
      expect(bytes).toBe(10 * MEGABYTE);
      expect(await terminal.ended).toEqual({ exitCode: 0 });
    });

    test('leave nothing when their control plane is killed', async () => {
      await trial.start(environment);
      const own = listCgroupProcesses(await trial.group());
      const program = fileURLToPath(new URL('testing-terminal.ts', import.meta.url));
      const text = 'nohup sleep 7342 >/dev/null 2>&1 & sleep 7343';
      const child = spawn(process.execPath, [program, trial.id, trial.stateFolder, 'unit-a', text], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await until(() => running('sleep 7342').length + running('sleep 7343').length === 2);
      child.kill('SIGKILL');
      await once(child, 'exit');
      // The kernel hangs up. Who does not listen to that goes when a control plane takes over.
      await until(() => running('sleep 7343').length === 0);
      await trial.openSite();
      expect(running('sleep 7342')).toEqual([]);
      expect(listCgroupProcesses(await trial.group())).toEqual(own);
    });
  });
});
