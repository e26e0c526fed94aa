import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mock, startMock } from '../mock/server.ts';
import { MOCK_PASSWORD } from '../mock/world.ts';
import { violations } from './accessibility.ts';
import { launchBrowser, whyNoBrowser } from './browser.ts';
import { openConsole, PATIENCE_MS, TOKEN } from './busy-mock.ts';

/** Who may use the console, and what becomes of work when that changes. */
const title = `signing in in Chromium${whyNoBrowser === undefined ? '' : `, skipped: ${whyNoBrowser}`}`;

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  let mock: Mock;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    mock = await startMock({ port: 0, token: TOKEN, speed: 20 });
    browser = await launchBrowser();
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => complaints.push(String(error)));
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  const button = (name: string, within: Page | Locator = page) => within.getByRole('button', { name, exact: true });
  const signIn = async (name: string, password: string, on: Page | Locator = page) => {
    await on.getByLabel('Name', { exact: true }).fill(name);
    await on.getByLabel('Password', { exact: true }).fill(password);
    await button('Sign in', on).click();
  };
  const again = (on = page) => on.getByRole('dialog', { name: /session is over|not accepted any more/ });

  it('takes the right password, says why it does not take another, and is the same in a new tab', async () => {
    await page.goto(`${mock.url}/settings?tab=you`);
    await signIn('admin', 'not this one, surely');
    await page.getByText('SF-ACCESS-PASSWORD').waitFor();
    expect(await page.getByLabel('Password').inputValue()).toBe('');
    await signIn('admin', MOCK_PASSWORD);
    await page.getByText('name and password').waitFor();
    expect(new URL(page.url()).search).toBe('?tab=you');
    expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }))).toBe(
      '{"superfluidity.user":"admin"}',
    );
    const tab = await page.context().newPage();
    await tab.goto(`${mock.url}/settings?tab=you`);
    await tab.getByText('name and password').waitFor();
    await tab.close();
  });

  it('keeps what was typed when the session ends, and goes on after signing in again', async () => {
    await page.goto(`${mock.url}/settings?tab=users&do=add`);
    const dialog = page.getByRole('dialog', { name: 'Add a user' });
    await dialog.getByLabel('Name').fill('typed-before');
    await dialog.getByLabel('Role').selectOption('admin');
    mock.world.sessions.clear();
    await button('Add', dialog).click();
    await again().waitFor();
    expect(await violations(page)).toEqual([]);
    expect(mock.world.users.some(({ name }) => name === 'typed-before')).toBe(false);
    // The name is filled in; a wrong password changes nothing.
    expect(await again().getByLabel('Name', { exact: true }).inputValue()).toBe('admin');
    await signIn('admin', 'not this one, surely', again());
    await again().getByText('SF-ACCESS-PASSWORD').waitFor();
    await signIn('admin', MOCK_PASSWORD, again());
    // What was pressed before is done now, once, and without being pressed again.
    await dialog.waitFor({ state: 'detached' });
    await page.locator('[data-row="typed-before"]').waitFor();
    expect(mock.world.users.filter(({ name }) => name === 'typed-before')).toMatchObject([{ role: 'admin' }]);
  });

  it('does not do for somebody else what the one before had pressed', async () => {
    mock.world.passwords.set('typed-before', 'another four words');
    await page.goto(`${mock.url}/settings?tab=users&do=add`);
    const dialog = page.getByRole('dialog', { name: 'Add a user' });
    await dialog.getByLabel('Name').fill('never-made');
    mock.world.sessions.clear();
    await button('Add', dialog).click();
    await signIn('typed-before', 'another four words', again());
    await dialog.getByText('SF-ACCESS-SESSION').waitFor();
    expect(await dialog.getByLabel('Name').inputValue()).toBe('never-made');
    expect(mock.world.users.some(({ name }) => name === 'never-made')).toBe(false);
    // Who is here now may press it.
    await button('Add', dialog).click();
    await page.locator('[data-row="never-made"]').waitFor();
  });

  it('keeps a design that is being written, with a token that is revoked meanwhile', async () => {
    const tab = await openConsole(browser, mock.url, complaints);
    await tab.goto(`${mock.url}/designer?template=chain`);
    const text = tab.locator('.cm-content').first();
    await text.waitFor();
    await text.click();
    await tab.keyboard.press('Control+End');
    await tab.keyboard.type('\n# typed before');
    mock.world.revoked = true;
    await button('Save', tab).click();
    await again(tab).waitFor();
    await again(tab).getByLabel('Token', { exact: true }).fill('wrong');
    await button('Open', again(tab)).click();
    await again(tab).getByText('SF-ACCESS-BAD-TOKEN').waitFor();
    mock.world.revoked = false;
    await again(tab).getByLabel('Token', { exact: true }).fill(TOKEN);
    await button('Open', again(tab)).click();
    await again(tab).waitFor({ state: 'detached' });
    await expect
      .poll(() => [...mock.world.descriptors.values()].some(({ source }) => source.includes('typed before')))
      .toBe(true);
    expect(await text.innerText()).toContain('# typed before');
    await tab.close();
  });

  it('manages users, and spares the own way in', async () => {
    await page.goto(`${mock.url}/settings?tab=users`);
    await page.locator('[data-row="admin"]').waitFor();
    expect(await button('Disable typed-before').getAttribute('data-reason')).toContain('It is you');
    await button('Disable admin').click();
    await button('Disable', page.getByRole('dialog')).click();
    await button('Enable admin').waitFor();
    await button('Enable admin').click();
    await button('Disable admin').waitFor();
    await button('Change never-made').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Role').selectOption('admin');
    await dialog.getByLabel('New password').fill('short');
    await dialog.getByText('12 characters or more: there are 5.').waitFor();
    await dialog.getByLabel('New password').fill('long enough now');
    await button('Change', dialog).click();
    await dialog.waitFor({ state: 'detached' });
    expect(mock.world.passwords.get('never-made')).toBe('long enough now');
    await button('Remove never-made').click();
    await button('Remove', page.getByRole('dialog')).click();
    await page.locator('[data-row="never-made"]').waitFor({ state: 'detached' });
  });

  it('sets a secret, which nothing shows again, and says why one stays', async () => {
    await page.goto(`${mock.url}/settings?tab=secrets&do=set`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('db');
    await dialog.getByText('secret:db').waitFor();
    await dialog.getByLabel('Kind').selectOption('ssh-key');
    await dialog.getByLabel('Value').fill('line one of a key\nline two');
    await button('Set', dialog).click();
    await page.locator('[data-row="db"]').waitFor();
    expect(await page.content()).not.toContain('line one of a key');
    const known = mock.world.secrets.get('db')!;
    expect(known).toMatchObject({ kind: 'ssh-key', version: 1, setBy: 'typed-before' });
    mock.world.secrets.set('db', { ...known, usedBy: [{ kind: 'site', name: 'core' }] });
    await page.reload();
    await expect
      .poll(() => button('Remove db').getAttribute('data-reason'))
      .toContain('The site core would not find it');
  });

  it.each([
    '/services/gone',
    '/operations/op-gone',
    '/catalogue/desc-gone',
    '/designer?descriptor=gone',
    '/deploy?descriptor=desc-gone',
    '/verification?service=gone',
    '/infrastructure/gone',
    '/insight?service=gone',
    '/settings?tab=users&do=change&of=gone',
  ])('says that nothing is there behind the link %s, with the code', async (path) => {
    await page.goto(mock.url + path);
    const failure = page.locator('[data-failure="absent"]').first();
    await failure.waitFor();
    expect(await failure.innerText()).toMatch(/SF-[A-Z]+-UNKNOWN/);
    expect(await failure.innerText()).toContain('gone');
  });

  it('says who may do it when an action is refused, and that of a failure with code and hint', async () => {
    const own = mock.world.users.find(({ name }) => name === 'typed-before')!;
    await page.goto(`${mock.url}/settings?tab=sites&do=add`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('late');
    await dialog.getByLabel('Kind', { exact: true }).selectOption('linux');
    mock.world.users[mock.world.users.indexOf(own)] = { ...own, role: 'reader' };
    await button('Add', dialog).click();
    await dialog.getByText('SF-ACCESS-FORBIDDEN').waitFor();
    await dialog.getByText('What to do:').waitFor();
    expect(await dialog.getByLabel('Name').inputValue()).toBe('late');
    const at = mock.world.users.findIndex(({ name }) => name === 'typed-before');
    mock.world.users[at] = { ...own, role: 'admin' };
    await button('Add', dialog).click();
    await page.locator('[data-row="late"]').waitFor();
  });

  it('changes the own password, and signs out everywhere', async () => {
    await page.goto(`${mock.url}/settings?tab=you&do=password`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Password until now').fill('a wrong password');
    await dialog.getByLabel('New password').fill('yet another four words');
    await dialog.getByLabel('The same again').fill('yet another four words');
    await button('Change', dialog).click();
    await dialog.getByText('SF-ACCESS-OLD-PASSWORD').waitFor();
    await dialog.getByLabel('Password until now').fill('another four words');
    await button('Change', dialog).click();
    await dialog.waitFor({ state: 'detached' });
    await button('Sign out everywhere…').click();
    await button('Sign out everywhere', page.getByRole('dialog')).click();
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    expect(mock.world.sessions.size).toBe(0);
    await page.goto(mock.url);
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
  });

  it('has made no complaint', () => {
    expect(complaints).toEqual([]);
  });
});
