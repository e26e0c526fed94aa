import { append } from '@superfluidity/core';
import { type Cloud, listOfNeutron } from '@superfluidity/openstack';
import type { DataPlaneFile } from '@superfluidity/site';

/** Lists of the Networking API as it says them, and as files of a dump. */

export type Item = Awaited<ReturnType<typeof listOfNeutron>>[number];

/** So that an address with all of them stays one that servers take. */
const LIST_IDS_MAX = 50;

/** Those of a list whose `key` is one of `values`, in as many requests as it takes. */
export async function listAmong(
  cloud: Cloud,
  list: { readonly many: string; readonly path: string },
  key: string,
  values: readonly string[],
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const found: Item[] = [];
  for (let at = 0; at < values.length; at += LIST_IDS_MAX)
    append(found, await listOfNeutron(cloud, list, { [key]: values.slice(at, at + LIST_IDS_MAX) }, signal));
  return found;
}

export const once = (items: readonly Item[]): readonly Item[] => [
  ...new Map(items.map((item) => [item.id, item])).values(),
];

export const fileOf = (name: string, content: Readonly<Record<string, readonly Item[]>>): DataPlaneFile => ({
  name: `${name}.json`,
  text: `${JSON.stringify(content, undefined, 2)}\n`,
});
