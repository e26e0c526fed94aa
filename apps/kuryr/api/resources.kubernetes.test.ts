import { systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig, statusIn } from '@superfluidity/driver-kubernetes';
import { KURYR_API } from '@superfluidity/driver-kubernetes/kuryr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { TestCluster } from '../controller/testing/cluster.ts';
import { resourcePath, RESOURCES } from './resources.ts';

/** Resources of Kuryr, as a real API server takes or refuses them. */

const { lab, reason } = findLab();
const UNPROCESSABLE = 422;

/** One of each kind that it takes: every field is required. */
const WHOLE: readonly (readonly [resource: (typeof RESOURCES)[keyof typeof RESOURCES], spec: object])[] = [
  [RESOURCES.ports, { podUid: 'u', node: 'n' }],
  [RESOURCES.networks, { namespace: 'n', project: '' }],
  [
    RESOURCES.balancers,
    {
      address: '10.96.0.9',
      type: 'ClusterIP',
      project: '',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, members: [{ address: '10.0.0.5', port: 8_080 }] }],
    },
  ],
  [RESOURCES.policies, { isolates: ['ingress'], rules: [], pods: ['a'] }],
];

describe.skipIf(lab === undefined)(`resources of Kuryr${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let api: Cluster;
  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-shapes');
    const config = readClusterConfig('kuryr', { kubeconfig: lab!.paths.adminConfig });
    api = Cluster.open('kuryr', config, systemClock);
  });
  afterAll(async () => cluster?.close());

  const create = (resource: (typeof WHOLE)[number][0], name: string, spec: object) =>
    api.create(
      resourcePath(resource, cluster.namespace),
      { apiVersion: KURYR_API, kind: resource.kind, metadata: { name, namespace: cluster.namespace }, spec },
      AbortSignal.timeout(20_000),
    );

  test('are taken as the controller writes them', async () => {
    for (const [resource, spec] of WHOLE) expect(await create(resource, 'whole', spec)).toMatchObject({ spec });
  });

  test('are refused with 422 and the name of the field where one is missing or of another type', async () => {
    for (const [resource, spec] of WHOLE)
      for (const [field, value] of Object.entries(spec)) {
        const without = Object.fromEntries(Object.entries(spec).filter(([one]) => one !== field));
        const otherwise = { ...spec, [field]: typeof value === 'string' ? { not: 'text' } : 'text' };
        for (const damaged of [without, otherwise]) {
          const refused: unknown = await create(resource, 'broken', damaged).catch((error: unknown) => error);
          expect(statusIn(refused), `${resource.kind} ${field}`).toBe(UNPROCESSABLE);
          expect(String(refused)).toContain(`spec.${field}`);
        }
      }
  });
});
