import type { BalancerSpec } from '@superfluidity/fabric';
import { objectionsTo } from '@superfluidity/model';
import { expect, it } from 'vitest';
import '@superfluidity/site';
import '../errors.ts';
import { worldWith } from '../testing/asked.ts';
import { serviceOf, slicesOf } from './manifest.ts';

/** Balancers in the words of Services. */

const member = (address: string, port = 8_080, draining = false) => ({ address, port, draining });

function balancer(changes: Partial<BalancerSpec> = {}): BalancerSpec {
  return {
    id: 'balancer-1',
    service: 'svc-1',
    name: 'front',
    network: 'net-1',
    address: '10.96.7.7',
    port: 80,
    layer: 'tcp',
    members: [member('10.244.1.2'), member('10.244.1.3'), member('10.244.2.4', 9_090, true)],
    ...changes,
  };
}

it('have their address as that of the cluster, of the nodes, or of what is outside', () => {
  const spec = (addresses?: string) =>
    serviceOf(worldWith(addresses === undefined ? {} : { services: { addresses } }), balancer()).spec;
  expect(spec()).toMatchObject({ type: 'ClusterIP', clusterIP: '10.96.7.7', sessionAffinity: 'None' });
  expect(spec('external')).toMatchObject({ type: 'ClusterIP', externalIPs: ['10.96.7.7'] });
  expect(spec('external')).not.toHaveProperty('clusterIP');
  expect(spec('load-balancer')).toMatchObject({ type: 'LoadBalancer', loadBalancerIP: '10.96.7.7' });
});

it('keep clients at their member, for as long as is asked for', () => {
  const sticky = serviceOf(worldWith(), balancer({ persistence: { kind: 'source-ip', timeoutMs: 90_500 } }));
  expect(sticky.spec).toMatchObject({
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 91 } },
  });
});

it('have a slice for each port of members, of which those that drain get nothing new', () => {
  const slices = slicesOf(worldWith(), balancer());
  expect(slices.map(({ ports }) => ports)).toEqual([
    [{ name: '', protocol: 'TCP', port: 8_080 }],
    [{ name: '', protocol: 'TCP', port: 9_090 }],
  ]);
  expect(slices[1]!.endpoints).toEqual([
    { addresses: ['10.244.2.4'], conditions: { ready: false, serving: false, terminating: true } },
  ]);
  const name = serviceOf(worldWith(), balancer()).metadata.name;
  for (const { metadata } of slices) expect(metadata.labels).toMatchObject({ 'kubernetes.io/service-name': name });
});

it('have several slices where there are many members, and none without', () => {
  const members = Array.from({ length: 2_500 }, (_, i) => member(`10.244.${Math.floor(i / 250)}.${i % 250}`));
  expect(slicesOf(worldWith(), balancer({ members })).map(({ endpoints }) => endpoints.length)).toEqual([
    1_000, 1_000, 500,
  ]);
  expect(slicesOf(worldWith(), balancer({ members: [] }))).toEqual([]);
});

it.each([
  ['layer http', { layer: 'http' }],
  ['tls', { tls: { certificates: ['secret:a'] } }],
  ['weights', { members: [{ ...member('10.244.1.2'), weight: 3 }] }],
  ['backup members', { members: [{ ...member('10.244.1.2'), backup: true }] }],
  ['algorithm least-connections', { algorithm: 'least-connections' }],
  ['persistence cookie', { persistence: { kind: 'cookie' } }],
  ['health tcp', { health: { kind: 'tcp', port: 80, timeoutMs: 1_000 } }],
  ['allowed sources', { allow: ['10.0.0.0/8'] }],
] as const)('cannot do %s', (feature, changes) => {
  const objections = objectionsTo(balancer(changes as Partial<BalancerSpec>), 'kubernetes service');
  expect(objections.map((one) => one.feature)).toEqual([feature]);
});
