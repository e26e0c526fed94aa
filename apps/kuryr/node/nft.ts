import { SuperfluidityError } from '@superfluidity/core';
import type { NamespaceName } from '@superfluidity/netlink';
import './errors.ts';
import { runOnNode } from './run.ts';
import type { TableName } from './table.ts';

/** All of it or nothing. Throws `SF-KURYR-NFT`. */
export async function applyNft(namespace: NamespaceName, text: string): Promise<void> {
  if (text === '') return;
  const { code, stderr } = await started(namespace, ['nft', '-f', '-'], text);
  if (code !== 0) throw refused(stderr);
}

export interface TableNames {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
  readonly maps: readonly string[];
}

/** Names of what is in a table; undefined where there is none. Throws `SF-KURYR-NFT`. */
export async function namesIn(namespace: NamespaceName, { family, table }: TableName): Promise<TableNames | undefined> {
  // Terse: without elements.
  const { code, stdout, stderr } = await started(namespace, ['nft', '-t', 'list', 'table', family, table]);
  if (code !== 0 && /No such file or directory/.test(stderr)) return undefined;
  if (code !== 0) throw refused(stderr);
  const named = (kind: RegExp) => [...stdout.matchAll(kind)].map(([, name]) => name!);
  return { chains: named(/^\tchain (\w+) \{/gm), sets: named(/^\tset (\w+) \{/gm), maps: named(/^\tmap (\w+) \{/gm) };
}

async function started(namespace: NamespaceName, argv: readonly [string, ...string[]], input?: string) {
  try {
    return await runOnNode(namespace, argv, input);
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause));
  }
}

function refused(words: string): SuperfluidityError {
  // It repeats the whole command below the first line, however long.
  const reason = words.split('\n', 1)[0]!.slice(0, 300) || 'it did not end as it should';
  return new SuperfluidityError('SF-KURYR-NFT', { doing: 'tell the kernel by nft(8)', reason });
}
