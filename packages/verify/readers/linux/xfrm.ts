import { fingerprint } from '../../ir/encryption.ts';
import type { SourceRef } from '../../ir/source.ts';
import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { wordsOf } from '../../read/words.ts';
import { linuxPrefix, type LinuxPrefix, numberOf } from './words.ts';

/** IPsec of the kernel, as ip-xfrm(8) lists it: what has to be in a tunnel, and the associations that make tunnels. */
export interface Xfrm {
  readonly policies: readonly XfrmPolicy[];
  readonly states: readonly XfrmState[];
}

export interface XfrmPolicy {
  readonly dir: 'in' | 'out' | 'fwd';
  readonly from: LinuxPrefix;
  readonly to: LinuxPrefix;
  readonly protocol?: number;
  /** Of two that fit, the one with the smaller number. */
  readonly priority: number;
  readonly blocks: boolean;
  /** Absent: as it is. */
  readonly tunnel?: XfrmTunnel;
  readonly source: SourceRef;
}

export interface XfrmTunnel {
  readonly from: bigint;
  readonly to: bigint;
  /** 0: any. */
  readonly reqid: number;
}

export interface XfrmState extends XfrmTunnel {
  readonly spi: number;
  /** Of algorithms and keys, where they are told: only who has the same can read it. The key itself is in no report. */
  readonly key: bigint;
  readonly source: SourceRef;
}

/** `ip xfrm policy` and `ip xfrm state`: entries that begin with the addresses of both ends, keys and templates below. */
export function looksLikeXfrm(text: string): boolean {
  const begin = text.slice(0, 4_096);
  return /^src \S+ dst \S+/m.test(begin) && /^\s+(?:dir (?:in|out|fwd)|proto (?:esp|ah|comp) )/m.test(begin);
}

/** Tunnels of ESP over IPv4. An entry that says more is not understood, as a whole. */
export function readXfrm(file: InputFile): Reading<Xfrm> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ip xfrm', lines.length);
  const policies: XfrmPolicy[] = [];
  const states: XfrmState[] = [];
  let begin = 0;
  for (let i = 0; i <= lines.length; i += 1) {
    if (i < lines.length && (i === 0 || !lines[i]!.startsWith('src '))) continue;
    const entry = lines.slice(begin, i).map((text, at) => ({ words: [...wordsOf(text)], line: begin + at + 1 }));
    begin = i;
    const some = entry.filter(({ words }) => words.length > 0);
    if (some.length === 0) continue;
    const source = ledger.at(some[0]!.line, lines[some[0]!.line - 1]!.trim());
    const read = entryOf(
      some.map(({ words }) => words),
      source,
    );
    for (const { line } of some) {
      if (typeof read === 'string') ledger.notUnderstood(line, read);
      else ledger.used(line);
    }
    if (typeof read === 'string') continue;
    if ('dir' in read) policies.push(read);
    else states.push(read);
  }
  return { value: { policies, states }, reading: ledger.reading() };
}

type Words = readonly string[];
const after = (words: Words, word: string): string | undefined => words[words.indexOf(word) + 1] ?? undefined;
const has = (words: Words, word: string): boolean => words.includes(word);

function entryOf(lines: readonly Words[], source: SourceRef): XfrmPolicy | XfrmState | string {
  const [head = [], ...rest] = lines;
  if (head[0] !== 'src' || head[2] !== 'dst') return 'no addresses of both ends';
  return rest[0]?.[0] === 'dir' ? policyOf(head, rest, source) : stateOf(head, rest, source);
}

const POLICY_WORDS = new Set([
  'dir',
  'in',
  'out',
  'fwd',
  'priority',
  'ptype',
  'main',
  'action',
  'block',
  'allow',
  'index',
  'share',
  'any',
  'flag',
]);

