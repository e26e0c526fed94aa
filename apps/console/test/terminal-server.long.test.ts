import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linuxSites, type LinuxWorld, whyNoLinuxSites } from '../../server/testing/linux-world.ts';
import { completed, sourceOf } from '../../server/testing/operations.ts';
import { type ServerProcess, startServerProcess } from '../../server/testing/server-process.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole } from './busy-mock.ts';

/** A terminal of the console in a real container, and what the container uses: real control plane, real browser. */
const why = whyNoBrowser ?? (await whyNoLinuxSites());
const title = `a container in the console${why === undefined ? '' : `, skipped: ${why}`}`;
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

describe.skipIf(why !== undefined)(title, { timeout: 60_000 }, () => {
  let folder: string;
  let server: ServerProcess;
  let world: LinuxWorld;
  let browser: Browser;
  let page: Page;
  let path: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'superfluidity-terminal-'));
    server = await startServerProcess({ state: join(folder, 'state') });
    world = await linuxSites(server.client);
    const { operation } = await server.client.call('deployService', { body: { source: sourceOf(service) } });
    await completed(server.client, operation);
    const [unit] = (await server.client.call('getService', { params: { name: 'desk' } })).units;
    path = `/services/desk?tab=units&unit=${unit!.id}`;
    browser = await launchBrowser();
    page = await openConsole(browser, server.url, complaints, {}, server.token);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await world?.purge();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: 15_000, interval: 100 });
  const screen = () => page.locator('.xterm-rows').innerText();
  const type = (text: string) => page.keyboard.type(text);

  it('has a terminal in it, of the size that is shown, that ends with its program', async () => {
    await page.goto(`${server.url}${path}&show=terminal`);
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
    await type('sleep 1000\n');
    await page.waitForTimeout(200);
    await page.keyboard.press('Control+c');
    await type('echo code $?\n');
    await eventually(screen).toMatch(/^code 130/m);
    await type('exit 4\n');
    await page.getByText('It ended with exit code 4.').waitFor();
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it('shows what the kernel counts for it', async () => {
    await page.goto(`${server.url}${path}&show=usage`);
    await eventually(() => page.locator('[data-usage="cores"]').getAttribute('data-readings')).toBe('3');
    await page.getByText(/^\d\.\d\d of 0\.5 cores$/).waitFor();
    await page.getByText(/^\d+\.\d of 64 MiB$/).waitFor();
    await page
      .getByText('Traffic of lan')
      .or(page.getByText(/^Traffic of /))
      .waitFor();
  });

  it('has a log of which the page draws what is seen', async () => {
    await page.goto(`${server.url}${path}`);
    const shown = () => page.locator('.sf-log__lines pre').innerText();
    await eventually(shown).toContain('line 100000 of');
    expect((await shown()).split('\n').length).toBeLessThan(120);
  });

  it('says that the connection was lost when the server is killed, and opens another terminal after it is back', async () => {
    await page.goto(`${server.url}${path}&show=terminal`);
    await page.getByRole('button', { name: 'Open a terminal' }).click();
    await page.locator('[data-terminal-state="open"]').waitFor();
    const port = new URL(server.url).port;
    await server.kill();
    await page.getByText('The connection was lost.').waitFor();
    server = await startServerProcess({ state: join(folder, 'state'), args: ['--port', port] });
    await page.getByRole('button', { name: 'Open another one' }).click({ timeout: 20_000 });
    await page.locator('[data-terminal-state="open"]').waitFor();
    await eventually(screen).toMatch(/#\s*$/);
  });

  it('has nothing to complain of but the loss', () => {
    expect(
      complaints.filter(
        (one) => !/WebSocket|ERR_CONNECTION|Failed to fetch|network|'script-src' was not explicitly set/i.test(one),
      ),
    ).toEqual([]);
  });
});
