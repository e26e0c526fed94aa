import type { PlaybookRun } from '@superfluidity/api';
import { expect, test } from 'vitest';
import { inventoryOf } from './inventory.ts';
import { beginningWith, playbookDefaults, playbookOf, type PlaybookRunner, playbookSteps } from './playbooks.ts';
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
  expect(playbookOf(asked, inputs)).toMatchObject({
    playbook: 'other.yml',
    site: 'pods',
    vars: { workers: 4, more: 1 },
  });
  expect(() => playbookOf(undefined, { ...inputs, superfluidity_playbook: '../etc/x.yml' })).toThrow(
    /superfluidity_playbook/,
  );
});

test('what is run later begins with what the deployment said', () => {
  const inputs = {
    superfluidity_playbook: '',
    superfluidity_key: 'secret:a',
    superfluidity_user: '',
    prefix: '10.1.0.0/16',
  };
  // Also where it ran none, and over all what it asked for beside the inputs.
  const bare = playbookDefaults(undefined, inputs);
  expect(bare).toEqual({ vars: { prefix: '10.1.0.0/16' }, key: 'secret:a' });
  const asked = playbookOf(run({ user: 'debian', vars: { images: [] } }), inputs);
  const kept = playbookDefaults(asked, inputs);
  expect(kept).toEqual({ vars: { prefix: '10.1.0.0/16', images: [] }, user: 'debian', key: 'secret:a' });
  expect(beginningWith(kept, run({ playbook: 'remove.yml', limit: ['worker-1'], vars: { images: 1 } }))).toEqual(
    run({
      playbook: 'remove.yml',
      limit: ['worker-1'],
      vars: { prefix: '10.1.0.0/16', images: 1 },
      user: 'debian',
      key: 'secret:a',
    }),
  );
  expect(beginningWith(kept, run({ key: 'secret:b' }))).toMatchObject({ key: 'secret:b' });
  expect(beginningWith(undefined, run())).toEqual(run());
});
