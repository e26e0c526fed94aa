import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeHistory } from '../mock/history.ts';
import { type Mock, startMock } from '../mock/server.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole, PATIENCE_MS, startBusyMock, TOKEN } from './busy-mock.ts';

/** How the pages of the console are used, in a real browser, on the mock control plane. */
const JS_MAX = 350_000;
const title = `the pages of the console in Chromium${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let mock: Mock;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    mock = await startBusyMock();
    browser = await launchBrowser();
    page = await open();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  const open = (token = TOKEN) => openConsole(browser, mock.url, complaints, {}, token);

  const go = async (to: string, within = page) => {
    await within.goto(mock.url + to);
    await within.locator('h1').first().waitFor();
  };
  const button = (name: string | RegExp, within: Page | Locator = page) =>
    within.getByRole('button', { name, exact: true });
  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS, interval: 40 });
  const rows = () =>
    page.locator('[data-row]').evaluateAll((found) => found.map((row) => row.getAttribute('data-row')));
  const address = async () => new URL(page.url()).search;

  it('needs less than 350 kB of compressed JavaScript for the first page, and no code of others', async () => {
    const fresh = await open();
    await fresh.locator('[data-unit]').first().waitFor();
    await fresh.locator('[data-step], [data-operation-state]').first().waitFor();
    const scripts = await fresh.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter(({ name }) => name.includes('.js') && !name.includes('worker'))
        .map((entry) => ({ name: entry.name, bytes: (entry as PerformanceResourceTiming).encodedBodySize })),
    );
    const total = scripts.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(scripts.length).toBeGreaterThan(3);
    expect(total).toBeGreaterThan(100_000);
    expect(total).toBeLessThan(JS_MAX);
    // Schemas take longer to make than the page to draw: nothing of it may ask for them.
    const texts = await Promise.all(scripts.map(async ({ name }) => (await fetch(name)).text()));
    expect(texts.filter((text) => text.includes('invalid_union'))).toEqual([]);
    expect(scripts.filter(({ name }) => /settings-page|resource-table|file-drop/.test(name))).toEqual([]);
    await fresh.close();
  });

  it('asks for what the first page shows while its code is on its way, and for nothing twice', async () => {
    const fresh = await open();
    await fresh.locator('[data-unit]').first().waitFor();
    const entries = await fresh.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map((entry) => ({ path: entry.name.replace(location.origin, ''), at: entry.startTime })),
    );
    const first = ['/api/v1/me', '/api/v1/links?limit=1000', '/api/v1/sites?limit=1000', '/api/v1/services?limit=1000'];
    const asked = entries.filter(({ path }) => first.includes(path));
    expect(asked.map(({ path }) => path).toSorted()).toEqual(first.toSorted());
    // The code of the page asks for the events, and for nothing before.
    const events = entries.find(({ path }) => path.startsWith('/api/v1/events/history'))!;
    expect(asked.filter(({ at }) => at >= events.at)).toEqual([]);
    await fresh.close();
  });

  it('goes everywhere by keyboard', async () => {
    await go('/');
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await page.getByRole('heading', { name: 'Operations', level: 1 }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('campus');
    await eventually(address).toBe('?search=campus');
    await page.keyboard.press('Control+k');
    await page.locator('#palette-input:focus').waitFor();
    await page.keyboard.type('scale mobile');
    await page.locator('[data-command="scale mobile-edge"]').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('Scale a unit of mobile-edge').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.title()).toBe('Services · Superfluidity');
    const command = async (typed: string, id: string) => {
      await page.keyboard.press('Control+k');
      await page.locator('#palette-input:focus').waitFor();
      await page.keyboard.type(typed);
      await page.locator(`[data-command="${id}"]`).waitFor();
      await eventually(() => page.locator('.sf-palette [data-command]').first().getAttribute('data-command')).toBe(id);
      await page.keyboard.press('Enter');
    };
    await command('heal mobile', 'heal mobile-edge');
    await page.getByRole('dialog').getByText('Heal mobile-edge?').waitFor();
    await page.keyboard.press('Escape');
    // The same once more: nothing of it is left in the address.
    await eventually(address).toBe('');
    await command('heal mobile', 'heal mobile-edge');
    await page.getByRole('dialog').getByText('Heal mobile-edge?').waitFor();
    await page.keyboard.press('Escape');
    await command('pools', 'part /infrastructure pools');
    await page.getByRole('heading', { name: 'Infrastructure', level: 1 }).waitFor();
    await eventually(address).toBe('?tab=pools');
    const { id } = mock.world.services.get('mobile-edge')!.units.find(({ path }) => path === 'epc/gateway')!;
    await command('epc/gateway', `unit ${id}`);
    await page.locator('.sf-unit-panel').waitFor();
    await command('core/c2', 'host core/c2');
    await eventually(rows).toEqual(['core/c2']);
  });

  it('keeps in its address what a list shows, so that back works and a link says it all', async () => {
    await go('/operations');
    await eventually(async () => (await rows()).length).toBeGreaterThan(5);
    await page.locator('[data-filter="state"]').click();
    await page.getByRole('menuitem', { name: 'rolled back' }).click();
    await eventually(address).toBe('?state=ROLLED_BACK');
    await eventually(rows).toEqual(['op-0mk000003']);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Deploy campus-firewall' }).click();
    await page.getByRole('heading', { name: 'Deploy campus-firewall', level: 1 }).waitFor();
    await page.getByText('SF-SITE-UNIT-FAILED').first().waitFor();
    await page.goBack();
    await eventually(rows).toEqual(['op-0mk000003']);
    await page.getByRole('button', { name: 'Clear all filters' }).first().click();
    await eventually(async () => (await rows()).length).toBeGreaterThan(5);
    await page.getByRole('columnheader', { name: 'Service' }).getByRole('button').click();
    await eventually(async () => (await rows())[0]).toBe('op-0mk000003');
    expect(await address()).toBe('?sort=service');
  });

  it('lists ten thousand units page by page, with few rows in the page', async () => {
    mock.scenario.grow(mock.world.services.get('mobile-edge')!, 'video/server', 10_000);
    await go('/services/mobile-edge?tab=units');
    await eventually(() => page.locator('[data-total]').getAttribute('data-total')).toBe('10006');
    await page.locator('.sf-rows').evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
    await eventually(async () =>
      Number(await page.locator('.sf-row').last().getAttribute('aria-rowindex')),
    ).toBeGreaterThan(105);
    expect(await page.locator('.sf-row').count()).toBeLessThan(60);
    await page.getByLabel('Search units').fill('server#9999');
    await eventually(() => page.locator('[data-total]').getAttribute('data-total')).toBe('1');
    const service = mock.world.services.get('mobile-edge')!;
    service.units.splice(0, service.units.length, ...service.units.filter(({ index }) => index === 0));
  });

  it('reads a log of ten megabytes', async () => {
    const unit = mock.world.services.get('mobile-edge')!.units[0]!;
    mock.world.output.set(
      unit.id,
      Array.from(
        { length: 110_000 },
        (_, i) => `${String(i).padStart(7, '0')} ${'x'.repeat(84)}${i === 109_000 ? ' needle' : ''}`,
      ),
    );
    await go(`/services/mobile-edge?tab=units&unit=${unit.id}`);
    await eventually(() => page.locator('[data-lines]').getAttribute('data-lines')).toBe('50000');
    await eventually(() => page.locator('.sf-log__lines pre').innerText()).toContain('0109999');
    expect((await page.locator('.sf-log__lines pre').innerText()).length).toBeLessThan(20_000);
    await page.getByLabel('Lines with').fill('needle');
    await eventually(() => page.locator('.sf-log__lines pre').innerText()).toMatch(/^0109000 x+ needle$/);
    mock.world.output.delete(unit.id);
  });

  it('onboards a dropped file, and disables and deletes with reasons', async () => {
    await go('/catalogue?do=onboard');
    const dialog = page.getByRole('dialog');
    const file = (text: string) => ({ name: 'service.yaml', mimeType: 'text/yaml', buffer: Buffer.from(text) });
    await dialog.locator('input[type=file]').setInputFiles(file('nonsense'));
    await button('Onboard', dialog).click();
    await dialog.getByText('SF-LIFECYCLE-DESCRIPTOR').waitFor();
    await dialog.locator('input[type=file]').setInputFiles(file('superfluidity: 1\nservice:\n  name: dropped\n'));
    await dialog.getByText('service.yaml').first().waitFor();
    await button('Onboard', dialog).click();
    await page.getByRole('heading', { name: 'dropped', level: 1 }).waitFor();
    expect(await button('Delete').getAttribute('data-reason')).toBe('It is enabled. Disable it first.');
    await button('Disable').click();
    await button('Disable', page.getByRole('dialog')).click();
    await button('Enable').waitFor();
    expect(await button('Plan…').getAttribute('data-reason')).toBe('It is disabled. Enable it first.');
    await button('Delete').click();
    await button('Delete', page.getByRole('dialog')).click();
    await page.getByRole('heading', { name: 'Catalogue', level: 1 }).waitFor();
    expect([...mock.world.descriptors.values()].map(({ name }) => name)).not.toContain('dropped');
  });

  it('plans, shows the packet that violates a policy, and deploys what was planned', async () => {
    await go('/deploy');
    expect(await button('Deploy').getAttribute('data-reason')).toContain('Plan it first');
    await page.getByRole('button', { name: 'From files' }).click();
    const drop = async (text: string) => {
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: 'service.yaml', mimeType: 'text/yaml', buffer: Buffer.from(text) });
      await page.getByText('Descriptor, and its files').waitFor();
      await button('Plan').click();
    };
    await drop('superfluidity: 1\nservice:\n  name: fresh\n  tier: moon\n');
    await page.getByText('SF-PLACE-NO-CANDIDATE').waitFor();
    await drop('superfluidity: 1\nservice:\n  name: fresh\n  firewall: wide-open\n');
    const proof = page.locator('[data-proof="violated"] [data-policy="users reach only the video port"]');
    await proof.locator('[data-hop="firewall/filter#0:sgi"]').waitFor();
    expect(await proof.getByLabel('The packet').innerText()).toMatch(/TCP.dport\s+22/);
    expect(await proof.innerText()).toContain('10.76.0.11');
    expect(await button('Deploy').getAttribute('data-reason')).toContain('violated');
    await drop('superfluidity: 1\nservice:\n  name: fresh\n');
    await page.locator('[data-proof="holds"]').waitFor();
    await page.locator('[data-step]').first().waitFor();
    await button('Deploy').click();
    await page.getByRole('heading', { name: 'Deploy fresh', level: 1 }).waitFor();
    await page.locator('[data-operation-state="COMPLETED"]').waitFor();
    await go('/events?kind=audit');
    await page.getByText('admin: deploy service').first().waitFor();
  });

  it('follows packets of a place that is chosen, and says by which rule they end', async () => {
    await go('/verification?service=mobile-edge');
    await page.getByLabel('From').selectOption('ue/client');
    await page.getByLabel('Which packets').fill('tcp dst port [');
    await page.keyboard.press('Enter');
    await page.getByText('SF-LIFECYCLE-WAYS').waitFor();
    await page.getByLabel('Which packets').fill('tcp');
    await button('Follow them').click();
    await page.locator('[data-ways="2"] [data-way="answered"]').waitFor();
    expect(await address()).toBe('?service=mobile-edge&from=ue%2Fclient&packet=tcp');
    const dropped = page.locator('[data-way="dropped"]');
    await dropped.getByRole('button').click();
    await dropped.getByText('counter drop').first().waitFor();
    await page.goBack();
    await page.getByText('SF-LIFECYCLE-WAYS').waitFor();
    expect(await page.getByLabel('Which packets').inputValue()).toBe('tcp dst port [');
  });

  it('creates a token, shows its secret once, and revokes it; its own it keeps', async () => {
    await go('/settings?do=create');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('bot');
    await button('Create', dialog).click();
    expect(await dialog.getByLabel('Secret of the token').inputValue()).toMatch(/^sf_/);
    await button('Done', dialog).click();
    await button('Revoke bot').click();
    await page.getByRole('dialog').getByText('shut out within seconds').waitFor();
    await button('Revoke', page.getByRole('dialog')).click();
    await button('Revoke bot').waitFor({ state: 'detached' });
    expect(await button('Revoke admin').getAttribute('data-reason')).toContain('with which this page was opened');
  });

  it('adds a site by the form that its driver declares, and removes it', async () => {
    await go('/settings?tab=sites&do=add');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Kind', { exact: true }).selectOption('openstack');
    await dialog.getByText('no clouds.yaml was found').waitFor();
    await dialog.getByLabel('Kind', { exact: true }).selectOption('simulated');
    await dialog.getByLabel('Name').fill('lab');
    await dialog.getByLabel('locator').fill('nonsense');
    await dialog.getByText('It must look like').waitFor();
    expect(await button('Add', dialog).isDisabled()).toBe(true);
    await dialog.getByLabel('locator').fill('fd00:5f:1');
    await dialog.getByLabel('seed').fill('7');
    await dialog.getByLabel('latency › startMs').fill('12.5');
    await button('Add', dialog).click();
    await dialog.waitFor({ state: 'detached' });
    expect(mock.world.sites.get('lab')!.config).toEqual({ locator: 'fd00:5f:1', seed: 7, latency: { startMs: 12.5 } });
    expect(await button('Remove core').getAttribute('data-reason')).toMatch(/units? run there/);
    await button('Remove lab').click();
    await button('Remove', page.getByRole('dialog')).click();
    await button('Remove lab').waitFor({ state: 'detached' });
  });

  it('draws the sites on a plan, and changes what lies between two of them', async () => {
    await go('/infrastructure?tab=links');
    await page.locator('[data-plan-site="edge"]').waitFor();
    await button('Change the link between edge and core').click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('With').inputValue()).toBe('core');
    await dialog.getByLabel('One way, in ms').fill('21');
    await button('Change', dialog).click();
    await dialog.waitFor({ state: 'detached' });
    await eventually(() => page.locator('[data-row="edge-core"]').innerText()).toContain('21 ms');
    await page.locator('[data-plan-site="core"]').click();
    await page.getByRole('heading', { name: 'core', level: 1 }).waitFor();
    await go('/infrastructure?healthy=true');
    await page.getByRole('tab', { name: 'Hosts' }).click();
    await eventually(address).toBe('?tab=hosts');
    await page.goBack();
    await eventually(address).toBe('?healthy=true');
  });

  it('tells in numbers what users get, and how long operations and their steps take', async () => {
    await go('/insight?service=mobile-edge');
    await eventually(async () =>
      Number(await page.locator('[data-plot="latency"]').getAttribute('data-slices')),
    ).toBeGreaterThan(1);
    expect(await page.locator('.sf-figures').innerText()).toMatch(/Answered\s+100 %/);
    await page.getByRole('tab', { name: 'Operations' }).click();
    await page.locator('[data-row="INSTANTIATE"]').waitFor();
    const verbs = page.getByLabel('Durations', { exact: true }).locator('[data-row]');
    await eventually(() => verbs.count()).toBeGreaterThan(2);
    await page.goBack();
    await page.locator('[data-plot="latency"]').waitFor();
  });

  it('tells what was decided on scaling, why, and by which policy', async () => {
    await go('/insight?tab=scaling&service=mobile-edge');
    await eventually(async () =>
      Number(await page.locator('[data-plot="scaling"]').getAttribute('data-points')),
    ).toBeGreaterThan(200);
    expect(await page.locator('[data-here][data-action]').count()).toBe(1);
    await page.locator('[data-filter="outcome"]').click();
    await page.getByRole('menuitem', { name: 'no-data' }).click();
    await eventually(() => page.locator('[data-total]').first().innerText()).toBe('3 found');
    await page.getByRole('combobox', { name: 'Unit' }).selectOption('firewall/firewall');
    await page.getByText('advice alone').waitFor();
    expect(await page.locator('[data-policy-grid]').count()).toBe(0);
    expect(page.url()).toContain('unit=firewall');
  });

  it('shows what was unusual, and leads to the events of that time', async () => {
    await go('/insight?tab=anomalies&service=mobile-edge');
    await page.locator('[data-plot="latency"]').waitFor();
    expect(await page.locator('[data-signal="rate"]').innerText()).toMatch(/learning: 3.380 of 6.534 values/);
    await page.getByRole('link', { name: 'Events at that time' }).click();
    await page.getByText('latency is not as it always was').waitFor();
    await page.getByRole('button', { name: /show all times/ }).click();
    await eventually(async () => page.url()).not.toContain('since');
  });

  it('draws all hosts by load, and leads from a cell to its host', async () => {
    await go('/infrastructure?tab=load');
    await page.locator('[data-heat-hosts="100"]').waitFor();
    const canvas = page.locator('.sf-heat__canvas');
    const colours = () =>
      canvas.evaluate((element: HTMLCanvasElement) => {
        const { data } = element.getContext('2d')!.getImageData(0, 0, element.width, element.height);
        const seen = new Set<number>();
        for (let i = 0; i < data.length; i += 4 * 97)
          if (data[i + 3] === 255) seen.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
        return seen.size;
      });
    await eventually(colours).toBeGreaterThan(4);
    await canvas.focus();
    await page.keyboard.press('+');
    const box = (await canvas.boundingBox())!;
    const under = page.locator('.sf-heat__under');
    const told = async () => /^(\w+)\/(\w+): /.exec(await under.innerText());
    for (let y = 0.3; y < 0.75 && (await told()) === null; y += 0.11)
      for (let x = 0.2; x < 0.8 && (await told()) === null; x += 0.07)
        await page.mouse.move(box.x + box.width * x, box.y + box.height * y);
    const [site, host] = (await told())!.slice(1);
    await page.mouse.down();
    await page.mouse.up();
    await eventually(rows).toContain(`${site}/${host}`);
  });

  it('finds the report of a characterisation, and takes what is enough for a class into the designer', async () => {
    await go('/insight?tab=characterisation');
    await page.locator('[data-row="campus-firewall"]').waitFor();
    await page.getByRole('textbox', { name: 'Search characterisations' }).fill('unified');
    await page.locator('[data-row="campus-firewall"]').waitFor({ state: 'detached' });
    await go('/insight?tab=characterisation');
    await page.locator('[data-filter="service"]').click();
    const [first] = [...mock.world.characterisations.values()].map(({ service }) => service);
    await page.getByRole('menuitem', { name: first!, exact: true }).click();
    await eventually(address).toBe(`?tab=characterisation&service=${encodeURIComponent(first!)}`);
    await page.keyboard.press('Escape');
    await go('/insight?tab=characterisation&search=unified');
    await page.getByRole('link', { name: 'unified-origin' }).click();
    await page.locator('[data-box-plot="latency"] rect').first().waitFor();
    expect(await page.locator('[data-box-plot="latency"] rect').count()).toBe(16);
    expect(await page.getByRole('button', { name: 'Design None' }).getAttribute('data-reason')).toContain(
      'no descriptor',
    );
    await page.getByRole('button', { name: 'Design Class_A' }).click();
    await page.locator('[data-block="origin"]').waitFor();
    expect(page.url()).toMatch(/\/designer\?descriptor=desc-/);
  });

  it('lets a reader look, and says why nothing can be changed', async () => {
    const reader = await open(`${TOKEN}-reader`);
    await reader.goto(`${mock.url}/services/mobile-edge`);
    const move = button('Move…', reader);
    await eventually(() => move.getAttribute('data-reason')).toContain('may only read');
    await reader.goto(`${mock.url}/settings`);
    await reader.locator('[data-failure="forbidden"]').waitFor();
    await reader.close();
  });

  it('shows a lost connection, and goes on by itself when it is back', async () => {
    await go('/services');
    await page.locator('[data-row="mobile-edge"]').waitFor();
    const { port } = new URL(mock.url);
    const before = mock;
    await mock.close();
    await page.getByText('The control plane does not answer').first().waitFor();
    expect(await page.locator('[data-row="mobile-edge"]').count()).toBe(1);
    mock = await startMock({ port: Number(port), token: TOKEN, speed: 20 });
    makeHistory(mock.world);
    expect(mock.url).toBe(before.url);
    await page.locator('.sf-reach--live').waitFor();
    await page.getByText('The control plane does not answer').first().waitFor({ state: 'detached' });
    mock.scenario.deploy('after-the-restart');
    await page.locator('[data-row="after-the-restart"]').waitFor();
  });

  it('has made no complaint', () => {
    expect(complaints).toEqual([]);
  });
});
