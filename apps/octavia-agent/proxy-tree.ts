import { isIPv4 } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import type {
  ProxyListener,
  ProxyMember,
  ProxyMonitor,
  ProxyPool,
  ProxyRoute,
  ProxyRule,
  ProxyTls,
  ProxyTree,
} from '@superfluidity/haproxy';
import type { Listener, Member, Monitor, Policy, Pool, Rule, Tree } from './things.ts';

/** What Octavia's words come to in HAProxy. Throws, by name, what this provider does not do. */
export function proxyTree(tree: Tree): ProxyTree {
  const { balancer } = tree;
  if ((balancer.additional_vips?.length ?? 0) > 0) refuse('additional VIPs');
  const listeners = Object.values(tree.listener);
  const pools = Object.values(tree.pool).map((pool) => poolOf(pool, tree));
  const isUp = balancer.admin_state_up !== false;
  return {
    listeners: isUp ? listeners.filter((one) => one.admin_state_up !== false).map((one) => listenerOf(one, tree)) : [],
    pools,
  };
}

function refuse(feature: string): never {
  throw new SuperfluidityError('SF-OCTAVIA-UNSUPPORTED', {
    doing: 'set a load balancer of provider superfluidity',
    reason: `it has no ${feature}`,
  });
}

function known<T>(what: string, words: Readonly<Record<string, T>>, word: string | null | undefined): T {
  if (word === null || word === undefined || !Object.hasOwn(words, word)) refuse(`${what} ${String(word)}`);
  return words[word]!;
}

const MODES = { TCP: 'tcp', HTTPS: 'tcp', HTTP: 'http', TERMINATED_HTTPS: 'http' } as const;
const POOL_MODES = { TCP: 'tcp', HTTPS: 'tcp', HTTP: 'http', PROXY: undefined, PROXYV2: undefined } as const;
const ALGORITHMS = {
  ROUND_ROBIN: 'round-robin',
  LEAST_CONNECTIONS: 'least-connections',
  SOURCE_IP: 'source-ip',
  SOURCE_IP_PORT: 'source-ip-port',
} as const;

function listenerOf(one: Listener, tree: Tree): ProxyListener {
  const mode = known('listeners of protocol', MODES, one.protocol);
  const address = tree.balancer.vip_address ?? '';
  if (!isIPv4(address)) refuse(`VIPs like ${address || 'none'}`);
  const headers = one.insert_headers ?? {};
  const forwards = (name: string) => String(headers[name]).toLowerCase() === 'true';
  const unknown = Object.keys(headers).find((name) => !/^X-Forwarded-(For|Port|Proto)$/.test(name));
  if (unknown !== undefined) refuse(`header ${unknown}`);
  const limit = one.connection_limit ?? -1;
  const policies = Object.values(tree.policy)
    .filter((policy) => policy.listener_id === one.listener_id && policy.admin_state_up !== false)
    .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0));
  return {
    id: one.listener_id,
    addresses: [address],
    port: one.protocol_port ?? refuse('listeners without a port'),
    mode,
    ...(one.protocol === 'TERMINATED_HTTPS' ? { tls: tlsOf(one) } : {}),
    ...(limit > 0 ? { connectionLimit: limit } : {}),
    clientMs: one.timeout_client_data ?? 50_000,
    inspectMs: one.timeout_tcp_inspect ?? 0,
    ...(one.allowed_cidrs === null || one.allowed_cidrs === undefined || one.allowed_cidrs.length === 0
      ? {}
      : { allow: one.allowed_cidrs.filter((cidr) => /^[0-9.]+(\/\d{1,2})?$/.test(cidr)) }),
    forwarded: {
      client: forwards('X-Forwarded-For'),
      port: forwards('X-Forwarded-Port'),
      scheme: forwards('X-Forwarded-Proto'),
    },
    ...(isUp(one.default_pool_id, tree) ? { pool: one.default_pool_id! } : {}),
    routes: policies.map((policy) => routeOf(policy, tree)),
  };
}

