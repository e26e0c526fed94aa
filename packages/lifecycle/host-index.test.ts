import type { Host } from '@superfluidity/model';
import { expect, test } from 'vitest';
import { createHostIndex } from './host-index.ts';

const host = (name: string, accelerators: string[] = []): Host => ({
  name,
  environments: ['container'],
  accelerators,
  cpu: 4,
  memoryMiB: 1_024,
  storageMiB: 0,
  used: { cpu: 0, memoryMiB: 0, storageMiB: 0 },
  schedulable: true,
});

test('makes anew only what has changed', () => {
  const index = createHostIndex();
  const [edge, core] = [[host('h1', ['GPU'])], [host('h1')]];
  const sites = [
    { name: 'edge', hosts: edge },
    { name: 'core', hosts: core },
  ];
  const first = index(sites);
  expect(first.map(({ name, text }) => [name, text])).toEqual([
    ['edge/h1', 'edge/h1 gpu'],
    ['core/h1', 'core/h1'],
  ]);
  expect(index([...sites])).toBe(first);
  const next = index([sites[0]!, { name: 'core', hosts: [host('h2')] }]);
  expect(next.map(({ name }) => name)).toEqual(['edge/h1', 'core/h2']);
  expect(next[0]).toBe(first[0]);
  expect(index([sites[0]!])).toEqual([first[0]]);
});
