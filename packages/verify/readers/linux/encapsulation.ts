import { append } from '@superfluidity/core';
import { ipv4Address, ipv6Address } from '../../filter/addresses.ts';
import type { Words } from './words.ts';

/** What a route does with a packet besides forwarding it: segment routing over IPv6 (RFC 8754, RFC 8986; ip-route(8)). */
export type Encapsulation =
  | { readonly kind: 'seg6'; readonly mode: Seg6Mode; readonly segments: readonly bigint[] }
  | { readonly kind: 'seg6local'; readonly action: Seg6Action; readonly argument: Seg6Argument };

export type Seg6Mode = 'encap' | 'encap.red' | 'inline' | 'l2encap';
export type Seg6Action = keyof typeof ARGUMENTS;

export interface Seg6Argument {
  readonly via?: bigint;
  readonly table?: string;
  readonly device?: string;
  /** In the order in which they are visited. */
  readonly segments?: readonly bigint[];
}

const MODES: ReadonlySet<string> = new Set(['encap', 'encap.red', 'inline', 'l2encap'] satisfies Seg6Mode[]);
/** Which argument an action needs. */
const ARGUMENTS = {
  End: undefined,
  'End.X': 'nh6',
  'End.T': 'table',
  'End.DX2': 'oif',
  'End.DX4': 'nh4',
  'End.DX6': 'nh6',
  'End.DT4': 'table',
  'End.DT6': 'table',
  'End.DT46': 'table',
  'End.B6': 'segs',
  'End.B6.Encaps': 'segs',
} as const;
/** More than any header that fits into a packet of 1,500 bytes with something behind it. */
const SEGMENTS_MAX = 16;

/** What stands behind the word `encap`; or why not. */
export function readEncapsulation(words: Words): Encapsulation | string {
  const kind = words.next();
  if (kind === 'seg6') {
    const mode = words.take('mode') ? (words.next() ?? '') : '';
    if (!MODES.has(mode)) return `segment routing in mode '${mode}'`;
    const segments = readSegments(words);
    if (typeof segments === 'string') return segments;
    return { kind, mode: mode as Seg6Mode, segments };
  }
  if (kind !== 'seg6local') return `an encapsulation '${kind ?? ''}'`;
  const action = words.take('action') ? (words.next() ?? '') : '';
  if (!Object.hasOwn(ARGUMENTS, action)) return `a segment's action '${action}'`;
  const argument = readArgument(ARGUMENTS[action as Seg6Action], words);
  if (typeof argument === 'string') return `${action}: ${argument}`;
  return { kind, action: action as Seg6Action, argument };
}

function readArgument(wanted: (typeof ARGUMENTS)[Seg6Action], words: Words): Seg6Argument | string {
  switch (wanted) {
    case undefined:
      return words.peek() === 'flavors' ? 'flavours' : {};
    case 'segs': {
      words.take('srh');
      const segments = readSegments(words);
      return typeof segments === 'string' ? segments : { segments };
    }
    case 'table': {
      if (!words.take('table') && !words.take('vrftable')) return 'no table';
      return { table: words.next() ?? '' };
    }
    case 'oif':
      return words.take('oif') ? { device: words.next() ?? '' } : 'no device';
    default: {
      const via = words.take(wanted) ? (words.next() ?? '') : '';
      const address = wanted === 'nh4' ? ipv4Address(via) : ipv6Address(via);
      return address === undefined ? 'no next hop' : { via: address };
    }
  }
}

/** `segs 2 [ fd00::1 fd00::2 ]` as it is printed, `segs fd00::1,fd00::2` as it is typed. */
function readSegments(words: Words): readonly bigint[] | string {
  if (!words.take('segs')) return 'no segments';
  const first = words.next() ?? '';
  const written: string[] = [];
  if (words.take('[')) {
    for (let word = words.next(); word !== ']'; word = words.next()) {
      if (word === undefined || written.length === SEGMENTS_MAX) return 'segments without an end';
      written.push(word);
    }
  } else append(written, first.split(',', SEGMENTS_MAX + 1));
  const segments = written.map(ipv6Address).filter((segment) => segment !== undefined);
  return segments.length === written.length && segments.length > 0 && segments.length <= SEGMENTS_MAX
    ? segments
    : 'segments that are no addresses of IPv6';
}
