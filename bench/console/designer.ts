import type { Browser } from 'playwright-core';
import { startMock } from '../../apps/console/mock/server.ts';
import { type Case, caseOf, inPage, shownAfterMs } from './case.ts';

const TOKEN = 'bench';
const BLOCKS = 500;
const RUNS = 5;
const FRAMES = 120;

/** A service of 500 functions on 20 networks, with a chain through 40 of them. */
function largeService(): string {
  const networks = Array.from({ length: 20 }, (_, i) => `    - {name: n${i}, prefix: 10.${i}.0.0/16}\n`);
  const functions = Array.from({ length: BLOCKS }, (_, i) => {
    const says = `environment: container, image: "host:", command: [sh], forwards: true, ports: [n${i % 20}]`;
    return `    - {name: f${i}, ${says}}\n`;
  });
  const through = Array.from({ length: 40 }, (_, i) => `f${i + 1}`).join(', ');
  const chain = `    - {name: c, from: f0, through: [${through}], to: f41, address: 10.99.0.10}\n`;
  return `superfluidity: 1\nservice:\n  name: large\n  version: "1"\n  networks:\n${networks.join('')}  functions:\n${functions.join('')}  chains:\n${chain}`;
}

/** From the address to the graph of 500 blocks; and the frames while one of them, and all of them, are dragged. */
export async function designer(browser: Browser): Promise<readonly Case[]> {
  const mock = await startMock({ port: 0, token: TOKEN, speed: 50 });
  try {
    const files = [{ path: 'service.yaml', base64: Buffer.from(largeService()).toString('base64') }];
    await fetch(`${mock.url}/api/v1/descriptors`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ files }),
    });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${mock.url}/#token=${TOKEN}`);
    await page.locator('.sf-reach--live').waitFor();
    const opened: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      await page.goto(`${mock.url}/designer?descriptor=large`, { waitUntil: 'commit' });
      opened.push(await shownAfterMs(page, '[data-nodes="520"] [data-block="f499"]'));
    }
    await page.waitForTimeout(2_000);
    const far = await dragged(page);
    for (let step = 0; step < 10; step += 1) await page.locator('.react-flow__controls-zoomin').click();
    await page.waitForTimeout(500);
    const near = await dragged(page);
    await page.close();
    const frames = (name: string, value: number): Case => ({ name, value, unit: 'frames/s', goal: 59, atLeast: true });
    return [
      caseOf(`designer: ${BLOCKS} blocks open`, opened, 1_000),
      frames(`designer: ${BLOCKS} blocks, all in view, drag one`, far),
      frames(`designer: ${BLOCKS} blocks, some in view, drag one`, near),
    ];
  } finally {
    await mock.close();
  }
}

/** Frames in a second while the block in the middle is moved in each of them. */
async function dragged(page: Parameters<typeof inPage>[0]): Promise<number> {
  const code = `
    const canvas = document.querySelector('.sf-canvas').getBoundingClientRect();
    const [x, y] = [canvas.x + canvas.width / 2, canvas.y + canvas.height / 2];
    const distance = (box) => Math.hypot(box.x + box.width / 2 - x, box.y + box.height / 2 - y);
    const node = [...document.querySelectorAll('[data-block]')].map((block) => block.closest('[data-id]'))
      .sort((a, b) => distance(a.getBoundingClientRect()) - distance(b.getBoundingClientRect()))[0];
    const box = node.getBoundingClientRect();
    const at = [box.x + box.width / 2, box.y + 4];
    const tell = (type, dx, dy) => {
      const event = { bubbles: true, cancelable: true, view: window, button: 0, buttons: 1, clientX: at[0] + dx, clientY: at[1] + dy };
      (type === 'pointerdown' ? node : window).dispatchEvent(new PointerEvent(type, event));
    };
    const before = node.style.transform;
    const frame = () => new Promise(requestAnimationFrame);
    tell('pointerdown', 0, 0);
    await frame();
    const began = performance.now();
    for (let i = 0; i < args; i += 1) {
      tell('pointermove', 10 + (i % 60), 10 + (i % 40));
      await frame();
    }
    const took = performance.now() - began;
    const after = node.style.transform;
    tell('pointerup', 10, 10);
    if (after === before) throw new Error('nothing was dragged');
    return Math.round((args / took) * 1000);
  `;
  return inPage(page, code, FRAMES);
}
