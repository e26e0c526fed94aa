import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mock } from '../mock/server.ts';
import { violations } from './accessibility.ts';
import { axeFindings } from './axe.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole, startBusyMock, visit } from './busy-mock.ts';
import { type Visit, visits } from './pages.ts';

/**
 * Whether everybody can use every page: axe, light and dark, a small window and a phone. With SUPERFLUIDITY_SCREENSHOTS=1
 * the pictures of docs/screenshots are taken anew; SUPERFLUIDITY_PAGES=unit visits those alone with that in their name.
 */
const pictures = process.env['SUPERFLUIDITY_SCREENSHOTS'] === '1';
/** Part of the names of the pages that are visited. */
const only = process.env['SUPERFLUIDITY_PAGES'] ?? '';
const folder = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));
const title = `every page of the console in Chromium${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let mock: Mock;
  let browser: Browser;
  let all: readonly Visit[];
  const complaints: string[] = [];

  beforeAll(async () => {
    mock = await startBusyMock();
    all = visits(mock).filter(({ name }) => name.includes(only));
    browser = await launchBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  const open = (options: Parameters<Browser['newPage']>[0]) => openConsole(browser, mock.url, complaints, options);

  it('has pages that axe finds nothing in, light and dark, and that are never wider than the window', async () => {
    if (pictures) mkdirSync(folder, { recursive: true });
    const found: string[] = [];
    for (const theme of ['light', 'dark'] as const) {
      const on = await open({ colorScheme: theme });
      for (const one of all) {
        await visit(one, mock.url, on);
        const told =
          theme === 'light'
            ? [...(await violations(on)), ...(await axeFindings(on))]
            : await axeFindings(on, ['color-contrast']);
        found.push(...told.map((line) => `${one.name}, ${theme}: ${line}`));
        if (pictures) {
          await on.waitForTimeout(one.name === 'overview' ? 2_500 : 400);
          await on.screenshot({ path: `${folder}${one.name}-${theme}.png` });
        }
        if (theme === 'dark') continue;
        await on.setViewportSize({ width: 1280, height: 800 });
        const wide = await on.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) found.push(`${one.name}: ${wide} px wider than 1280`);
        await on.setViewportSize({ width: 1440, height: 900 });
      }
      await on.close();
    }
    expect(found).toEqual([]);
  }, 480_000);

  it('can be watched on a phone', async () => {
    const phone = await open({ viewport: { width: 390, height: 844 }, hasTouch: true });
    const found: string[] = [];
    for (const one of all.filter(({ name }) =>
      ['overview', 'services', 'operation', 'events', 'infrastructure', 'verification'].includes(name),
    )) {
      await visit(one, mock.url, phone);
      const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${one.name}: ${wide} px wider than the phone`);
      if (pictures && ['overview', 'operation', 'services'].includes(one.name)) {
        await phone.waitForTimeout(600);
        await phone.screenshot({ path: `${folder}${one.name}-phone.png` });
      }
    }
    expect(found).toEqual([]);
    await phone.getByRole('button', { name: 'Navigation' }).click();
    await phone.getByRole('link', { name: 'Catalogue' }).click();
    await phone.getByRole('heading', { name: 'Catalogue', level: 1 }).waitFor();
    await phone.close();
  });

  it('has made no complaint', () => {
    expect(complaints).toEqual([]);
  });
});
