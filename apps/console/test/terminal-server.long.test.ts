import { type Client, createClient } from '@superfluidity/api';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole } from './busy-mock.ts';
import { ControlPlane } from './control-plane.ts';

/** A terminal of the console in a real container, and what the container uses: real control plane, real browser. */
const SITE = 'core';
const title = `a container in the console${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;
const service = `
superfluidity: 1
service:
  name: desk
  version: '1'
  networks:
    - {name: lan, prefix: 10.62.0.0/16}
  functions:
    - name: box
      environment: container
      image: 'host:'
      command: [sh, -c, 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); echo "line $i of a log that is ten megabytes long, as it is written by a program: ......................"; done; exec sleep 100000']
      ports: [lan]
      requirements: {cpu: 0.5, memoryMiB: 64, location: {sites: [core]}}
`;

describe.skipIf(whyNoBrowser !== undefined)(title, { timeout: 60_000 }, () => {
  let controlPlane: ControlPlane;
  let client: Client;
  let browser: Browser;
  let page: Page;
  let path: string;
  /** Why containers cannot be run on this machine, as the control plane says. */
  let why: string | undefined;
  const complaints: string[] = [];

  beforeAll(async () => {
    controlPlane = await ControlPlane.start();
    const token = await controlPlane.token();
    client = createClient({ server: controlPlane.origin, token });
    const { siteKinds } = await client.call('getSystem', {});
    const missing = siteKinds.find(({ kind }) => kind === 'linux')!.missing;
    why = missing.find(({ name, required }) => required || name === 'runc')?.reason;
    if (why !== undefined) return;
    const site = { name: SITE, kind: 'linux', config: {}, tier: SITE, cells: [], services: [] };
    await client.call('addSite', { body: { ...site, price: { core: 1, gib: 0.1 } } });
    const files = [{ path: 'service.yaml', base64: Buffer.from(service).toString('base64') }];
    const { operation } = await client.call('deployService', { body: { source: { files } } });
    const state = async () =>
      expect((await client.call('getOperation', { params: { id: operation } })).state).toBe('COMPLETED');
    await vi.waitFor(state, { timeout: 60_000, interval: 50 });
    const [unit] = (await client.call('getService', { params: { name: 'desk' } })).units;
    path = `/services/desk?tab=units&unit=${unit!.id}`;
    browser = await launchBrowser();
    page = await openConsole(browser, controlPlane.origin, complaints, {}, token);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    // A server that a test killed and did not start again would leave its containers on this machine.
    await controlPlane?.kill();
    await controlPlane?.startAgain();
    if (why === undefined) await client?.call('purgeSite', { params: { name: SITE } });
    await controlPlane?.[Symbol.asyncDispose]();
  }, 60_000);
  beforeEach(({ skip }) => skip(why !== undefined, why));

  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: 15_000, interval: 100 });
  const screen = () => page.locator('.xterm-rows').innerText();
  const type = (text: string) => page.keyboard.type(text);

  it('has a terminal in it, of the size that is shown, that ends with its program', async () => {
    await page.goto(`${controlPlane.origin}${path}&show=terminal`);
    await page.getByRole('button', { name: 'Open a terminal' }).click();
    await page.locator('[data-terminal-state="open"]').waitFor();
    await eventually(screen).toMatch(/#\s*$/);
    await type('tty; stty size\n');
    await eventually(screen).toMatch(/\/dev\/pts\/\d+\s+\d+ \d+/);
    const size = async () => (await screen()).match(/^\d+ \d+\s*$/gm)?.at(-1);
    const before = await size();
    await page.setViewportSize({ width: 1100, height: 700 });
    await page.waitForTimeout(500);
    await type('stty size\n');
    await eventually(size).not.toBe(before);
    await type("sh -c 'echo started; exec sleep 1000'\n");
    await eventually(screen).toMatch(/^started/m);
    await page.keyboard.press('Control+c');
    await type('echo code $?\n');
    await eventually(screen).toMatch(/^code 130/m);
    await type('exit 4\n');
    await page.getByText('It ended with exit code 4.').waitFor();
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it('shows what the kernel counts for it', async () => {
    await page.goto(`${controlPlane.origin}${path}&show=usage`);
    await eventually(async () =>
      Number(await page.locator('[data-usage="cores"]').getAttribute('data-readings')),
    ).toBeGreaterThan(2);
    await page.getByText(/^\d\.\d\d of 0\.5 cores$/).waitFor();
    await page.getByText(/^\d+\.\d of 64 MiB$/).waitFor();
    await page
      .getByText('Traffic of lan')
      .or(page.getByText(/^Traffic of /))
      .waitFor();
  });

  it('has a log of which the page draws what is seen', async () => {
    await page.goto(`${controlPlane.origin}${path}`);
    const shown = () => page.locator('.sf-log__lines pre').innerText();
    await eventually(shown).toContain('line 100000 of');
    expect((await shown()).split('\n').length).toBeLessThan(120);
  });

  it('says that the connection was lost when the server is killed, and opens another terminal after it is back', async () => {
    await page.goto(`${controlPlane.origin}${path}&show=terminal`);
    await page.getByRole('button', { name: 'Open a terminal' }).click();
    await page.locator('[data-terminal-state="open"]').waitFor();
    await type('echo still $((20 + 3))\n');
    await eventually(screen).toMatch(/^still 23/m);
    // A page that is loaded anew joins it.
    await page.reload();
    await page.locator('[data-terminal-state="open"]').waitFor();
    await eventually(screen).toMatch(/^still 23/m);
    await controlPlane.kill();
    await page.getByText('The connection was lost.').waitFor();
    await controlPlane.startAgain();
    await page.getByRole('button', { name: 'Open another one' }).click({ timeout: 20_000 });
    await page.locator('[data-terminal-state="open"]').waitFor();
    await eventually(screen).toMatch(/#\s*$/);
  });

  it('has nothing to complain of but the loss', () => {
    expect(complaints.filter((one) => !/WebSocket|ERR_CONNECTION|Failed to fetch|network/i.test(one))).toEqual([]);
  });
});
