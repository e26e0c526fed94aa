import { any, compare, constant, type Expr, fresh, masked, negation, read, within } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, constrain, drop, type Instruction, nothing } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import { exactly } from '../../readers/netfilter/addresses.ts';
import type { LearnedMac } from '../../readers/openflow/fdb.ts';
import { isGroupAddress } from '../group-addresses.ts';
import type { BridgePort, Ports } from './bridge.ts';
import { bits, type Places } from './places.ts';

/** Frames of link protocols, which a switch does not pass on (ovs-vswitchd.conf.db(5), forward-bpdu). */
const reserved = any(
  masked(read(field('Ether.dst')), 0x0180_c200_0000n, 0xffff_ffff_fff0n),
  within(
    read(field('Ether.dst')),
    [
      0x00e0_2b00_0000n,
      0x00e0_2b00_0004n,
      0x00e0_2b00_0006n,
      0x0100_0c00_0000n,
      0x0100_0ccc_ccccn,
      0x0100_0ccc_cccdn,
      0x0100_0ccd_cdcdn,
    ].map((mac) => [mac, mac] as const),
  ),
  masked(read(field('Ether.dst')), 0x0100_0ccc_ccc0n, 0xffff_ffff_fff0n),
);

const isGroup = isGroupAddress(read(field('Ether.dst')));

/** Where a frame comes from is learned before it is asked where the frame goes. */
const notToItself = constrain(
  compare(read(field('Ether.dst')), '!=', read(field('Ether.src'))),
  'the station is where the frame came from',
);

/** Sends a packet out of a port, which ends its way through the bridge. */
export type Leave = (port: BridgePort) => Instruction;

/** What is different for each port a packet may have come in by. */
function byInPort(name: string, places: Places, ports: Ports, of: (port: BridgePort) => Instruction): Instruction {
  const rules = ports.all.map(({ number }, behaviour): Rule => {
    const value = BigInt(number);
    return { match: [{ kind: 'range', low: value, high: value }], behaviour };
  });
  return {
    op: 'table',
    table: {
      name,
      keys: [{ of: places.value('in_port'), width: 16, absent: 'fail' }],
      entries: { kind: 'rules', rules },
      behaviours: ports.all.map(of),
      miss: drop('came in by no port of the bridge'),
    },
  };
}

const NO_OTHER = drop('there is no other port');

function several(branches: readonly Instruction[], op: 'fork' | 'choose'): Instruction {
  if (branches.length === 0) return NO_OTHER;
  return branches.length === 1 ? branches[0]! : { op, branches };
}

/** `FLOOD` and `ALL`: out of all other ports, whatever their VLANs. */
export function flood(box: string, places: Places, ports: Ports, leave: Leave): Instruction {
  const ways = ports.all.map(leave);
  return byInPort(`${box} flood`, places, ports, (port) =>
    several(
      ways.filter((_, i) => ports.all[i] !== port),
      'fork',
    ),
  );
}

export function backOut(box: string, places: Places, ports: Ports, leave: Leave): Instruction {
  return byInPort(`${box} IN_PORT`, places, ports, leave);
}

interface Switch {
  readonly places: Places;
  readonly ports: Ports;
  readonly leave: Leave;
  readonly learned: readonly LearnedMac[] | undefined;
}

/**
 * `NORMAL` is a switch that learns. What it has learned is not in the flows: without a listing of it a frame for one station
 * goes to one of the other ports of its VLAN, or to all of them; nobody knows which. Frames for groups go to all. Without the
 * configuration of OVS every port may be of any VLAN, and that is a doubt.
 */
export function normal(box: string, { places, ports, leave, learned }: Switch): Instruction {
  const tci = places.at('tci');
  const known = ports.all.some(({ configured }) => configured !== undefined);
  const unsure: Instruction = {
    op: 'doubt',
    what: `the VLANs of the ports of ${box}: no configuration of OVS tells them`,
  };
  const vlan: Expr = bits(read(tci), 11, 0);
  const ways = ports.all.map((port) => block(carries(port), untagged(port), leave(port)));
  // OVS does not ask again whether the port of a station is of the VLAN in which it was learned.
  const toStation = ports.all.map((port) => block(untagged(port), leave(port)));
  const tag = (to: Expr) => assign(tci, { kind: 'concat', parts: [bits(read(tci), 15, 13), constant(1, 1), to] });

  function carries({ configured }: BridgePort): Instruction {
    if (!known || configured?.tag === undefined || configured.trunks !== undefined) return passes(configured?.trunks);
    return constrain(compare(vlan, '==', constant(configured.tag, 12)), 'the port is in another VLAN');
  }
  function untagged({ configured }: BridgePort): Instruction {
    const none = assign(tci, constant(0, 16));
    if (!known) return { op: 'choose', branches: [nothing, none] };
    if (configured?.tag !== undefined && configured.trunks === undefined) return none;
    // `priority-tags` is `never` unless somebody changed it.
    return branch(compare(vlan, '==', constant(0, 12)), none, nothing);
  }
  function into({ configured }: BridgePort): Instruction {
    if (!known) return { op: 'choose', branches: [nothing, tag(fresh('VLAN of the port', 12))] };
    if (configured?.tag === undefined || configured.trunks !== undefined) return passes(configured?.trunks);
    return block(
      constrain(compare(vlan, '==', constant(0, 12)), 'a frame with a VLAN tag at an access port'),
      tag(constant(configured.tag, 12)),
    );
  }
  function passes(trunks: readonly number[] | undefined): Instruction {
    if (trunks === undefined || trunks.length === 0) return nothing;
    const ranges = trunks.toSorted((a, b) => a - b).map((id) => [BigInt(id), BigInt(id)] as const);
    return constrain(within(vlan, ranges), 'the trunk does not carry the VLAN');
  }
  const anywhere = (all: Instruction, others: readonly Instruction[]) =>
    others.length < 2 ? all : several([all, ...others], 'choose');
  const rules = (learned ?? []).map(({ port, vlan: of, mac, source }): Rule => {
    const at = ports.all.findIndex(({ number }) => number === ports.find(port)?.number);
    return { match: [exactly(BigInt(of)), exactly(mac)], behaviour: at < 0 ? ports.all.length : at, source };
  });
  function stations(from: BridgePort, all: Instruction): Instruction {
    if (rules.length === 0) return all;
    const keys = [vlan, read(field('Ether.dst'))].map((of, i) => ({
      of,
      width: [12, 48][i]!,
      absent: 'fail' as const,
    }));
    const behaviours = ports.all.map((port, i) =>
      port === from ? drop('the station is where it came from') : toStation[i]!,
    );
    return {
      op: 'table',
      table: {
        name: `${box} stations`,
        keys,
        entries: { kind: 'rules', rules },
        behaviours: [...behaviours, drop('the station is at no port of the bridge')],
        miss: all,
      },
    };
  }
  return block(
    known ? nothing : unsure,
    constrain(negation(reserved), 'a frame of a link protocol'),
    byInPort(`${box} NORMAL`, places, ports, (port) => {
      const others = ways.filter((_, i) => ports.all[i] !== port);
      const all = several(others, 'fork');
      const one = learned === undefined ? anywhere(all, others) : stations(port, all);
      return block(into(port), branch(isGroup, all, block(notToItself, one)));
    }),
  );
}
