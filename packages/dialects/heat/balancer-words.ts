import type { Balancer } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { given, type Group, groupAt } from '../groups.ts';

/** What Octavia calls what a balancer is told (Octavia API v2), in both directions. */
const ALGORITHMS = {
  'round-robin': 'ROUND_ROBIN',
  'least-connections': 'LEAST_CONNECTIONS',
  'source-ip': 'SOURCE_IP',
  'source-ip-port': 'SOURCE_IP_PORT',
} as const;
const PERSISTENCE = { 'source-ip': 'SOURCE_IP', cookie: 'HTTP_COOKIE', 'app-cookie': 'APP_COOKIE' } as const;
const PROTOCOLS = { http: 'HTTP', tcp: 'TCP', udp: 'UDP' } as const;
export function listenerWords({ layer, port, connectionLimit, allow }: Balancer): Group {
  return {
    protocol: PROTOCOLS[layer],
    protocol_port: port,
    ...given({
      connection_limit: connectionLimit,
      allowed_cidrs: allow?.map((one) => (one.includes('/') ? one : `${one}/32`)),
    }),
  };
}

export function poolWords(balancer: Balancer, i: number, lose: Lose): Group {
  const { name, layer, algorithm = 'round-robin', persistence, proxyProtocol } = balancer;
  if (proxyProtocol === 2)
    lose(`balancers[${i}].proxyProtocol`, `version 2 of the PROXY protocol of balancer '${name}'`);
  const word = (ALGORITHMS as Readonly<Record<string, string>>)[algorithm];
  if (word === undefined) lose(`balancers[${i}].algorithm`, `algorithm ${algorithm} of balancer '${name}'`);
  if (persistence?.timeoutMs !== undefined)
    lose(`balancers[${i}].persistence.timeoutMs`, `the time after which balancer '${name}' forgets a client`);
  const set = persistence?.kind === 'cookie' ? persistence.cookie : undefined;
  if (set !== undefined) lose(`balancers[${i}].persistence.cookie`, `the name of the cookie of balancer '${name}'`);
  const cookie = persistence?.kind === 'app-cookie' ? persistence.cookie : undefined;
  return {
    protocol: proxyProtocol === 1 ? 'PROXY' : PROTOCOLS[layer],
    lb_algorithm: word ?? 'ROUND_ROBIN',
    ...(persistence === undefined
      ? {}
      : { session_persistence: { type: PERSISTENCE[persistence.kind], ...given({ cookie_name: cookie }) } }),
  };
}

/** What a listener and its pool say beside layer and port. */
export function readWords(listener: Group, pool: Group) {
  const algorithm = named(ALGORITHMS, pool['lb_algorithm']);
  const session = groupAt(pool, 'session_persistence');
  const kind = named(PERSISTENCE, session['type']);
  const cookie = session['cookie_name'];
  const limit = Number(listener['connection_limit']);
  const allow = listener['allowed_cidrs'];
  return given({
    algorithm: algorithm === 'round-robin' ? undefined : algorithm,
    persistence:
      kind === undefined || (kind === 'app-cookie' && typeof cookie !== 'string')
        ? undefined
        : { kind, ...(kind === 'app-cookie' ? { cookie: String(cookie) } : {}) },
    connectionLimit: Number.isInteger(limit) && limit > 0 && limit <= 1_000_000 ? limit : undefined,
    allow:
      Array.isArray(allow) && allow.every((one) => typeof one === 'string' && one !== '')
        ? (allow as string[])
        : undefined,
    proxyProtocol: pool['protocol'] === 'PROXY' ? (1 as const) : undefined,
  });
}

export function layerOf(protocol: unknown): Balancer['layer'] {
  return protocol === 'HTTP' ? 'http' : protocol === 'UDP' ? 'udp' : 'tcp';
}

/** Of a monitor, beside type and times. */
export function probeWords({ name, health }: Balancer, at: string, lose: Lose): Group {
  const { kind, method, codes, host, fall } = health!;
  if (kind === 'tls-hello') lose(at, `health 'tls-hello' of balancer '${name}', which asks by connections,`);
  if (host !== undefined) lose(`${at}.host`, `the host that checks of balancer '${name}' ask for`);
  if (fall !== undefined) lose(`${at}.fall`, `after how many failures balancer '${name}' takes a member out`);
  return {
    type: kind === 'tls-hello' ? 'TCP' : kind.toUpperCase(),
    ...given({ http_method: method, expected_codes: codes }),
  };
}

function named<T extends Readonly<Record<string, string>>>(words: T, word: unknown): keyof T | undefined {
  return Object.keys(words).find((name) => words[name] === word);
}
