import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openstackDriver } from '@superfluidity/driver-openstack';
import type { Cloud } from '@superfluidity/openstack';
import { authWords, labCloud, laboratory, OPERATOR, ownProject } from '@superfluidity/openstack/testing';
import { type TestLifecycle, testLifecycle, type TestLifecycleOptions } from '../testing.ts';

export const lab = laboratory();
export const why = lab === undefined ? ' (no laboratory: OS_AUTH_URL is not set)' : '';

export interface LabSite {
  readonly test: TestLifecycle;
  /** The same project, to look and to disturb. */
  readonly cloud: Cloud;
  close(): Promise<void>;
}

/** A lifecycle with one site, `cloud1`: a project of its own in the laboratory, named in a clouds.yaml of its own. */
export async function labSite(
  project: string,
  options: Pick<TestLifecycleOptions, 'store'>,
  config: Readonly<Record<string, unknown>>,
): Promise<LabSite> {
  const own = await ownProject(lab!, project, OPERATOR);
  const { config: found } = own;
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-clouds-'));
  const overrides = Object.entries(found.endpoints ?? {}).map(([type, url]) => [
    `${type.replaceAll('-', '_')}_endpoint_override`,
    url,
  ]);
  const fields = {
    auth: authWords(found),
    ...(found.region === undefined ? {} : { region_name: found.region }),
    ...Object.fromEntries(overrides),
  };
  const file = join(folder, 'clouds.yaml');
  writeFileSync(file, JSON.stringify({ clouds: { lab: fields } }), { mode: 0o600 });
  process.env['OS_CLIENT_CONFIG_FILE'] = file;
  const test = await testLifecycle({ kinds: [openstackDriver], ...options, limits: { stepRetryMs: 100 } });
  await test.lifecycle.sites.add({
    name: 'cloud1',
    kind: 'openstack',
    config: { cloud: 'lab', pollMs: 1_000, ...config },
    tier: 'core',
    cells: [],
    services: [],
    price: { core: 1, gib: 0.1 },
  });
  const cloud = labCloud(found);
  return {
    test,
    cloud,
    async close() {
      try {
        await test.lifecycle.sites.purge('cloud1');
      } finally {
        await test.close();
        await cloud.close();
        await own.remove();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
