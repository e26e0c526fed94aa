import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { balancerShape, type Kind, KINDS, kinds, type Tree } from './things.ts';

/** What a call of the provider makes of the trees that are there. */
export interface Change {
  readonly tree: Tree;
  /** Things that are gone, to be reported as that. */
  readonly removed: readonly { readonly kind: Kind; readonly id: string }[];
  /** The load balancer itself is gone. */
  readonly ended: boolean;
  /** Ids of what Octavia locked for it, and waits to hear of. */
  readonly touched: readonly string[];
}

type Things = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
const fields = z.record(z.string(), z.unknown());

/** Pure: the call and the trees in, the tree that is wanted out. */
export function changeOf(call: string, given: readonly unknown[], trees: Iterable<Tree>): Change {
  const [first, second] = given;
  if (call === 'loadbalancer_create') {
    const tree = created(first);
    return change(tree, idsOf(tree));
  }
  if (call.startsWith('loadbalancer_')) {
    const id = typeof first === 'string' ? first : String(fields.parse(first)['loadbalancer_id']);
    const tree = theOne(trees, (one) => one.balancer.loadbalancer_id === id, `load balancer ${id}`);
    if (call === 'loadbalancer_delete') return { tree, removed: allOf(tree), ended: true, touched: [] };
    const update = call === 'loadbalancer_update' ? fields.parse(second) : {};
    return change({ ...tree, balancer: balancerShape.parse({ ...tree.balancer, ...update }) }, idsOf(tree));
  }
  if (call === 'member_batch_update') return batch(String(first), z.array(fields).parse(second), trees);
  for (const kind of kinds) {
    const { call: name, id: key } = KINDS[kind];
    if (!call.startsWith(`${name}_`)) continue;
    const old = fields.parse(first);
    const id = String(old[key]);
    if (call === `${name}_create`) return change(put(homeOf(kind, old, trees), kind, old), [id]);
    const tree = theOne(trees, (one) => Object.hasOwn(one[kind], id), `${kind} ${id}`);
    if (call === `${name}_delete`) return without(tree, kind, id);
    if (call === `${name}_update`) {
      const merged = { ...tree[kind][id], ...fields.parse(second) };
      return change(put(tree, kind, merged), [id]);
    }
  }
  throw new SuperfluidityError('SF-OCTAVIA-UNSUPPORTED', { doing: call, reason: 'nobody here knows this call' });
}

/** With a thing Octavia locks what it belongs to: what that may be is little. */
function change(tree: Tree, things: readonly string[], removed: Change['removed'] = []): Change {
  const around = [
    tree.balancer.loadbalancer_id,
    ...(['listener', 'pool', 'policy'] as const).flatMap((kind) => Object.keys(tree[kind])),
  ];
  return { tree, removed, ended: false, touched: [...new Set([...around, ...things])] };
}

const idsOf = (tree: Tree): readonly string[] => kinds.flatMap((kind) => Object.keys(tree[kind]));

function created(given: unknown): Tree {
  const { listeners, pools, ...rest } = z
    .looseObject({ listeners: z.array(fields).nullish(), pools: z.array(fields).nullish() })
    .parse(given);
  const nothing = Object.fromEntries(kinds.map((kind) => [kind, {}])) as unknown as Omit<Tree, 'balancer'>;
  const empty: Tree = { balancer: balancerShape.parse(rest), ...nothing };
  const withPools = (pools ?? []).reduce((tree, one) => put(tree, 'pool', one), empty);
  return (listeners ?? []).reduce((tree, one) => put(tree, 'listener', one), withPools);
}

