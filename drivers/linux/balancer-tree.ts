import type { BalancerMember, BalancerSpec } from '@superfluidity/fabric';
import type { ProxyMember, ProxyMonitor, ProxyPool, ProxyTree } from '@superfluidity/haproxy';
import type { BalancerHealth } from '@superfluidity/model';

/** One listener with the pool of its members, and those of its routes. */
export function balancerTree(spec: BalancerSpec): ProxyTree {
  const mode = spec.layer === 'http' ? 'http' : 'tcp';
  const pool = (id: string, members: readonly BalancerMember[]): ProxyPool => ({
    id,
    mode,
    algorithm: spec.algorithm ?? 'round-robin',
    monitor: monitorOf(spec.health),
    members: members.map((member) => memberOf(member, spec.health)),
    ...(spec.persistence === undefined ? {} : { persistence: spec.persistence }),
    ...(spec.proxyProtocol === undefined ? {} : { proxyProtocol: spec.proxyProtocol }),
    ...(spec.timeouts?.connectMs === undefined ? {} : { connectMs: spec.timeouts.connectMs }),
    ...(spec.timeouts?.memberMs === undefined ? {} : { memberMs: spec.timeouts.memberMs }),
  });
  return {
    listeners: [
      {
        id: 'virtual',
        addresses: [spec.address],
        port: spec.port,
        mode,
        pool: 'members',
        routes: (spec.routes ?? []).map(({ rules, action }) => ({
          rules,
          action: action.kind === 'pool' ? { ...action, pool: poolId(action.pool) } : action,
        })),
        ...(spec.tls === undefined ? {} : { tls: spec.tls }),
        ...(spec.connectionLimit === undefined ? {} : { connectionLimit: spec.connectionLimit }),
        ...(spec.timeouts?.clientMs === undefined ? {} : { clientMs: spec.timeouts.clientMs }),
        ...(spec.allow === undefined ? {} : { allow: spec.allow }),
        ...(spec.forwarded === true ? { forwarded: { client: true, port: true, scheme: true } } : {}),
      },
    ],
    pools: [
      pool('members', spec.members),
      ...(spec.pools ?? []).map(({ name, members }) => pool(poolId(name), members)),
    ],
  };
}

const poolId = (name: string): string => `to-${name}`;

/** Where nothing is said a member that takes connections is well. */
function monitorOf(health: BalancerHealth | undefined): ProxyMonitor {
  if (health === undefined || health.kind === 'running' || health.kind === 'udp-connect')
    return { kind: 'tcp', timeoutMs: 5_000 };
  const { port: _, ...rest } = { port: 0, ...health };
  return rest as ProxyMonitor;
}

function memberOf(member: BalancerMember, health: BalancerHealth | undefined): ProxyMember {
  const { address, port, draining, weight = 1, backup = false } = member;
  return {
    id: `${address.replaceAll('.', '_')}_${port}`,
    address,
    port,
    weight,
    draining,
    backup,
    ...(health !== undefined && 'port' in health ? { monitorPort: health.port } : {}),
  };
}
