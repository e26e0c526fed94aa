import { protocolNames } from '../../filter/names.ts';
import type { SourceRef } from '../../ir/source.ts';
import { LineLedger } from '../../read/ledger.ts';
import { countLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { ruleEntries } from './json.ts';
import type { IpFamily } from '../netfilter/addresses.ts';
import { type LinuxPrefix, linuxPrefix, numberOf, Words } from './words.ts';

/** A rule that says which table of routes is asked (ip-rule(8)). */
export interface PolicyRule {
  readonly family: IpFamily;
  readonly priority: number;
  /** It applies to what does not match. */
  readonly not: boolean;
  readonly from?: LinuxPrefix;
  readonly to?: LinuxPrefix;
  readonly mark?: { readonly value: bigint; readonly mask: bigint };
  readonly iif?: string;
  readonly oif?: string;
  readonly protocol?: number;
  readonly sport?: Ports;
  readonly dport?: Ports;
  readonly action: RuleAction;
  readonly source: SourceRef;
}

type Ports = readonly [low: number, high: number];

export type RuleAction =
  /** Routes with a prefix not longer than `unlessShorter` do not count. */
  | { readonly is: 'lookup'; readonly table: string; readonly unlessShorter?: number }
  | { readonly is: 'goto'; readonly priority: number }
  | { readonly is: 'refuse'; readonly why: string }
  | { readonly is: 'nothing' };

const MAX_U32 = 4_294_967_295;

export function looksLikePolicyRules(text: string): boolean {
  const begin = text.slice(0, 4_096);
  return /^\d{1,10}:\s+(?:not )?from /m.test(begin) || /^\s*\[\s*\{\s*"priority"\s*:/.test(begin);
}

/** `ip [-6] rule show`, as text or JSON. Rules without an address are of IPv6 when the kind of the file ends with a 6: `h1.rule6`. */
export function readPolicyRules(file: InputFile): Reading<readonly PolicyRule[]> {
  const entries = ruleEntries(file);
  const ledger = new LineLedger(file.path, 'ip rule', countLines(file));
  const rules: PolicyRule[] = [];
  for (const { words, line, text } of entries) {
    const rule = ruleOf(new Words(words), ledger.at(line, text));
    if (typeof rule === 'string') ledger.notUnderstood(line, rule);
    else {
      ledger.used(line);
      rules.push(rule);
    }
  }
  const isSix = /6(?:\.\w+)?$/.test(kindOf(file.path)) || rules.some(({ from, to }) => (from ?? to)?.family === 'ip6');
  const ordered = rules.toSorted((a, b) => a.priority - b.priority);
  return { value: ordered.map((rule) => ({ ...rule, family: isSix ? 'ip6' : 'ip' })), reading: ledger.reading() };
}

/** What stands behind the name of the box, which may end with a 6 itself. */
function kindOf(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const dot = base.indexOf('.');
  return dot > 0 ? base.slice(dot) : base;
}

type Draft = { -readonly [K in keyof PolicyRule]?: PolicyRule[K] };

function ruleOf(words: Words, source: SourceRef): PolicyRule | string {
  const priority = numberOf((words.next() ?? '').replace(/:$/, ''), MAX_U32);
  if (priority === undefined) return 'no priority';
  const draft: Draft = {};
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const why = readWord(word, words, draft);
    if (why !== undefined) return why;
  }
  const { action, ...tests } = draft;
  if (action === undefined) return 'it does not say what to do';
  return { not: false, ...tests, family: 'ip', priority, action, source };
}

function readWord(word: string, words: Words, draft: Draft): string | undefined {
  switch (word) {
    case 'not':
      draft.not = true;
      return undefined;
    case 'from':
    case 'to': {
      const written = words.next() ?? '';
      if (written === 'all') return undefined;
      const prefix = linuxPrefix(written);
      if (prefix === undefined) return `'${written}' is no prefix`;
      draft[word] = prefix;
      return undefined;
    }
    case 'fwmark': {
      const [value = '', mask = '0xffffffff'] = (words.next() ?? '').split('/');
      if (![value, mask].every((part) => /^(?:0x[0-9a-fA-F]{1,8}|\d{1,10})$/.test(part))) return 'no mark';
      draft.mark = { value: BigInt(value), mask: BigInt(mask) };
      return undefined;
    }
    case 'iif':
    case 'oif':
      draft[word] = words.next() ?? '';
      return words.take('[detached]') ? `${word} of a device that is not there` : undefined;
    case 'ipproto': {
      const name = words.next() ?? '';
      const number = protocolNames.get(name) ?? numberOf(name, 255);
      if (number === undefined) return `'${name}' is no protocol`;
      draft.protocol = number;
      return undefined;
    }
    case 'sport':
    case 'dport': {
      const [low = '', high = low] = (words.next() ?? '').split('-');
      const ports = [numberOf(low, 65_535), numberOf(high, 65_535)] as const;
      if (ports[0] === undefined || ports[1] === undefined) return 'no port';
      draft[word] = [ports[0], ports[1]];
      return undefined;
    }
    default:
      return readAction(word, words, draft);
  }
}

function readAction(word: string, words: Words, draft: Draft): string | undefined {
  switch (word) {
    case 'lookup':
    case 'table':
      draft.action = { is: 'lookup', table: words.next() ?? '' };
      return undefined;
    case 'suppress_prefixlength': {
      const length = numberOf(words.next() ?? '', 128);
      if (draft.action?.is !== 'lookup' || length === undefined) return 'a length without a table';
      draft.action = { ...draft.action, unlessShorter: length };
      return undefined;
    }
    case 'goto': {
      const priority = numberOf(words.next() ?? '', MAX_U32);
      if (priority === undefined || words.take('[unresolved]')) return 'it goes on nowhere';
      draft.action = { is: 'goto', priority };
      return undefined;
    }
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      draft.action = { is: 'refuse', why: `the rule says ${word}` };
      return undefined;
    case 'nop':
      draft.action = { is: 'nothing' };
      return undefined;
    case 'proto':
    case 'protocol':
      words.next();
      return undefined;
    default:
      return `'${word.slice(0, 40)}'`;
  }
}
