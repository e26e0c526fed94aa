import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoBrowser } from './browser.ts';
import { descriptor, Flow, PATIENCE_MS } from './flow.ts';

/** The main job of the console against the real control plane with simulated sites: from an empty one to a service that is moved. */
const title = `the console and the control plane${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let flow: Flow;
  let page: Page;
  /** The site at which the function is that will be moved. */
  let at: string;

  beforeAll(async () => {
    flow = await Flow.open();
    ({ page } = flow);
  }, 90_000);
  afterAll(() => flow?.[Symbol.asyncDispose]());

  it('is sent compressed, and says what is not there yet', async () => {
    const index = await fetch(flow.controlPlane.origin, { headers: { 'accept-encoding': 'br' } });
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await index.text())![1]!;
    const answer = await fetch(flow.controlPlane.origin + script, { headers: { 'accept-encoding': 'br' } });
    expect(answer.headers.get('content-encoding')).toBe('br');
    expect(await answer.text()).toContain('use');
    await page.goto(await flow.controlPlane.signedIn());
    await page.getByRole('heading', { name: 'No service yet' }).waitFor();
    expect(page.url()).not.toContain('token');
  });

  it('adds sites by the form of the driver', async () => {
    for (const name of ['edge', 'core']) {
      await flow.go('/settings?tab=sites&do=add');
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Kind', { exact: true }).selectOption('simulated');
      await dialog.getByLabel('Name').fill(name);
      await dialog.getByLabel('Tier').fill(name);
      await dialog.getByLabel('seed').fill('7');
      await flow.button('Add', dialog).click();
      await dialog.waitFor({ state: 'detached' });
      await page.locator(`[data-row="${name}"]`).waitFor();
    }
    await flow.go('/infrastructure/edge?do=link');
    const link = page.getByRole('dialog');
    await link.getByLabel('One way, in ms').fill('12.5');
    await flow.button('Link', link).click();
    await link.waitFor({ state: 'detached' });
    await page.getByText('13 ms one way').waitFor();
    await flow.go('/infrastructure?tab=hosts');
    await flow.eventually(() => page.locator('[data-total]').getAttribute('data-total')).toBe('8');
    await page.getByLabel('Search hosts').fill('core/');
    await flow.eventually(() => page.locator('[data-total]').getAttribute('data-total')).toBe('4');
    await flow.go('/infrastructure?tab=load');
    await page.locator('[data-heat-hosts="8"]').waitFor();
  });

  it('onboards, plans and deploys, and shows it to its end', async () => {
    await flow.go('/catalogue?do=onboard');
    await flow.choose(descriptor);
    await flow.button('Onboard', page.getByRole('dialog')).click();
    await page.getByRole('heading', { name: 'shop', level: 1 }).waitFor();
    await flow.button('Plan…').click();
    await flow.button('Plan').click();
    const placed = page.locator('[data-placed-on]').filter({ hasText: 'web/web#0' });
    at = (await placed.getAttribute('data-placed-on')) ?? '';
    await page.locator('[data-proof="holds"]').waitFor();
    await flow.button('Deploy').click();
    await page.getByRole('heading', { name: 'Deploy shop', level: 1 }).waitFor();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await flow.go('/services?healthy=true');
    await page.locator('[data-row="shop"]').waitFor();
  });

  it('moves a function, but not to where its descriptor does not want it', async () => {
    const to = at === 'core' ? 'edge' : 'core';
    await flow.go('/services/shop?do=move');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Function').selectOption('client');
    await dialog.getByLabel('To site').selectOption('core');
    await flow.button('Move', dialog).click();
    // Its descriptor wants it at the edge: that is what the refusal must say.
    await dialog.getByText(/SF-/).first().waitFor();
    expect(await dialog.innerText()).toMatch(/edge/);
    await dialog.getByLabel('Function').selectOption('web');
    await dialog.getByLabel('To site').selectOption(to);
    await flow.button('Move', dialog).click();
    await page.getByRole('heading', { name: `Move web to ${to}`, level: 1 }).waitFor();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    const { units } = await flow.api.call('getService', { params: { name: 'shop' } });
    expect(units.filter(({ path }) => path === 'web/web').map(({ site }) => site)).toEqual([to]);
    await flow.go(`/infrastructure?tab=units&site=${to}`);
    await page.locator('[data-row]').getByText('web/web').first().waitFor();
  });

  it('shows the proof on what the sites have, and who asked for what', async () => {
    await flow.go('/verification?service=shop&plane=intended');
    await page.locator('[data-policy="served"]').waitFor();
    await flow.go('/verification?service=shop&from=client&to=web&packet=tcp%20dst%20port%208080');
    await page.locator('[data-way="answered"]').first().waitFor();
    expect(await page.locator('[data-way="answered"] .sf-hop-list').first().innerText()).toContain('web/web#0');
    await flow.go('/events?kind=audit');
    await page.getByText('admin: deploy service').first().waitFor();
    await page.getByText('admin: move service shop').first().waitFor();
    await page.getByLabel('Search events').fill('refused');
    await flow
      .eventually(async () => Number(await page.locator('[data-total]').getAttribute('data-total')))
      .toBeGreaterThan(0);
    await flow.eventually(() => page.getByText('admin: deploy service').count()).toBe(0);
  });

  it('lets a user sign in, and names that one in the audit', async () => {
    await flow.api.call('addUser', { body: { name: 'giulia', role: 'admin', password: 'four words make it' } });
    const own = await (await flow.browser.newContext()).newPage();
    own.setDefaultTimeout(PATIENCE_MS);
    await own.goto(`${flow.controlPlane.origin}/infrastructure?tab=links`);
    await own.getByLabel('Name', { exact: true }).fill('giulia');
    await own.getByLabel('Password', { exact: true }).fill('four words make it');
    await flow.button('Sign in', own).click();
    await own.locator('[data-plan-site="core"]').waitFor();
    const [cookie] = await own.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    await own.close();
    await flow.go('/events?kind=audit');
    await page
      .getByText(/^giulia: /)
      .first()
      .waitFor();
  });

  it('terminates it, and nothing is left', async () => {
    await flow.go('/services/shop');
    await flow.button('Terminate').click();
    await flow.button('Terminate', page.getByRole('dialog')).click();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await flow.go('/infrastructure?tab=units');
    await page.getByText('Nothing runs').waitFor();
    await flow.go('/services/shop');
    await page.locator('[data-failure="absent"]').waitFor();
    expect(flow.complaints).toEqual([]);
  });
});