function isUp(pool: string | null | undefined, tree: Tree): boolean {
  return (
    pool !== null && pool !== undefined && tree.pool[pool] !== undefined && tree.pool[pool].admin_state_up !== false
  );
}

const TLS_VERSIONS = { 'TLSv1.2': '1.2', 'TLSv1.3': '1.3' } as const;

function tlsOf(one: Listener): ProxyTls {
  const all = [one.default_tls_container_data, ...(one.sni_container_data ?? [])];
  const certificates = all.flatMap((data) =>
    data === null || data === undefined
      ? []
      : [[data.private_key, data.certificate, ...(data.intermediates ?? [])].map((pem) => `${pem.trim()}\n`).join('')],
  );
  const versions = Object.keys(TLS_VERSIONS).filter((version) => one.tls_versions?.includes(version) ?? true);
  const authority = one.client_ca_tls_container_data;
  const asks = one.client_authentication ?? 'NONE';
  return {
    certificates,
    minVersion: TLS_VERSIONS[(versions[0] ?? 'TLSv1.2') as keyof typeof TLS_VERSIONS],
    ...(one.tls_ciphers === null || one.tls_ciphers === undefined ? {} : { ciphers: one.tls_ciphers }),
    ...(one.alpn_protocols === null || one.alpn_protocols === undefined || one.alpn_protocols.length === 0
      ? {}
      : { alpn: one.alpn_protocols.filter((name) => /^(h2|http\/1\.[01])$/.test(name)) }),
    ...(authority === null || authority === undefined || asks === 'NONE'
      ? {}
      : {
          clients: {
            authority,
            required: asks === 'MANDATORY',
            ...(one.client_crl_container_data ? { revoked: one.client_crl_container_data } : {}),
          },
        }),
  };
}

function routeOf(policy: Policy, tree: Tree): ProxyRoute {
  const rules = Object.values(tree.rule)
    .filter((one) => one.l7policy_id === policy.l7policy_id && one.admin_state_up !== false)
    .map(ruleOf);
  const code = { code: (policy.redirect_http_code ?? 302) as 302 };
  const action = {
    REJECT: { kind: 'reject' },
    REDIRECT_TO_URL: { kind: 'redirect', url: policy.redirect_url ?? '/', ...code },
    REDIRECT_PREFIX: { kind: 'redirect-prefix', url: policy.redirect_prefix ?? '/', ...code },
    REDIRECT_TO_POOL: { kind: 'pool', pool: policy.redirect_pool_id ?? '' },
  } as const satisfies Readonly<Record<string, ProxyRoute['action']>>;
  return { rules, action: known('L7 policies of action', action, policy.action) };
}

const COMPARES = {
  EQUAL_TO: 'equals',
  STARTS_WITH: 'starts',
  ENDS_WITH: 'ends',
  CONTAINS: 'contains',
  REGEX: 'regex',
} as const;
const RULES = {
  HOST_NAME: 'host',
  PATH: 'path',
  FILE_TYPE: 'file-type',
  HEADER: 'header',
  COOKIE: 'cookie',
  SSL_CONN_HAS_CERT: 'tls-shown',
  SSL_VERIFY_RESULT: 'tls-verified',
  SSL_DN_FIELD: 'tls-subject',
} as const;

function ruleOf(rule: Rule): ProxyRule {
  return {
    kind: known('L7 rules of type', RULES, rule.type),
    compare: known('comparisons by', COMPARES, rule.compare_type),
    value: rule.value ?? '',
    ...(rule.key === null || rule.key === undefined ? {} : { name: rule.key }),
    ...(rule.invert === true ? { invert: true } : {}),
  };
}

