import type { MaskedAddress } from '../../incremental/rules.ts';
import { read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { block, drop, type Instruction, nothing } from '../../ir/instruction.ts';
import type { Match, Rule, TableKey } from '../../ir/table.ts';
import type { AccessEntry, AccessList, PortRanges, ServiceTest } from '../../readers/cisco/access-list.ts';
import { addressMatch } from '../address-match.ts';
import { accessKeys, key } from '../rules.ts';

const keys: readonly TableKey[] = [
  ...accessKeys,
  key(read(field('TCP.flags')), 9, 'unmatched'),
  key(read(field('ICMP.type')), 8, 'unmatched'),
  key(read(field('ICMP.code')), 8, 'unmatched'),
];

/**
 * An access list of Cisco: the first entry that matches decides, and what none matches is denied. A list without entries permits
 * everything. What is permitted goes on. Fragments are taken as put together again. Of an entry that is understood in part, both is followed.
 */
export function accessInstruction(list: AccessList): Instruction {
  const permitted = nothing;
  if (list.entries.length === 0) return permitted;
  let rest: Instruction = drop(`access list ${list.name} permits nothing else`);
  let end = list.entries.length;
  const deny = drop(`denied by access list ${list.name}`);
  for (let at = end - 1; at >= 0; at -= 1) {
    const entry = list.entries[at]!;
    if (entry.doubt === undefined) continue;
    rest = table(list.name, list.entries.slice(at + 1, end), [permitted, deny], rest);
    const doubt: Instruction = {
      op: 'doubt',
      what: `${entry.doubt} of access list ${list.name}`,
      source: entry.source,
    };
    const decided = entry.action === 'permit' ? permitted : deny;
    const either: Instruction = block(doubt, { op: 'choose', branches: [decided, rest] });
    rest = table(list.name, [entry], [either, either], rest);
    end = at;
  }
  return table(list.name, list.entries.slice(0, end), [permitted, deny], rest);
}

/** `behaviours` are those of permit and of deny. */
function table(
  name: string,
  entries: readonly AccessEntry[],
  behaviours: readonly [Instruction, Instruction],
  miss: Instruction,
): Instruction {
  if (entries.length === 0) return miss;
  const rules = entries.flatMap(rulesOf);
  const used = keys.map((_, i) => rules.some(({ match }) => match[i] !== undefined));
  return {
    op: 'table',
    table: {
      name: `access list ${name}`,
      keys: keys.filter((_, i) => used[i]),
      entries: {
        kind: 'rules',
        rules: rules.map((rule) => ({ ...rule, match: rule.match.filter((_, i) => used[i]) })),
      },
      behaviours,
      miss,
    },
  };
}

function rulesOf({ action, services, sources, destinations, source }: AccessEntry): readonly Rule[] {
  const behaviour = action === 'permit' ? 0 : 1;
  const any = [undefined];
  return services.flatMap((service) =>
    (sources ?? any).flatMap((from) =>
      (destinations ?? any).flatMap((to) =>
        (service.anyFlag ?? any).map((flag): Rule => ({ match: matchOf(service, from, to, flag), behaviour, source })),
      ),
    ),
  );
}

function matchOf(
  { protocol, sourcePorts, destinationPorts, icmp }: ServiceTest,
  from: MaskedAddress | undefined,
  to: MaskedAddress | undefined,
  flag: number | undefined,
): Rule['match'] {
  return [
    one(protocol),
    addressMatch(from),
    portMatch(sourcePorts),
    addressMatch(to),
    portMatch(destinationPorts),
    flag === undefined ? undefined : { kind: 'mask', value: BigInt(flag), mask: BigInt(flag) },
    one(icmp?.type),
    one(icmp?.code),
  ];
}

const one = (value: number | undefined): Match | undefined =>
  value === undefined ? undefined : { kind: 'range', low: BigInt(value), high: BigInt(value) };

const portMatch = (ranges: PortRanges | undefined): Match | undefined =>
  ranges === undefined ? undefined : { kind: 'set', ranges: ranges.map(([low, high]) => [BigInt(low), BigInt(high)]) };
