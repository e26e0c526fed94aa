import { fileURLToPath } from 'node:url';
import type { Unit } from '@superfluidity/api';
import type { Page } from 'playwright-core';
import type { Mock } from '../mock/server.ts';

/** A page as the tests visit it: what it must show before it counts as there. */
export interface Visit {
  /** Of the picture in docs/screenshots. */
  readonly name: string;
  readonly path: string;
  readonly shows: string;
  /** What a person does there before the picture is taken. */
  readonly does?: (page: Page) => Promise<void>;
}

/** The addresses of things that the mock has made when `history` and a deployment of `mobile-edge` are over. */
export function visits(mock: Mock): readonly Visit[] {
  const operation = [...mock.world.operations.values()].find(
    ({ kind, steps }) => kind === 'INSTANTIATE' && steps.length > 8,
  )!;
  const [unit, gateway, filter] = ['video/server', 'epc/gateway', 'firewall/filter'].map(
    (wanted) => mock.world.services.get('mobile-edge')!.units.find(({ path }) => path === wanted)!,
  ) as [Unit, Unit, Unit];
  return [
    { name: 'overview', path: '/?service=mobile-edge', shows: '[data-points]' },
    { name: 'services', path: '/services', shows: '[data-row="mobile-edge"]' },
    { name: 'service', path: '/services/mobile-edge', shows: '[data-unit]' },
    {
      name: 'service-layers',
      path: `/services/mobile-edge?layer=all&selected=${encodeURIComponent(`unit:${unit.id}`)}`,
      shows: '[data-chosen]',
    },
    {
      name: 'service-overlay',
      path: '/services/mobile-edge?layer=overlay&selected=tunnel%3Acore~edge',
      shows: '[data-node="tunnel:core~edge"]',
    },
    {
      name: 'network-edit',
      path: '/services/mobile-edge?tab=networks&network=sgi',
      shows: '[data-network="sgi"]',
      does: async (page) => {
        await page.getByLabel('Unit to attach').selectOption('video/video');
        await page.getByLabel('Network to attach it to').selectOption('sgi');
        await page.getByRole('button', { name: 'Attach', exact: true }).click();
        await page.getByRole('button', { name: 'Plan', exact: true }).click();
        await page.locator('[data-planned] [data-step]').first().waitFor();
      },
    },
    { name: 'units-and-log', path: `/services/mobile-edge?tab=units&unit=${unit.id}`, shows: '.sf-log__lines pre' },
    {
      name: 'unit-use',
      path: `/services/mobile-edge?tab=units&unit=${gateway.id}&show=usage`,
      shows: '[data-usage="memory"]',
      // What the server has seen before, and two readings of the page.
      does: async (page) => page.locator('[data-usage="cores"][data-readings="8"]').waitFor(),
    },
    {
      name: 'unit-terminal',
      path: `/services/mobile-edge?tab=units&unit=${gateway.id}&show=terminal`,
      shows: '[data-terminal-state="closed"]',
      does: async (page) => {
        await page.getByRole('button', { name: 'Open a terminal' }).click();
        await page.locator('[data-terminal-state="open"]').waitFor();
        await page.keyboard.type('ip route\nsize\n');
        await page
          .locator('.xterm-rows')
          .getByText(/^\d+ \d+$/)
          .waitFor();
      },
    },
    {
      name: 'unit-without-terminal',
      path: `/services/mobile-edge?tab=units&unit=${filter.id}&show=terminal`,
      shows: '[data-reason*="packet function"]',
    },
    { name: 'operations', path: '/operations', shows: '[data-row]' },
    { name: 'operation', path: `/operations/${operation.id}`, shows: '[data-step]' },
    { name: 'catalogue', path: '/catalogue', shows: '[data-row]' },
    { name: 'descriptor', path: '/catalogue/desc-0mkc2', shows: '#source' },
    { name: 'designer-new', path: '/designer', shows: '[data-template="chain"]' },
    {
      name: 'designer',
      path: '/designer?descriptor=mobile-edge&selected=block%3Afirewall',
      shows: '[data-block="firewall"]',
    },
    {
      name: 'designer-click',
      path: '/designer?template=click&in=router%2Frouter',
      shows: '.sf-line--link',
      // In the order in which packets go, as soon as it is arranged.
      does: (page) => page.waitForTimeout(1_500),
    },
    {
      name: 'designer-versions',
      path: '/designer?descriptor=mobile-edge&do=versions',
      shows: '[data-versions] .cm-editor',
    },
    {
      name: 'designer-export',
      path: '/designer?descriptor=mobile-edge&do=export&format=heat',
      shows: '[data-losses]',
    },
    {
      name: 'designer-heat',
      path: '/designer',
      shows: 'h1',
      does: async (page) => {
        // What was begun before is a draft.
        await page.locator('[data-designer], [data-template="chain"]').first().waitFor();
        if ((await page.locator('[data-designer]').count()) > 0) {
          await page.getByRole('button', { name: 'New…' }).click();
          await page.getByRole('button', { name: 'Begin another' }).click();
        }
        const path = new URL('../../../packages/dialects/heat/golden/portal.yaml', import.meta.url);
        await page.locator('input[type="file"]').last().setInputFiles(fileURLToPath(path));
        await page.locator('[data-block="portal"]').click();
        await page.locator('.cm-line', { hasText: 'portal:' }).first().waitFor();
        await page.waitForTimeout(1_500);
      },
    },
    {
      name: 'plan',
      path: '/deploy?descriptor=desc-0mkc0',
      shows: 'h1',
      does: async (page) => {
        await page.getByRole('button', { name: 'Plan', exact: true }).click();
        await page.locator('[data-placed-on="core"]').waitFor();
        await page.locator('[data-step]').first().waitFor();
      },
    },
    {
      name: 'inputs-of-a-template',
      path: '/deploy?descriptor=desc-0mkheat',
      shows: '#input-flavor',
    },
    { name: 'verification', path: '/verification?service=mobile-edge', shows: '[data-proof]' },
    {
      name: 'verification-as-it-is',
      path: '/verification?service=mobile-edge&plane=realised',
      shows: '[data-likeness]',
    },
    {
      name: 'way-of-packets',
      path: '/verification?service=mobile-edge&from=ue',
      shows: '[data-way="dropped"]',
      does: (page) => page.locator('.sf-ways').scrollIntoViewIfNeeded(),
    },
    { name: 'infrastructure', path: '/infrastructure', shows: '[data-row="edge"]' },
    {
      name: 'sites-by-layers',
      path: '/infrastructure?tab=topology&selected=link%3Acore~edge&service=mobile-edge',
      shows: '[data-node="link:core~edge"]',
    },
    { name: 'racks', path: '/infrastructure?tab=racks&site=metro', shows: '[data-rack="r5"]' },
    { name: 'storage', path: '/infrastructure?tab=storage', shows: '[data-row="edge//flash"]' },
    { name: 'hosts-by-load', path: '/infrastructure?tab=load', shows: '[data-heat-hosts]:not([data-heat-hosts="0"])' },
    { name: 'hosts', path: '/infrastructure?tab=hosts', shows: '[data-row="core/c1"]' },
    { name: 'networks', path: '/infrastructure?tab=networks', shows: '[data-row="service mobile-edge.ran"]' },
    { name: 'links', path: '/infrastructure?tab=links', shows: '[data-plan-site="core"]' },
    { name: 'pools', path: '/infrastructure?tab=pools', shows: 'table' },
    { name: 'site', path: '/infrastructure/core', shows: '[data-row="core/c1"]' },
    { name: 'insight', path: '/insight?service=mobile-edge', shows: '[data-plot="rate"]' },
    { name: 'insight-operations', path: '/insight?tab=operations', shows: '[data-row="INSTANTIATE"]' },
    { name: 'insight-scaling', path: '/insight?tab=scaling&service=mobile-edge', shows: '[data-policy-grid]' },
    {
      name: 'insight-anomalies',
      path: '/insight?tab=anomalies&service=mobile-edge',
      shows: '[data-alert]',
    },
    {
      name: 'insight-characterisation',
      path: '/insight?tab=characterisation',
      shows: '[data-row="unified-origin"]',
    },
    {
      name: 'characterisation',
      path: '/insight/characterisations/unified-origin',
      shows: '[data-box-plot="latency"]',
    },
    { name: 'events', path: '/events', shows: '[data-row]' },
    { name: 'tokens', path: '/settings', shows: '[data-row]' },
    { name: 'users', path: '/settings?tab=users', shows: '[data-row="giulia"]' },
    { name: 'change-a-user', path: '/settings?tab=users&do=change&of=giulia', shows: '[role="dialog"]' },
    { name: 'secrets', path: '/settings?tab=secrets', shows: '[data-row="harbour"]' },
    { name: 'set-a-secret', path: '/settings?tab=secrets&do=set', shows: '[role="dialog"]' },
    { name: 'you', path: '/settings?tab=you', shows: '.sf-panel' },
    {
      name: 'add-a-site',
      path: '/settings?tab=sites&do=add',
      shows: '[role="dialog"]',
      does: async (page) => {
        await page.getByLabel('Kind', { exact: true }).selectOption('simulated');
      },
    },
    {
      name: 'palette',
      path: '/services',
      shows: '[data-row]',
      does: async (page) => {
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox').fill('mobile');
        await page.locator('[data-command="service mobile-edge"]').waitFor();
      },
    },
    { name: 'not-there', path: '/services/no-such', shows: '[data-failure]' },
    { name: 'forbidden', path: '/services/forbidden-403', shows: '[data-failure]' },
    { name: 'failed', path: '/services/broken-500', shows: '[data-failure]' },
    { name: 'no-such-address', path: '/nowhere', shows: '[data-failure]' },
    {
      // The last one: it leaves the tab without a token.
      name: 'sign-in',
      path: '/settings?tab=you',
      shows: '.sf-panel',
      does: async (page) => {
        await page.getByRole('button', { name: 'Leave' }).click();
        await page.getByLabel('Password').waitFor();
      },
    },
  ];
}
