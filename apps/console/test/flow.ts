import { type Client, createClient } from '@superfluidity/api';
import type { Browser, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchBrowser } from './browser.ts';
import { ControlPlane } from './control-plane.ts';

export const PATIENCE_MS = 10_000;

/** A service with a unit that stays at the edge and one that may be at either site. */
export const descriptor = `superfluidity: 1
service:
  name: shop
  version: "1"
  networks:
    - {name: clients, prefix: 10.61.0.0/16}
    - {name: servers, prefix: 10.63.0.0/16}
  functions:
    - {name: client, environment: container, image: "host:", command: [sh], ports: [clients], requirements: {location: {sites: [edge]}}}
    - {name: web, environment: container, image: "host:", command: [sh], ports: [servers], requirements: {location: {sites: [core, edge]}}}
  chains:
    - {name: watch, from: client, to: web, address: 10.98.0.61, ports: [8080]}
  policies:
    - {name: served, reach: {from: client, to: web, packet: tcp dst port 8080}}
`;

/** A real control plane and a browser with one tab of its console. */
export class Flow implements AsyncDisposable {
  readonly controlPlane: ControlPlane;
  readonly api: Client;
  readonly browser: Browser;
  readonly page: Page;
  /** What the page has said on its console, and was not asked for. */
  readonly complaints: string[] = [];

  private constructor(controlPlane: ControlPlane, api: Client, browser: Browser, page: Page) {
    this.controlPlane = controlPlane;
    this.api = api;
    this.browser = browser;
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async open(): Promise<Flow> {
    const [controlPlane, browser] = await Promise.all([ControlPlane.start(), launchBrowser()]);
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const api = createClient({ server: controlPlane.origin, token: await controlPlane.token() });
    return new Flow(controlPlane, api, browser, page);
  }

  readonly go = (to: string) => this.page.goto(this.controlPlane.origin + to);

  readonly button = (name: string, within: Page | Locator = this.page) =>
    within.getByRole('button', { name, exact: true });

  readonly eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS, interval: 50 });

  readonly choose = (text: string) =>
    this.page
      .locator('input[type=file]')
      .setInputFiles({ name: 'service.yaml', mimeType: 'text/yaml', buffer: Buffer.from(text) });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.controlPlane[Symbol.asyncDispose]();
  }
}
