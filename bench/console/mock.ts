import type { Browser, Page } from 'playwright-core';
import { type Mock, startMock } from '../../apps/console/mock/server.ts';
import { putUnit } from '../../apps/console/mock/world.ts';
import { pause } from '../server.ts';
import { type Case, caseOf, inPage, shownAfterMs } from './case.ts';

const TOKEN = 'bench';
const UNITS = 20_000;
const RUNS = 5;
const BURST = { seconds: 10, perSecond: 5_000, batchesPerSecond: 20 } as const;

async function withMock<T>(work: (mock: Mock) => Promise<T>): Promise<T> {
  const mock = await startMock({ port: 0, token: TOKEN, speed: 50 });
  try {
    await mock.completed(mock.scenario.deploy('mobile-edge').id);
    return await work(mock);
  } finally {
    await mock.close();
  }
}

/** The picture of a service of 20,000 units, and the main thread's work when one of them changes. */
export function largeTopology(browser: Browser): Promise<readonly Case[]> {
  return withMock(async (mock) => {
    const service = mock.world.services.get('mobile-edge')!;
    mock.scenario.grow(service, 'video/server', UNITS);
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${mock.url}/#token=${TOKEN}`);
    await page.locator('[data-count]').first().waitFor();
    const opened: number[] = [];
    const changed: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      await page.goto(`${mock.url}/services/mobile-edge`, { waitUntil: 'commit' });
      opened.push(await shownAfterMs(page, '[data-count]'));
      await page.waitForTimeout(1_000);
      const longest = watchLongTasks(page, 1_500);
      putUnit(mock.world, service, { ...service.units.at(-1)!, state: run % 2 === 0 ? 'draining' : 'running' });
      changed.push(await longest);
    }
    await page.close();
    return [
      caseOf('topology of 20,000 units: open', opened, 2_000),
      caseOf('topology of 20,000 units: main thread blocked by one change', changed, 16),
    ];
  });
}

export function eventBurst(browser: Browser): Promise<readonly Case[]> {
  return withMock(async (mock) => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${mock.url}/#token=${TOKEN}`);
    await page.locator('[data-event]').first().waitFor();
    await page.waitForTimeout(1_000);
    const longest = watchLongTasks(page, (BURST.seconds + 1) * 1_000);
    for (let batch = 0; batch < BURST.seconds * BURST.batchesPerSecond; batch += 1) {
      const next = performance.now() + 1_000 / BURST.batchesPerSecond;
      mock.scenario.chatter(BURST.perSecond / BURST.batchesPerSecond);
      await pause(Math.max(0, next - performance.now()));
    }
    const blockedMs = await longest;
    await page.close();
    return [caseOf('5,000 events/s for 10 s: main thread blocked at a time', [blockedMs], 50)];
  });
}

/** The longest time for which the main thread did something else than to count its own turns. */
function watchLongTasks(page: Page, forMs: number): Promise<number> {
  const code = `
    const { port1, port2 } = new MessageChannel();
    const turn = () => new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(0);
    });
    let longest = 0;
    let before = performance.now();
    for (const end = before + args; before < end; ) {
      await turn();
      const now = performance.now();
      longest = Math.max(longest, now - before);
      before = now;
    }
    return longest;
  `;
  return inPage(page, code, forMs);
}
