import { createClient } from '@superfluidity/api';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { ControlPlane } from './control-plane.ts';

/** The main job of the console against the real control plane with simulated sites: from an empty one to a service that is moved. */
const PATIENCE_MS = 10_000;
const title = `the console and the control plane${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

const descriptor = `superfluidity: 1
service:
  name: shop
  version: "1"
  networks:
    - {name: clients, prefix: 10.61.0.0/16}
    - {name: servers, prefix: 10.63.0.0/16}
  functions:
    - {name: client, environment: container, image: "host:", command: [sh], ports: [clients], requirements: {location: {sites: [edge]}}}
    - {name: web, environment: container, image: "host:", command: [sh], ports: [servers], requirements: {location: {sites: [core]}}}
  chains:
    - {name: watch, from: client, to: web, address: 10.98.0.61, ports: [8080]}
  policies:
    - {name: served, reach: {from: client, to: web, packet: tcp dst port 8080}}
`;
const template = `heat_template_version: 2018-08-31
parameters:
  count: {type: number, label: How many, constraints: [{range: {min: 1, max: 4}}]}
  prefix: {type: string, default: web, constraints: [{length: {min: 2, max: 8}}]}
resources:
  net: {type: OS::Neutron::Net, properties: {name: lan}}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: 10.65.0.0/24}}
  web:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: count}
      resource_def:
        type: OS::Nova::Server
        properties: {name: {get_param: prefix}, image: "guest:", flavor: small, networks: [{network: {get_resource: net}}]}
