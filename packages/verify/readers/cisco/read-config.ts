import type { SourceRef } from '../../ir/source.ts';
import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { wordsOf } from '../../read/words.ts';
import { maskLength, parseIpv4 } from '../fib/addresses.ts';
import { extendedEntry, NotUnderstood, standardEntry, Words } from './access-entry.ts';
import type { AccessEntry, AccessList } from './access-list.ts';
import type { CiscoConfig, StaticRoute } from './config.ts';
import { interfaceKey } from './names.ts';
import { ReadGroups } from './object-groups.ts';
import { InterfaceLines } from './read-interface.ts';

/** Commands that say nothing of where packets go; what a routing protocol learns is in the table of routes. */
const WITHOUT_EFFECT =
  /^(?:no|version|service|hostname|boot|enable|aaa|clock|logging|snmp-server|ntp|line|username|spanning-tree|vtp|errdisable|mls|redundancy|end|archive|crypto (?:pki|key)|udld|license|power|diagnostic|alias|exception|tacacs|tacacs-server|radius|radius-server|lldp|cdp|multilink|control-plane|scheduler|monitor|privilege|process|memory|memory-size|system|platform|file|class-map|policy-map|route-map|key|building|current|upgrade|fabric|module|port-channel|errdisable|dot1x|stack|switch|mac-address-table|mac|arp|default|vlan|ipv6|ip (?:domain|domain-name|domain-lookup|name-server|cef|subnet-zero|classless|ssh|http|ftp|tftp|bootp|multicast|multicast-routing|pim|igmp|dhcp|flow|flow-cache|flow-export|forward-protocol|prefix-list|as-path|community-list|sla|host|default-gateway|routing|finger|source-route|tcp|icmp|msdp|mroute|rcmd|telnet|options|radius|tacacs|sap|dvmrp|ospf|bgp-community))\b/;
const STANDARD = (number: number) => (number >= 1 && number <= 99) || (number >= 1_300 && number <= 1_999);
const EXTENDED = (number: number) => (number >= 100 && number <= 199) || (number >= 2_000 && number <= 2_699);
const SEQUENCE_MAX = 2_147_483_647;

/** One rule of a list as it is read; it is parsed at the end, when all groups are known. */
interface RuleLine {
  readonly sequence: number;
  readonly words: readonly string[];
  readonly source: SourceRef;
}

interface ListLines {
  readonly isStandard: boolean;
  readonly rules: RuleLine[];
}

/** Where indented lines belong. */
type Section =
  | { readonly of: 'interface'; readonly lines: InterfaceLines }
  | { readonly of: 'list'; readonly list: ListLines }
  | { readonly of: 'groups' }
  | { readonly of: 'nothing' }
  | { readonly of: 'unknown' };

export function looksLikeCiscoConfig(text: string): boolean {
  const begin = text.slice(0, 16_384);
  if (/^(?:ip access-list (?:extended|standard) \S|access-list \d+ (?:permit|deny|remark)\b)/m.test(begin)) return true;
  return /^interface [A-Z][A-Za-z-]*\d[\d/.:]*\s*\n(?: |!)/m.test(begin.replaceAll('\r', ''));
}

/** `show running-config` of IOS, or a part of it. */
export function readCiscoConfig(file: InputFile): Reading<CiscoConfig> {
  return new ConfigReader(file).read();
}

class ConfigReader {
  readonly #lines: readonly string[];
  readonly #ledger: LineLedger;
  readonly #interfaces = new Map<string, InterfaceLines>();
  readonly #lists = new Map<string, ListLines>();
  readonly #groups = new ReadGroups();
  readonly #routes: StaticRoute[] = [];
  readonly #learns = new Set<string>();
  readonly #doubts: string[] = [];
  #section: Section = { of: 'nothing' };

  constructor(file: InputFile) {
    this.#lines = inputLines(file).map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    this.#ledger = new LineLedger(file.path, 'show running-config', this.#lines.length);
  }

