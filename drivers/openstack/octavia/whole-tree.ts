import { type Fields, given, type WantedBalancer, type WantedPool } from './wanted.ts';

/**
 * What is below a load balancer, as its creation takes it: Octavia makes all of it in one change ("fully populated load balancer"
 * of API v2), where one after the other each thing waits until the provider has done the one before. Pools are named, and what
 * leads to them says their names.
 */
export function wholeTree({ listener, pools, policies }: WantedBalancer): Fields {
  const [main] = pools;
  const l7policies = policies.map(({ name, action, fields, pool, rules }, at) => ({
    name,
    action,
    position: at + 1,
    ...fields,
    ...(pool === undefined ? {} : { redirect_pool: { name: pool } }),
    rules: rules.map(given),
  }));
  return {
    pools: pools.map(poolOf),
    listeners: [{ name: 'virtual', ...given(listener), default_pool: { name: main!.name }, l7policies }],
  };
}

function poolOf({ name, fields, members, monitor }: WantedPool): Fields {
  return {
    name,
    ...given(fields),
    members: members.map(given),
    ...(monitor === undefined ? {} : { healthmonitor: monitor }),
  };
}
