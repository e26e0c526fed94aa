import { SuperfluidityError } from '@superfluidity/core';
import type { BalancerMember, BalancerSpec } from '@superfluidity/fabric';
import type { BalancerHealth, BalancerRoute, BalancerRule } from '@superfluidity/model';

/** A balancer in Octavia's words. Fields are those that are sent, and compared with what is there. */
export interface WantedBalancer {
  readonly listener: Fields & { readonly protocol: string; readonly protocol_port: number };
  /** The first takes what no policy sends elsewhere. */
  readonly pools: readonly WantedPool[];
  readonly policies: readonly WantedPolicy[];
}

export type Fields = Readonly<Record<string, unknown>>;

export interface WantedPool {
  readonly name: string;
  readonly fields: Fields & { readonly protocol: string };
  readonly members: readonly WantedMember[];
  readonly monitor: (Fields & { readonly type: string }) | undefined;
}

export interface WantedMember {
  readonly address: string;
  readonly protocol_port: number;
  readonly weight: number;
  readonly backup: boolean;
  readonly monitor_port: number | null;
}

export interface WantedPolicy {
  readonly name: string;
  readonly action: string;
  readonly fields: Fields;
  /** Name of the pool. */
  readonly pool?: string;
  readonly rules: readonly Fields[];
}

export const MAIN_POOL = 'members';

/** A creation says nothing of what there is not. */
export function given(fields: object): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  'round-robin': 'ROUND_ROBIN',
  'least-connections': 'LEAST_CONNECTIONS',
  'source-ip': 'SOURCE_IP',
  'source-ip-port': 'SOURCE_IP_PORT',
};
const LAYERS = { tcp: 'TCP', udp: 'UDP', http: 'HTTP' } as const;
const PERSISTENCE = { 'source-ip': 'SOURCE_IP', cookie: 'HTTP_COOKIE', 'app-cookie': 'APP_COOKIE' } as const;

/** What the provider has not was refused before. Provider `ovn` knows one algorithm, whatever is asked for by default. */
export function wantedBalancer(spec: BalancerSpec, doing: string): WantedBalancer {
  const { layer, tls, timeouts = {}, proxyProtocol, persistence, algorithm = 'round-robin' } = spec;
  const poolProtocol = proxyProtocol === undefined ? LAYERS[layer] : proxyProtocol === 1 ? 'PROXY' : 'PROXYV2';
  const pool = (name: string, members: readonly BalancerMember[]): WantedPool => ({
    name,
    fields: {
      protocol: poolProtocol,
      lb_algorithm: ALGORITHMS[algorithm] ?? 'ROUND_ROBIN',
      session_persistence:
        persistence === undefined
          ? null
          : {
              type: PERSISTENCE[persistence.kind],
              ...(persistence.kind === 'app-cookie' ? { cookie_name: persistence.cookie! } : {}),
            },
    },
    members: members.map((member) => memberOf(member, spec.health)),
    monitor: monitorOf(spec.health),
  });
  return {
    listener: {
      protocol: tls === undefined ? LAYERS[layer] : 'TERMINATED_HTTPS',
      protocol_port: spec.port,
      connection_limit: spec.connectionLimit ?? -1,
      allowed_cidrs: spec.allow?.map((one) => (one.includes('/') ? one : `${one}/32`)) ?? null,
      ...(timeouts.clientMs === undefined ? {} : { timeout_client_data: timeouts.clientMs }),
      ...(timeouts.connectMs === undefined ? {} : { timeout_member_connect: timeouts.connectMs }),
      ...(timeouts.memberMs === undefined ? {} : { timeout_member_data: timeouts.memberMs }),
      ...(spec.forwarded === true
        ? { insert_headers: { 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'true', 'X-Forwarded-Proto': 'true' } }
        : {}),
      ...(tls === undefined ? {} : tlsFields(tls, doing)),
    },
    pools: [pool(MAIN_POOL, spec.members), ...(spec.pools ?? []).map((one) => pool(`to-${one.name}`, one.members))],
    policies: (spec.routes ?? []).map(policyOf),
  };
}

