import { existsSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from 'vite';
import { type Mock, startMock } from '../mock/server.ts';
import { violations } from './accessibility.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';

/**
 * The console in a real browser: against the mock control plane, or, with SUPERFLUIDITY_CONSOLE_URL and
 * SUPERFLUIDITY_CONSOLE_TOKEN, against a running one that has deployed `mobile-edge`.
 */
const realUrl = process.env['SUPERFLUIDITY_CONSOLE_URL'];
const realToken = process.env['SUPERFLUIDITY_CONSOLE_TOKEN'];
const MOCK_TOKEN = 'mock-token';
const PATIENCE_MS = 8_000;

const consoleFolder = new URL('../', import.meta.url);
const title = `the console in Chromium${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let mock: Mock | undefined;
  let browser: Browser;
  let page: Page;
  let url: string;
  let token: string;
  const complaints: string[] = [];
  const posted: { readonly method: string; readonly path: string; readonly body: unknown }[] = [];

  beforeAll(async () => {
    if (realUrl === undefined) {
      if (!existsSync(new URL('dist/index.html', consoleFolder))) {
        await build({ configFile: new URL('vite.config.ts', consoleFolder).pathname, logLevel: 'error' });
      }
      mock = await startMock({ port: 0, token: MOCK_TOKEN, speed: 3 });
      mock.scenario.deploy('mobile-edge');
    }
    url = realUrl ?? mock!.url;
    token = realToken ?? MOCK_TOKEN;
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (request.method() === 'GET') return;
      posted.push({ method: request.method(), path: new URL(request.url()).pathname, body: request.postDataJSON() });
    });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  const count = (selector: string) => page.locator(selector).count();
  const button = (name: string | RegExp, within: Page | Locator = page) =>
    within.getByRole('button', { name, exact: true });
  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS, interval: 50 });

  /** Of the panel in which they are drawn. */
  const stepsOutside = async () => {
    const panel = (await page.locator('.sf-steps').boundingBox())!;
    const boxes = await Promise.all((await page.locator('[data-step]').all()).map((step) => step.boundingBox()));
    return boxes.filter(
      (box) =>
        box!.x < panel.x ||
        box!.y < panel.y ||
        box!.x + box!.width > panel.x + panel.width ||
        box!.y + box!.height > panel.y + panel.height,
    );
  };

  const failed = async () =>
    Number(/Failed \/ requests\s+(\d+)/.exec(await page.locator('.sf-figures').innerText())?.[1]);
  let failedBefore = Number.NaN;

  it('says where the token is when it has none, and when it is refused', async () => {
    await page.goto(url);
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    expect(await violations(page)).toEqual([]);
    await button('Use a token instead').click();
    expect(await page.getByLabel('Copyable input').inputValue()).toBe('superfluidity token show');
    await page.getByLabel('Token', { exact: true }).fill('wrong');
    await button('Open').click();
    await page.getByRole('heading', { name: 'This token is not accepted' }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('takes the token out of the URL and keeps it for the tab', async () => {
    await page.goto(`${url}/#token=${token}`);
    await page.getByRole('heading', { name: 'mobile-edge' }).waitFor();
    expect(page.url()).not.toContain(token);
    await eventually(() => page.locator('.sf-reach--live').count()).toBe(1);
    // The browser itself reports the requests that were refused before.
    complaints.splice(0);
  });

  it('draws sites, hosts, units and the chain over them', async () => {
    await eventually(() => count('[data-site]')).toBeGreaterThanOrEqual(2);
    await eventually(() => count('[data-unit][data-state="running"]')).toBeGreaterThanOrEqual(6);
    await eventually(() => count('[data-chain] .sf-chain__line')).toBeGreaterThanOrEqual(5);
    expect(await count('[data-link]')).toBeGreaterThanOrEqual(1);
    expect(await count('[data-site-card]')).toBe(await count('[data-site]'));
    const unit = await page.locator('[data-unit]').first().boundingBox();
    const canvas = await page.locator('.sf-topology').boundingBox();
    expect(unit!.x).toBeGreaterThan(canvas!.x);
    expect(unit!.y + unit!.height).toBeLessThan(canvas!.y + canvas!.height);
  });

  it('shows the deployment step by step to its end', async () => {
    await eventually(() => count('[data-step]')).toBeGreaterThanOrEqual(8);
    await eventually(() => count('[data-step]:not([data-state="done"])')).toBe(0);
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    // The graph grows with the last steps, and is fitted into its panel after that.
    await eventually(stepsOutside).toEqual([]);
  });

  it('plots the latency of requests', async () => {
    const points = async () => Number(await page.locator('[data-points]').getAttribute('data-points'));
    await eventually(points).toBeGreaterThan(10);
    // Something is drawn: the canvas has pixels in the colour of the site that answers.
    const inked = await page.locator('.sf-plot canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set<string>();
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3]! > 250) colours.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
      return colours.size;
    });
    expect(inked).toBeGreaterThan(3);
  });

  it('moves a function by one request, and shows it happen', async () => {
    failedBefore = await failed();
    const from = await page.locator('[data-unit^="video/"]').first().getAttribute('data-at');
    await button('Move…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Function').selectOption('video');
    const to = await dialog.getByLabel('To site').inputValue();
    expect(to).not.toBe(from);
    expect(await violations(page)).toEqual([]);
    await button('Move', dialog).click();
    await dialog.waitFor({ state: 'detached' });
    expect(posted.at(-1)).toEqual({
      method: 'POST',
      path: '/api/v1/services/mobile-edge/move',
      body: { what: 'video', to },
    });
    const shown = page.getByLabel('Operation shown').locator('option:checked');
    await eventually(() => shown.innerText()).toMatch(/^Move video/);
    // A real move may be over between two looks at the page; the scripted one is slow enough to be caught at it.
    if (mock !== undefined) await eventually(() => count('[data-step][data-state="running"]')).toBeGreaterThan(0);
    await eventually(() => count(`[data-unit^="video/"][data-at="${to}"][data-state="running"]`)).toBe(1);
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await eventually(() => count('[data-step]:not([data-state="done"])')).toBe(0);
    await eventually(() => count(`[data-unit^="video/"][data-at="${from}"]`)).toBe(0);
    expect(await stepsOutside()).toEqual([]);
  });

  it('marks the move in the plot and tells the latency before and after', async () => {
    await eventually(() => page.locator('[data-marks]').getAttribute('data-marks')).toBe('2');
    await eventually(() => page.locator('.sf-figures').innerText()).toMatch(
      /Before → after move\s+[\d.]+ ms → [\d.]+ ms/,
    );
    expect(await failed()).toBe(failedBefore);
  });

  const eventsShown = () =>
    page.locator('[data-event]').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-event'))));

  it('lists the events, newest first', async () => {
    const shown = await eventsShown();
    expect(shown.length).toBeGreaterThan(10);
    expect(shown).toEqual([...shown].sort((a, b) => b - a));
  });

  it('asks before it terminates, and does nothing when the answer is no', async () => {
    const before = posted.length;
    await button('Terminate').click();
    await page.getByRole('heading', { name: /Terminate mobile-edge/ }).waitFor();
    await button('Keep it as it is').click();
    expect(posted).toHaveLength(before);
  });

  it('shows the details of a unit by keyboard', async () => {
    await page.locator('[data-unit^="video/"]').focus();
    await page.keyboard.press('Enter');
    const details = page.getByRole('complementary', { name: /Unit video/ });
    await details.getByText('MAC').first().waitFor();
    await button('Close', details).click();
    await details.waitFor({ state: 'detached' });
  });

  it('says why an action cannot be used', async () => {
    const retry = button('Retry');
    expect(await retry.getAttribute('aria-disabled')).toBe('true');
    expect(await retry.getAttribute('data-reason')).toContain('over');
    await retry.focus();
    await page.getByRole('tooltip').getByText('The operation is over').waitFor();
  });

  it('has names, roles and no layout wider than the window', async () => {
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it('changes the theme and remembers it', async () => {
    await button('Switch to the dark theme').click();
    await page.reload();
    await button('Switch to the light theme').waitFor();
    expect(await page.locator('html').getAttribute('class')).toContain('pf-v6-theme-dark');
  });

  it('has made no complaint so far', () => {
    expect(complaints).toEqual([]);
  });

  it('shows code and hint of what the control plane refuses', async () => {
    await page.goto(`${url}/?service=no-such-service`);
    const alert = page.getByRole('alert').filter({ hasText: 'The service no-such-service cannot be shown' });
    await alert.waitFor();
    expect(await alert.locator('code').first().innerText()).toMatch(/^SF-/);
    expect(await alert.innerText()).toContain('What to do:');
  });

  describe.skipIf(realUrl !== undefined)(
    `what is asked to go wrong${realUrl === undefined ? '' : ', skipped: needs the mock'}`,
    () => {
      it('keeps a dialog open with the error of a refused request', async () => {
        await page.goto(`${url}/`);
        await button('Scale…').click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('Instances').fill('404');
        await button('Scale', dialog).click();
        await dialog.getByText('SF-PLACE-NO-CANDIDATE').waitFor();
        expect(await dialog.innerText()).toContain('Lower the count');
        await button('Cancel', dialog).click();
      });

      it('shows a failed step with its chain of causes, and rolls back', async () => {
        await button('Move…').click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('To site').selectOption('core');
        await dialog.getByLabel('On host').selectOption('c2');
        await button('Move', dialog).click();
        await page.locator('[data-operation-state="FAILED_TEMP"]').waitFor();
        const step = page.getByRole('complementary', { name: 'Step' });
        for (const text of ['SF-SITE-UNIT-FAILED', 'qemu-system-x86_64 -M microvm', 'ENOMEM', 'What to do:']) {
          expect(await step.innerText()).toContain(text);
        }
        expect(await button('Move…').getAttribute('data-reason')).toContain('under way');
        await button('Roll back').click();
        await button('Roll back', page.getByRole('dialog')).click();
        await page.locator('[data-operation-state="ROLLED_BACK"]').waitFor();
        expect(await count('[data-step][data-state="undone"]')).toBeGreaterThan(0);
      });

      it('goes on without what failed, and shows what that was', async () => {
        await button('Move…').click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('To site').selectOption('core');
        await dialog.getByLabel('On host').selectOption('c2');
        await button('Move', dialog).click();
        await page.locator('[data-operation-state="FAILED_TEMP"]').waitFor();
        await button('Continue').click();
        await button('Continue', page.getByRole('dialog')).click();
        await page.locator('[data-operation-state="COMPLETED"]').waitFor();
        expect(await count('[data-step][data-state="skipped"]')).toBeGreaterThan(1);
        expect(await count('[data-unit^="video/"][data-at="edge"][data-state="running"]')).toBe(1);
      });

      it('marks a failed request', async () => {
        mock!.scenario.failOneRequest(mock!.world.services.get('mobile-edge')!);
        await eventually(() => page.locator('.sf-figures').innerText()).toMatch(/Failed \/ requests\s+1 of/);
      });

      it('says what to type when there is nothing yet', async () => {
        mock!.world.services.clear();
        mock!.world.operations.clear();
        mock!.world.events.splice(0);
        await page.goto(`${url}/`);
        await page.getByRole('heading', { name: 'No service yet' }).waitFor();
        await page.getByText('superfluidity deploy examples/mobile-edge').first().waitFor();
        await page.getByText('superfluidity events --follow').waitFor();
      });
    },
  );
});
