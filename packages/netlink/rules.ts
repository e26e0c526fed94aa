import { bytes, decodeAttributes, encodeAttributes, readText, readU32, text, u32, when } from './attributes.ts';
import { formatIp, networkBytes, parsePrefix } from './ip-address.ts';
import { AF_INET, AF_INET6 } from './libc.ts';
import { checkInterfaceName } from './links.ts';
import type { NamespaceName } from './namespaces.ts';
import { dump, NLM_F_CREATE, NLM_F_EXCL, type NetlinkRequest } from './netlink.ts';

/** Rules that choose the routing table. include/uapi/linux/fib_rules.h. */

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_GETRULE = 34;
const FRA = { dst: 1, src: 2, iif: 3, priority: 6, mark: 10, table: 15, mask: 16 } as const;
const FR_ACT_TO_TBL = 1;

export interface RuleSettings {
  readonly family: 4 | 6;
  /** Lower ones are asked first; the main table's rule is 32766. */
  readonly priority: number;
  readonly table: number;
  readonly iif?: string;
  readonly mark?: number;
  readonly from?: string;
  readonly to?: string;
}

function body(rule: RuleSettings): Buffer {
  const from = rule.from === undefined ? undefined : parsePrefix(rule.from);
  const to = rule.to === undefined ? undefined : parsePrefix(rule.to);
  const head = Buffer.alloc(12);
  head.set([
    rule.family === 4 ? AF_INET : AF_INET6,
    to?.length ?? 0,
    from?.length ?? 0,
    0,
    rule.table > 255 ? 0 : rule.table,
    0,
    0,
    FR_ACT_TO_TBL,
  ]);
  return encodeAttributes(
    [
      u32(FRA.priority, rule.priority),
      u32(FRA.table, rule.table),
      ...when(to, (prefix) => bytes(FRA.dst, networkBytes(prefix))),
      ...when(from, (prefix) => bytes(FRA.src, networkBytes(prefix))),
      ...when(rule.iif, (name) => text(FRA.iif, checkInterfaceName(name))),
      ...when(rule.mark, (mark) => u32(FRA.mark, mark)),
    ],
    head,
  );
}

function showRule(rule: RuleSettings): string {
  const part = (word: string, value: string | number | undefined) => (value === undefined ? '' : ` ${word} ${value}`);
  return [
    part('priority', rule.priority),
    part('from', rule.from),
    part('to', rule.to),
    part('iif', rule.iif),
    part('fwmark', rule.mark),
    part('table', rule.table),
  ].join('');
}

/** EEXIST when the very same rule is there. */
export function addRule(rule: RuleSettings): NetlinkRequest {
  return {
    type: RTM_NEWRULE,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    words: `-${rule.family} rule add${showRule(rule)}`,
    body: () => body(rule),
  };
}

/** ENOENT when it is not there. */
export function deleteRule(rule: RuleSettings): NetlinkRequest {
  return { type: RTM_DELRULE, flags: 0, words: `-${rule.family} rule del${showRule(rule)}`, body: () => body(rule) };
}

/** Rules that choose a table; others are none of ours. */
export function listRules(namespace: NamespaceName, family: 4 | 6): readonly RuleSettings[] {
  const head = Buffer.alloc(12);
  head.writeUInt8(family === 4 ? AF_INET : AF_INET6, 0);
  const messages = dump(namespace, { type: RTM_GETRULE, flags: 0, words: `-${family} rule show`, body: () => head });
  return messages.flatMap(({ body: message }) => {
    if (message.readUInt8(7) !== FR_ACT_TO_TBL) return [];
    const attributes = decodeAttributes(message, 12);
    const to = attributes.get(FRA.dst);
    const from = attributes.get(FRA.src);
    const iif = readText(attributes.get(FRA.iif));
    const mark = readU32(attributes.get(FRA.mark));
    return [
      {
        family,
        priority: readU32(attributes.get(FRA.priority)) ?? 0,
        table: readU32(attributes.get(FRA.table)) ?? message.readUInt8(4),
        ...(iif === undefined ? {} : { iif }),
        ...(mark === undefined ? {} : { mark }),
        ...(from === undefined ? {} : { from: `${formatIp(from)}/${message.readUInt8(2)}` }),
        ...(to === undefined ? {} : { to: `${formatIp(to)}/${message.readUInt8(1)}` }),
      },
    ];
  });
}
