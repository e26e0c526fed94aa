import type { WantedBalancer, WantedPool } from './wanted.ts';

type Fields = Readonly<Record<string, unknown>>;

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
    members: members.map((member) => given({ ...member })),
    ...(monitor === undefined ? {} : { healthmonitor: monitor }),
  };
}

/** A creation says nothing of what there is not. */
function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
