import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listSubgroups } from './kernel/cgroup.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { running, TerminalTrial, until } from './testing-trial.ts';

const reason = missingForKernelTests(['nft', 'runc']);
const trial = new TerminalTrial();
const options = { timeout: trial.timeoutMs };

describe.skipIf(reason !== undefined)(titled('terminals of a linux site', reason), options, () => {
  beforeAll(() => trial.openSite());
  afterEach(() => trial.site.removeUnit('unit-a', trial.call()));
  afterAll(() => trial.close());

  describe.each(['container', 'process'] as const)('of a %s', (environment) => {
    test('are terminals: they have a name, a size that changes, and keys that interrupt', async () => {
      const status = await trial.start(environment);
      const screen = await trial.screen();
      await screen.shows(/# $/);
      screen.type('tty\n');
      await screen.shows(/^(# )?\/dev\/pts\/\d+$/m);
      screen.type('stty size\n');
      await screen.shows(/^(# )?33 91$/m);
      screen.terminal.resize({ columns: 132, rows: 50 });
      // Another process passes it on to a container, when it comes to it.
      screen.type('until [ "$(stty size)" = "50 132" ]; do sleep 0.02; done; echo size is "$(stty size)"\n');
      await screen.shows(/^(# )?size is 50 132$/m);
      screen.type('sleep 7340\n');
      await until(() => running('sleep 7340').length === 1);
      screen.type('\u0003');
      await screen.shows(/\^C\n+# $/);
      screen.type('echo code $?\n');
      await screen.shows(/^(# )?code 130$/m);
      // In the namespaces and under the limits of the unit.
      screen.type('ip -4 -o addr show dev eth0\n');
      expect(await screen.shows(/inet [\d.]+/)).toBe(`inet ${status.ports[0]!.address}`);
      expect(listSubgroups(await trial.group())).toHaveLength(1);
      screen.type('exit 9\n');
      expect(await screen.terminal.ended).toEqual({ exitCode: 9 });
      expect(listSubgroups(await trial.group())).toEqual([]);
    });

    test('give a command its words as they are, without a shell', async () => {
      await trial.start(environment);
      const screen = await trial.screen('printf', '[%s]', '$HOME; echo', '`id`');
      expect(await screen.terminal.ended).toEqual({ exitCode: 0 });
      await screen.over;
      expect(screen.seen).toBe('[$HOME; echo][`id`]');
    });

    test('leave nothing that was begun in them when they are closed', async () => {
      await trial.start(environment);
      const screen = await trial.screen();
      screen.type('nohup sleep 7341 >/dev/null 2>&1 &\n');
      await until(() => running('sleep 7341').length === 1);
      await screen.terminal.close();
      expect(running('sleep 7341')).toEqual([]);
      expect(listSubgroups(await trial.group())).toEqual([]);
      expect((await trial.site.getUnit('unit-a'))?.state).toBe('running');
    });
  });

  test('end with a unit that ends by itself', async () => {
    await trial.start('process', ['sleep', '1']);
    const screen = await trial.screen();
    expect(await screen.terminal.ended).toEqual({ reason: expect.any(String) });
    await expect(trial.screen()).rejects.toEqual(expect.objectContaining({ code: 'SF-SITE-NO-TERMINAL' }));
  });

  test('say why a command cannot be run', async () => {
    await trial.start('process');
    await expect(trial.screen('no-such-program')).rejects.toEqual(
      expect.objectContaining({ code: 'SF-LINUX-COMMAND-MISSING' }),
    );
    expect(listSubgroups(await trial.group())).toEqual([]);
  });
});
