import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@superfluidity/api';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { recorded } from '../testing/recorded.ts';
import { runCommand } from '../testing/run-command.ts';
import { status } from './kuryr.ts';

/** The command, with the program of Kuryr behind it; the API server is asked in apps/kuryr/install. */

const folder = mkdtempSync(join(tmpdir(), 'superfluidity-kuryr-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Kinded {
  readonly kind: string;
}

describe('kuryr install --dry-run', () => {
  const linux = ['kuryr', 'install', '--fabric', 'linux', '--cluster', 'edge', '--dry-run'];

  test('prints the same manifests as YAML and as JSON, with what was asked for', async () => {
    const more = [
      '--namespace',
      'network',
      '--node-label',
      'a=b',
      '--node-label',
      'c=d',
      '--api-server',
      '[fd00::1]:6443',
    ];
    const { code, out, err } = await runCommand([...linux, ...more]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const read = parseAllDocuments(out, { version: '1.1' }).map((one) => one.toJS() as Kinded);
    const json = JSON.parse((await runCommand(['--json', ...linux, ...more])).out) as { readonly items: Kinded[] };
    expect(json.items).toEqual(read);
    expect(read.find(({ kind }) => kind === 'DaemonSet')).toMatchObject({
      metadata: { namespace: 'network' },
      spec: { template: { spec: { nodeSelector: { a: 'b', c: 'd' } } } },
    });
    expect(JSON.stringify(read)).toContain('{"name":"KUBERNETES_SERVICE_HOST","value":"fd00::1"}');
  });

  test('takes a file, and what is given beside it goes before', async () => {
    const file = join(folder, 'kuryr.yaml');
    writeFileSync(file, 'cluster: far\ndrivers: {vif: nested-vlan}\nneutron: {subnet: a, groups: [b], cloud: south}\n');
    const { out } = await runCommand([
      'kuryr',
      'install',
      '--config',
      file,
      '--subnet',
      'c',
      '--trunk-bridge',
      'br-x',
      '--dry-run',
      '--json',
    ]);
    const { items } = JSON.parse(out) as { readonly items: (Kinded & { readonly data?: Record<string, string> })[] };
    expect(JSON.stringify(items)).toContain('"--trunk-bridge","br-x"');
    expect(JSON.parse(items.find(({ kind }) => kind === 'ConfigMap')!.data!['kuryr.json']!)).toMatchObject({
      cluster: 'far',
      drivers: { vif: 'nested-vlan' },
      neutron: { cloud: 'south', subnet: 'c', groups: ['b'] },
    });
  });

  test('writes a chart', async () => {
    const chart = join(folder, 'chart');
    expect((await runCommand([...linux, '--chart', chart])).code).toBe(0);
    expect(readdirSync(join(chart, 'templates'))).toHaveLength(4);
    expect(readFileSync(join(chart, 'values.yaml'), 'utf8')).toMatch(/^image: .*\nreplicas: 2\n$/);
  });

  test.each([
    [['install', '--dry-run'], /SF-KURYR-INSTALL.*give --fabric/],
    [['install', '--fabric', 'neutron:north', '--cluster', 'edge', '--dry-run'], /SF-KURYR-CONFIG[^]*neutron\.groups/],
    [['install', '--fabric', 'linux', '--cluster', 'edge'], /SF-CLI-USAGE.*give --site or --kubeconfig/],
    [['install', '--fabric', 'linux', '--api-server', 'here', '--dry-run'], /HOST:PORT/],
    [['install', '--fabric', 'linux', '--node-label', 'x', '--dry-run'], /KEY=VALUE/],
    [['uninstall', '--site', 'a', '--kubeconfig', 'b'], /SF-CLI-USAGE.*not both/],
  ])('%j is wrong usage', async (args, reason) => {
    const { code, out, err } = await runCommand(['kuryr', ...args]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(reason);
  });
});

describe('a site', () => {
  const asked = (site: object) => {
    const { context } = recorded();
    const client = { call: () => Promise.resolve(site) } as unknown as Client;
    return status({ ...context, client: () => Promise.resolve(client) }, { site: 'pods', namespace: 'kube-system' });
  };

  test.each([
    [{ kind: 'linux', config: {} }, 'SF-CLI-USAGE', /of kind linux/],
    [{ kind: 'kubernetes', config: { content: 'secret:north' } }, 'SF-CLI-USAGE', /in no file/],
    [{ kind: 'kubernetes', config: { kubeconfig: '/nowhere/config' } }, 'SF-CLI-USAGE', /not on this machine/],
  ])('%j leads to no cluster', async (site, code, reason) => {
    await expect(asked(site)).rejects.toMatchObject({ code, message: expect.stringMatching(reason) });
  });

  test('that is a cluster is asked with its own file and context', async () => {
    const kubeconfig = join(folder, 'config');
    writeFileSync(
      kubeconfig,
      JSON.stringify({ apiVersion: 'v1', kind: 'Config', contexts: [], clusters: [], users: [] }),
    );
    await expect(asked({ kind: 'kubernetes', config: { kubeconfig, context: 'north' } })).rejects.toMatchObject({
      report: { code: 'SF-KUBE-CONFIG', message: expect.stringContaining('it has no context north') },
    });
  });
});
