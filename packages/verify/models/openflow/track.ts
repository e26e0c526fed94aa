import { all, compare, type Condition, constant, fresh, meta, read, type Ranges } from '../../ir/expression.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import { ctState } from '../../readers/netfilter/ruleset.ts';
import type { Track, Translation } from '../../readers/openflow/flow.ts';
import { ctFlags } from '../../readers/openflow/values.ts';
import { flowState } from '../netfilter/keys.ts';
import { bits, type Places } from './places.ts';

const state = (...names: readonly string[]) => names.reduce((sum, name) => sum | ctFlags[name]!, ctFlags['trk']!);

/** What connection tracking may say of a packet of which nothing is known (ovs-fields(7), ct_state). */
const possible: Ranges = [
  state('new'),
  state('est'),
  state('rel'),
  state('new', 'rel'),
  state('est', 'rpl'),
  state('rel', 'rpl'),
  state('inv'),
]
  .toSorted((a, b) => (a < b ? -1 : 1))
  .map((each) => [each, each] as const);

/** The question is about packets that begin a connection. */
const begins: Condition = all(
  { kind: 'exists', at: flowState },
  compare(read(flowState), '==', constant(ctState.new, 8)),
);

/**
 * `ct(...)`: the packet is of a connection in any of the states that there are, and in the same one when the same zone is
 * asked again. Marks and labels are what any packet may have left there. Where the question gives its packets the state
 * `new`, no zone knows their connection, and nothing was left.
 */
export function track(box: string, places: Places, action: Track, file: string): Instruction {
  const { zone, translate } = action;
  const known = typeof zone === 'number' ? meta(`openflow.zone ${zone}`, box) : undefined;
  const found = places.at('ct_state');
  const asked = branch(
    begins,
    assign(found, constant(state('new'), 32)),
    assign(found, fresh('ct_state', 32, possible)),
  );
  const decided =
    known === undefined
      ? asked
      : branch({ kind: 'exists', at: known }, assign(found, read(known)), block(asked, assign(known, read(found))));
  const zoneIs =
    typeof zone === 'number' ? constant(zone, 16) : places.valueOf(zone.length === 1 ? zone : zone.slice(-1));
  const before = meta('openflow.untracked', box);
  return block(
    assign(before, read(found)),
    decided,
    translate === undefined ? nothing : translated(places, translate, file),
    ...(action.table === undefined
      ? [assign(found, read(before))]
      : [
          assign(places.at('ct_zone'), widened(zoneIs, typeof zone === 'number' ? 16 : zone.at(-1)!.width)),
          left(places, 'ct_mark', 32),
          left(places, 'ct_label', 128),
        ]),
  );
}

function left(places: Places, name: 'ct_mark' | 'ct_label', width: number): Instruction {
  const at = places.at(name);
  return branch(begins, assign(at, constant(0, width)), assign(at, fresh(name, width)));
}

function widened(of: ReturnType<typeof constant>, width: number) {
  if (width === 16) return of;
  return width < 16 ? ({ kind: 'extend', of, width: 16 } as const) : bits(of, 15, 0);
}

/** First packets get their translation here; of others it was decided by packets that are not known. */
function translated(places: Places, { side, addresses, ports }: Translation, file: string): Instruction {
  const isNew = compare(bits(read(places.at('ct_state')), 0, 0), '==', constant(1, 1));
  const earlier: Instruction = { op: 'doubt', what: `addresses that nat() of ${file} gave to connections before` };
  if (side === undefined) return branch(isNew, nothing, earlier);
  const suffix = side === 'src' ? 'src' : 'dst';
  const address = places.at(`ip_${suffix}`);
  const port = places.at(`tp_${suffix}`);
  const changes = block(
    addresses === undefined
      ? nothing
      : branch({ kind: 'exists', at: address }, assign(address, fresh('translated address', 32, [addresses])), earlier),
    ports === undefined
      ? nothing
      : branch({ kind: 'exists', at: port }, assign(port, fresh('translated port', 16, [ports])), nothing),
  );
  return branch(isNew, changes, earlier);
}
