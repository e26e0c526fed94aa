import type { ProxyCounters } from '@superfluidity/haproxy';
import { monitorIn } from './proxy-tree.ts';
import { KINDS, type Kind, kinds, type Tree } from './things.ts';

export type Operating = 'ONLINE' | 'DEGRADED' | 'ERROR' | 'OFFLINE' | 'DRAINING' | 'NO_MONITOR';
type Line = { readonly id: string; readonly provisioning_status?: string; readonly operating_status?: string };
export type Report = Readonly<Record<string, readonly Line[]>>;

/** How everything of a tree does, as its proxy says (Octavia API, operating status codes). */
export function operating(tree: Tree, counters: readonly ProxyCounters[]): ReadonlyMap<string, Operating> {
  const states = new Map<string, Operating>();
  const seen = new Map(counters.filter(({ kind }) => kind === 'member').map((one) => [one.id, one.status]));
  for (const member of Object.values(tree.member)) {
    const status = seen.get(member.member_id);
    const state = (): Operating => {
      if (member.admin_state_up === false || status === 'disabled') return 'OFFLINE';
      if (status === 'down') return 'ERROR';
      if (member.weight === 0 || status === 'draining') return 'DRAINING';
      return monitorIn(tree, member.pool_id) === undefined ? 'NO_MONITOR' : status === undefined ? 'OFFLINE' : 'ONLINE';
    };
    states.set(member.member_id, state());
  }
  for (const pool of Object.values(tree.pool)) {
    const members = Object.values(tree.member).filter((one) => one.pool_id === pool.pool_id);
    const ill = members.filter((one) => states.get(one.member_id) === 'ERROR').length;
    const well = ill === 0 ? 'ONLINE' : ill === members.length ? 'ERROR' : 'DEGRADED';
    states.set(pool.pool_id, pool.admin_state_up === false ? 'OFFLINE' : well);
  }
  for (const kind of ['listener', 'monitor', 'policy', 'rule'] as const) {
    for (const [id, thing] of Object.entries(tree[kind]))
      states.set(id, thing.admin_state_up === false ? 'OFFLINE' : 'ONLINE');
  }
  const pools = Object.keys(tree.pool).map((id) => states.get(id));
  const isIll = pools.includes('ERROR') || pools.includes('DEGRADED');
  const all = pools.length > 0 && pools.every((state) => state === 'ERROR');
  const up = tree.balancer.admin_state_up !== false;
  states.set(tree.balancer.loadbalancer_id, !up ? 'OFFLINE' : all ? 'ERROR' : isIll ? 'DEGRADED' : 'ONLINE');
  return states;
}

/** For octavia-driver-agent, which takes its time for each line: only of these things. Undefined: there is nothing to say. */
export function reportOf(
  tree: Tree,
  about: ReadonlySet<string>,
  provisioning: 'ACTIVE' | 'ERROR' | undefined,
  states: ReadonlyMap<string, Operating>,
): Report | undefined {
  const lines = (ids: readonly string[]): readonly Line[] =>
    ids
      .filter((id) => about.has(id))
      .map((id) => ({
        id,
        ...(provisioning === undefined ? {} : { provisioning_status: provisioning }),
        ...(states.get(id) === undefined ? {} : { operating_status: states.get(id)! }),
      }));
  const report = [
    ...kinds.map((kind) => [KINDS[kind].report, lines(Object.keys(tree[kind]))] as const),
    ['loadbalancers', lines([tree.balancer.loadbalancer_id])] as const,
  ].filter(([, all]) => all.length > 0);
  return report.length === 0 ? undefined : Object.fromEntries(report);
}

export function reportOfRemoved(
  removed: readonly { readonly kind: Kind; readonly id: string }[],
  balancer?: string,
): Report {
  const lines: Record<string, Line[]> = {};
  for (const { kind, id } of removed) (lines[KINDS[kind].report] ??= []).push({ id, provisioning_status: 'DELETED' });
  if (balancer !== undefined)
    lines['loadbalancers'] = [{ id: balancer, provisioning_status: 'DELETED', operating_status: 'OFFLINE' }];
  return lines;
}

export interface ListenerStatistics {
  readonly id: string;
  readonly active_connections: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly request_errors: number;
  readonly total_connections: number;
}

/** What a proxy counts begins anew with each process; what Octavia is told does not. */
export class Statistics {
  readonly #before = new Map<string, ListenerStatistics>();
  readonly #last = new Map<string, ListenerStatistics>();

  of(counters: readonly ProxyCounters[]): readonly ListenerStatistics[] {
    return counters
      .filter(({ kind }) => kind === 'listener')
      .map((one) => {
        const now: ListenerStatistics = {
          id: one.id,
          active_connections: one.connections,
          bytes_in: one.bytesIn,
          bytes_out: one.bytesOut,
          request_errors: one.requestErrors,
          total_connections: one.connectionsTotal,
        };
        const last = this.#last.get(one.id);
        if (last !== undefined && last.total_connections > now.total_connections)
          this.#before.set(one.id, sum(this.#before.get(one.id), last));
        this.#last.set(one.id, now);
        return { ...sum(this.#before.get(one.id), now), active_connections: now.active_connections };
      });
  }
}

function sum(a: ListenerStatistics | undefined, b: ListenerStatistics): ListenerStatistics {
  if (a === undefined) return b;
  return {
    id: b.id,
    active_connections: b.active_connections,
    bytes_in: a.bytes_in + b.bytes_in,
    bytes_out: a.bytes_out + b.bytes_out,
    request_errors: a.request_errors + b.request_errors,
    total_connections: a.total_connections + b.total_connections,
  };
}
