import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDescriptor } from '@superfluidity/dialects';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mock } from '../mock/server.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole, startBusyMock, TOKEN } from './busy-mock.ts';

/** The designer as a person uses it: draws, connects, writes, saves, meets another, and takes the result elsewhere. */
const title = `the designer in Chromium${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let mock: Mock;
  let browser: Browser;
  let page: Page;
  let folder: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    mock = await startBusyMock();
    browser = await launchBrowser();
    page = await openConsole(browser, mock.url, complaints);
    folder = await mkdtemp(join(tmpdir(), 'superfluidity-designer-'));
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const button = (name: string | RegExp, within: Pick<Page, 'getByRole'> = page) =>
    within.getByRole('button', { name, exact: typeof name === 'string' });
  const editor = () => page.locator('[data-editor] .cm-content');
  const block = (name: string) => page.locator(`[data-block="${name}"]`);
  const network = (name: string) => page.locator(`[data-network="${name}"]`);
  /** The text as the draft of the browser has it. */
  const draft = async (key: string) => {
    await page.waitForTimeout(600);
    return page.evaluate((name) => {
      const kept = localStorage.getItem(`superfluidity.design.${name}`);
      return kept === null ? undefined : (JSON.parse(kept) as { text: string }).text;
    }, key);
  };
  const draftPlaces = async (key: string) => {
    await page.waitForTimeout(600);
    return page.evaluate((name) => {
      const kept = localStorage.getItem(`superfluidity.design.${name}`)!;
      return (
        (JSON.parse(kept) as { places: Record<string, Record<string, { x: number; y: number }>> }).places[''] ?? {}
      );
    }, key);
  };
  const drag = async (from: string, to: string) => {
    const [a, b] = [await page.locator(from).boundingBox(), await page.locator(to).boundingBox()];
    await page.mouse.move(a!.x + a!.width / 2, a!.y + a!.height / 2);
    await page.mouse.down();
    await page.mouse.move((a!.x + b!.x) / 2, (a!.y + b!.y) / 2, { steps: 4 });
    await page.mouse.move(b!.x + b!.width / 2, b!.y + b!.height / 2, { steps: 4 });
    await page.mouse.up();
  };

  it('draws a service from a template: adds, connects by drag and by Shift, chains, and takes it back', async () => {
    await page.goto(`${mock.url}/designer`);
    await page.locator('[data-template="empty"]').click();
    await network('net').waitFor();
    await page
      .locator('[data-entry="function"]')
      .dragTo(page.locator('.sf-canvas'), { targetPosition: { x: 120, y: 120 } });
    await block('app').waitFor();
    await page.locator('[data-entry="firewall"]').click();
    await block('firewall').waitFor();
    await button('Fit View').click();
    await drag('[data-end="app"]', '[data-end="net"]');
    await page.locator('[data-port="app.eth0"]').waitFor();
    await page.locator('.sf-line--attached').first().waitFor({ state: 'attached' });
    await block('firewall').click();
    await network('net').click({ modifiers: ['Shift'] });
    await page.locator('[data-port="firewall.eth0"]').waitFor();
    expect(await draft('new')).toContain('ports: [net]');
    await block('app').click();
    await block('firewall').click({ modifiers: ['Control'] });
    await button('Chain').click();
    await page.locator('.sf-line--chain').first().waitFor({ state: 'attached' });
    await button('Undo').click();
    await page.locator('.sf-line--chain').waitFor({ state: 'detached' });
    await button('Redo').click();
    await page.locator('.sf-line--chain').first().waitFor({ state: 'attached' });
  });

  it('shows in the graph what is written, and keeps the last graph while the text cannot be read', async () => {
    await editor().click();
    await page.keyboard.press('Control+Home');
    await page.keyboard.type('{');
    await page.locator('[data-stale-graph]').waitFor();
    await block('app').waitFor();
    await page.keyboard.press('Control+z');
    await page.locator('[data-stale-graph]').waitFor({ state: 'detached' });
    await block('app').click();
    const name = page.getByRole('textbox', { name: 'name', exact: false }).first();
    await name.fill('client');
    await name.press('Enter');
    await block('client').waitFor();
    expect(await draft('new')).toMatch(/from: client/);
    // Completion of the language service.
    await editor().click();
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('  bal');
    await page.locator('.cm-tooltip-autocomplete').getByText('balancers').waitFor();
    await page.keyboard.press('Escape');
    for (let i = 0; i < 8 && (await draft('new'))!.includes('bal'); i += 1) await page.keyboard.press('Control+z');
  });

  it('is drawn by keyboard alone: added, moved, connected, deleted', async () => {
    await page.getByLabel('Search what can be added').fill('function');
    await page.locator('[data-entry="function"]').focus();
    await page.keyboard.press('Enter');
    const node = page.locator('.react-flow__node[data-id="block:app"]');
    await node.focus();
    const at = async () => (await draftPlaces('new'))['block:app'];
    await page.keyboard.press('ArrowRight');
    const first = (await at())!;
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    expect(await at()).toEqual({ x: first.x + 20, y: first.y + 100 });
    // What was added is selected; it stays there when something else changes.
    await page.locator('.react-flow__node[data-id="net:net"]').focus();
    await page.keyboard.press('Space');
    await button('Connect').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-port="app.eth0"]').waitFor();
    expect(await at()).toEqual({ x: first.x + 20, y: first.y + 100 });
    const drawn = await node.evaluate(({ style: { transform } }: HTMLElement) =>
      transform.match(/-?[\d.]+/g)!.map(Number),
    );
    expect(drawn[0]).toBeCloseTo(first.x + 20, 2);
    expect(drawn[1]).toBeCloseTo(first.y + 100, 2);
    await node.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Delete');
    await block('app').waitFor({ state: 'detached' });
    await page.getByLabel('Search what can be added').fill('');
  });

  it('opens what is inside by the keyboard, and goes back', async () => {
    await page.locator('.react-flow__node[data-id="block:client"]').focus();
    await page.keyboard.press('Alt+ArrowDown');
    await page.locator('[data-open="client"]').waitFor();
    expect(new URL(page.url()).searchParams.get('in')).toBe('client');
    await page.goBack();
    await page.locator('[data-open=""]').waitFor();
  });

  it('survives a reload, and copies into another service', async () => {
    await page.reload();
    await block('client').waitFor();
    await block('client').click();
    const copied = await page.evaluate(() => {
      const clipboard = new DataTransfer();
      document
        .querySelector('.sf-canvas')!
        .dispatchEvent(new ClipboardEvent('copy', { clipboardData: clipboard, bubbles: true }));
      return clipboard.getData('text/plain');
    });
    expect(copied).toContain('superfluidity-fragment: 1');
    await page.evaluate((text) => {
      const clipboard = new DataTransfer();
      clipboard.setData('text/plain', text);
      document
        .querySelector('.sf-canvas')!
        .dispatchEvent(new ClipboardEvent('paste', { clipboardData: clipboard, bubbles: true }));
    }, copied);
    await block('client-2').waitFor();
    await page.locator('.sf-canvas').press('Delete');
    await block('client-2').waitFor({ state: 'detached' });
  });

  it('saves, and merges when somebody else has saved meanwhile', async () => {
    await button('Save').click();
    await page
      .locator('[data-notice]')
      .getByText(/Saved as/)
      .waitFor();
    await page.waitForURL(/descriptor=my-service/);
    const first = [...mock.world.descriptors.values()].find(({ name }) => name === 'my-service')!;
    const save = (source: string, after: string) =>
      fetch(`${mock.url}/api/v1/descriptors?after=${after}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ files: [{ path: 'service.yaml', base64: Buffer.from(source).toString('base64') }] }),
      });
    const theirs = first.source.replace('version: "1.0"', 'version: "2.0"');
    expect((await save(theirs, first.id)).status).toBe(201);
    // Mine is elsewhere, so that both can be had.
    await block('firewall').waitFor();
    await block('firewall').click();
    await button(/more fields/).click();
    const pool = page.getByRole('textbox', { name: 'pool' });
    await pool.fill('2');
    await pool.press('Enter');
    await page.locator('[data-unsaved]').waitFor();
    await button('Save').click();
    const merge = page.locator('[data-merge="0"]');
    await merge.waitFor();
    await button('Save both').click();
    await merge.waitFor({ state: 'detached' });
    const saved = [...mock.world.descriptors.values()]
      .filter(({ name }) => name === 'my-service')
      .toSorted((a, b) => b.createdAt - a.createdAt)[0]!;
    expect(saved.source).toContain('version: "2.0"');
    expect(saved.source).toContain('pool: 2');
    // The same line, by both: a person decides.
    expect((await save(saved.source.replace('"2.0"', '"3.0"'), saved.id)).status).toBe(201);
    await page.locator('.react-flow__pane').click({ position: { x: 8, y: 8 } });
    const version = page.getByRole('textbox', { name: 'version' });
    await version.fill('2.1');
    await version.press('Enter');
    await page.locator('[data-unsaved]').waitFor();
    await button('Save').click();
    await page.locator('[data-merge="1"]').waitFor();
    await expect.poll(() => button('Save both').isDisabled()).toBe(true);
    await button('Take theirs, drop mine').click();
    await page.locator('[data-merge="1"]').waitFor({ state: 'detached' });
  });

  it('shows what differs from another version, and exports with what is lost', async () => {
    // Away from the button that says why it cannot be pressed.
    await page.mouse.move(700, 500);
    await button('Versions…').click();
    await page.getByLabel('Version', { exact: true }).selectOption({ index: 2 });
    await page.getByRole('button', { name: /Parts/ }).click();
    await button('Show in the graph').click();
    await page.locator('[data-block="firewall"][data-difference="changed"]').waitFor();
    await button('Export…').click();
    await page.getByLabel('Dialect').selectOption('tosca');
    await page.locator('[data-export="tosca"] [data-file]').first().waitFor();
    await page.getByLabel('Dialect').selectOption('nemo');
    await page.locator('[data-losses]').waitFor();
    const download = page.waitForEvent('download');
    await page.locator('[data-export="nemo"] [data-file]').first().click();
    const path = join(folder, 'my-service.nemo');
    await (await download).saveAs(path);
    expect(readDescriptor([{ path, bytes: await readFile(path) }]).service?.block.name).toBe('my-service');
    await button('Close', page.getByRole('dialog')).last().click();
    // And back, in another dialect.
    await button('Import…').click();
    await page.locator('input[type="file"]').last().setInputFiles(path);
    await page.locator('[data-imported="nemo"]').waitFor();
    await button('Import', page.getByRole('dialog')).click();
    await button('Make it native').waitFor();
    await block('firewall').waitFor();
    await button('Make it native').click();
    await page.getByText('superfluidity: 1').first().waitFor();
  });

  it('draws a program of Click, and changes its text', async () => {
    await page.goto(`${mock.url}/designer?template=click&in=router/router`);
    await block('check').waitFor();
    await page.getByLabel('Search what can be added').fill('Print');
    await page.locator('[data-entry="click:Print"]').click();
    await block('print').waitFor();
    expect(await draft('new')).toContain('print :: Print;');
  });

  it('draws a large design from afar, where it is moved and chosen from as well, and each line from near', async () => {
    const functions = Array.from(
      { length: 200 },
      (_, i) => `    - {name: f${i}, environment: container, image: "host:", command: [sh], ports: [n${i % 2}]}\n`,
    ).join('');
    const networks = '    - {name: n0, prefix: 10.0.0.0/16}\n    - {name: n1, prefix: 10.1.0.0/16}\n';
    const text = `superfluidity: 1\nservice:\n  name: wide\n  version: "1"\n  networks:\n${networks}  functions:\n${functions}`;
    const files = [{ path: 'service.yaml', base64: Buffer.from(text).toString('base64') }];
    await fetch(`${mock.url}/api/v1/descriptors`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ files }),
    });
    await page.goto(`${mock.url}/designer?descriptor=wide`);
    await page.locator('[data-far-lines="200"]').waitFor({ state: 'attached' });
    expect(await page.locator('.sf-far-node').count()).toBe(202);
    // What is dragged takes its line along, and leaves those of the others.
    const line = () => page.locator('.sf-far-lines path').first().getAttribute('d');
    const [before, was] = [await line(), (await block('f80').boundingBox())!];
    await drag('[data-block="f80"]', '[data-block="f95"]');
    await expect.poll(line).not.toBe(before);
    await expect.poll(async () => (await block('f80').boundingBox())!.y).not.toBeCloseTo(was.y, 0);
    expect((await line())!.length).toBeCloseTo(before!.length, -3);
    await block('f3').click();
    await expect.poll(() => page.url()).toContain('selected=block%3Af3');
    // A line is found where it is, though many are one path: where nothing lies over it.
    const free = await page.evaluate(() => {
      const path = document.querySelector<SVGPathElement>('.sf-far-lines path')!;
      const length = path.getTotalLength();
      for (let at = 0; at < length; at += length / 2_000) {
        const { x, y } = path.getPointAtLength(at).matrixTransform(path.getScreenCTM()!);
        if (document.elementFromPoint(x, y)?.classList.contains('react-flow__pane') === true) return { x, y };
      }
      return undefined;
    });
    await page.mouse.click(free!.x, free!.y);
    await expect.poll(() => page.url()).toMatch(/selected=block%3Af\d+\./);
    // By keyboard: from a network to its lines, one after the other.
    await page.locator('.sf-far-node[data-network="n1"]').focus();
    const chosen: (string | null)[] = [];
    for (const wanted of ['f1', 'f3', 'f5']) {
      await page.keyboard.press('l');
      await expect.poll(() => new URL(page.url()).searchParams.get('selected')).toContain(`${wanted}.`);
      chosen.push(new URL(page.url()).searchParams.get('selected'));
    }
    expect(new Set(chosen).size).toBe(3);
    for (let i = 0; i < 12 && (await page.locator('.sf-far-node').count()) > 0; i += 1) await button('Zoom In').click();
    await page.locator('.react-flow__edge').first().waitFor({ state: 'attached' });
    expect(await page.locator('.sf-far-node').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('says what cannot be drawn', async () => {
    await page.evaluate(() => {
      const draft = { text: 'superfluidity: [', language: 'native', places: {}, atMs: 1 };
      localStorage.setItem('superfluidity.design.new', JSON.stringify(draft));
    });
    // The draft of the page that is left would go before this one.
    await page.evaluate(() =>
      addEventListener('pagehide', (event) => event.stopImmediatePropagation(), { capture: true }),
    );
    await page.goto(`${mock.url}/services`);
    await page.evaluate(() => {
      const draft = { text: 'superfluidity: [', language: 'native', places: {}, atMs: 1 };
      localStorage.setItem('superfluidity.design.new', JSON.stringify(draft));
    });
    await page.goto(`${mock.url}/designer`);
    await page.locator('[data-undrawn="unread"]').waitFor();
    const functions = Array.from(
      { length: 3_100 },
      (_, i) => `    - {name: f${i}, environment: vm, image: "guest:"}\n`,
    ).join('');
    const large = `superfluidity: 1\nservice:\n  name: large\n  version: "1"\n  functions:\n${functions}`;
    await page.goto(`${mock.url}/services`);
    await page.evaluate((text) => {
      localStorage.setItem(
        'superfluidity.design.new',
        JSON.stringify({ text, language: 'native', places: {}, atMs: 1 }),
      );
    }, large);
    await page.goto(`${mock.url}/designer`);
    await page.locator('[data-undrawn="large"]').waitFor();
    expect(complaints).toEqual([]);
  });
});
