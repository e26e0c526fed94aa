/**
 * `node tools/pictures.ts`: takes the pictures of docs/images anew. A control plane of its own deploys the
 * demo, the service is moved in the console as a user does it, and is terminated at the end. As root on Linux the
 * packets in the pictures are real. Needs Chromium, and pngquant to make the files small.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@superfluidity/api';
import type { Page, PageScreenshotOptions } from 'playwright-core';
import { build } from 'vite';
import { launchBrowser } from '../apps/console/test/browser.ts';

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
const serverProgram = fileURLToPath(new URL('../apps/server/main.ts', import.meta.url));
const configFile = fileURLToPath(new URL('../apps/console/vite.config.ts', import.meta.url));

const SIZE = { width: 1440, height: 1180 } as const;
const SCALE = 1.5;
const MARGIN = 14;
type Clip = NonNullable<PageScreenshotOptions['clip']>;

const BYTES_MAX = 250_000;
const PATIENCE_MS = 60_000;
/** Of streaming before and after the move, so that the plot shows both. */
const BEFORE_MS = 16_000;
const AFTER_MS = 12_000;

await build({ configFile, logLevel: 'error' });
const state = await mkdtemp(join(tmpdir(), 'superfluidity-pictures-'));
const args = ['--state', state, '--demo', '--no-open', '--port', '0', '--log-level', 'error'];
const server = spawn(process.execPath, [serverProgram, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
const browser = await launchBrowser();
try {
  const address = new URL(await consoleUrl());
  const client = createClient({ server: address.origin, token: address.hash.slice('#token='.length) });
  try {
    const page = await browser.newPage({ viewport: SIZE, deviceScaleFactor: SCALE, colorScheme: 'dark' });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(address.href);
    await tell(page);
  } finally {
    const { operation } = await client.call('terminateService', { params: { name: 'mobile-edge' } });
    await ended(operation, async (id) => (await client.call('getOperation', { params: { id } })).state);
    for (const name of ['edge', 'core']) await client.call('removeSite', { params: { name } });
  }
} finally {
  await browser.close();
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'exit');
  await rm(state, { recursive: true, force: true });
}

async function consoleUrl(): Promise<string> {
  for await (const line of createInterface({ input: server.stdout })) {
    const found = /console +(\S+)/.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error('the server ended before it listened');
}

/** What a user sees: the service streams from the core, is moved, and streams from the edge. */
async function tell(page: Page): Promise<void> {
  await page.locator('[data-operation-state="COMPLETED"]').waitFor();
  await page.locator('[data-points]').waitFor();
  await page.waitForTimeout(BEFORE_MS);
  await picture(
    page,
    'topology',
    (await page.locator('.sf-panel', { has: page.locator('.sf-topology') }).boundingBox())!,
  );
  const from = await page.locator('[data-unit^="video/"]').first().getAttribute('data-at');
  await page.getByRole('button', { name: 'Move…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Function').selectOption('video');
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await page.locator(`[data-unit^="video/"][data-at="${from}"]`).waitFor({ state: 'detached' });
  await page.locator('[data-operation-state="COMPLETED"]').waitFor();
  await page.waitForTimeout(AFTER_MS);
  await page.mouse.move(0, 0);
  const last = (await page.locator('.sf-panel--operation').boundingBox())!;
  await picture(page, 'console', { x: 0, y: 0, width: SIZE.width, height: last.y + last.height + MARGIN });
}

async function picture(page: Page, name: string, clip: Clip): Promise<void> {
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, clip });
  spawnSync('pngquant', ['--force', '--ext', '.png', '--speed', '1', '--quality', '70-95', path]);
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw new Error(`${path} has ${size} bytes, more than ${BYTES_MAX}: is pngquant there?`);
  process.stdout.write(`${path}: ${size} bytes\n`);
}

async function ended(id: string, stateOf: (id: string) => Promise<string>): Promise<void> {
  const late = Date.now() + PATIENCE_MS;
  while ((await stateOf(id)) !== 'COMPLETED') {
    if (Date.now() > late) throw new Error(`${id} did not end: superfluidity site purge removes what is left`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
