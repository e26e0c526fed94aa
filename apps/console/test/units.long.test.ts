import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mock } from '../mock/server.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole, PATIENCE_MS, startBusyMock, TOKEN } from './busy-mock.ts';

/** What is beside the list of units, in a real browser, on the mock control plane. */
const title = `units of the console in Chromium${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;
const MEGABYTE = 1_000_000;

describe.skipIf(whyNoBrowser !== undefined)(title, { timeout: 60_000 }, () => {
  let mock: Mock;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    mock = await startBusyMock();
    browser = await launchBrowser();
    page = await openConsole(browser, mock.url, complaints);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  const unit = (path: string) => mock.world.services.get('mobile-edge')!.units.find((one) => one.path === path)!;
  const show = async (path: string, part: string, within = page) => {
    await within.goto(`${mock.url}/services/mobile-edge?tab=units&unit=${unit(path).id}&show=${part}`);
    await within.locator('.sf-unit-panel').waitFor();
  };
  const button = (name: string, within = page) => within.getByRole('button', { name, exact: true });
  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS, interval: 40 });
  const screen = () => page.locator('.xterm-rows').innerText();
  const isAt = (state: string) => page.locator(`[data-terminal-state="${state}"]`).waitFor();
  const openIt = async () => {
    await button('Open a terminal').click();
    await isAt('open');
    await eventually(screen).toContain('$');
  };
  const heapBytes = async () => {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    await session.detach();
    return usedSize;
  };

  describe('a terminal', () => {
    it('takes keys, Tab too, knows its size, and can be left by keyboard', async () => {
      await show('epc/gateway', 'terminal');
      await openIt();
      await page.keyboard.type('one\ttwo');
      await page.keyboard.press('Enter');
      await eventually(screen).toMatch(/one\s+two\s*\n/);
      expect(await page.evaluate(() => document.activeElement?.className)).toContain('xterm');
      await page.keyboard.type('size\n');
      const size = async () => (await screen()).match(/^\d+ \d+$/gm)?.at(-1);
      await eventually(size).toMatch(/^\d+ \d+$/);
      const before = await size();
      await page.setViewportSize({ width: 1100, height: 700 });
      await page.waitForTimeout(200);
      await page.keyboard.type('size\n');
      await eventually(size).not.toBe(before);
      await page.keyboard.press('F6');
      await eventually(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Close the terminal');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.className)).not.toContain('xterm');
      await page.setViewportSize({ width: 1440, height: 900 });
    });

    it('says how it ended, and is opened anew', async () => {
      await page.locator('.xterm').click();
      await page.keyboard.type('exit 3\n');
      await isAt('over');
      await page.getByText('It ended with exit code 3.').waitFor();
      await button('Open another one').click();
      await isAt('open');
      await page.keyboard.type('echo before');
      await eventually(screen).toContain('echo before');
      // It is joined anew, by itself when the network was away, and by a page that is loaded anew.
      mock.cutTerminals();
      await page.getByText('The connection was lost.').waitFor();
      await isAt('open');
      await eventually(screen).toContain('echo before');
      await page.reload();
      await isAt('open');
      await eventually(screen).toContain('echo before');
      await page.keyboard.type(' and after\n');
      await eventually(screen).toMatch(/^echo before and after/m);
      await button('Close the terminal').click();
      await isAt('closed');
      expect(await page.locator('.xterm').count()).toBe(0);
    });

    it('shows ten megabytes, keeps what fits, and goes on', async () => {
      await show('epc/gateway', 'terminal');
      await openIt();
      const before = await heapBytes();
      await page.keyboard.type('flood\n');
      await page.waitForTimeout(500);
      await expect.poll(screen, { timeout: 40_000, interval: 100 }).toMatch(/epc-gateway:~\$\s*$/);
      await page.keyboard.type('size\n');
      await eventually(screen).toMatch(/^\d+ \d+$/m);
      expect((await heapBytes()) - before).toBeLessThan(40 * MEGABYTE);
    });

    it('says why there is none', async () => {
      await show('firewall/filter', 'terminal');
      const why = await button('Open a terminal').getAttribute('data-reason');
      expect(why).toMatch(/^No terminal: a packet function is a set of rules/);
      expect(await button('Open a terminal').getAttribute('aria-disabled')).toBe('true');
      await page.getByRole('status').getByText('packet function').waitFor();
      await button('Open a terminal').click({ force: true });
      expect(await page.locator('.xterm').count()).toBe(0);
      const reader = await openConsole(browser, mock.url, complaints, {}, `${TOKEN}-reader`);
      await show('epc/gateway', 'terminal', reader);
      expect(await button('Open a terminal', reader).getAttribute('data-reason')).toMatch(/only read/);
      await reader.close();
    });
  });

  it('shows what a unit uses, and keeps it while one looks elsewhere', async () => {
    await show('epc/gateway', 'usage');
    const readings = async () => Number(await page.locator('[data-usage="cores"]').getAttribute('data-readings'));
    // Six that the server has kept, and one of the page.
    await eventually(readings).toBeGreaterThan(6);
    await page.getByText(/^\d+\.\d\d of [\d.]+ cores$/).waitFor();
    await page.getByText(/^\d+\.\d of \d+ MiB$/).waitFor();
    await page.getByText(/^in \d+\.\d, out \d+\.\d kbit\/s$/).waitFor();
    const before = await readings();
    await page.getByRole('tab', { name: 'Log', exact: true }).click();
    await page.locator('.sf-log').waitFor();
    await page.goBack();
    await eventually(readings).toBeGreaterThanOrEqual(before);
  });

  it('shows a log of ten megabytes by the lines that are seen, searches it, follows it and saves all of it', async () => {
    const line = (i: number) => `${String(i).padStart(6, '0')} ${'x'.repeat(92)}`;
    const lines = Array.from({ length: 100_000 }, (_, i) => line(i));
    mock.world.output.set(unit('radio/bbu').id, lines);
    await show('epc/gateway', 'log');
    const before = await heapBytes();
    await show('radio/bbu', 'log');
    const counted = page.locator('[data-lines]');
    await expect
      .poll(() => counted.innerText(), { timeout: 20_000, interval: 50 })
      .toMatch(/the last of more than 50.000/);
    const shown = () => page.locator('.sf-log__lines pre').innerText();
    await eventually(shown).toContain(line(99_999));
    expect((await shown()).split('\n').length).toBeLessThan(120);
    expect((await heapBytes()) - before).toBeLessThan(40 * MEGABYTE);

    // Followed: what is printed now is seen at once, until one scrolls up.
    lines.push('the news');
    await eventually(shown).toContain('the news');
    await page.locator('.sf-log__lines').hover();
    await page.mouse.wheel(0, -4_000);
    await eventually(() => page.getByRole('switch', { name: 'Follow' }).isChecked()).toBe(false);
    const where = await shown();
    lines.push('more news');
    await eventually(async () => counted.innerText()).toMatch(/50.000/);
    await page.waitForTimeout(2_000);
    expect((await shown()).split('\n')[0]!.slice(0, 2)).toBe(where.split('\n')[0]!.slice(0, 2));

    await page.getByLabel('Lines with').fill('099998');
    await eventually(shown).toBe(line(99_998));
    await page.getByLabel('Lines with').fill('');

    const download = page.waitForEvent('download', { timeout: 30_000 });
    await button('Save all').click();
    const saved = await readFile(await (await download).path(), 'utf8');
    expect(saved.length).toBeGreaterThan(10 * MEGABYTE);
    expect(saved).toBe(`${lines.join('\n')}\n`);
  });

  it('says of every action of a service, in every state, why it cannot be done', async () => {
    const service = mock.world.services.get('mobile-edge')!;
    const states = {
      'at rest': service,
      'being changed': { ...service, busy: 'op-1' },
      'not deployed': { ...service, state: 'NOT_INSTANTIATED' as const, unitCount: 0, runningCount: 0, units: [] },
      'without units': { ...service, unitCount: 0, runningCount: 0, units: [] },
      'with a failed unit': {
        ...service,
        healthy: false,
        units: service.units.map((one) => ({ ...one, state: 'failed' as const })),
      },
    };
    const shownTo = async (on: Page) => {
      const found: Record<string, Record<string, boolean>> = {};
      for (const [name, changed] of Object.entries(states)) {
        mock.world.services.set('mobile-edge', changed);
        await on.goto(`${mock.url}/services/mobile-edge?tab=units&unit=${service.units[0]!.id}&show=terminal`);
        const actions = on.locator('.sf-service__actions button, .sf-terminal__bar button');
        await on
          .locator(name === 'at rest' || name === 'being changed' ? '.sf-terminal__bar' : 'h1')
          .first()
          .waitFor();
        found[name] = {};
        for (const action of await actions.all()) {
          const disabled = (await action.getAttribute('aria-disabled')) === 'true' || (await action.isDisabled());
          const reason = await action.getAttribute('data-reason');
          expect(disabled ? reason : '', `${name}: ${await action.innerText()}`).toMatch(
            disabled ? /^[A-Z].{10}/ : /^$/,
          );
          found[name][(await action.innerText()).trim()] = !disabled;
        }
      }
      mock.world.services.set('mobile-edge', service);
      return found;
    };
    const admin = await shownTo(page);
    const all = { 'Move…': true, 'Scale…': true, Heal: true, Terminate: true };
    expect(admin['at rest']).toMatchObject(all);
    expect(admin['being changed']).toMatchObject({ 'Move…': false, 'Scale…': false, Heal: false, Terminate: false });
    expect(admin['not deployed']).toMatchObject({ 'Move…': false, 'Scale…': false, Heal: false, Terminate: true });
    expect(admin['without units']).toMatchObject({ 'Move…': false, Terminate: true });
    expect(admin['with a failed unit']).toMatchObject(all);
    const reader = await openConsole(browser, mock.url, complaints, {}, `${TOKEN}-reader`);
    for (const state of Object.values(await shownTo(reader))) {
      expect(Object.keys(state).length).toBeGreaterThan(3);
      expect(Object.values(state)).not.toContain(true);
    }
    await reader.close();
    // The dialogs too.
    await page.goto(`${mock.url}/services/mobile-edge?do=scale`);
    const submit = page.getByRole('dialog').getByRole('button', { name: 'Scale', exact: true });
    await eventually(() => submit.getAttribute('data-reason')).toMatch(/^There are 1 now/);
  });

  it('has nothing to complain of', () => {
    expect(complaints).toEqual([]);
  });
});
