import { newId } from '@superfluidity/core';
import { scopeOf } from '@superfluidity/router';
import { expect, test } from 'vitest';
import { leftBehind } from './inventory.ts';

const [mine, other] = [newId('site'), newId('site')];
const root = 'cgroup /sys/fs/cgroup/cpu/superfluidity';
const of = (id: string) => [`namespace ${scopeOf(id).prefix}h1`, `${root}/${scopeOf(id).key}`];
const before = new Set(['namespace old']);
const left = (...lines: readonly string[]) => leftBehind(before, new Set(['namespace old', ...lines]), [mine]);

test('what is left behind is what the own sites made, and what has nobody', () => {
  expect(left(...of(mine), 'mount /mnt/x', 'process 7@1: sleep')).toEqual([
    `${root}/${scopeOf(mine).key}`,
    'mount /mnt/x',
    `namespace ${scopeOf(mine).prefix}h1`,
    'process 7@1: sleep',
  ]);
  expect(left(...of(other), 'namespace sft-1-2', 'interface sf-probe-1')).toEqual([]);
});

test('the folder of all sites is left behind by the last one only', () => {
  expect(left(root)).toEqual([root]);
  expect(left(root, ...of(other))).toEqual([]);
  expect(left(root, ...of(mine))).toContain(root);
});
