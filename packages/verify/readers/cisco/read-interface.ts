import type { SourceRef } from '../../ir/source.ts';
import { maskLength, parseIpv4 } from '../fib/addresses.ts';
import { allVlans, vlanId, vlanList } from '../vlans/vlan-list.ts';
import type { AppliedList, CiscoInterface, Encapsulation, Switchport } from './config.ts';
import { wrong } from './object-groups.ts';

/** Commands that neither stop packets nor send them elsewhere. */
const WITHOUT_EFFECT =
  /^(?:no|description|bandwidth|delay|speed|duplex|negotiation|media-type|mtu|carrier-delay|load-interval|keepalive|mdix|cdp|lldp|logging|snmp|spanning-tree|udld|channel-protocol|lacp|storm-control|mls|auto|mac-address|arp|hold-queue|power|flowcontrol|source template|exit|bfd|ntp|mpls|physical-layer|async|tunnel|ip (?:ospf|pim|igmp|cgmp|dvmrp|flow|helper-address|redirects|unreachables|proxy-arp|route-cache|directed-broadcast|mroute-cache|mtu|tcp|rip|router|split-horizon|bandwidth-percent|hello-interval|hold-time|summary-address|authentication|nbar|load-sharing|local-proxy-arp|dhcp|rsvp|sap)|ipv6|(?:standby|vrrp) .*(?:timers|preempt|priority|authentication|track|name|version|use-bia|delay)|standby (?:delay|version|use-bia)|isis|clns|switchport (?:trunk encapsulation|nonegotiate|voice|port-security|priority|block|protected|host)|encapsulation (?:slip|ppp|hdlc))\b/;

const every: ReadonlySet<number> = new Set(allVlans);