  read(): Reading<CiscoConfig> {
    for (let i = 0; i < this.#lines.length; i += 1) {
      const text = this.#lines[i]!;
      const words = wordsOf(text);
      if (words.length === 0 || words[0]!.startsWith('!')) continue;
      if (words[0] === 'banner') {
        for (const end = this.#endOfBanner(i, text); i < end; i += 1) this.#ledger.withoutEffect(i + 1, 'a banner');
        this.#ledger.withoutEffect(i + 1, 'a banner');
        continue;
      }
      this.#guarded(i + 1, () => {
        const source = this.#ledger.at(i + 1, text);
        if (/^\s/.test(text)) this.#indented(words, source);
        else this.#top(words, source);
      });
    }
    const lists = new Map([...this.#lists].map(([name, list]) => [name, this.#made(name, list)]));
    return {
      value: {
        file: this.#ledger.file,
        interfaces: [...this.#interfaces.values()].map((each) => each.made()),
        lists,
        routes: this.#routes,
        learns: [...this.#learns],
        doubts: this.#doubts,
      },
      reading: this.#ledger.reading(),
    };
  }

  /** Runs for one line, and marks it when that does not understand it. */
  #guarded(line: number, run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      this.#ledger.notUnderstood(line, error.message);
      return false;
    }
  }

  /** `banner motd ^C`: until the line with that character. */
  #endOfBanner(at: number, text: string): number {
    const mark = /^banner \S+ (\^C|\S)/.exec(text);
    if (mark === null || text.slice(mark[0].length).includes(mark[1]!)) return at;
    const end = this.#lines.findIndex((line, i) => i > at && line.includes(mark[1]!));
    return end < 0 ? at : end;
  }

