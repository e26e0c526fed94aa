import { VirtualClock } from '@superfluidity/core';
import { expect, test } from 'vitest';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
import type { BalancerDriver } from '../drivers/types.ts';
import type { World } from '../world.ts';
import { BalancerHandler } from './balancers.ts';

const KEY = 'red/web';
const signal = AbortSignal.timeout(60_000);
type Spec = KuryrLoadBalancer['spec'];
const without: Spec = { address: '10.96.0.7', type: 'ClusterIP', project: '', ports: [] };
const timed: Spec = { ...without, timeouts: { clientMs: 12_000 } };

test('a balancer that changes twice, the second time back, is as it was: also if the first change was not written down', async () => {
  let balancer: KuryrLoadBalancer = {
    metadata: { namespace: 'red', name: 'web', uid: 'uid-1' },
    spec: without,
  } as KuryrLoadBalancer;
  let meanwhile: Spec | undefined;
  let there: Spec | undefined;
  const balancers = {
    get: () => balancer,
    write: async (_object: unknown, { status }: { status: KuryrLoadBalancer['status'] }) => {
      if (meanwhile !== undefined) {
        balancer = { ...balancer, spec: meanwhile };
        meanwhile = undefined;
        throw new Error('somebody changed it since it was read');
      }
      balancer = { ...balancer, ...(status === undefined ? {} : { status }) };
      return balancer;
    },
  };
  const driver = {
    ensure: async ({ spec }: KuryrLoadBalancer) => {
      there = spec;
      return { balancerId: 'b', address: spec.address, provider: 'p' };
    },
  } as unknown as BalancerDriver;
  const world = { balancers, services: new Map(), clock: new VirtualClock() } as unknown as World;
  const handler = new BalancerHandler(world, driver);
  await handler.handle(KEY, signal);
  expect(there).toEqual(without);
  balancer = { ...balancer, spec: timed };
  meanwhile = without;
  await expect(handler.handle(KEY, signal)).rejects.toThrow('somebody changed it');
  expect(there).toEqual(timed);
  await handler.handle(KEY, signal);
  expect(there).toEqual(without);
});
