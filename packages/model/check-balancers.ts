import type { Balancer, BalancerHealth, BalancerRoute, BalancerRule } from './balancer.ts';
import { type BlockIndex, checkName, unitPaths } from './check-blocks.ts';
import { modelLimits } from './errors.ts';
import type { Findings } from './findings.ts';
import { parseIpv4, parseIpv4Prefix } from './ipv4.ts';

/** Names of headers, cookies and parameters (RFC 9110 section 5.6.2). */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** No control characters: what is asked for ends up in lines of configurations. */
const LINE = /^[^\p{Cc}]{1,1024}$/u;
const CODES = /^[1-5][0-9]{2}(-[1-5][0-9]{2}|(,[1-5][0-9]{2})*)$/;

/** One balancer: what it refers to, and that what it asks for goes together. */
export function checkBalancer(balancer: Balancer, at: string, index: BlockIndex, findings: Findings): void {
  const wrong = (where: string, message: string) => findings.error('SF-MODEL-BALANCER', `${at}.${where}`, message);
  const { layer, also = [], pools = [], routes = [], tls, algorithm = 'round-robin', persistence } = balancer;
  if (pools.length > modelLimits.poolsPerBalancer || also.length > modelLimits.poolsPerBalancer)
    return findings.error('SF-MODEL-LIMIT', at, `more than ${modelLimits.poolsPerBalancer} units behind it`);
  if (routes.length > modelLimits.routes)
    return findings.error('SF-MODEL-LIMIT', `${at}.routes`, `more than ${modelLimits.routes} routes`);

  const shares = [
    { share: balancer, where: '' },
    ...also.map((share, i) => ({ share, where: `also[${i}].` })),
    ...pools.map((share, i) => ({ share, where: `pools[${i}].` })),
  ];
  for (const { share, where } of shares) {
    if (index.get(share.unit)?.block.kind !== 'unit')
      findings.missing(`${at}.${where}unit`, 'unit', share.unit, unitPaths(index));
    const { weight = 1 } = share;
    if (!Number.isInteger(weight) || weight < 0 || weight > 256)
      wrong(`${where}weight`, `a weight is a whole number from 0 to 256, not ${weight}`);
  }
  const names = new Set<string>();
  pools.forEach(({ name }, i) => {
    checkName(name, `${at}.pools[${i}].name`, findings);
    if (names.has(name)) findings.error('SF-MODEL-DUPLICATE', `${at}.pools[${i}].name`, `there is a pool '${name}'`);
    names.add(name);
  });

  const onlyHttp = (where: string, what: string) => {
    if (layer !== 'http') wrong(where, `${what} needs layer http, and this balancer has ${layer}`);
  };
  if (routes.length > 0) onlyHttp('routes', 'a route, which reads requests,');
  if (balancer.forwarded === true) onlyHttp('forwarded', 'a header');
  const [kind, word] = [algorithm.replace(/:.*/s, ''), /:(.*)/s.exec(algorithm)?.[1]];
  if (['uri', 'header', 'parameter'].includes(kind)) onlyHttp('algorithm', `algorithm ${kind}`);
  if (word !== undefined && !TOKEN.test(word))
    wrong('algorithm', `'${word.slice(0, 80)}' is not the name of a ${kind}`);
  if (layer === 'udp' && tls !== undefined) wrong('tls', 'TLS needs layer tcp or http');
  if (layer === 'udp' && balancer.proxyProtocol !== undefined)
    wrong('proxyProtocol', 'the PROXY protocol needs layer tcp or http');
  if (persistence !== undefined) {
    const { cookie } = persistence;
    if (persistence.kind !== 'source-ip') onlyHttp('persistence', 'a cookie');
    if (persistence.kind === 'source-ip' && cookie !== undefined)
      wrong('persistence.cookie', 'source-ip has no cookie');
    if (persistence.kind === 'app-cookie' && cookie === undefined) wrong('persistence', "app-cookie needs 'cookie'");
    if (cookie !== undefined && !TOKEN.test(cookie)) wrong('persistence.cookie', 'this is not the name of a cookie');
  }
  if (tls !== undefined) {
    if (tls.certificates.length === 0) wrong('tls.certificates', 'TLS needs a certificate');
    if (tls.ciphers !== undefined && !/^[A-Za-z0-9:+!@_=-]{1,1024}$/.test(tls.ciphers))
      wrong('tls.ciphers', 'this is not a list of ciphers of OpenSSL');
  }
  const { connectionLimit: limit } = balancer;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1 || limit > 1_000_000))
    wrong('connectionLimit', 'a limit is a whole number from 1 to 1000000');
  balancer.allow?.forEach((prefix, i) => {
    if (parseIpv4Prefix(prefix) !== undefined || parseIpv4(prefix) !== undefined) return;
    const message = `'${prefix.slice(0, 80)}' is neither an IPv4 prefix nor an address`;
    findings.error('SF-MODEL-PREFIX', `${at}.allow[${i}]`, message);
  });
  checkHealth(balancer, wrong);
  routes.forEach((route, i) => checkRoute(route, `routes[${i}]`, names, wrong));
}

