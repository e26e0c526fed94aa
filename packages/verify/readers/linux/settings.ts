import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';

/** What `sysctl` says of a box, as far as it decides what becomes of packets. */
export interface LinuxSettings {
  readonly forwarding: { readonly ip?: boolean; readonly ip6?: boolean };
  /** Packets that leave or enter a tunnel of a route pass the packet filter. */
  readonly tunnelHooks?: boolean;
  /** What a bridge forwards passes the chains of IPv4 and IPv6 (br_netfilter). */
  readonly bridgeFilter?: boolean;
  /** Segment routing headers for an address of the box are heeded. */
  readonly segments?: boolean;
  /** But not of packets that come by these interfaces. */
  readonly withoutSegments: readonly string[];
  /** Interfaces that take no packets of IPv6. */
  readonly withoutIp6: readonly string[];
}

const LINE = /^net\.(\S+) ?= ?(-?\d+)$/;
/** Of these any value is as good as another, or the one that is without effect is named. */
const NEUTRAL: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^ipv4\.conf\.[^.]+\.rp_filter$/, /^0$/],
  [/^ipv4\.conf\.[^.]+\.(?:send_redirects|accept_redirects|secure_redirects)$/, /./],
  [/^ipv6\.conf\.(?:all|default)\.disable_ipv6$/, /./],
  [/^ipv6\.conf\.[^.]+\.(?:addr_gen_mode|accept_ra|autoconf|accept_dad)$/, /./],
  [/^ipv6\.conf\.default\.seg6_enabled$/, /./],
  [/^ipv6\.seg6_flowlabel$/, /^0$/],
  [/^netfilter\.nf_conntrack_(?:tcp_be_liberal|max|tcp_loose)$/, /./],
];

export function looksLikeSettings(text: string): boolean {
  const first = text
    .slice(0, 4_096)
    .split('\n')
    .find((line) => line.trim() !== '' && !line.startsWith('#'));
  return first !== undefined && LINE.test(first.trim());
}

/** Lines of `sysctl`: `net.ipv4.ip_forward = 1`. */
export function readSettings(file: InputFile): Reading<LinuxSettings> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'sysctl', lines.length);
  const forwarding: { ip?: boolean; ip6?: boolean } = {};
  let tunnelHooks: boolean | undefined;
  let segments: boolean | undefined;
  let bridgeFilter: boolean | undefined;
  const withoutIp6: string[] = [];
  const withoutSegments: string[] = [];
  for (const [i, text] of lines.entries()) {
    if (text.trim() === '' || text.startsWith('#')) continue;
    const [, name, value] = LINE.exec(text.trim()) ?? [];
    if (name === undefined || value === undefined) {
      ledger.notUnderstood(i + 1, 'no setting of the network');
      continue;
    }
    const isOn = value !== '0';
    if (name === 'ipv4.ip_forward') forwarding.ip = isOn;
    else if (name === 'ipv6.conf.all.forwarding') forwarding.ip6 = isOn;
    else if (name === 'netfilter.nf_hooks_lwtunnel') tunnelHooks = isOn;
    else if (/^bridge\.bridge-nf-call-ip6?tables$/.test(name)) bridgeFilter = bridgeFilter === true || isOn;
    else if (/^ipv6\.conf\.(?!all\.|default\.)[^.]+\.disable_ipv6$/.test(name)) {
      if (isOn) withoutIp6.push(deviceOf(name));
    } else if (name === 'ipv6.conf.all.seg6_enabled') segments = isOn;
    else if (/^ipv6\.conf\.(?!default\.)[^.]+\.seg6_enabled$/.test(name)) {
      if (!isOn) withoutSegments.push(deviceOf(name));
    } else {
      const known = NEUTRAL.some(([key, neutral]) => key.test(name) && neutral.test(value));
      if (known) ledger.withoutEffect(i + 1, 'decides nothing that is modelled');
      else ledger.notUnderstood(i + 1, `net.${name} = ${value}`);
      continue;
    }
    ledger.used(i + 1);
  }
  return {
    value: {
      forwarding,
      withoutIp6,
      withoutSegments,
      ...(tunnelHooks === undefined ? {} : { tunnelHooks }),
      ...(segments === undefined ? {} : { segments }),
      ...(bridgeFilter === undefined ? {} : { bridgeFilter }),
    },
    reading: ledger.reading(),
  };
}

/** sysctl(8) writes the dot in the name of a device as a slash. */
const deviceOf = (name: string): string => name.split('.')[2]!.replaceAll('/', '.');
