import { compare, constant, fresh, meta, negation, read, type Ranges } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, constrain, drop, type Instruction, nothing } from '../../ir/instruction.ts';
import { exactly, type Range, subtract, union, widthOf } from '../../readers/netfilter/addresses.ts';
import { isGroupAddress, stationAddresses } from '../group-addresses.ts';
import type { IpFamily, NetfilterBox, NetfilterInterface } from './box.ts';

const to = field('Ether.dst');
const isFramed = { kind: 'exists', at: to } as const;
const isGroup = isGroupAddress(read(to));

/** Where the packet goes next, which is not where it goes at last. */
export const nextHop = (box: string) => meta('next hop', box);

/** Whether the box makes frames: who its neighbours are is known. */
export const makesFrames = ({ neighbours }: NetfilterBox): boolean => neighbours !== undefined;

/** An interface takes what is for its own address or for a group (PACKET_OTHERHOST in ip_rcv and ip6_rcv). */
export function takeFrame({ mac }: NetfilterInterface): Instruction {
  if (mac === undefined) return nothing;
  const own = compare(read(to), '==', constant(mac, 48));
  return branch(isFramed, constrain({ kind: 'any', of: [own, isGroup] }, 'a frame for another station'), nothing);
}

/** What came for a group is not forwarded (PACKET_HOST in ip_forward and ip6_forward). */
export const onlyForOne: Instruction = branch(
  isFramed,
  constrain(negation(isGroup), 'what came for a group of stations is not forwarded'),
  nothing,
);

/** A frame to the next hop. Who is not listed may answer, with an address that none of the others has. */
export function makeFrame(name: string, box: NetfilterBox, family: IpFamily, from: NetfilterInterface): Instruction {
  const listed = (box.neighbours ?? []).filter((each) => each.interface === from.name && each.family === family);
  const unanswered = drop('the next hop does not answer');
  const known = listed.flatMap(({ mac }) => (mac === undefined ? [] : [mac]));
  const other = fresh(
    'MAC address of a neighbour',
    48,
    others([...known, ...(from.mac === undefined ? [] : [from.mac])]),
  );
  const resolved: Instruction = {
    op: 'table',
    table: {
      name: `${name} neighbours of ${from.name}`,
      keys: [{ of: read(nextHop(name)), width: widthOf(family), absent: 'fail' }],
      entries: {
        kind: 'rules',
        rules: listed.map(({ address, source }, behaviour) => ({ match: [exactly(address)], behaviour, source })),
      },
      behaviours: listed.map(({ mac }) => (mac === undefined ? unanswered : assign(to, constant(mac, 48)))),
      miss: block(
        { op: 'doubt', what: `who answers ${name} at ${from.name} for an address that is not listed` },
        assign(to, other),
      ),
    },
  };
  const own = from.mac === undefined ? nothing : assign(field('Ether.src'), constant(from.mac, 48));
  return branch(isFramed, block(own, resolved), nothing);
}

/** Addresses of single stations but these. */
function others(taken: readonly bigint[]): Ranges {
  return subtract(stationAddresses, union(taken.map((mac): Range => [mac, mac])));
}
