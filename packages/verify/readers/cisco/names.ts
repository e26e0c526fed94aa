import { portNumber as serviceNumber, protocolNumber } from '../netfilter/names.ts';

/** Kinds of interfaces, and how they are shortened. Any beginning that is longer than the short name is understood too. */
const kinds: readonly (readonly [long: string, short: string])[] = [
  ['tengigabitethernet', 'te'],
  ['tengige', 'te'],
  ['twentyfivegige', 'twe'],
  ['fortygigabitethernet', 'fo'],
  ['hundredgige', 'hu'],
  ['gigabitethernet', 'gi'],
  ['fastethernet', 'fa'],
  ['ethernet', 'et'],
  ['port-channel', 'po'],
  ['vlan', 'vl'],
  ['loopback', 'lo'],
  ['tunnel', 'tu'],
  ['serial', 'se'],
  ['bundle-ether', 'be'],
  ['management', 'ma'],
  ['null', 'nu'],
];

/** `TenGigabitEthernet1/3.2`, `Ten1/3.2` and `te1/3.2` are one interface. */
export function interfaceKey(name: string): string {
  const [, letters, number] = /^([a-z][a-z-]*)(\d[\d/.:]*)$/i.exec(name) ?? [];
  if (letters === undefined || number === undefined) return name.toLowerCase();
  const lower = letters.toLowerCase();
  const kind = lower.length < 2 ? undefined : kinds.find(([long]) => long.startsWith(lower));
  return `${kind?.[1] ?? lower}${number}`;
}

/** Where the names of IOS are others than those of /etc/services. */
const ports: Readonly<Record<string, number>> = {
  biff: 512,
  chargen: 19,
  cmd: 514,
  daytime: 13,
  discard: 9,
  dnsix: 195,
  drip: 3949,
  echo: 7,
  exec: 512,
  hostname: 101,
  ident: 113,
  isakmp: 500,
  klogin: 543,
  kshell: 544,
  login: 513,
  lpd: 515,
  'mobile-ip': 434,
  nameserver: 42,
  'netbios-dgm': 138,
  'netbios-ns': 137,
  'netbios-ss': 139,
  'non500-isakmp': 4500,
  'pim-auto-rp': 496,
  rip: 520,
  sunrpc: 111,
  syslog: 514,
  tacacs: 49,
  'tacacs-ds': 65,
  talk: 517,
  telnet: 23,
  time: 37,
  uucp: 540,
  who: 513,
  xdmcp: 177,
  snmptrap: 162,
};

export function portNumber(text: string): number | undefined {
  const known = Object.hasOwn(ports, text) ? ports[text] : serviceNumber(text);
  return known === undefined ? undefined : Number(known);
}

const protocolNames: Readonly<Record<string, number>> = { ahp: 51, nos: 4, ospf: 89, pcp: 108, ipinip: 4 };

export function protocolOf(text: string): number | undefined {
  const known = Object.hasOwn(protocolNames, text) ? protocolNames[text] : protocolNumber(text);
  return known === undefined ? undefined : Number(known);
}

/** Type, and code where the name means one (RFC 792). */
const icmp: Readonly<Record<string, readonly [type: number, code?: number]>> = {
  'administratively-prohibited': [3, 13],
  'alternate-address': [6],
  'conversion-error': [31],
  'dod-host-prohibited': [3, 10],
  'dod-net-prohibited': [3, 9],
  echo: [8],
  'echo-reply': [0],
  'general-parameter-problem': [12, 0],
  'host-isolated': [3, 8],
  'host-precedence-unreachable': [3, 14],
  'host-redirect': [5, 1],
  'host-tos-redirect': [5, 3],
  'host-tos-unreachable': [3, 12],
  'host-unknown': [3, 7],
  'host-unreachable': [3, 1],
  'information-reply': [16],
  'information-request': [15],
  'mask-reply': [18],
  'mask-request': [17],
  'mobile-redirect': [32],
  'net-redirect': [5, 0],
  'net-tos-redirect': [5, 2],
  'net-tos-unreachable': [3, 11],
  'net-unreachable': [3, 0],
  'network-unknown': [3, 6],
  'no-room-for-option': [12, 2],
  'option-missing': [12, 1],
  'packet-too-big': [3, 4],
  'parameter-problem': [12],
  'port-unreachable': [3, 3],
  'precedence-unreachable': [3, 15],
  'protocol-unreachable': [3, 2],
  'reassembly-timeout': [11, 1],
  redirect: [5],
  'router-advertisement': [9],
  'router-solicitation': [10],
  'source-quench': [4],
  'source-route-failed': [3, 5],
  'time-exceeded': [11],
  'timestamp-reply': [14],
  'timestamp-request': [13],
  traceroute: [30],
  'ttl-exceeded': [11, 0],
  unreachable: [3],
};

export const icmpType = (name: string): readonly [type: number, code?: number] | undefined =>
  Object.hasOwn(icmp, name) ? icmp[name] : undefined;