`;
const violated = descriptor
  .replace('name: shop', 'name: open')
  .replace('prefix: 10.61.', 'prefix: 10.71.')
  .replace('prefix: 10.63.', 'prefix: 10.73.')
  .replace('10.98.0.61', '10.98.0.71')
  .replace('reach: {from: client', 'deny: {from: client');

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let controlPlane: ControlPlane;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    controlPlane = await ControlPlane.start();
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await controlPlane?.[Symbol.asyncDispose]();
  });

  const go = (to: string) => page.goto(controlPlane.origin + to);
  const button = (name: string, within: Page | Locator = page) => within.getByRole('button', { name, exact: true });
  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS, interval: 50 });
  const choose = async (text: string) => {
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'service.yaml', mimeType: 'text/yaml', buffer: Buffer.from(text) });
  };

  it('is sent compressed, and says what is not there yet', async () => {
    const index = await fetch(controlPlane.origin, { headers: { 'accept-encoding': 'br' } });
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await index.text())![1]!;
    const answer = await fetch(controlPlane.origin + script, { headers: { 'accept-encoding': 'br' } });
    expect(answer.headers.get('content-encoding')).toBe('br');
    expect(await answer.text()).toContain('use');
    await page.goto(await controlPlane.signedIn());
    await page.getByRole('heading', { name: 'No service yet' }).waitFor();
    expect(page.url()).not.toContain('token');
  });

  it('adds sites by the form of the driver', async () => {
    for (const name of ['edge', 'core']) {
      await go('/settings?tab=sites&do=add');
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Kind', { exact: true }).selectOption('simulated');
      await dialog.getByLabel('Name').fill(name);
      await dialog.getByLabel('Tier').fill(name);
      await dialog.getByLabel('seed').fill('7');
      await button('Add', dialog).click();
      await dialog.waitFor({ state: 'detached' });
      await page.locator(`[data-row="${name}"]`).waitFor();
    }
    await go('/infrastructure/edge?do=link');
    const link = page.getByRole('dialog');
    await link.getByLabel('One way, in ms').fill('12.5');
    await button('Link', link).click();
    await link.waitFor({ state: 'detached' });
    await page.getByText('13 ms one way').waitFor();
    await go('/infrastructure?tab=hosts');
    await eventually(() => page.locator('[data-total]').getAttribute('data-total')).toBe('8');
    await page.getByLabel('Search hosts').fill('core/');
    await eventually(() => page.locator('[data-total]').getAttribute('data-total')).toBe('4');
    await go('/infrastructure?tab=load');
    await page.locator('[data-heat-hosts="8"]').waitFor();
  });

  it('refuses what violates a policy, with the packet', async () => {
    await go('/deploy');
    await page.getByRole('button', { name: 'From files' }).click();
    await choose(violated);
    await button('Plan').click();
    await page.locator('[data-proof="violated"]').getByLabel('The packet').first().waitFor();
    expect(await button('Deploy').getAttribute('data-reason')).toContain('violated');
  });

  it('asks for what a template leaves open, and plans with what was given', async () => {
    await go('/deploy');
    await page.getByRole('button', { name: 'From files' }).click();
    await choose(template);
    await page.getByLabel('How many').fill('9');
    await page.getByText('At most 4.').waitFor();
    expect(await button('Plan').isDisabled()).toBe(true);
    await page.getByLabel('How many').fill('3');
    await page.getByLabel('prefix').fill('x');
    await button('Plan').click();
    await page.getByText("input 'prefix' must be as long as at least 2 and at most 8").waitFor();
    await page.getByLabel('prefix').fill('shop');
    await button('Plan').click();
    await eventually(() => page.locator('[data-placed-on]').getByText(/#\d/).count()).toBe(3);
  });

  it('onboards, plans and deploys, and shows it to its end', async () => {
    await go('/catalogue?do=onboard');
    await choose(descriptor);
    await button('Onboard', page.getByRole('dialog')).click();
    await page.getByRole('heading', { name: 'shop', level: 1 }).waitFor();
    await button('Plan…').click();
    await button('Plan').click();
    await page.locator('[data-placed-on="core"]').getByText('web/web#0').waitFor();
    await page.locator('[data-proof="holds"]').waitFor();
    await button('Deploy').click();
    await page.getByRole('heading', { name: 'Deploy shop', level: 1 }).waitFor();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await go('/services?healthy=true');
    await page.locator('[data-row="shop"]').waitFor();
  });

  it('moves a function, and lists the units where they are', async () => {
    await go('/services/shop?do=move');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Function').selectOption('web');
    await dialog.getByLabel('To site').selectOption('edge');
    await button('Move', dialog).click();
    // Its descriptor wants it at the core: that is what the refusal must say.
    await dialog.getByText(/SF-/).first().waitFor();
    expect(await dialog.innerText()).toMatch(/core/);
    await button('Cancel', dialog).click();
    await go('/infrastructure?tab=units&site=core');
    await eventually(() => page.locator('[data-row]').count()).toBe(1);
  });

  it('shows the proof on what the sites have, and who asked for what', async () => {
    await go('/verification?service=shop&plane=intended');
    await page.locator('[data-policy="served"]').waitFor();
    await go('/events?kind=audit');
    await page.getByText('admin: deploy service').first().waitFor();
    await page.getByText('admin: move service shop').first().waitFor();
    await page.getByLabel('Search events').fill('refused');
    await eventually(async () => Number(await page.locator('[data-total]').getAttribute('data-total'))).toBeGreaterThan(
      0,
    );
    await eventually(() => page.getByText('admin: deploy service').count()).toBe(0);
  });

  it('lets a user sign in, names that one in the audit, and asks again when the sessions have been ended', async () => {
    const token = await controlPlane.token();
    const api = createClient({ server: controlPlane.origin, token });
    await api.call('addUser', { body: { name: 'giulia', role: 'admin', password: 'four words make it' } });
    const own = await (await browser.newContext()).newPage();
    own.setDefaultTimeout(PATIENCE_MS);
    await own.goto(`${controlPlane.origin}/settings?tab=sites&do=add`);
    await own.getByLabel('Name', { exact: true }).fill('giulia');
    await own.getByLabel('Password', { exact: true }).fill('four words make it');
    await button('Sign in', own).click();
    const dialog = own.getByRole('dialog', { name: 'Add a site' });
    await dialog.getByLabel('Kind', { exact: true }).selectOption('simulated');
    await dialog.getByLabel('Name').fill('lab');
    await dialog.getByLabel('seed').fill('9');
    const [cookie] = await own.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    await api.call('endUserSessions', { params: { name: 'giulia' } });
    await button('Add', dialog).click();
    const again = own.getByRole('dialog', { name: 'Your session is over' });
    await again.getByLabel('Password', { exact: true }).fill('four words make it');
    await button('Sign in', again).click();
    await own.locator('[data-row="lab"]').waitFor();
    await own.goto(`${controlPlane.origin}/events?by=giulia`);
    await own.getByText('giulia: add site lab').first().waitFor();
    await own.close();
    await api.call('removeSite', { params: { name: 'lab' } });
  });

  it('changes its networks by a plan that is proven and pushed, also when somebody else is quicker', async () => {
    await go('/infrastructure?tab=networks&search=shop');
    await page.locator('[data-row="service shop.clients"] a').click();
    await page.locator('[data-network="clients"]').waitFor();
    await page.locator('[data-node="network:clients"]').waitFor();
    const prefix = page.getByLabel('Prefix of clients');
    await prefix.fill('10.161.0.0/16');
    await prefix.press('Enter');
    await page.locator('[data-changes="1"]').waitFor();
    await page.getByLabel('Unit to attach').selectOption('web/web');
    await page.getByLabel('Network to attach it to').selectOption('clients');
    await button('Attach').click();
    await page.locator('[data-port="web/web.eth1"]').waitFor();
    // Somebody else gives the other network another prefix meanwhile.
    const theirs = { path: 'service.yaml', base64: btoa(descriptor.replace('10.63.0.0/16', '10.163.0.0/16')) };
    const api = createClient({ server: controlPlane.origin, token: await controlPlane.token() });
    await api.call('updateService', { params: { name: 'shop' }, body: { source: { files: [theirs] } } });
    const service = () => api.call('getService', { params: { name: 'shop' } });
    await eventually(async () => (await service()).busy).toBeUndefined();
    await button('Plan').click();
    await page.locator('[data-planned] [data-step]').first().waitFor();
    await button('Push').click();
    const merge = page.locator('[data-merge]');
    await merge.waitFor();
    await button('Take theirs, drop mine', merge).waitFor();
    expect(await merge.getAttribute('data-merge')).toBe('1');
    await button('Take theirs, drop mine', merge).click();
    await eventually(() => page.getByLabel('Prefix of servers').inputValue()).toBe('10.163.0.0/16');
    await page.getByLabel('Unit to attach').selectOption('web/web');
    await page.getByLabel('Network to attach it to').selectOption('clients');
    await button('Attach').click();
    await page.locator('[data-port="web/web.eth1"]').waitFor();
    await button('Plan').click();
    await page.locator('[data-planned]').waitFor();
    await page.locator('[data-proof="holds"]').waitFor();
    await button('Push').click();
    await page.getByRole('heading', { name: 'Update shop', level: 1 }).waitFor();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    const { networks, units } = await service();
    expect(networks!.map(({ prefix: now }) => now)).toEqual(['10.61.0.0/16', '10.163.0.0/16']);
    expect(units.find(({ path }) => path === 'web/web')!.ports.map(({ network }) => network)).toEqual([
      'shop.servers',
      'shop.clients',
    ]);
  });

  it('changes a link by an operation', async () => {
    await go('/infrastructure?tab=links');
    await page.getByRole('button', { name: 'Change the link between edge and core' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('One way, in ms').fill('25');
    await button('Change', dialog).click();
    await page.getByRole('link', { name: 'Watch the operation' }).click();
    await page.getByRole('heading', { name: /Change link/, level: 1 }).waitFor();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await go('/infrastructure?tab=links');
    await page.locator('[data-row]').getByText('25 ms').waitFor();
  });

  it('terminates it, and nothing is left', async () => {
    await go('/services/shop');
    await button('Terminate').click();
    await button('Terminate', page.getByRole('dialog')).click();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await go('/infrastructure?tab=units');
    await page.getByText('Nothing runs').waitFor();
    await go('/services/shop');
    await page.locator('[data-failure="absent"]').waitFor();
    expect(complaints).toEqual([]);
  });
});
