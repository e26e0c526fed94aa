import { backendName, idleMs } from './render-listener.ts';
import { type Keep, quoted } from './words.ts';
import type { ProxyMember, ProxyMonitor, ProxyPool } from './tree.ts';

/** A member as the configuration has it, and as the runtime socket takes it. */
export interface Server {
  readonly name: string;
  readonly line: string;
  /** What `add server` gets: the address and all that follows. Undefined: only a new process can have it. */
  readonly dynamic?: string;
  /** What of it may change while it runs. */
  readonly weight: number;
  readonly disabled: boolean;
  readonly checked: boolean;
}

export function backendLines(pool: ProxyPool, keep: Keep): readonly string[] {
  const { id, mode, monitor } = pool;
  return [
    `backend ${backendName(id)}`,
    `  mode ${mode}`,
    ...balance(pool),
    ...persistence(pool),
    ...(pool.connectMs === undefined ? [] : [`  timeout connect ${pool.connectMs}ms`]),
    `  timeout server ${pool.memberMs ?? idleMs(mode)}ms`,
    ...(monitor === undefined ? [] : probe(monitor, keep)),
  ];
}

/** Hashes are consistent: members come and go while the others keep their clients. */
function balance({ algorithm, mode }: ProxyPool): readonly string[] {
  const [kind, word = ''] = [algorithm.replace(/:.*/s, ''), /:(.*)/s.exec(algorithm)?.[1]];
  const hashed = (by: string) => [`  balance ${by}`, '  hash-type consistent sdbm avalanche'];
  switch (kind) {
    case 'least-connections':
      return ['  balance leastconn'];
    case 'random':
      return ['  balance random'];
    case 'source-ip':
      return hashed('source');
    case 'source-ip-port': {
      const when = mode === 'http' ? 'http-request' : 'tcp-request content';
      return [
        `  ${when} set-var(txn.port) src_port`,
        `  ${when} set-var(txn.from) src,concat(:,txn.port)`,
        ...hashed('hash var(txn.from)'),
      ];
    }
    case 'uri':
      return hashed('uri whole');
    case 'header':
      return hashed(`hdr(${token(word)})`);
    case 'parameter':
      return hashed(`url_param ${token(word)}`);
    default:
      return ['  balance roundrobin'];
  }
}

/** Names were checked where they came from; what is left of them here cannot be anything else than a name. */
const token = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.-]/g, '');

const TABLE = 'size 100k';
const FORGET_MS = 1_800_000;

function persistence({ persistence: kept }: ProxyPool): readonly string[] {
  if (kept === undefined) return [];
  const { timeoutMs = FORGET_MS } = kept;
  const cookie = token(kept.cookie ?? 'SRV');
  switch (kept.kind) {
    case 'cookie': {
      const idle = kept.timeoutMs === undefined ? '' : ` maxidle ${Math.max(1, Math.ceil(timeoutMs / 1_000))}s`;
      return [`  cookie ${cookie} insert indirect nocache${idle}`];
    }
    case 'app-cookie':
      return [
        `  stick-table type string len 64 ${TABLE} expire ${timeoutMs}ms peers tables`,
        `  stick store-response res.cook(${cookie})`,
        `  stick match req.cook(${cookie})`,
      ];
    case 'source-ip':
      return [`  stick-table type ip ${TABLE} expire ${timeoutMs}ms peers tables`, '  stick on src'];
  }
}

const PING = `#!/bin/sh
exec ping -q -n -c 1 -W 1 "$HAPROXY_SERVER_ADDR" >/dev/null 2>&1
`;

function probe(
  { kind, path = '/', method = 'GET', codes, host, timeoutMs }: ProxyMonitor,
  keep: Keep,
): readonly string[] {
  const limit = `  timeout check ${timeoutMs}ms`;
  switch (kind) {
    case 'http':
    case 'https': {
      const version = host === undefined ? '' : ` ver HTTP/1.1 hdr Host ${quoted(host)}`;
      return [
        limit,
        '  option httpchk',
        `  http-check send meth ${method} uri ${quoted(path)}${version}`,
        ...(codes === undefined ? [] : [`  http-check expect status ${codes.replaceAll(/[^0-9,-]/g, '')}`]),
      ];
    }
    case 'tls-hello':
      return [limit, '  option ssl-hello-chk'];
    case 'ping':
      return [
        limit,
        '  option external-check',
        "  external-check path '/usr/sbin:/usr/bin:/sbin:/bin'",
        `  external-check command ${keep(PING, '.sh', 0o700)}`,
      ];
    case 'tcp':
      return [limit];
  }
}

export function serverOf(member: ProxyMember, pool: ProxyPool, keep: Keep): Server {
  const { monitor } = pool;
  const { address, port, backup, disabled = false } = member;
  const name = `m-${member.id}`;
  const weight = member.draining ? 0 : member.weight;
  const common = [
    ...(monitor === undefined ? [] : checkWords(member, monitor)),
    ...(pool.proxyProtocol === undefined ? [] : [pool.proxyProtocol === 1 ? 'send-proxy' : 'send-proxy-v2']),
    ...(backup ? ['backup'] : []),
    ...(pool.tls === undefined
      ? []
      : [
          'ssl',
          ...(pool.tls.authority === undefined
            ? ['verify none']
            : [`verify required ca-file ${keep(pool.tls.authority, '.ca')}`]),
        ]),
  ];
  // To a process that runs a server with a cookie cannot be added, and one that a program asks brings it down (HAProxy 2.6).
  const cookie = pool.persistence?.kind === 'cookie' ? [`cookie ${name}`] : [];
  const words = [`${address}:${port}`, `weight ${weight}`, ...common];
  return {
    name,
    line: `  server ${[name, ...words, ...cookie, ...(disabled ? ['disabled'] : [])].join(' ')}`,
    ...(cookie.length > 0 || monitor?.kind === 'ping' ? {} : { dynamic: [`${address}:${port}`, ...common].join(' ') }),
    weight,
    disabled,
    checked: monitor !== undefined,
  };
}

function checkWords({ monitorAddress, monitorPort }: ProxyMember, monitor: ProxyMonitor): readonly string[] {
  const { intervalMs = 500, rise = 1, fall = 2, kind } = monitor;
  return [
    'check',
    ...(monitorAddress === undefined ? [] : [`addr ${monitorAddress}`]),
    ...(monitorPort === undefined ? [] : [`port ${monitorPort}`]),
    ...(kind === 'https' ? ['check-ssl', 'verify none'] : []),
    `inter ${intervalMs}ms`,
    `rise ${rise}`,
    `fall ${fall}`,
  ];
}