  #top(words: readonly string[], source: SourceRef): void {
    const [first = '', second = '', third = ''] = words;
    const { line } = source;
    this.#section = { of: 'nothing' };
    if (first === 'interface') {
      const name = words.slice(1).join('');
      const key = interfaceKey(name);
      const lines = this.#interfaces.get(key) ?? new InterfaceLines(name, source);
      this.#interfaces.set(key, lines);
      this.#section = { of: 'interface', lines };
    } else if (first === 'access-list') this.#numbered(words, source);
    else if (first === 'ip' && second === 'access-list') {
      this.#section = { of: 'unknown' };
      if ((third !== 'standard' && third !== 'extended') || words.length !== 4) {
        throw this.#doubtful(words, source, 'no access list of IPv4 with a name');
      }
      this.#section = { of: 'list', list: this.#list(words[3]!, third === 'standard', source) };
    } else if (first === 'object-group') {
      this.#section = { of: 'groups' };
      this.#groups.begin(words.slice(1));
    } else if (first === 'ip' && second === 'route') this.#route(words, source);
    else if (first === 'router') {
      this.#learns.add(words.slice(1).join(' ').slice(0, 40));
      this.#ledger.withoutEffect(line, 'what it learns is in the table of routes');
      return;
    } else if (WITHOUT_EFFECT.test(words.join(' ').toLowerCase())) {
      this.#ledger.withoutEffect(line, 'says nothing of where packets go');
      return;
    } else {
      this.#section = { of: 'unknown' };
      throw this.#doubtful(words, source, 'what it does to packets is not modelled');
    }
    this.#ledger.used(line);
  }

  #doubtful(words: readonly string[], { file, line }: SourceRef, why: string): NotUnderstood {
    this.#doubts.push(`'${words.join(' ').slice(0, 80)}' (${file}:${line})`);
    return new NotUnderstood(why);
  }

  #indented(words: readonly string[], source: SourceRef): void {
    const { line } = source;
    const section = this.#section;
    switch (section.of) {
      case 'interface': {
        const fate = section.lines.line(words, source);
        if (fate === undefined) this.#ledger.used(line);
        else if ('why' in fate) throw new NotUnderstood(fate.why);
        else this.#ledger.withoutEffect(line, 'neither stops packets nor sends them elsewhere');
        return;
      }
      case 'list':
        this.#rule(section.list, words, source);
        return;
      case 'groups':
        if (words[0] === 'description') this.#ledger.withoutEffect(line, 'a description');
        else {
          this.#groups.member(words, source);
          this.#ledger.used(line);
        }
        return;
      case 'unknown':
        throw new NotUnderstood('it belongs to a line that is not understood');
      case 'nothing':
        this.#ledger.withoutEffect(line, 'belongs to a line without effect');
    }
  }

  #list(name: string, isStandard: boolean, source: SourceRef): ListLines {
    const known = this.#lists.get(name);
    if (known !== undefined && known.isStandard !== isStandard) {
      throw this.#doubtful(['access-list', name], source, `${name} is a list of another kind above`);
    }
    const list = known ?? { isStandard, rules: [] };
    this.#lists.set(name, list);
    return list;
  }

  #numbered(words: readonly string[], source: SourceRef): void {
    const [, name = '', ...rest] = words;
    const number = /^\d{1,4}$/.test(name) ? Number(name) : 0;
    if (!STANDARD(number) && !EXTENDED(number)) {
      throw this.#doubtful(words, source, 'no access list of IPv4 with a number');
    }
    this.#rule(this.#list(name, STANDARD(number), source), rest, source);
  }

  #rule({ rules }: ListLines, words: readonly string[], source: SourceRef): void {
    const isNumbered = /^\d{1,10}$/.test(words[0] ?? '');
    const given = isNumbered ? words.slice(1) : words;
    if (given[0] === 'remark') {
      this.#ledger.withoutEffect(source.line, 'a remark');
      return;
    }
    const sequence = isNumbered ? Number(words[0]) : (rules.at(-1)?.sequence ?? 0) + 10;
    if (sequence > SEQUENCE_MAX) throw this.#doubtful(words, source, 'no sequence number');
    this.#ledger.used(source.line);
    rules.push({ sequence, words: given, source });
  }

  #made(name: string, { isStandard, rules }: ListLines): AccessList {
    const entries: AccessEntry[] = [];
    for (const { words, source } of rules.toSorted((a, b) => a.sequence - b.sequence)) {
      this.#guarded(source.line, () => {
        try {
          const parts = new Words(words);
          entries.push(isStandard ? standardEntry(parts, source) : extendedEntry(parts, source, this.#groups));
        } catch (error) {
          // It may permit or deny anything, there where it stands.
          entries.push({
            action: 'permit',
            services: [{}],
            doubt: `the rule '${words.join(' ').slice(0, 80)}'`,
            source,
          });
          throw error;
        }
      });
    }
    return { name, entries };
  }

  /** `ip route PREFIX MASK [INTERFACE] [HOP] [DISTANCE] [options]`. */
  #route(words: readonly string[], source: SourceRef): void {
    const [address, length] = [parseIpv4(words[2] ?? ''), maskLength(words[3] ?? '')];
    const unknown = (why: string) => this.#doubtful(words, source, why);
    if (address === undefined || length === undefined) throw unknown('no route of IPv4');
    let at = 4;
    const through = words[at];
    const name = through !== undefined && /^[a-z][a-z-]*\d/i.test(through) ? through : undefined;
    if (name !== undefined) at += 1;
    const hop = parseIpv4(words[at] ?? '');
    if (hop !== undefined) at += 1;
    const distance = /^\d{1,3}$/.test(words[at] ?? '') ? Number(words[at]) : 1;
    if (words[at] !== undefined && /^\d{1,3}$/.test(words[at]!)) at += 1;
    while (['permanent', 'name', 'tag'].includes(words[at] ?? '')) at += words[at] === 'permanent' ? 1 : 2;
    if (words[at] !== undefined) throw unknown(`'${words[at]!.slice(0, 40)}' of a route is not modelled`);
    if (name === undefined && hop === undefined) throw unknown('a route without a next hop');
    this.#routes.push({
      address,
      length,
      ...(hop === undefined ? {} : { hop }),
      ...(name === undefined ? {} : { interface: name }),
      distance,
      source,
    });
  }
}
