import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoBrowser } from './browser.ts';
import { descriptor, Flow, PATIENCE_MS } from './flow.ts';

/** What else may be asked of the console against the real control plane: refusals, inputs, networks, links, sessions that end. */
const title = `more of the console and the control plane${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;
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
  let flow: Flow;
  let page: Page;

  beforeAll(async () => {
    flow = await Flow.open();
    ({ page } = flow);
    for (const name of ['edge', 'core']) {
      const site = { name, kind: 'simulated', tier: name, config: { seed: 7 }, cells: [], services: [] };
      await flow.api.call('addSite', { body: { ...site, price: { core: 1, gib: 0.1 } } });
    }
    await flow.api.call('setLink', {
      body: { a: 'edge', b: 'core', latencyMs: 12.5, jitterMs: 0, loss: 0, bandwidthMbps: 1_000 },
    });
    await page.goto(await flow.controlPlane.signedIn());
    await page.locator('nav').first().waitFor();
  }, 90_000);
  afterAll(() => flow?.[Symbol.asyncDispose]());

  it('refuses what violates a policy, with the packet', async () => {
    await flow.go('/deploy');
    await page.getByRole('button', { name: 'From files' }).click();
    await flow.choose(violated);
    await flow.button('Plan').click();
    await page.locator('[data-proof="violated"]').getByLabel('The packet').first().waitFor();
    expect(await flow.button('Deploy').getAttribute('data-reason')).toContain('violated');
  });

  it('asks for what a template leaves open, and plans with what was given', async () => {
    await flow.go('/deploy');
    await page.getByRole('button', { name: 'From files' }).click();
    await flow.choose(template);
    await page.getByLabel('How many').fill('9');
    await page.getByText('At most 4.').waitFor();
    expect(await flow.button('Plan').isDisabled()).toBe(true);
    await page.getByLabel('How many').fill('3');
    await page.getByLabel('prefix').fill('x');
    await flow.button('Plan').click();
    await page.getByText("input 'prefix' must be as long as at least 2 and at most 8").waitFor();
    await page.getByLabel('prefix').fill('shop');
    await flow.button('Plan').click();
    await flow.eventually(() => page.locator('[data-placed-on]').getByText(/#\d/).count()).toBe(3);
  });

  it('changes the networks of a service by a plan that is proven and pushed, also when somebody else is quicker', async () => {
    const ours = { path: 'service.yaml', base64: btoa(descriptor) };
    await flow.api.call('deployService', { body: { source: { files: [ours] } } });
    const service = () => flow.api.call('getService', { params: { name: 'shop' } });
    await flow.eventually(async () => (await service()).busy).toBeUndefined();
    await flow.go('/infrastructure?tab=networks&search=shop');
    await page.locator('[data-row="service shop.clients"] a').click();
    await page.locator('[data-network="clients"]').waitFor();
    await page.locator('[data-node="network:clients"]').waitFor();
    const prefix = page.getByLabel('Prefix of clients');
    await prefix.fill('10.161.0.0/16');
    await prefix.press('Enter');
    await page.locator('[data-changes="1"]').waitFor();
    await page.getByLabel('Unit to attach').selectOption('web/web');
    await page.getByLabel('Network to attach it to').selectOption('clients');
    await flow.button('Attach').click();
    await page.locator('[data-port="web/web.eth1"]').waitFor();
    // Somebody else gives the other network another prefix meanwhile.
    const theirs = { path: 'service.yaml', base64: btoa(descriptor.replace('10.63.0.0/16', '10.163.0.0/16')) };
    await flow.api.call('updateService', { params: { name: 'shop' }, body: { source: { files: [theirs] } } });
    await flow.eventually(async () => (await service()).busy).toBeUndefined();
    await flow.button('Plan').click();
    await page.locator('[data-planned] [data-step]').first().waitFor();
    await flow.button('Push').click();
    const merge = page.locator('[data-merge]');
    await merge.waitFor();
    await flow.button('Take theirs, drop mine', merge).waitFor();
    expect(await merge.getAttribute('data-merge')).toBe('1');
    await flow.button('Take theirs, drop mine', merge).click();
    await flow.eventually(() => page.getByLabel('Prefix of servers').inputValue()).toBe('10.163.0.0/16');
    await page.getByLabel('Unit to attach').selectOption('web/web');
    await page.getByLabel('Network to attach it to').selectOption('clients');
    await flow.button('Attach').click();
    await page.locator('[data-port="web/web.eth1"]').waitFor();
    await flow.button('Plan').click();
    await page.locator('[data-planned]').waitFor();
    await page.locator('[data-proof="holds"]').waitFor();
    await flow.button('Push').click();
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
    await flow.go('/infrastructure?tab=links');
    await page.getByRole('button', { name: 'Change the link between edge and core' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('One way, in ms').fill('25');
    await flow.button('Change', dialog).click();
    await page.getByRole('link', { name: 'Watch the operation' }).click();
    await page.getByRole('heading', { name: /Change link/, level: 1 }).waitFor();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await flow.go('/infrastructure?tab=links');
    await page.locator('[data-row]').getByText('25 ms').waitFor();
  });

  it('asks a user again when the sessions have been ended, and then does in the name of that one what was pressed', async () => {
    await flow.api.call('addUser', { body: { name: 'giulia', role: 'admin', password: 'four words make it' } });
    const own = await (await flow.browser.newContext()).newPage();
    own.setDefaultTimeout(PATIENCE_MS);
    await own.goto(`${flow.controlPlane.origin}/settings?tab=sites&do=add`);
    await own.getByLabel('Name', { exact: true }).fill('giulia');
    await own.getByLabel('Password', { exact: true }).fill('four words make it');
    await flow.button('Sign in', own).click();
    const dialog = own.getByRole('dialog', { name: 'Add a site' });
    await dialog.getByLabel('Kind', { exact: true }).selectOption('simulated');
    await dialog.getByLabel('Name').fill('lab');
    await dialog.getByLabel('seed').fill('9');
    const [cookie] = await own.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    await flow.api.call('endUserSessions', { params: { name: 'giulia' } });
    await flow.button('Add', dialog).click();
    const again = own.getByRole('dialog', { name: 'Your session is over' });
    await again.getByLabel('Password', { exact: true }).fill('four words make it');
    await flow.button('Sign in', again).click();
    await own.locator('[data-row="lab"]').waitFor();
    await own.goto(`${flow.controlPlane.origin}/events?by=giulia`);
    await own.getByText('giulia: add site lab').first().waitFor();
    await own.close();
    await flow.api.call('removeSite', { params: { name: 'lab' } });
  });

  it('has made no complaint', () => {
    expect(flow.complaints).toEqual([]);
  });
});
