import { append } from '@superfluidity/core';
import { exactly, setOf, subtract, union, type Range } from '../../readers/netfilter/addresses.ts';
import type { IpSet, IpSetEntry, IpSetPart, Test } from '../../readers/netfilter/ruleset.ts';

/** What `--match-set NAME src,dst` tests; undefined when the set is not there or its entries exclude each other in ways not followed. */
export function memberTests(
  sets: ReadonlyMap<string, IpSet>,
  name: string,
  directions: readonly ('src' | 'dst')[],
  depth = 0,
): readonly Test[] | undefined {
  const set = sets.get(name);
  if (set === undefined || depth > 8) return undefined;
  if (set.type === 'list:set') {
    const members = set.members.map((member) => memberTests(sets, member, directions, depth + 1));
    return members.includes(undefined) ? undefined : [{ is: 'either', of: members as Test[][], negated: false }];
  }
  const single = singleAddresses(set, directions);
  if (single !== undefined) return single;
  if (set.entries.some(({ nomatch }) => nomatch)) return undefined;
  const rows = set.entries.map((entry) => rowOf(entry, directions));
  return rows.includes(undefined) ? undefined : [{ is: 'either', of: rows as Test[][], negated: false }];
}

/** Sets of one address: one test with all of their ranges. Of nested networks the longest decides, `nomatch` too. */
function singleAddresses(set: IpSet, directions: readonly ('src' | 'dst')[]): readonly Test[] | undefined {
  const first = set.entries[0]?.parts;
  if (first === undefined) return [{ is: 'never' }];
  if (first.length !== 1 || first[0]!.is !== 'address' || directions.length < 1) return undefined;
  const entries = set.entries.map(({ parts, nomatch }) => ({
    part: parts[0] as IpSetPart & { is: 'address' },
    nomatch,
  }));
  let ranges: Range[] = [];
  if (entries.every(({ nomatch }) => !nomatch)) ranges = union(entries.map(({ part }) => [part.low, part.high]));
  else {
    const widest = entries.toSorted((a, b) => (size(a.part) > size(b.part) ? -1 : 1));
    for (const { part, nomatch } of widest) {
      const one: Range[] = [[part.low, part.high]];
      ranges = nomatch ? subtract(ranges, one) : union([...ranges, ...one]);
    }
  }
  return [{ is: 'match', key: addressKey(entries[0]!.part.family, directions[0]!), match: setOf(ranges) }];
}

const size = (part: IpSetPart & { is: 'address' }): bigint => part.high - part.low;

function addressKey(family: 'ip' | 'ip6', direction: 'src' | 'dst') {
  return `${family}.${direction === 'src' ? 'saddr' : 'daddr'}` as const;
}

function rowOf({ parts }: IpSetEntry, directions: readonly ('src' | 'dst')[]): Test[] | undefined {
  const row: Test[] = [];
  for (const [index, part] of parts.entries()) {
    const direction = directions[index];
    const tests = direction === undefined ? undefined : partTests(part, direction);
    if (tests === undefined) return undefined;
    append(row, tests);
  }
  return row;
}

function partTests(part: IpSetPart, direction: 'src' | 'dst'): Test[] | undefined {
  switch (part.is) {
    case 'address':
      return [
        {
          is: 'match',
          key: addressKey(part.family, direction),
          match: { kind: 'range', low: part.low, high: part.high },
        },
      ];
    case 'port': {
      /** Without a protocol (bitmap:port) TCP and UDP are meant. */
      const protocol: Test = {
        is: 'match',
        key: 'l4proto',
        match:
          part.protocol === undefined
            ? setOf([
                [6n, 6n],
                [17n, 17n],
              ])
            : exactly(part.protocol),
      };
      const hasPorts = part.protocol === undefined || [6n, 17n, 132n, 136n].includes(part.protocol);
      const key = direction === 'src' ? 'sport' : 'dport';
      const port: Test = { is: 'match', key, match: { kind: 'range', low: part.low, high: part.high } };
      return hasPorts ? [protocol, port] : [protocol];
    }
    case 'icmp': {
      const prefix = part.protocol === 1n ? 'icmp' : 'icmpv6';
      return [
        { is: 'match', key: 'l4proto', match: exactly(part.protocol) },
        { is: 'match', key: `${prefix}.type`, match: exactly(part.type) },
        { is: 'match', key: `${prefix}.code`, match: exactly(part.code) },
      ];
    }
    case 'interface': {
      const key = part.physical ? (direction === 'src' ? 'physin' : 'physout') : direction === 'src' ? 'iif' : 'oif';
      return [{ is: 'interface', key, names: [part.name], negated: false }];
    }
    case 'mac':
      return [{ is: 'match', key: direction === 'src' ? 'ether.saddr' : 'ether.daddr', match: exactly(part.value) }];
  }
}
