import { SuperfluidityError } from '@superfluidity/core';
import type { NamespaceName } from '@superfluidity/netlink';
import { run } from './command.ts';

/** nftables rule sets (nft(8)). A text is applied as one transaction: all of it or nothing. */

export type TableFamily = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;

function checkTable(name: string): string {
  if (TABLE_NAME.test(name)) return name;
  throw new SuperfluidityError('SF-LINUX-BAD-NAME', {
    doing: `use nftables table ${JSON.stringify(name)}`,
    reason: 'not a usable name of a table',
  });
}

export async function applyRuleset(namespace: NamespaceName, text: string, signal?: AbortSignal): Promise<void> {
  await run(['nft', '-f', '-'], { namespace, stdin: text, ...(signal === undefined ? {} : { signal }) });
}

/**
 * A table as the text says, whatever it was before: created first so that its deletion cannot fail, all in one
 * transaction. `body` is what stands between the braces.
 */
export function replaceTableText(family: TableFamily, table: string, body: string): string {
  checkTable(table);
  return `table ${family} ${table} {}\ndelete table ${family} ${table}\ntable ${family} ${table} {\n${body}\n}\n`;
}

/** Idempotent. */
export async function deleteTable(namespace: NamespaceName, family: TableFamily, table: string): Promise<void> {
  checkTable(table);
  await applyRuleset(namespace, `table ${family} ${table} {}\ndelete table ${family} ${table}\n`);
}

/** The objects of libnftables-json(5), without the line that tells the version. */
export async function listRuleset(namespace: NamespaceName): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { stdout } = await run(['nft', '-j', 'list', 'ruleset'], { namespace });
  const { nftables } = JSON.parse(stdout) as { nftables: readonly Record<string, unknown>[] };
  return nftables.filter((entry) => !('metainfo' in entry));
}