function policyOf(head: Words, rest: readonly Words[], source: SourceRef): XfrmPolicy | string {
  const [from, to] = [linuxPrefix(head[1] ?? ''), linuxPrefix(head[3] ?? '')];
  if (from?.family !== 'ip' || to?.family !== 'ip') return 'IPsec of IPv6';
  const more = head.slice(4);
  const protocol =
    more.length === 0 ? undefined : numberOf({ tcp: '6', udp: '17', icmp: '1' }[more[1]!] ?? more[1]!, 255);
  if (more.length > 0 && (more[0] !== 'proto' || protocol === undefined || more.length > 2))
    return `a selector with '${more.join(' ')}'`;
  const [about = [], ...templates] = rest;
  const strange = about.find((word) => !POLICY_WORDS.has(word) && numberOf(word, 4_294_967_295) === undefined);
  if (strange !== undefined) return `a policy with '${strange}'`;
  const dir = after(about, 'dir') as XfrmPolicy['dir'];
  const tunnel = templates.length === 0 ? undefined : tunnelOf(templates);
  if (typeof tunnel === 'string') return tunnel;
  return {
    dir,
    from,
    to,
    ...(protocol === undefined ? {} : { protocol }),
    priority: numberOf(after(about, 'priority') ?? '0', 4_294_967_295) ?? 0,
    blocks: has(about, 'block'),
    ...(tunnel === undefined ? {} : { tunnel }),
    source,
  };
}

/** `tmpl src A dst B` and, below it, `proto esp reqid 1 mode tunnel`. */
function tunnelOf(templates: readonly Words[]): XfrmTunnel | string {
  const words = templates.flat();
  if (words.filter((word) => word === 'tmpl').length !== 1) return 'several templates';
  const [from, to] = [linuxPrefix(after(words, 'src') ?? ''), linuxPrefix(after(words, 'dst') ?? '')];
  if (from?.family !== 'ip' || to?.family !== 'ip') return 'a template without addresses of IPv4';
  const mode = after(words, 'mode');
  if (after(words, 'proto') !== 'esp' || mode !== 'tunnel')
    return `a template of ${after(words, 'proto')} in mode ${mode}`;
  if (has(words, 'level') && after(words, 'level') !== 'required') return 'a template that is optional';
  return { from: from.address, to: to.address, reqid: numberOf(after(words, 'reqid') ?? '0', 4_294_967_295) ?? 0 };
}

const STATE_WORDS = new Set([
  'proto',
  'replay-window',
  'auth-trunc',
  'auth',
  'enc',
  'aead',
  'anti-replay',
  'lastused',
  'flag',
  'sel',
  'lifetime',
  'dir',
]);

function stateOf(head: Words, rest: readonly Words[], source: SourceRef): XfrmState | string {
  const [from, to] = [linuxPrefix(head[1] ?? ''), linuxPrefix(head[3] ?? '')];
  if (from?.family !== 'ip' || to?.family !== 'ip') return 'IPsec of IPv6';
  const strange = rest.find(([first]) => !STATE_WORDS.has(first ?? ''));
  if (strange !== undefined) return `an association with '${strange[0]}'`;
  const about = rest.find(([first]) => first === 'proto') ?? [];
  if (about[1] !== 'esp' || after(about, 'mode') !== 'tunnel')
    return `an association of ${about[1]} in mode ${after(about, 'mode')}`;
  const spi = Number(after(about, 'spi'));
  if (!Number.isInteger(spi) || spi < 0 || spi > 0xffff_ffff) return 'an association without a number (spi)';
  const keys = rest.filter(([first]) => ['auth-trunc', 'auth', 'enc', 'aead'].includes(first ?? ''));
  // Without keys (`nokeys`), both ends of one association are taken to have the same.
  const told = keys.some((words) => words.some((word) => /^0x[0-9a-f]+$/i.test(word)));
  const key = fingerprint(told ? keys.map((words) => words.join(' ')).join('\n') : `${head.join(' ')} ${spi}`);
  return {
    from: from.address,
    to: to.address,
    spi,
    reqid: numberOf(after(about, 'reqid') ?? '0', 4_294_967_295) ?? 0,
    key,
    source,
  };
}
