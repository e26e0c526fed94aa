import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { inputLines } from '../read/lines.ts';
import type { InputFile } from '../read/reader.ts';
import { parseIpv4 } from '../readers/fib/addresses.ts';
import type { AccessRule, MaskedAddress, Range, NetworkRule } from './rules.ts';
import type { Wiring } from './verifier.ts';

export interface RuleUpdate {
  readonly insert: boolean;
  readonly rule: NetworkRule;
  readonly line: number;
}

/**
 * Updates of rules, one on a line, as APKeep has them:
 *
 *     + fwd box address length port priority
 *     - acl box_list access-list name permit|deny protocol protocol source wildcard port port destination wildcard port port priority
 *
 * Addresses of routes are numbers of 32 bits; `any` and `null` are everything. A range of ports without an end has none.
 */
export function readUpdates(file: InputFile): readonly RuleUpdate[] {
  return lines(file).map(({ words, line, fail }): RuleUpdate => {
    const [sign, kind] = words;
    if (sign !== '+' && sign !== '-') throw fail("the line begins with '+' or '-'");
    if (kind === 'fwd') return { insert: sign === '+', rule: forwardingRule(words, fail), line };
    if (kind === 'acl') return { insert: sign === '+', rule: accessRule(words, fail), line };
    throw fail(`'${kind ?? ''}' is neither fwd nor acl`);
  });
}

/**
 * Links as `node port node port`, one way. A node `box_list_port_in` or `..._out` is where a list is applied. VLANs as
 * `box vlan port port ...`.
 */
export function readWiring(topology: InputFile, vlans: InputFile): Wiring {
  const lists = new Map<string, string>();
  const links = lines(topology).map(({ words, fail }) => {
    if (words.length !== 4) throw fail('a link is `node port node port`');
    const [from, out, to, entry] = words as [string, string, string, string];
    for (const node of [from, to]) {
      const list = /^(\w+?_rtr_[A-Za-z0-9]+)_\S+_(?:in|out)$/.exec(node)?.[1];
      if (list !== undefined) lists.set(node, list);
    }
    return { from: { node: from, port: out }, to: { node: to, port: entry } };
  });
  const ports = lines(vlans).map(({ words, fail }): readonly [string, readonly string[]] => {
    if (words.length < 2) throw fail('a VLAN is `box vlan port ...`');
    return [`${words[0]} ${words[1]}`, words.slice(2)];
  });
  return { links, lists, vlans: new Map(ports) };
}

type Fail = (why: string) => SuperfluidityError;

interface Line {
  readonly words: readonly string[];
  readonly line: number;
  readonly fail: Fail;
}

function lines(file: InputFile): readonly Line[] {
  return inputLines(file).flatMap((line, i) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === '') return [];
    const fail: Fail = (reason) =>
      new SuperfluidityError('SF-VERIFY-INPUT', {
        doing: `read ${file.path}`,
        reason: `${file.path}:${i + 1}: ${reason}`,
        data: { file: file.path, line: i + 1 },
      });
    return [{ words, line: i + 1, fail }];
  });
}

function forwardingRule(words: readonly string[], fail: Fail): NetworkRule {
  const [, , box, address, length, port] = words as [string, string, string?, string?, string?, string?];
  const [at, bits] = [numberOf(address, 2 ** 32 - 1), numberOf(length, 32)];
  if (box === undefined || port === undefined || at === undefined || bits === undefined) {
    throw fail('a route is `fwd box address length port priority`');
  }
  const block = 2 ** (32 - bits);
  return { kind: 'forward', box, address: Math.floor(at / block) * block, length: bits, port };
}

function accessRule(words: readonly string[], fail: Fail): NetworkRule {
  const [, , list, , , action, low, high, source, sourceWild, fromPort, toPort] = words;
  const [destination, destinationWild, fromPort2, toPort2, last] = words.slice(12);
  const priority = numberOf(last, 2 ** 31);
  if (list === undefined || (action !== 'permit' && action !== 'deny') || priority === undefined) {
    throw fail('a rule is `acl box_list access-list name permit|deny ... priority`, 17 words');
  }
  const rule: AccessRule = { kind: 'access', list, action, priority };
  const protocol = rangeOf(low, high, 255, fail);
  return {
    ...rule,
    ...(protocol === undefined || (protocol.low === 0 && protocol.high === 255) ? {} : { protocol }),
    ...optional('source', addressOf(source, sourceWild, fail)),
    ...optional('sourcePort', rangeOf(fromPort, toPort, 65_535, fail)),
    ...optional('destination', addressOf(destination, destinationWild, fail)),
    ...optional('destinationPort', rangeOf(fromPort2, toPort2, 65_535, fail)),
  };
}

const optional = <K extends string, T>(key: K, value: T | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T };

function rangeOf(low: string | undefined, high: string | undefined, top: number, fail: Fail): Range | undefined {
  if (low === 'null') return undefined;
  const [from, to] = [numberOf(low, top), high === 'null' ? top : numberOf(high, top)];
  if (from === undefined || to === undefined || from > to) throw fail(`'${low ?? ''} ${high ?? ''}' is no range`);
  return { low: from, high: to };
}

function addressOf(address: string | undefined, wildcard: string | undefined, fail: Fail): MaskedAddress | undefined {
  if (address === 'any') return undefined;
  const [value, wild] = [parseIpv4(address ?? ''), wildcard === 'null' ? 0 : parseIpv4(wildcard ?? '')];
  if (value === undefined || wild === undefined) throw fail(`'${address ?? ''} ${wildcard ?? ''}' is no address`);
  return { value, wildcard: wild };
}

function numberOf(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}
