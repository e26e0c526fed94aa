import type { SourceRef } from '../../ir/source.ts';
import { LineLedger } from '../../read/ledger.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { readActions } from './actions.ts';
import type { Action } from './flow.ts';

/** A group of buckets (OpenFlow 1.3, section 5.6). */
export interface Group {
  readonly id: number;
  /** `all` and `indirect`: every bucket; `select`: one of those with a weight; `ff`: the first whose port is up. */
  readonly type: 'all' | 'indirect' | 'select' | 'ff';
  readonly buckets: readonly Bucket[];
  readonly source: SourceRef;
}

export interface Bucket {
  /** Executed as an action set. */
  readonly actions: readonly Action[];
  /** Of `select`; without one it is 1, with 0 the bucket is never taken. */
  readonly weight: number;
}

const HEADING = /^OFPST_GROUP_DESC\w* reply/;
const HEAD = /^group_id=(\d+|0x[0-9a-f]+),type=(all|indirect|select|ff|fast_failover)\b/;

export function looksLikeGroups(text: string): boolean {
  return text
    .slice(0, 4_096)
    .split('\n', 20)
    .some((line) => HEADING.test(line.trim()) || HEAD.test(line.trim()));
}

/** `ovs-ofctl dump-groups`. */
export function readGroups(file: InputFile): Reading<readonly Group[]> {
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, 'ovs-ofctl dump-groups', lines.length);
  const groups: Group[] = [];
  lines.forEach((text, i) => {
    const trimmed = text.trim();
    if (trimmed === '') return;
    if (HEADING.test(trimmed)) return ledger.withoutEffect(i + 1, 'a heading');
    const [, id, type] = HEAD.exec(trimmed) ?? [];
    const buckets = trimmed
      .split(/,bucket=/)
      .slice(1)
      .map(bucketOf);
    const unknown = buckets.flatMap((bucket) =>
      (bucket?.actions ?? []).flatMap((action) => (action.kind === 'doubt' ? [action.what] : [])),
    );
    if (id === undefined || !buckets.every((bucket) => bucket !== undefined)) {
      return ledger.notUnderstood(i + 1, 'not a group');
    }
    if (unknown.length > 0) ledger.notUnderstood(i + 1, unknown.join('; '));
    else ledger.used(i + 1);
    const kind = type === 'fast_failover' ? 'ff' : (type as Group['type']);
    groups.push({ id: Number(id), type: kind, buckets, source: ledger.at(i + 1, trimmed) });
  });
  return { value: groups, reading: ledger.reading() };
}

/** `bucket_id:0,weight:100,watch_port:2,actions=set_field:...->eth_dst,output:2` */
function bucketOf(text: string): Bucket | undefined {
  const at = /(?:^|,)actions=/.exec(text);
  const settings = (at === null ? text : text.slice(0, at.index)).split(',').filter(Boolean);
  const known = settings.every((each) => /^(?:bucket_id|weight|watch_port|watch_group):\w[\w.-]*$/.test(each));
  if (!known) return undefined;
  const weight = settings.flatMap((each) => /^weight:(\d+)$/.exec(each)?.[1] ?? [])[0];
  const actions = at === null ? [] : readActions(text.slice(at.index + at[0].length).replace(/,$/, ''));
  return { actions, weight: weight === undefined ? 1 : Number(weight) };
}
