import type { Browser, Page } from 'playwright-core';
import { type BenchServer, deploy, startServer, temporaryFolder } from '../server.ts';
import { type Case, caseOf, framesPerSecond, inPage, shownAfterMs } from './case.ts';

const RUNS = 5;
const HOSTS = 100_000;
const WINDOW_MS = 1_500;

const service = `superfluidity: 1
service:
  name: shop
  version: "1"
  networks:
    - {name: net, prefix: 10.61.0.0/16}
  functions:
    - {name: client, environment: container, image: "host:", command: [sh], ports: [net]}
    - {name: web, environment: container, image: "host:", command: [sh], ports: [net]}
`;

async function withServer<T>(work: (server: BenchServer) => Promise<T>): Promise<T> {
  const folder = temporaryFolder();
  const server = await startServer({ state: folder.path });
  try {
    return await work(server);
  } finally {
    await server.stop();
    folder.remove();
  }
}

const simulated = (name: string, count: number) => ({
  name,
  kind: 'simulated',
  tier: name,
  config: { hosts: { count } },
});

/** From the address to the topology of a service, with nothing in the cache of the browser. */
export function firstPaint(browser: Browser): Promise<readonly Case[]> {
  return withServer(async ({ url, token, client }) => {
    await client.call('addSite', { body: simulated('edge', 4) });
    await client.call('addSite', { body: simulated('core', 4) });
    await deploy(client, service);
    const runs: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      // A new window of Chromium loads some 400 files of its own, for its address bar.
      await page.waitForTimeout(WINDOW_MS);
      await page.goto(`${url}/#token=${token}`, { waitUntil: 'commit' });
      runs.push(await shownAfterMs(page, '[data-unit]'));
      await page.close();
    }
    return [caseOf('first useful paint of the overview, local server', runs, 1_000)];
  });
}

/** A simulated site of as many hosts: the list, its filter, and the map of their load. */
export function hundredThousandHosts(browser: Browser): Promise<readonly Case[]> {
  return withServer(async ({ url, token, client }) => {
    await client.call('addSite', { body: simulated('big', HOSTS) });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${url}/#token=${token}`);
    await page.locator('.sf-reach--live').waitFor();
    const opened: number[] = [];
    const filtered: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      await page.goto(`${url}/infrastructure?tab=hosts`, { waitUntil: 'commit' });
      opened.push(await shownAfterMs(page, '[data-row]'));
      const wanted = `h${12_340 + run}`;
      await page.locator('.sf-list__search input').focus();
      filtered.push(await filterMs(page, wanted));
    }
    await page.goto(`${url}/infrastructure?tab=load`, { waitUntil: 'commit' });
    const map = await shownAfterMs(page, `[data-heat-hosts="${HOSTS}"]`);
    const canvas = "const canvas = document.querySelector('.sf-heat__canvas');";
    const pan = `${canvas} canvas.dispatchEvent(new KeyboardEvent('keydown', { key: i % 40 < 20 ? 'ArrowRight' : 'ArrowLeft', bubbles: true }))`;
    const zoom = `${canvas} canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: i % 24 < 12 ? -1 : 1, clientX: 700, clientY: 500, cancelable: true }))`;
    const frames = (name: string, value: number): Case => ({ name, value, unit: 'frames/s', goal: 59, atLeast: true });
    const results = [
      caseOf('100,000 hosts: list usable', opened, 2_000),
      caseOf('100,000 hosts: filter the list', filtered, 100),
      caseOf('100,000 hosts: map of load usable', [map], 2_000),
      frames('100,000 hosts: pan the map', await framesPerSecond(page, pan, 120)),
      frames('100,000 hosts: zoom the map', await framesPerSecond(page, zoom, 120)),
    ];
    await page.close();
    return results;
  });
}

/** From the key that is pressed to the rows that match. */
function filterMs(page: Page, wanted: string): Promise<number> {
  // The setter of the prototype: so React sees what is typed.
  const code = `
    const input = document.querySelector('.sf-list__search input');
    const began = performance.now();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, args);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    for (;;) {
      const rows = [...document.querySelectorAll('[data-row]')];
      if (rows.length > 0 && rows.length < 30 && rows.every((row) => row.dataset.row.includes(args))) return performance.now() - began;
      await new Promise(requestAnimationFrame);
    }
  `;
  return inPage(page, code, wanted);
}