type Wrong = (where: string, message: string) => void;

function checkHealth({ health, layer }: Balancer, wrong: Wrong): void {
  if (health === undefined) return;
  const { kind, method, codes, host, rise, fall }: BalancerHealth = health;
  const datagrams: readonly string[] = ['ping', 'running', 'udp-connect'];
  if (layer === 'udp' && !datagrams.includes(kind)) wrong('health', `layer udp is not asked by ${kind}`);
  if (layer !== 'udp' && kind === 'udp-connect') wrong('health', `layer ${layer} is not asked by udp-connect`);
  if (kind !== 'http' && kind !== 'https' && (method ?? codes ?? host) !== undefined)
    wrong('health', `a check of kind ${kind} has no request`);
  if (codes !== undefined && !CODES.test(codes)) wrong('health.codes', 'codes are written 200, 200,202 or 200-204');
  if (host !== undefined && !/^[A-Za-z0-9.:_-]{1,255}$/.test(host))
    wrong('health.host', 'this is not the name of a host');
  for (const [name, count] of Object.entries({ rise, fall })) {
    if (count !== undefined && (!Number.isInteger(count) || count < 1 || count > 10))
      wrong(`health.${name}`, `${name} is a whole number from 1 to 10`);
  }
}

function checkRoute({ rules, action }: BalancerRoute, at: string, pools: ReadonlySet<string>, wrong: Wrong): void {
  if (rules.length > modelLimits.rulesPerRoute) wrong(`${at}.rules`, `more than ${modelLimits.rulesPerRoute} rules`);
  if (action.kind === 'pool' && !pools.has(action.pool))
    wrong(`${at}.action.pool`, `there is no pool '${action.pool.slice(0, 80)}' in this balancer`);
  if ('url' in action && !/^(https?:\/\/|\/)[^\p{Cc}\s'"]{0,1023}$/u.test(action.url))
    wrong(`${at}.action.url`, 'this is not a URL: https://HOST/PATH or /PATH');
  rules.forEach((rule, i) => checkRule(rule, `${at}.rules[${i}]`, wrong));
}

function checkRule({ kind, name, value, compare }: BalancerRule, at: string, wrong: Wrong): void {
  const named = kind === 'header' || kind === 'cookie';
  if (named && (name === undefined || !TOKEN.test(name))) wrong(`${at}.name`, `a rule of a ${kind} needs its name`);
  if (!named && name !== undefined) wrong(`${at}.name`, `a rule of kind ${kind} has no name`);
  if (!LINE.test(value)) wrong(`${at}.value`, 'a value is one line of 1 to 1024 characters');
  if (kind === 'file-type' && compare !== 'equals' && compare !== 'regex')
    wrong(`${at}.compare`, 'a file type is compared by equals or regex');
}
