import { type Keep, quoted } from './words.ts';
import type { ProxyListener, ProxyRoute, ProxyRule, ProxyTls, ProxyTree } from './tree.ts';

export const frontendName = (id: string): string => `f-${id}`;
export const backendName = (id: string): string => `b-${id}`;

/** Flows may be silent for long; who asks something and gets no answer need not wait. */
const IDLE = { tcp: 3_600_000, http: 60_000 } as const;
export const idleMs = (mode: 'tcp' | 'http'): number => IDLE[mode];

export function listenerLines(listener: ProxyListener, tree: ProxyTree, keep: Keep): readonly string[] {
  const { id, mode, addresses, port, tls, allow, forwarded, routes, pool, inspectMs } = listener;
  const secure = tls === undefined ? '' : ` ${tlsWords(tls, keep).join(' ')}`;
  const known = new Set(tree.pools.map((one) => one.id));
  const decided = inOrder(routes).flatMap((route, i) => routeLines(route, i, known));
  return [
    `frontend ${frontendName(id)}`,
    `  mode ${mode}`,
    ...addresses.map((address) => `  bind ${address}:${port}${secure}`),
    `  timeout client ${listener.clientMs ?? idleMs(mode)}ms`,
    ...(listener.connectionLimit === undefined ? [] : [`  maxconn ${listener.connectionLimit}`]),
    ...(allow === undefined ? [] : [`  tcp-request connection reject unless { src ${allow.join(' ')} }`]),
    ...(inspectMs === undefined || inspectMs === 0 ? [] : [`  tcp-request inspect-delay ${inspectMs}ms`]),
    ...(forwarded?.client === true ? ['  http-request set-header X-Forwarded-For %[src]'] : []),
    ...(forwarded?.port === true ? [`  http-request set-header X-Forwarded-Port ${port}`] : []),
    ...(forwarded?.scheme === true
      ? [`  http-request set-header X-Forwarded-Proto ${tls === undefined ? 'http' : 'https'}`]
      : []),
    ...decided,
    ...(pool === undefined || !known.has(pool) ? [] : [`  default_backend ${backendName(pool)}`]),
  ];
}

function tlsWords({ certificates, minVersion, ciphers, alpn, clients }: ProxyTls, keep: Keep): readonly string[] {
  return [
    'ssl',
    ...certificates.map((pem) => `crt ${keep(pem, '.pem')}`),
    `ssl-min-ver TLSv${minVersion ?? '1.2'}`,
    ...(ciphers === undefined ? [] : [`ciphers ${quoted(ciphers)}`]),
    ...(alpn === undefined ? [] : [`alpn ${alpn.join(',')}`]),
    ...(clients === undefined
      ? []
      : [
          `ca-file ${keep(clients.authority, '.ca')}`,
          ...(clients.revoked === undefined ? [] : [`crl-file ${keep(clients.revoked, '.crl')}`]),
          `verify ${clients.required ? 'required' : 'optional'}`,
        ]),
  ];
}

/** Rejections first, then redirections, then pools, as in Octavia: HAProxy works its kinds of rules off in this order. */
const RANK = { reject: 0, redirect: 1, 'redirect-prefix': 1, pool: 2 } as const;

function inOrder(routes: readonly ProxyRoute[]): readonly ProxyRoute[] {
  return routes.toSorted((a, b) => RANK[a.action.kind] - RANK[b.action.kind]);
}

function routeLines({ action, rules }: ProxyRoute, i: number, pools: ReadonlySet<string>): readonly string[] {
  // Without a rule nothing is asked, and nothing is sent that way (Octavia API, L7 policies).
  if (rules.length === 0) return [];
  const names = rules.map((_, j) => `r${i}-${j}`);
  const asked = rules.map((rule, j) => `  acl ${names[j]!} ${expression(rule)}`);
  const when = names.map((name, j) => `${rules[j]!.invert === true ? '!' : ''}${name}`).join(' ');
  switch (action.kind) {
    case 'reject':
      return [...asked, `  http-request deny if ${when}`];
    case 'redirect':
      return [...asked, `  http-request redirect location ${url(action.url)} code ${action.code ?? 302} if ${when}`];
    case 'redirect-prefix':
      return [...asked, `  http-request redirect prefix ${url(action.url)} code ${action.code ?? 302} if ${when}`];
    case 'pool':
      return pools.has(action.pool) ? [...asked, `  use_backend ${backendName(action.pool)} if ${when}`] : [];
  }
}

/** It is read as a format of logs, in which a percent sign begins a variable. */
const url = (text: string): string => quoted(text.replaceAll('%', '%%'));

const MATCHES = { equals: 'str', starts: 'beg', ends: 'end', contains: 'sub', regex: 'reg' } as const;

function expression({ kind, compare, name = '', value }: ProxyRule): string {
  // `--` ends the flags: a value that begins with a hyphen is a value.
  const against = `-m ${MATCHES[compare]} -- ${quoted(value)}`;
  switch (kind) {
    case 'host':
      return `req.hdr(host),field(1,:) -i ${against}`;
    case 'path':
      return `path ${against}`;
    case 'file-type':
      return compare === 'regex'
        ? `path,word(-1,.) ${against}`
        : `path -m end -- ${quoted(`.${value.replace(/^\./, '')}`)}`;
    case 'header':
      return `req.hdr(${name}) ${against}`;
    case 'cookie':
      return `req.cook(${name}) ${against}`;
    case 'tls-shown':
      return 'ssl_c_used';
    case 'tls-verified':
      return `ssl_c_verify ${Math.trunc(Number(value)) || 0}`;
    case 'tls-subject':
      return `ssl_c_s_dn(${name.replaceAll(/[^A-Za-z0-9.]/g, '')}) ${against}`;
  }
}
