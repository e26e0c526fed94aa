import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { makeHistory } from '../mock/history.ts';
import { type Mock, startMock } from '../mock/server.ts';
import type { Visit } from './pages.ts';

export const TOKEN = 'mock-token';
export const PATIENCE_MS = 8_000;
const consoleFolder = new URL('../', import.meta.url);

/** A mock control plane with a past, a deployed `mobile-edge`, and the console as it is served. */
export async function startBusyMock(): Promise<Mock> {
  if (!existsSync(new URL('dist/index.html', consoleFolder)))
    await build({ configFile: new URL('vite.config.ts', consoleFolder).pathname, logLevel: 'error' });
  const mock = await startMock({ port: 0, token: TOKEN, speed: 20 });
  makeHistory(mock.world);
  const { id } = mock.scenario.deploy('mobile-edge');
  await mock.completed(id);
  return mock;
}

/** A tab with the overview, live; what it complains of on its console goes to `complaints`. */
export async function openConsole(
  browser: Browser,
  url: string,
  complaints: string[],
  options: Parameters<Browser['newPage']>[0] = {},
  token = TOKEN,
): Promise<Page> {
  const opened = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...options });
  opened.setDefaultTimeout(PATIENCE_MS);
  opened.on('console', (message) => {
    // The browser reports every answer that is a refusal, and those are asked for here.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  opened.on('pageerror', (error) => complaints.push(String(error)));
  await opened.goto(`${url}/#token=${token}`);
  await opened.locator('.sf-reach--live').waitFor();
  return opened;
}

export async function visit(one: Visit, url: string, on: Page): Promise<void> {
  await on.goto(url + one.path);
  await on.locator(one.shows).first().waitFor();
  await one.does?.(on);
}
