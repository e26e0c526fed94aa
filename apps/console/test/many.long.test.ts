import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mock } from '../mock/server.ts';
import { makeSite } from '../mock/make-site.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole, PATIENCE_MS, startBusyMock } from './busy-mock.ts';

/** The overview while there is much of everything: what is drawn stays little, and what is pressed is done soon. */
const title = `much of everything in Chromium${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let mock: Mock;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    mock = await startBusyMock();
    browser = await launchBrowser();
    page = await openConsole(browser, mock.url, complaints);
    await page.goto(`${mock.url}/?service=mobile-edge`);
    await page.locator('[data-unit]').first().waitFor();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  const count = (selector: string) => page.locator(selector).count();
  const button = (name: string, within: Pick<Page, 'getByRole'> = page) =>
    within.getByRole('button', { name, exact: true });
  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS, interval: 50 });
  const eventsShown = () =>
    page.locator('[data-event]').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-event'))));

  it('scrolls through 10,000 events without holding them in the page', async () => {
    mock.scenario.chatter(10_000);
    await eventually(() => page.locator('[data-event]').first().getAttribute('aria-setsize')).toBe('10000');
    const list = page.getByLabel('Events, newest first');
    const slowestMs = await list.evaluate(async (element) => {
      let slowest = 0;
      let before = performance.now();
      for (let frame = 0; frame < 60; frame += 1) {
        element.scrollTop += 900;
        const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
        slowest = Math.max(slowest, now - before);
        before = now;
      }
      return slowest;
    });
    // A machine that does other things too may miss some frames, not a second's worth.
    expect(slowestMs).toBeLessThan(500);
    expect(await count('[data-event]')).toBeLessThan(60);
    const read = (await eventsShown())[20]!;
    mock.scenario.chatter(5);
    await page.waitForTimeout(400);
    expect(await eventsShown()).toContain(read);
    await list.evaluate((element) => (element.scrollTop = element.scrollHeight));
    await eventually(async () => await page.locator('[data-event]').last().getAttribute('aria-posinset')).toBe('10000');
  });

  it('stays usable with 1,000 units', async () => {
    mock.scenario.grow(mock.world.services.get('mobile-edge')!, 'video/server', 1_000);
    await eventually(() => page.locator('.sf-service dl').innerText()).toMatch(/of 1.00\d units/);
    await eventually(() => count('[data-count]')).toBeGreaterThan(1);
    expect(await count('.react-flow__node')).toBeLessThan(100);
    const started = Date.now();
    await button('Move…').click();
    await page.getByRole('dialog').waitFor();
    expect(Date.now() - started).toBeLessThan(2_000);
    await button('Cancel', page.getByRole('dialog')).click();
  });

  it('draws a site of 10,000 hosts by rack, and chooses among many sites by name', async () => {
    const hosts = Array.from({ length: 10_000 }, (_, i) => ({
      name: `v${i}`,
      cpu: 8,
      memoryMiB: 1_024,
      environments: ['container' as const],
    }));
    const vast = makeSite('vast', 'edge', hosts);
    vast.hosts.forEach((host, i) => {
      host.rack = `r${Math.floor(i / 500) + 1}`;
    });
    mock.world.sites.set('vast', vast);
    for (let i = 0; i < 40; i += 1) mock.world.sites.set(`spot${i}`, makeSite(`spot${i}`, 'cloud', hosts.slice(0, 1)));
    await page.goto(`${mock.url}/infrastructure?tab=topology&at=vas`);
    await eventually(() => count('[data-node^="rack:vast/"]')).toBe(20);
    expect(await page.locator('[data-node="rack:vast/r2"]').innerText()).toContain('500 hosts');
    expect(await count('[data-node^="host:"]')).toBe(0);
    await page.getByLabel('Search sites').fill('');
    await eventually(() => count('[data-node^="site:"]')).toBe(24);
    expect(await page.locator('[data-sites]').innerText()).toMatch(/^24 of 4\d sites$/);
    await page.getByLabel('Search sites').fill('spot39');
    await eventually(() => count('[data-node^="site:"]')).toBe(1);
    expect(page.url()).toContain('at=spot39');
    await page.getByLabel('Search sites').fill('mars');
    await page.getByText('No such site').waitFor();
  });

  it('has made no complaint', () => {
    expect(complaints).toEqual([]);
  });
});
