import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const at = (path: string) => fileURLToPath(new URL(path, ROOT));
const page = readFileSync(at('docs/reference/kuryr-scenarios.md'), 'utf8');
const sections = new Map(page.split(/^## /m).map((text) => [text.slice(0, text.indexOf('\n')), text]));

/** Rows of the first table of a section, without its head. */
function rows(section: string): readonly (readonly string[])[] {
  const lines = (sections.get(section) ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

const named = (cell: string) =>
  [...cell.matchAll(/`([\w./-]+)` “([^”]+)”/g)].map(([, file, title]) => ({ file: file!, title: title! }));

const TABLES = ['kuryr-tempest-plugin', 'More that was to be mirrored', 'Faults'] as const;

/** Classes of kuryr-tempest-plugin, and the faults of the plan: each has a row. */
const WANTED = {
  'kuryr-tempest-plugin': [
    'CrossPing:',
    'CrossPingMultiWorker',
    'port_pool',
    'PortPool: update',
    'noop_update',
    'min_max_update',
    'pod_service_curl',
    'lb_service_http',
    'unsupported_service_type',
    'UdpService',
    'SCTPService',
    'ServiceWithoutSelector',
    'ListenerTimeout',
    'deployment_scale',
    'LoadBalancerReconciliation',
    'ListenerReconciliation',
    'ServiceWithNotReadyEndpoints',
    'Namespace: namespace',
    'sg_isolation',
    'sg_svc_isolation',
    'host_to_namespace_pod_connectivity',
    'recreate_pod_in_namespace',
    'schemas',
    'ipBlock',
    'hairpin',
    'end-to-end',
    'kuryr_pod_delete',
    'auto_fencing',
    'kuryr_cni_daemon',
    'NpwgMultiVif',
    'AnnotationProject',
  ],
  'More that was to be mirrored': [
    'two networks',
    'drained',
    '200 pods',
    'delete twice',
    'garbage',
    'version',
    'at once',
  ],
  Faults: [
    'API server restarted',
    '410',
    'etcd slow',
    'Neutron slow',
    'Neutron down',
    'node vanishes',
    'VLAN ids',
    'quota',
    'deleted while it is added',
    'middle of ADD',
    'stale lock',
    'clock',
    'hostile annotation',
    '1,000 endpoints',
  ],
} as const;

describe.each(TABLES)('the table of scenarios: %s', (section) => {
  test('has a row for each', () => {
    const scenarios = rows(section).map(([scenario]) => scenario);
    for (const wanted of WANTED[section]) expect(scenarios, wanted).toContainEqual(expect.stringContaining(wanted));
  });

  test('names tests that exist, in each row', () => {
    for (const [scenario, tests = ''] of rows(section)) {
      const all = named(tests);
      expect(all.length, scenario).toBeGreaterThan(0);
      // Nothing else stands there: what is not read is not looked for.
      expect(tests.replaceAll(/`[\w./-]+` “[^”]+”/g, '').replaceAll(/[; ]/g, ''), scenario).toBe('');
      for (const { file, title } of all) {
        expect(existsSync(at(file)), file).toBe(true);
        expect(readFileSync(at(file), 'utf8'), title).toContain(`'${title}'`);
      }
    }
  });
});
