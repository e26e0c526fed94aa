import { silentLogger, VirtualClock } from '@superfluidity/core';
import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { expect, test } from 'vitest';
import { kuryrPortSchema } from '@superfluidity/driver-kubernetes/kuryr';
import { RESOURCES } from '../api/resources.ts';
import { ResourceStore } from './resource-store.ts';

function setup() {
  let reads = 0;
  const schema = kuryrPortSchema.refine(() => (reads += 1) > 0);
  const world = { cluster: {} as Cluster, clock: new VirtualClock(), log: silentLogger };
  const store = new ResourceStore(world, RESOURCES.ports, schema);
  const note = (version: number, node: unknown) =>
    store.informer.note({
      metadata: { namespace: 'red', name: 'p', uid: 'u', resourceVersion: String(version) },
      spec: { podUid: 'pod', node },
    } as KubeObject);
  return { store, note, reads: () => reads };
}

test('each version of a resource is read once, however often it is asked for', () => {
  const { store, note, reads } = setup();
  note(1, 'n1');
  const first = store.get('red/p');
  expect(first?.spec.node).toBe('n1');
  expect([store.get('red/p'), ...store.all(), store.parse(store.informer.get('red/p')!)]).toEqual([
    first,
    first,
    first,
  ]);
  expect(reads()).toBe(1);
  note(2, 'n2');
  expect([store.get('red/p'), ...store.all()].map((one) => one?.spec.node)).toEqual(['n2', 'n2']);
  expect(reads()).toBe(2);
});

test('what cannot be read is left out of all, and refused where it is asked for', () => {
  const { store, note } = setup();
  note(1, 7);
  expect(store.all()).toEqual([]);
  expect(store.parse(store.informer.get('red/p')!)).toBeUndefined();
  expect(() => store.get('red/p')).toThrow(expect.objectContaining({ code: 'SF-KURYR-RESOURCE' }));
  expect(store.get('red/q')).toBeUndefined();
});
