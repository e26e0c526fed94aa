import type { PlaybookRun } from '@superfluidity/api';
import { expect, test } from 'vitest';
import { inventoryOf } from './inventory.ts';
import { playbookOf, type PlaybookRunner, playbookSteps } from './playbooks.ts';
import type { UnitRecord } from './unit-records.ts';

const unit = (path: string, index: number, address: string, site = 'north') =>
  ({ planned: { site, spec: { path, index } }, ports: [{ address }] }) as unknown as UnitRecord;

test('units are hosts, in groups of functions, units and sites', () => {
  const units = [unit('worker/worker', 0, '10.0.0.3'), unit('video/web-server', 1, '10.0.0.4', 'edge-1')];
  expect(inventoryOf([...units, unit('worker/worker', 1, '')])).toEqual({
    all: {
      hosts: { 'worker-0': { ansible_host: '10.0.0.3' }, 'video-web-server-1': { ansible_host: '10.0.0.4' } },
      children: {
        worker: { hosts: { 'worker-0': null } },
        site_north: { hosts: { 'worker-0': null } },
        video: { hosts: { 'video-web-server-1': null } },
        video_web_server: { hosts: { 'video-web-server-1': null } },
        site_edge_1: { hosts: { 'video-web-server-1': null } },
      },
    },
  });
});

const runner: Pick<PlaybookRunner, 'list' | 'artifacts'> = {
  list: async () => ['site.yml'],
  artifacts: (service) => `/state/${service}`,
};
const run = (more: Partial<PlaybookRun> = {}): PlaybookRun => ({
  playbook: 'site.yml',
  vars: {},
  check: false,
  timeoutMs: 1_000,
  ...more,
});
const steps = (one: PlaybookRun, of: typeof runner | undefined = runner) =>
  playbookSteps(of as PlaybookRunner | undefined, 'k1', one);

test('the playbook follows what was last, and the site follows the playbook', async () => {
  const before = [
    { id: 'a', title: '', dependsOn: [], action: { verb: 'keep-link', link: undefined, previous: undefined } },
    { id: 'b', title: '', dependsOn: ['a'], action: { verb: 'keep-link', link: undefined, previous: undefined } },
  ] as const;
  const all = await playbookSteps(runner as PlaybookRunner, 'k1', run({ site: 'pods', key: 'secret:a' }), before);
  expect(all.map(({ id, dependsOn }) => [id, dependsOn])).toEqual([
    ['a', []],
    ['b', ['a']],
    ['playbook', ['b']],
    ['add-site@pods', ['playbook']],
  ]);
  expect(all[2]!.action).toMatchObject({ verb: 'run-playbook', order: { key: 'secret:a' }, timeoutMs: 1_000 });
  expect(all[3]!.action).toMatchObject({
    declaration: { name: 'pods', kind: 'kubernetes', config: { kubeconfig: '/state/k1/admin.kubeconfig' } },
  });
  // What is only looked at makes no site.
  expect(await steps(run({ site: 'pods', check: true }))).toHaveLength(1);
});

test.each([
  ['a playbook that is not there', run({ playbook: 'other.yml' }), /there are site\.yml/],
  ['a template of Jinja', run({ vars: { a: { b: ['x{{ lookup("pipe", "id") }}'] } } }), /vars\.a\.b\.0 has a template/],
  ['one in a name', run({ vars: { a: { '{% x %}': 1 } } }), /a name in vars\.a/],
])('refuses %s', async (_what, asked, because) => {
  await expect(steps(asked)).rejects.toMatchObject({
    code: 'SF-LIFECYCLE-PLAYBOOK',
    message: expect.stringMatching(because),
  });
});

test('refuses all where the server runs none', async () => {
  await expect(playbookSteps(undefined, 'k1', run())).rejects.toMatchObject({ code: 'SF-LIFECYCLE-PLAYBOOK' });
});

test('a template says by its inputs what is run, and whoever asks counts more', () => {
  const inputs = { superfluidity_playbook: 'site.yml', superfluidity_site: 'pods', superfluidity_key: '', workers: 3 };
  expect(playbookOf(undefined, inputs)).toMatchObject({ playbook: 'site.yml', site: 'pods', vars: { workers: 3 } });
  expect(playbookOf(undefined, inputs)).not.toHaveProperty('key');
  expect(playbookOf(undefined, { ...inputs, superfluidity_playbook: '' })).toBeUndefined();
  const asked = run({ playbook: 'other.yml', vars: { workers: 4, more: 1 } });
  expect(playbookOf(asked, inputs)).toMatchObject({ playbook: 'other.yml', vars: { workers: 4, more: 1 } });
  expect(() => playbookOf(undefined, { ...inputs, superfluidity_playbook: '../etc/x.yml' })).toThrow(
    /superfluidity_playbook/,
  );
});
