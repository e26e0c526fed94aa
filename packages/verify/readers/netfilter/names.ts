import { protocols } from '../../ir/fields.ts';

/** Names that tools print in place of numbers. Dumps made with `-n` have few of them. */
const protocolNames: ReadonlyMap<string, bigint> = new Map(
  Object.entries({
    ...protocols,
    ip: 0,
    tcp: 6,
    egp: 8,
    'ipv6-icmp': 58,
    icmpv6: 58,
    icmp6: 58,
    'ipv6-route': 43,
    'ipv6-frag': 44,
    'ipv6-nonxt': 59,
    'ipv6-opts': 60,
    ipencap: 4,
    ipv4: 4,
    rsvp: 46,
    eigrp: 88,
    ospf: 89,
    ospfigp: 89,
    etherip: 97,
    encap: 98,
    pim: 103,
    ipcomp: 108,
    comp: 108,
    vrrp: 112,
    l2tp: 115,
    udplite: 136,
    dccp: 33,
    'mobility-header': 135,
    mh: 135,
    all: 0,
  }).map(([name, number]) => [name, BigInt(number)]),
);

export function protocolNumber(text: string): bigint | undefined {
  return protocolNames.get(text.toLowerCase()) ?? decimal(text, 255);
}

/** The services that iptables without `-n` and nft print by name: /etc/services of Debian, what is common of it. */
const services: ReadonlyMap<string, bigint> = new Map(
  Object.entries({
    'ftp-data': 20,
    ftp: 21,
    ssh: 22,
    telnet: 23,
    smtp: 25,
    time: 37,
    whois: 43,
    tacacs: 49,
    domain: 53,
    bootps: 67,
    bootpc: 68,
    tftp: 69,
    gopher: 70,
    finger: 79,
    http: 80,
    www: 80,
    kerberos: 88,
    pop2: 109,
    pop3: 110,
    sunrpc: 111,
    auth: 113,
    nntp: 119,
    ntp: 123,
    epmap: 135,
    'netbios-ns': 137,
    'netbios-dgm': 138,
    'netbios-ssn': 139,
    imap: 143,
    imap2: 143,
    snmp: 161,
    'snmp-trap': 162,
    bgp: 179,
    irc: 194,
    ldap: 389,
    https: 443,
    'microsoft-ds': 445,
    kpasswd: 464,
    submissions: 465,
    submission: 587,
    isakmp: 500,
    syslog: 514,
    shell: 514,
    login: 513,
    printer: 515,
    route: 520,
    rip: 520,
    'dhcpv6-client': 546,
    'dhcpv6-server': 547,
    rtsp: 554,
    ipp: 631,
    ldaps: 636,
    rsync: 873,
    ftps: 990,
    telnets: 992,
    imaps: 993,
    pop3s: 995,
    socks: 1080,
    openvpn: 1194,
    'ms-sql-s': 1433,
    l2tp: 1701,
    pptp: 1723,
    radius: 1812,
    'radius-acct': 1813,
    nfs: 2049,
    mysql: 3306,
    'ms-wbt-server': 3389,
    nut: 3493,
    'ipsec-nat-t': 4500,
    sip: 5060,
    'sip-tls': 5061,
    'xmpp-client': 5222,
    mdns: 5353,
    postgresql: 5432,
    amqp: 5672,
    x11: 6000,
    'http-alt': 8080,
    webcache: 8080,
  }).map(([name, number]) => [name, BigInt(number)]),
);

export function portNumber(text: string): bigint | undefined {
  return decimal(text, 65_535) ?? services.get(text.toLowerCase());
}

export type TypeAndCode = readonly [type: bigint, code?: bigint];

/** `iptables -p icmp -h`, and the names of nft, which have no codes. */
const icmpNames: Readonly<Record<string, readonly [number, number?]>> = {
  'echo-reply': [0],
  pong: [0],
  'destination-unreachable': [3],
  'network-unreachable': [3, 0],
  'host-unreachable': [3, 1],
  'protocol-unreachable': [3, 2],
  'port-unreachable': [3, 3],
  'fragmentation-needed': [3, 4],
  'source-route-failed': [3, 5],
  'network-unknown': [3, 6],
  'host-unknown': [3, 7],
  'network-prohibited': [3, 9],
  'host-prohibited': [3, 10],
  'TOS-network-unreachable': [3, 11],
  'TOS-host-unreachable': [3, 12],
  'communication-prohibited': [3, 13],
  'host-precedence-violation': [3, 14],
  'precedence-cutoff': [3, 15],
  'source-quench': [4],
  redirect: [5],
  'network-redirect': [5, 0],
  'host-redirect': [5, 1],
  'TOS-network-redirect': [5, 2],
  'TOS-host-redirect': [5, 3],
  'echo-request': [8],
  ping: [8],
  'router-advertisement': [9],
  'router-solicitation': [10],
  'time-exceeded': [11],
  'ttl-exceeded': [11],
  'ttl-zero-during-transit': [11, 0],
  'ttl-zero-during-reassembly': [11, 1],
  'parameter-problem': [12],
  'ip-header-bad': [12, 0],
  'required-option-missing': [12, 1],
  'timestamp-request': [13],
  'timestamp-reply': [14],
  'info-request': [15],
  'info-reply': [16],
  'address-mask-request': [17],
  'address-mask-reply': [18],
};