/** An interface while its lines are read. */
export class InterfaceLines {
  readonly name: string;
  readonly #source: SourceRef;
  #isUp = true;
  readonly #addresses: { readonly address: number; readonly length: number; readonly source: SourceRef }[] = [];
  readonly #virtual: number[] = [];
  readonly #lists: { in?: AppliedList; out?: AppliedList } = {};
  #encapsulation: Encapsulation | undefined;
  #channel: string | undefined;
  #reversePath: CiscoInterface['reversePath'];
  readonly #doubts: CiscoInterface['doubts'][number][] = [];
  readonly #port: {
    is: boolean;
    mode?: 'access' | 'trunk';
    access?: number;
    native?: number;
    allowed?: Set<number>;
    source?: SourceRef;
  } = { is: false };

  constructor(name: string, source: SourceRef) {
    this.name = name;
    this.#source = source;
  }

  /** A fate of the line: undefined is used. */
  line(
    words: readonly string[],
    source: SourceRef,
  ): { readonly withoutEffect: true } | { readonly why: string } | undefined {
    const text = words.join(' ').toLowerCase();
    const why = this.#line(words, text, source);
    if (why === undefined) return undefined;
    if (WITHOUT_EFFECT.test(text)) return { withoutEffect: true };
    const what = `'${words.join(' ').slice(0, 80)}' of ${this.name} (${source.file}:${source.line})`;
    this.#doubts.push({ what, isEntry: text.startsWith('ip policy') || text.startsWith('ip verify') });
    return { why };
  }

  made(): CiscoInterface {
    const { is, mode, access = 1, native = 1, allowed = every, source = this.#source } = this.#port;
    const switchport: Switchport = { ...(mode === undefined ? {} : { mode }), access, native, allowed, source };
    return {
      name: this.name,
      source: this.#source,
      isUp: this.#isUp,
      addresses: this.#addresses,
      virtual: this.#virtual,
      ...this.#lists,
      ...(this.#encapsulation === undefined ? {} : { encapsulation: this.#encapsulation }),
      ...(is ? { switchport } : {}),
      ...(this.#channel === undefined ? {} : { channel: this.#channel }),
      ...(this.#reversePath === undefined ? {} : { reversePath: this.#reversePath }),
      doubts: this.#doubts,
    };
  }

  /** Undefined, or why the line says nothing that is known here. */
  #line(words: readonly string[], text: string, source: SourceRef): string | undefined {
    const [first = '', second = '', third = '', fourth = ''] = text.split(' ');
    const plain = `${first} ${second}`;
    if (text === 'shutdown') this.#isUp = false;
    else if (text === 'no shutdown') this.#isUp = true;
    else if (text === 'no switchport') this.#port.is = false;
    else if (first === 'switchport') return this.#switchport(text, source);
    else if (plain === 'ip address') return this.#address(third, fourth, source);
    else if (plain === 'ip access-group') {
      const name = words[2];
      if (name === undefined || (fourth !== 'in' && fourth !== 'out')) return 'no list that is applied in or out';
      if (this.#lists[fourth] !== undefined) throw wrong(source, `two lists are applied ${fourth} at ${this.name}`);
      this.#lists[fourth] = { name, source };
    } else if (/^ip verify unicast (?:source reachable-via (?:rx|any)|reverse-path)/.test(text)) {
      return this.#reverse(text, source);
    } else if (first === 'encapsulation' && second === 'dot1q') {
      const id = vlanId(third);
      if (id === undefined) throw wrong(source, `'${third.slice(0, 40)}' is no VLAN`);
      this.#encapsulation = fourth === 'native' ? 'native' : id;
    } else if (first === 'channel-group' && /^\d+$/.test(second)) this.#channel = `Port-channel${second}`;
    else if (first === 'standby' || first === 'vrrp') {
      const address = /\bip ([\d.]+)/.exec(text)?.[1];
      const value = address === undefined ? undefined : parseIpv4(address);
      if (value === undefined) return 'no virtual address';
      this.#virtual.push(value);
    } else return 'what it does to packets is not modelled';
    return undefined;
  }

  #address(address: string, mask: string, source: SourceRef): string | undefined {
    const [value, length] = [parseIpv4(address), maskLength(mask)];
    if (value === undefined || length === undefined) return 'no IPv4 address with a mask';
    this.#addresses.push({ address: value, length, source });
    return undefined;
  }

  #reverse(text: string, source: SourceRef): string | undefined {
    const rest = text.replace(/^ip verify unicast (?:source reachable-via (?:rx|any)|reverse-path)/, '').trim();
    const options = rest === '' ? [] : rest.split(' ');
    if (options.some((option) => option !== 'allow-default' && option !== 'allow-self-ping')) {
      return 'what a list lets through that has no route back is not modelled';
    }
    this.#reversePath = {
      strict: !text.includes('reachable-via any'),
      // Of the older form, `reverse-path`, the default route counts.
      allowDefault: options.includes('allow-default') || text.includes('reverse-path'),
      source,
    };
    return undefined;
  }

  #switchport(text: string, source: SourceRef): string | undefined {
    const port = this.#port;
    port.is = true;
    port.source ??= source;
    const [, what = '', detail = '', list = '', more = ''] = text.split(' ');
    if (what === '') return undefined;
    if (what === 'mode') {
      if (detail !== 'access' && detail !== 'trunk')
        return detail === 'dynamic' ? undefined : 'no mode that is modelled';
      if (port.mode !== undefined && port.mode !== detail) throw wrong(source, `${this.name} is ${port.mode} above`);
      port.mode = detail;
    } else if (what === 'access' && detail === 'vlan') {
      port.access = this.#one(list, port.access, 'access', source);
    } else if (what === 'trunk' && detail === 'native' && list === 'vlan') {
      port.native = this.#one(more, port.native, 'native', source);
    } else if (what === 'trunk' && detail === 'allowed' && list === 'vlan') {
      port.allowed = allowed(port.allowed, text.split(' ').slice(4), source);
    } else return 'not modelled';
    return undefined;
  }

  #one(text: string, before: number | undefined, what: string, source: SourceRef): number {
    const id = vlanId(text);
    if (id === undefined) throw wrong(source, `'${text.slice(0, 40)}' is no VLAN`);
    if (before !== undefined && before !== id) {
      throw wrong(source, `the ${what} VLAN of ${this.name} is ${id} here and ${before} above`);
    }
    return id;
  }
}

/** `2,64`, `add 65`, `none`, `all`, `except 7`. */
function allowed(before: Set<number> | undefined, words: readonly string[], source: SourceRef): Set<number> {
  const [first = '', second = ''] = words;
  if (first === 'none') return new Set();
  if (first === 'all') return new Set(allVlans);
  const list = vlanList(first === 'add' || first === 'except' || first === 'remove' ? second : first);
  if (list === undefined) throw wrong(source, `'${words.join(' ').slice(0, 80)}' is no list of VLANs`);
  if (first === 'add') return new Set([...(before ?? []), ...list]);
  if (first === 'except') return new Set(allVlans.filter((id) => !list.includes(id)));
  if (first === 'remove') return new Set([...(before ?? allVlans)].filter((id) => !list.includes(id)));
  return new Set(list);
}
