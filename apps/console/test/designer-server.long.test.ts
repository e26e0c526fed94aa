import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { ControlPlane } from './control-plane.ts';

/** The designer against the real control plane with a simulated site: from a drawing to what runs, and what may go wrong. */
const title = `the designer and the control plane${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;
const PATIENCE_MS = 15_000;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let controlPlane: ControlPlane;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    controlPlane = await ControlPlane.start();
    const site = { name: 'edge', kind: 'simulated', tier: 'edge', config: { seed: 7 } };
    expect((await controlPlane.call('POST', '/sites', site)).status).toBe(201);
    browser = await launchBrowser();
    page = await opened(await controlPlane.signedIn());
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await controlPlane?.[Symbol.asyncDispose]();
  });

  async function opened(address: string): Promise<Page> {
    const tab = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    tab.setDefaultTimeout(PATIENCE_MS);
    tab.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text());
    });
    tab.on('pageerror', (error) => complaints.push(String(error)));
    await tab.goto(address);
    await tab.locator('nav').first().waitFor();
    return tab;
  }
  const button = (name: string, within: Pick<Page, 'getByRole'> = page) =>
    within.getByRole('button', { name, exact: true });
  const block = (name: string) => page.locator(`[data-block="${name}"]`);
  const saved = () => page.locator('[data-notice]').getByText(/Saved as/);

  it('draws a service, saves it, and runs it', async () => {
    await page.goto(`${controlPlane.origin}/designer`);
    await page.locator('[data-template="empty"]').click();
    await page.locator('[data-entry="function"]').click();
    await block('app').waitFor();
    await block('app').click();
    await page.locator('[data-network="net"]').click({ modifiers: ['Shift'] });
    await page.locator('[data-port="app.eth0"]').waitFor();
    await button('Save').click();
    await saved().waitFor();
    await button('Plan…').click();
    await page.waitForURL(/\/deploy/);
    await button('Plan').click();
    await page.locator('[data-placed-on="edge"]').getByText('app/app#0').waitFor();
    await button('Deploy').click();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await page.goto(`${controlPlane.origin}/services/my-service?tab=units`);
    await page.locator('[data-row]').getByText('app/app').first().waitFor();
  });

  it('goes on with an edit when the control plane was killed in the middle of it', async () => {
    await page.goto(`${controlPlane.origin}/designer?descriptor=my-service`);
    await block('app').waitFor();
    await page.locator('[data-entry="firewall"]').click();
    await block('firewall').waitFor();
    await controlPlane.kill();
    await page.getByText('The control plane does not answer').first().waitFor();
    await page.locator('[data-entry="function"]').click();
    await block('app-2').waitFor();
    await button('Save').click();
    await page.getByText('SF-API-UNREACHABLE').waitFor();
    await button('Go on').click();
    expect(await block('app-2').count()).toBe(1);
    await controlPlane.startAgain();
    await page.getByText('The control plane does not answer').first().waitFor({ state: 'detached' });
    await button('Save').click();
    await saved().waitFor();
    const answer = await controlPlane.call('GET', '/descriptors/my-service', undefined);
    expect(((await answer.json()) as { source: string }).source).toContain('name: app-2');
  });

  it('lets a reader draw, and says why it cannot be saved', async () => {
    const made = await controlPlane.call('POST', '/tokens', { name: 'watcher', role: 'reader' });
    const { secret } = (await made.json()) as { secret: string };
    const reader = await opened(`${controlPlane.origin}/#token=${secret}`);
    await reader.goto(`${controlPlane.origin}/designer?descriptor=my-service`);
    await reader.locator('[data-entry="firewall"]').click();
    await reader.locator('[data-block="firewall-2"]').waitFor();
    await expect.poll(() => button('Save', reader).getAttribute('data-reason')).toContain('may only read');
    await reader.close();
  });

  it('shows in rows what cannot be arranged', async () => {
    await page.route(/elk-worker/, (route) => route.abort());
    await page.goto(`${controlPlane.origin}/designer?template=click&in=router/router`);
    await page.locator('[data-notice]').getByText('is shown in rows').waitFor();
    const places = await page
      .locator('.react-flow__node')
      .evaluateAll((nodes) => nodes.map((node) => (node as HTMLElement).style.transform));
    expect(new Set(places).size).toBe(places.length);
    expect(complaints.filter((words) => !words.includes('elk-worker'))).toEqual([]);
  });
});