const icmpv6Names: Readonly<Record<string, readonly [number, number?]>> = {
  'destination-unreachable': [1],
  'no-route': [1, 0],
  'communication-prohibited': [1, 1],
  'beyond-scope': [1, 2],
  'address-unreachable': [1, 3],
  'port-unreachable': [1, 4],
  'failed-policy': [1, 5],
  'reject-route': [1, 6],
  'packet-too-big': [2],
  'time-exceeded': [3],
  'ttl-exceeded': [3],
  'ttl-zero-during-transit': [3, 0],
  'ttl-zero-during-reassembly': [3, 1],
  'parameter-problem': [4],
  'bad-header': [4, 0],
  'unknown-header-type': [4, 1],
  'unknown-option': [4, 2],
  'echo-request': [128],
  ping: [128],
  'echo-reply': [129],
  pong: [129],
  'mld-listener-query': [130],
  'mld-listener-report': [131],
  'mld-listener-done': [132],
  'mld-listener-reduction': [132],
  'nd-router-solicit': [133],
  'router-solicitation': [133],
  'nd-router-advert': [134],
  'router-advertisement': [134],
  'nd-neighbor-solicit': [135],
  'neighbour-solicitation': [135],
  'neighbor-solicitation': [135],
  'nd-neighbor-advert': [136],
  'neighbour-advertisement': [136],
  'neighbor-advertisement': [136],
  'nd-redirect': [137],
  redirect: [137],
  'router-renumbering': [138],
  'ind-neighbor-solicit': [141],
  'ind-neighbor-advert': [142],
  'mld2-listener-report': [143],
};

/** The codes of nft by name: `icmp code host-unreachable`. */
const icmpCodes: Readonly<Record<string, number>> = {
  'net-unreachable': 0,
  'host-unreachable': 1,
  'prot-unreachable': 2,
  'port-unreachable': 3,
  'frag-needed': 4,
  'net-prohibited': 9,
  'host-prohibited': 10,
  'admin-prohibited': 13,
};
const icmpv6Codes: Readonly<Record<string, number>> = {
  'no-route': 0,
  'admin-prohibited': 1,
  'addr-unreachable': 3,
  'port-unreachable': 4,
  'policy-fail': 5,
  'reject-route': 6,
};

/** `8`, `3/1`, `echo-request`, `host-unreachable`. */
export function icmpType(text: string, family: 'ip' | 'ip6'): TypeAndCode | undefined {
  const known = (family === 'ip' ? icmpNames : icmpv6Names)[text];
  if (known !== undefined && Object.hasOwn(family === 'ip' ? icmpNames : icmpv6Names, text)) {
    return known[1] === undefined ? [BigInt(known[0])] : [BigInt(known[0]), BigInt(known[1])];
  }
  const [type, code, ...rest] = text.split('/');
  const typeNumber = decimal(type ?? '', 255);
  if (typeNumber === undefined || rest.length > 0) return undefined;
  if (code === undefined) return [typeNumber];
  const codeNumber = decimal(code, 255);
  return codeNumber === undefined ? undefined : [typeNumber, codeNumber];
}

export function icmpCode(text: string, family: 'ip' | 'ip6'): bigint | undefined {
  const names = family === 'ip' ? icmpCodes : icmpv6Codes;
  return Object.hasOwn(names, text) ? BigInt(names[text]!) : decimal(text, 255);
}

const tcpFlagBits: Readonly<Record<string, bigint>> = {
  fin: 1n,
  syn: 2n,
  rst: 4n,
  psh: 8n,
  ack: 16n,
  urg: 32n,
  ecn: 64n,
  ece: 64n,
  cwr: 128n,
  /** Of iptables: the six that it knows. */
  all: 63n,
  none: 0n,
};

export function tcpFlag(text: string): bigint | undefined {
  const name = text.toLowerCase();
  return Object.hasOwn(tcpFlagBits, name) ? tcpFlagBits[name] : undefined;
}

/** Class selectors (RFC 2474), assured forwarding (RFC 2597), expedited forwarding (RFC 3246), voice admit, lower effort. */
export function dscpClass(text: string): bigint | undefined {
  const name = text.toLowerCase();
  if (name === 'be' || name === 'df') return 0n;
  if (name === 'ef') return 46n;
  if (name === 'va') return 44n;
  if (name === 'le' || name === 'lephb') return 1n;
  if (/^cs[0-7]$/.test(name)) return BigInt(name[2]!) * 8n;
  if (/^af[1-4][1-3]$/.test(name)) return BigInt(name[2]!) * 8n + BigInt(name[3]!) * 2n;
  return number(text, 63n);
}

export function decimal(text: string, max: number): bigint | undefined {
  if (text.length === 0 || text.length > 10 || !/^[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? BigInt(value) : undefined;
}

/** Decimal or with 0x. */
export function number(text: string, max: bigint): bigint | undefined {
  if (text.length === 0 || text.length > 40 || !/^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= max ? value : undefined;
}