function memberOf({ address, port, draining, weight = 1, backup = false }: BalancerMember, health?: BalancerHealth) {
  const asked = health !== undefined && 'port' in health && health.port !== port ? health.port : null;
  return { address, protocol_port: port, weight: draining ? 0 : weight, backup, monitor_port: asked };
}

const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1_000));

function monitorOf(health: BalancerHealth | undefined): WantedPool['monitor'] {
  if (health === undefined || health.kind === 'running') return undefined;
  const { kind, intervalMs = 5_000, rise = 3, fall = 3, method = 'GET', codes = '200-399', host } = health;
  const timeout = seconds(health.timeoutMs);
  return {
    type: kind.toUpperCase(),
    timeout,
    // It must not ask again before the time limit is over.
    delay: Math.max(timeout, seconds(intervalMs)),
    max_retries: rise,
    max_retries_down: fall,
    ...(kind === 'http' || kind === 'https'
      ? {
          http_method: method,
          url_path: health.path,
          expected_codes: codes,
          ...(host === undefined ? {} : { domain_name: host, http_version: 1.1 }),
        }
      : {}),
  };
}

const COMPARES = {
  equals: 'EQUAL_TO',
  starts: 'STARTS_WITH',
  ends: 'ENDS_WITH',
  contains: 'CONTAINS',
  regex: 'REGEX',
} as const;
const RULES = {
  host: 'HOST_NAME',
  path: 'PATH',
  'file-type': 'FILE_TYPE',
  header: 'HEADER',
  cookie: 'COOKIE',
} as const;

function policyOf({ name, rules, action }: BalancerRoute): WantedPolicy {
  const common = { name, rules: rules.map(ruleOf) };
  switch (action.kind) {
    case 'reject':
      return { ...common, action: 'REJECT', fields: {} };
    case 'redirect':
      return {
        ...common,
        action: 'REDIRECT_TO_URL',
        fields: { redirect_url: action.url, redirect_http_code: action.code ?? 302 },
      };
    case 'redirect-prefix':
      return {
        ...common,
        action: 'REDIRECT_PREFIX',
        fields: { redirect_prefix: action.url, redirect_http_code: action.code ?? 302 },
      };
    case 'pool':
      return { ...common, action: 'REDIRECT_TO_POOL', fields: {}, pool: `to-${action.pool}` };
  }
}

function ruleOf({ kind, compare, name, value, invert = false }: BalancerRule): Fields {
  return {
    type: RULES[kind],
    compare_type: COMPARES[compare],
    key: name ?? null,
    value,
    invert,
  };
}

/** Octavia reads certificates from the key manager of the cloud, and takes their addresses there. */
function tlsFields(tls: NonNullable<BalancerSpec['tls']>, doing: string): Fields {
  const [first, ...others] = tls.certificates.map((one) => reference(one, doing));
  const { clients, minVersion = '1.2' } = tls;
  return {
    default_tls_container_ref: first,
    sni_container_refs: others,
    tls_versions: minVersion === '1.3' ? ['TLSv1.3'] : ['TLSv1.2', 'TLSv1.3'],
    ...(tls.ciphers === undefined ? {} : { tls_ciphers: tls.ciphers }),
    ...(tls.alpn === undefined ? {} : { alpn_protocols: tls.alpn }),
    ...(clients === undefined
      ? {}
      : {
          client_ca_tls_container_ref: reference(clients.authority, doing),
          client_authentication: clients.required ? 'MANDATORY' : 'OPTIONAL',
        }),
  };
}

function reference(text: string, doing: string): string {
  const trimmed = text.trim();
  if (/^https?:\/\/\S{1,1000}$/.test(trimmed) || /^[0-9a-f-]{36}$/.test(trimmed)) return trimmed;
  throw new SuperfluidityError('SF-CLOUD-BALANCER', {
    doing,
    reason: 'the certificates of a balancer of Octavia are addresses of secrets in the key manager of the cloud',
    hint: 'Put the certificate into Barbican, and let the secret of the descriptor be its address there.',
  });
}