function poolOf(pool: Pool, tree: Tree): ProxyPool {
  const user =
    Object.values(tree.listener).find((one) => one.default_pool_id === pool.pool_id) ??
    Object.values(tree.policy)
      .filter((one) => one.redirect_pool_id === pool.pool_id)
      .map((one) => tree.listener[one.listener_id])[0];
  const mode = known('pools of protocol', POOL_MODES, pool.protocol) ?? (user === undefined ? 'tcp' : modeOf(user));
  const session = pool.session_persistence ?? undefined;
  const members = Object.values(tree.member).filter((one) => one.pool_id === pool.pool_id);
  const monitor = monitorIn(tree, pool.pool_id);
  return {
    id: pool.pool_id,
    mode,
    algorithm: known('algorithm', ALGORITHMS, pool.lb_algorithm ?? 'ROUND_ROBIN'),
    ...(session === undefined || Object.keys(session).length === 0 ? {} : { persistence: persistenceOf(session) }),
    ...(monitor === undefined ? {} : { monitor: monitorOf(monitor) }),
    members: members.map(memberOf),
    ...(pool.protocol === 'PROXY' ? { proxyProtocol: 1 as const } : {}),
    ...(pool.protocol === 'PROXYV2' ? { proxyProtocol: 2 as const } : {}),
    ...(pool.tls_enabled === true
      ? { tls: pool.ca_tls_container_data ? { authority: pool.ca_tls_container_data } : {} }
      : {}),
    connectMs: user?.timeout_member_connect ?? 5_000,
    memberMs: user?.timeout_member_data ?? 50_000,
  };
}

const modeOf = (listener: Listener) => known('listeners of protocol', MODES, listener.protocol);

/** One that is switched off asks nobody. */
export function monitorIn(tree: Tree, poolId: string): Monitor | undefined {
  return Object.values(tree.monitor).find((one) => one.pool_id === poolId && one.admin_state_up !== false);
}

const PERSISTENCE = { SOURCE_IP: 'source-ip', HTTP_COOKIE: 'cookie', APP_COOKIE: 'app-cookie' } as const;

function persistenceOf(session: Readonly<Record<string, unknown>>) {
  const kind = known('session persistence', PERSISTENCE, String(session['type']));
  const cookie = session['cookie_name'];
  return { kind, ...(kind === 'app-cookie' && typeof cookie === 'string' ? { cookie } : {}) };
}

const MONITORS = { PING: 'ping', TCP: 'tcp', HTTP: 'http', HTTPS: 'https', 'TLS-HELLO': 'tls-hello' } as const;
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'TRACE', 'PATCH', 'CONNECT'] as const;

function monitorOf(monitor: Monitor): ProxyMonitor {
  const method = METHODS.find((one) => one === monitor.http_method);
  return {
    kind: known('health monitors of type', MONITORS, monitor.type),
    timeoutMs: (monitor.timeout ?? 5) * 1_000,
    intervalMs: (monitor.delay ?? 5) * 1_000,
    rise: monitor.max_retries ?? 3,
    fall: monitor.max_retries_down ?? 3,
    path: monitor.url_path ?? '/',
    ...(method === undefined ? {} : { method }),
    codes: monitor.expected_codes ?? '200',
    ...(monitor.domain_name === null || monitor.domain_name === undefined ? {} : { host: monitor.domain_name }),
  };
}

function memberOf(member: Member): ProxyMember {
  const { address, protocol_port: port } = member;
  if (address === null || address === undefined || !isIPv4(address)) refuse(`members like ${String(address)}`);
  const at = member.monitor_address ?? undefined;
  if (at !== undefined && !isIPv4(at)) refuse(`monitor addresses like ${at}`);
  return {
    id: member.member_id,
    address,
    port: port ?? refuse('members without a port'),
    weight: member.weight ?? 1,
    draining: false,
    backup: member.backup === true,
    disabled: member.admin_state_up === false,
    ...(at === undefined ? {} : { monitorAddress: at }),
    ...(member.monitor_port === null || member.monitor_port === undefined ? {} : { monitorPort: member.monitor_port }),
  };
}
