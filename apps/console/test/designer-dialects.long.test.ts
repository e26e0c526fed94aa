import { readFileSync } from 'node:fs';
import { convert } from '@superfluidity/dialects';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { ControlPlane } from './control-plane.ts';

/** Texts of other dialects in the designer, against the real control plane: each side is changed, and the other follows. */
const title = `a dialect in the designer${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;
const PATIENCE_MS = 30_000;
const golden = (path: string) => readFileSync(new URL(`../../../packages/dialects/${path}`, import.meta.url), 'utf8');

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let controlPlane: ControlPlane;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    controlPlane = await ControlPlane.start();
    browser = await launchBrowser();
    page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(await controlPlane.signedIn());
    await page.locator('nav').first().waitFor();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await controlPlane?.[Symbol.asyncDispose]();
  });

  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const block = (name: string) => page.locator(`[data-block="${name}"]`);
  const network = (name: string) => page.locator(`[data-network="${name}"]`);
  const line = (text: string) => page.locator('[data-editor] .cm-line', { hasText: text }).first();
  /** The text as the draft of the browser has it. */
  const text = async () => {
    await page.waitForTimeout(700);
    return page.evaluate(() => {
      const kept = localStorage.getItem('superfluidity.design.new');
      return kept === null ? '' : (JSON.parse(kept) as { text: string }).text;
    });
  };
  const begin = (name: string, content: string) => beginTree({ [name]: content });
  const beginTree = async (files: Readonly<Record<string, string>>) => {
    // The draft of the design before is kept when its page is left.
    await page.goto(`${controlPlane.origin}/catalogue`);
    await page.evaluate(() => localStorage.removeItem('superfluidity.design.new'));
    await page.goto(`${controlPlane.origin}/designer`);
    const chosen = Object.entries(files).map(([name, content]) => ({
      name,
      mimeType: 'text/yaml',
      buffer: Buffer.from(content),
    }));
    await page.locator('input[type="file"]').last().setInputFiles(chosen);
    await page.locator('[data-editor] .cm-content').waitFor();
  };
  /** The texts of a tree of files as the draft has them, by their paths. */
  const texts = async (): Promise<Readonly<Record<string, string>>> => {
    await page.waitForTimeout(700);
    return page.evaluate(() => {
      const kept = localStorage.getItem('superfluidity.design.new') ?? '{}';
      const {
        path = '',
        text = '',
        others = [],
      } = JSON.parse(kept) as {
        path?: string;
        text?: string;
        others?: { path: string; text: string }[];
      };
      return Object.fromEntries([[path, text], ...others.map((one) => [one.path, one.text])]) as Record<string, string>;
    });
  };
  const file = (path: string) => page.locator(`[data-tree-file="${path}"] button`);
  /** The paths whose texts are not those that were brought. */
  const changedIn = async (files: Readonly<Record<string, string>>) => {
    const now = await texts();
    return Object.keys({ ...files, ...now }).filter((path) => now[path] !== files[path]);
  };
  /** Writes before a line of the text, as one who pastes. */
  const write = async (before: string, lines: string) => {
    await line(before).click();
    await page.keyboard.press('Home');
    await page.keyboard.press('Home');
    await page.keyboard.insertText(lines);
  };
  const field = async (name: RegExp, value: string) => {
    const box = page.getByRole('textbox', { name }).first();
    await box.fill(value);
    await box.press('Enter');
  };
  const linesOf = (content: string) => content.split('\n').length;

  it('opens a Heat template and changes it from both sides', async () => {
    const stack = golden('heat/golden/portal.yaml');
    await begin('portal.yaml', stack);
    await block('firewall').waitFor();
    // The graph speaks in the words of the dialect.
    await page.locator('[data-entry="machine"]').click();
    await block('machine').waitFor();
    await block('machine').click();
    await network('users').click({ modifiers: ['Shift'] });
    await page.locator('[data-port="machine.eth0"]').waitFor();
    const changed = await text();
    expect(changed).toContain('  machine:\n    type: OS::Nova::Server');
    for (const kept of stack.split('\n')) expect(changed).toContain(kept);
    await block('firewall').click();
    await line('firewall:').waitFor();
    await field(/memory/i, '4096');
    expect(await text()).toContain('properties: {vcpus: 1, ram: 4096}');
    // The text is drawn.
    await network('users').click();
    await write('users_subnet:', '  dmz:\n    type: OS::Neutron::Net\n');
    await network('dmz').waitFor();
    // The language service of the dialect: problems, completion.
    await page.locator('[data-editor] .cm-lintRange').first().waitFor();
    await block('portal').click();
    await line('depends_on: firewall').click();
    await page.keyboard.press('End');
    await page.keyboard.press('Control+Space');
    await page.locator('.cm-tooltip-autocomplete').getByText('firewall').first().waitFor();
    await page.keyboard.press('Escape');
  });

  it('asks before something is lost that the dialect has no words for', async () => {
    await block('firewall').click();
    await block('portal').click({ modifiers: ['Control'] });
    const before = await text();
    await button('Chain').click();
    await page.getByRole('dialog').getByText('heat cannot say').waitFor();
    await button('Keep it as it is').click();
    expect(await text()).toBe(before);
  });

  it('takes changes back, and saves the text in its own dialect', async () => {
    await button('Undo').click();
    await network('dmz').waitFor({ state: 'detached' });
    await button('Redo').click();
    await network('dmz').waitFor();
    await button('Save').click();
    await page
      .locator('[data-notice]')
      .getByText(/Saved as/)
      .waitFor();
    const answer = await controlPlane.call('GET', '/descriptors/portal', undefined);
    const saved = (await answer.json()) as { readonly source: string; readonly format: string };
    expect(saved.format).toBe('heat');
    expect(saved.source).toContain('# who may log in');
    expect(saved.source).toContain('  dmz:\n');
    await page.goto(`${controlPlane.origin}/designer?descriptor=portal`);
    await network('dmz').waitFor();
    await line('heat_template_version').waitFor();
  });

  it('opens an NSD of SOL006 with its VNFDs and changes it from both sides', async () => {
    const nsd = golden('sol006/golden/two-machines.yaml');
    await begin('two-machines.yaml', nsd);
    await block('gateway').waitFor();
    await page.locator('[data-entry="machine"]').click();
    await block('machine').waitFor();
    const added = await text();
    expect(added).toContain('vnfd-id: [gateway, portal, machine]');
    expect(added).toContain('# who to ask');
    expect(linesOf(added)).toBeGreaterThan(linesOf(nsd));
    await block('machine').click();
    await button('Delete').click();
    await block('machine').waitFor({ state: 'detached' });
    expect(await text()).toBe(nsd);
    await network('office').click();
    await write('# towards the data centre', '        - id: backup\n          df: [{id: default}]\n');
    await network('backup').waitFor();
  });

  it('changes a graph of a cloud RAN from both sides', async () => {
    const ran = golden('cran/golden/small-ran.yaml');
    await begin('small-ran.yaml', ran);
    await block('radio-fb').waitFor();
    await page.locator('[data-entry="machine"]').click();
    await page.getByRole('dialog').getByText('cran cannot say').first().waitFor();
    await button('Change it without that').click();
    await block('machine').waitFor();
    const added = await text();
    expect(added).toContain('name: machine');
    for (const kept of ran.split('\n')) expect(added).toContain(kept);
    await block('machine').click();
    await button('Delete').click();
    await block('machine').waitFor({ state: 'detached' });
    expect(await text()).toBe(ran);
    await line('- {name: bbu').click();
    await page.keyboard.press('Control+End');
    await page.keyboard.insertText('  - {name: mme, rfb-level: leaf, type: cran/mme, links: [epc]}\n');
    await block('mme').waitFor();
    await network('mme-epc').waitFor();
  });

  it('changes descriptors in XML, each in the file in which it stands', async () => {
    const [nsd] = [{ path: 'nsd.yaml', bytes: Buffer.from(golden('sol006/golden/two-machines.yaml')) }];
    const written = convert([nsd], 'sol006', 'xml').files;
    const files = Object.fromEntries(
      written.map(({ path, bytes }) => [path.replace(/^.*\//, ''), new TextDecoder().decode(bytes)]),
    );
    await beginTree(files);
    await block('gateway').dblclick();
    await block('router').click();
    await file('gateway.xml').waitFor();
    // What is chosen in the graph is shown in its file.
    await page.waitForURL(/file=gateway\.xml/);
    await line('<id>gateway</id>').waitFor();
    await field(/memory/i, '8192');
    expect(await changedIn(files)).toEqual(['gateway.xml']);
    expect((await texts())['gateway.xml']).toContain('<size>8.0</size>');
    await button('Undo').click();
    expect(await changedIn(files)).toEqual([]);
  });

  it('keeps a CSAR of TOSCA as its files, changes them from both sides, and saves all of them', async () => {
    const names = ['delivery.yaml', 'cache.yaml', 'cache_large.yaml', 'cache_type.yaml'];
    const files = Object.fromEntries(names.map((name) => [name, golden(`tosca/golden/Definitions/${name}`)]));
    await beginTree(files);
    await block('origin').waitFor();
    await block('cache').dblclick();
    await block('front').click();
    await page.waitForURL(/file=cache\.yaml/);
    await field(/memory/i, '8192');
    expect(await changedIn(files)).toEqual(['cache.yaml']);
    // A file that the graph has nothing of is opened by its name, and its text is drawn.
    await page.goBack();
    await file('delivery.yaml').click();
    await page.waitForURL(/file=delivery\.yaml/);
    await page.locator('[data-open]').first().waitFor();
    // Its part of the text comes into view.
    await network('publiclink').click();
    await write(
      'Users:',
      '    Inside:\n      type: tosca.nodes.nfv.NsVirtualLink\n      properties: {connectivity_type: {layer_protocols: [ipv4]}}\n',
    );
    await network('inside').waitFor();
    expect((await changedIn(files)).toSorted()).toEqual(['cache.yaml', 'delivery.yaml']);
    await button('Save').click();
    await page
      .locator('[data-notice]')
      .getByText(/Saved as/)
      .waitFor();
    const answer = await controlPlane.call('GET', '/descriptors/delivery', undefined);
    const saved = (await answer.json()) as { format: string; files: { path: string; base64: string }[] };
    expect(saved.format).toBe('tosca');
    const kept = Object.fromEntries(
      saved.files.map(({ path, base64 }) => [path, Buffer.from(base64, 'base64').toString()]),
    );
    expect(Object.keys(kept).toSorted()).toEqual(names.toSorted());
    expect([kept['cache_type.yaml'], kept['cache_large.yaml']]).toEqual([
      files['cache_type.yaml'],
      files['cache_large.yaml'],
    ]);
    await page.goto(`${controlPlane.origin}/designer?descriptor=delivery&file=cache_type.yaml`);
    await network('inside').waitFor();
    await line('example.Cache').waitFor();
    await button('Export…').click();
    for (const name of names) await page.locator(`[data-file="${name}"]`).waitFor();
    expect(complaints).toEqual([]);
  });
});