/** The thing, and what Octavia gives inside of it. */
function put(tree: Tree, kind: Kind, thing: Readonly<Record<string, unknown>>): Tree {
  const { id, shape } = KINDS[kind];
  const named = 'loadbalancer_id' in thing ? thing : { ...thing, loadbalancer_id: tree.balancer.loadbalancer_id };
  const pool = fields.safeParse(thing['default_pool']).data;
  const own = kind === 'listener' && pool !== undefined ? { ...named, default_pool_id: pool['pool_id'] } : named;
  let now: Tree = { ...tree, [kind]: { ...tree[kind], [String(thing[id])]: shape.parse(own) } };
  const inside = (field: string, child: Kind, key?: string) => {
    const list = z.array(fields).safeParse(thing[field]).data ?? [];
    for (const one of list) now = put(now, child, key === undefined ? one : { ...one, [key]: thing[id] });
  };
  if (pool !== undefined && !Object.hasOwn(now.pool, String(pool['pool_id']))) now = put(now, 'pool', pool);
  if (kind === 'pool') {
    // It was made for a listener, whose default it becomes.
    const user = now.listener[String(thing['listener_id'])];
    if (user !== undefined) {
      const withDefault = { ...user, default_pool_id: String(thing[id]) };
      now = { ...now, listener: { ...now.listener, [user.listener_id]: withDefault } };
    }
    inside('members', 'member', 'pool_id');
    const monitor = fields.safeParse(thing['healthmonitor']).data;
    if (monitor !== undefined) now = put(now, 'monitor', { ...monitor, pool_id: thing[id] });
  }
  if (kind === 'listener') inside('l7policies', 'policy', 'listener_id');
  if (kind === 'policy') inside('rules', 'rule', 'l7policy_id');
  return now;
}

function batch(poolId: string, members: readonly Readonly<Record<string, unknown>>[], trees: Iterable<Tree>): Change {
  const tree = theOne(trees, (one) => Object.hasOwn(one.pool, poolId), `pool ${poolId}`);
  const before = Object.values(tree.member).filter((one) => one.pool_id === poolId);
  const kept = new Set(members.map((one) => String(one['member_id'])));
  const gone = before.filter((one) => !kept.has(one.member_id));
  const left = gone.reduce((now, one) => omit(now, one.member_id), tree.member);
  const next = members.reduce<Tree>(
    (now, one) => {
      const known = now.member[String(one['member_id'])];
      return put(now, 'member', { ...known, ...one, pool_id: poolId });
    },
    { ...tree, member: left },
  );
  const removed = gone.map((one) => ({ kind: 'member' as const, id: one.member_id }));
  return change(next, [...kept], removed);
}

/** With what belongs to it. What only refers to it forgets it. */
function without(tree: Tree, kind: Kind, id: string): Change {
  const { tree: left, removed } = taken(tree, kind, id);
  return change(left, [], removed);
}

function taken(tree: Tree, kind: Kind, id: string): Pick<Change, 'tree' | 'removed'> {
  let now: Tree = { ...tree, [kind]: omit(tree[kind] as Things[string], id) };
  const removed: { kind: Kind; id: string }[] = [];
  for (const child of kinds) {
    const within: readonly [string, string] | undefined = KINDS[child].within;
    if (within?.[0] !== kind) continue;
    for (const [childId, thing] of Object.entries(now[child] as Things)) {
      if (thing[within[1]] !== id) continue;
      const inner = taken(now, child, childId);
      now = inner.tree;
      for (const one of inner.removed) removed.push(one);
    }
  }
  return { tree: now, removed: [...removed, { kind, id }] };
}

function allOf(tree: Tree): Change['removed'] {
  // What is inside of others comes before these: members before pools.
  return kinds.toReversed().flatMap((kind) => Object.keys(tree[kind]).map((id) => ({ kind, id })));
}

function homeOf(kind: Kind, thing: Readonly<Record<string, unknown>>, trees: Iterable<Tree>): Tree {
  const { within } = KINDS[kind];
  if (within === undefined) {
    const id = String(thing['loadbalancer_id']);
    return theOne(trees, (one) => one.balancer.loadbalancer_id === id, `load balancer ${id}`);
  }
  const id = String(thing[within[1]]);
  return theOne(trees, (one) => Object.hasOwn(one[within[0]], id), `${within[0]} ${id}`);
}

function theOne(trees: Iterable<Tree>, holds: (tree: Tree) => boolean, what: string): Tree {
  for (const tree of trees) if (holds(tree)) return tree;
  throw new SuperfluidityError('SF-OCTAVIA-UNKNOWN', { doing: `find ${what}`, reason: 'there is none' });
}

function omit<T>(things: Readonly<Record<string, T>>, id: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(things).filter(([key]) => key !== id));
}
