import { append } from '@superfluidity/core';
import { any, compare, type Condition, constant, fresh, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { PortId } from '../../network.ts';
import type { Action, FieldName, Flow } from '../../readers/openflow/flow.ts';
import type { BoxModel } from '../box-model.ts';
import { ActionSets, type Written } from './action-set.ts';
import { type Bridge, type BridgePort, Ports } from './bridge.ts';
import { framed, unnamedLabel, untagInto } from './frame.ts';
import { withGroups } from './groups.ts';
import { type Learned, Lookup } from './lookup.ts';
import { backOut, flood, normal } from './normal.ts';
import { Places } from './places.ts';
import {
  actionSet,
  type Context,
  elsewhere,
  type Ending,
  executeActionSet,
  finished,
  leave,
  lookedUpPort,
  onTheWay,
  run,
  secondTag,
  unsure,
} from './run.ts';

export interface OpenflowModel extends BoxModel {
  readonly ports: readonly BridgePort[];
}

/** ovs-actions(7): how deep `resubmit` goes before OVS gives a packet up. */
const DEEPEST = 64;

/**
 * A bridge of Open vSwitch with its flows (ovs-ofctl(8), ovs-fields(7), ovs-actions(7)). Packets come in at
 * `box:<port>:in`, also written `box:<port>` by name or number, and leave at `box:<port>:out`.
 */
export function openflowModel(box: string, { groups = [], ...listed }: Bridge): OpenflowModel {
  const bridge: Bridge = { ...listed, flows: withGroups(listed.flows, groups) };
  const ports = new Ports(bridge);
  const places = new Places(box);
  const tables = Map.groupBy(bridge.flows, ({ table }) => table);
  const actions = bridge.flows.flatMap(allActions);
  const used = usedFields(bridge.flows, actions);
  const learned = learnedBy(bridge.flows);
  const calls = new Map([...tables].map(([number, flows]) => [number, callsOf(number, flows)]));
  const routines = new Map<string, Instruction>();
  const waiting: (() => void)[] = [];
  const made = new Set<string>();

  const tunnelFields = [...used].filter((name) => name === 'tun_id' || name.startsWith('tun_metadata'));
  const written = writtenBy(bridge.flows, actions);
  const sets = written.length === 0 ? undefined : new ActionSets(box, written);

  const contextAt = (from: number, depth: number): Context => ({
    box,
    file: bridge.flows[0]?.source.file ?? box,
    places,
    ports,
    tunnelFields,
    pushesTags: actions.some(({ kind }) => kind === 'push vlan'),
    popsTags: actions.some(({ kind }) => kind === 'pop vlan'),
    ...(sets === undefined ? {} : { sets }),
    usesOtherPort: actions.some((action) => action.kind === 'resubmit' && action.port !== undefined),
    table(number, ending) {
      const deeper = reaches(calls, number, from) ? depth + 1 : depth;
      if (deeper > DEEPEST) {
        return block(unsure(box, `resubmit of ${box} goes deeper than ${DEEPEST}`), drop('too many resubmits'));
      }
      return call(number, ending, deeper);
    },
  });

  function call(number: number, ending: Ending, depth: number): Instruction {
    const routine = `${box} table ${number}${ending === 'last' ? '' : ', with more after it'}${depth === 0 ? '' : ` (${depth})`}`;
    if (!made.has(routine)) {
      made.add(routine);
      waiting.push(() => routines.set(routine, tableAt(number, ending, depth)));
    }
    return { op: 'call', routine };
  }

  const lookups = new Map<number, Lookup>();
  function tableAt(number: number, ending: Ending, depth: number): Instruction {
    const context = contextAt(number, depth);
    const miss = ending === 'last' ? (sets === undefined ? drop('no flow matches') : finished(context)) : nothing;
    const surroundings = { places, ports, otherPort: context.usesOtherPort, learned: learned.get(number) ?? [] };
    const lookup = lookups.get(number) ?? new Lookup(box, number, tables.get(number) ?? [], surroundings);
    lookups.set(number, lookup);
    return lookup.instruction((list) => run(context, list, ending, number), miss);
  }

  const context = contextAt(-1, 0);
  const start = call(0, 'last', 0);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
  const leaving = (port: BridgePort) => leave(context, port);
  if (sets !== undefined) routines.set(actionSet(box), executeActionSet(context));
  routines.set(`${box} NORMAL`, normal(box, { places, ports, leave: leaving, learned: bridge.learned }));
  routines.set(`${box} FLOOD`, flood(box, places, ports, leaving));
  routines.set(`${box} IN_PORT`, backOut(box, places, ports, leaving));

  const begin = (port: BridgePort): Instruction =>
    block(
      framed,
      context.pushesTags ? secondTag(context) : nothing,
      untagInto(places.at('tci')),
      [...used].some((name) => name.startsWith('mpls_')) ? unnamedLabel : nothing,
      assign(places.at('in_port'), constant(port.number, 16)),
      ...(context.usesOtherPort ? [assign(lookedUpPort(box), constant(port.number, 16))] : []),
      sets?.empty() ?? nothing,
      ...[...used]
        .filter((name) => !['in_port', 'tci', 'ip_frag', ...tunnelFields].includes(name))
        .map((name) => places.initial(name)),
      tunnelFields.length === 0 ? nothing : tunnel(places, port, tunnelFields),
      used.has('ip_frag') ? fragment(places) : nothing,
      start,
    );
  const programs = new Map<PortId, Instruction>();
  for (const port of ports.all) {
    const entry = `${box}:${port.name}:in`;
    programs.set(entry, begin(port));
    programs.set(`${box}:${port.name}`, forward(entry));
    programs.set(`${box}:${port.number}`, forward(entry));
  }
  const [first] = bridge.flows;
  return {
    box: { name: box, kind: 'openflow', ...(first === undefined ? {} : { source: first.source }) },
    programs,
    routines,
    ports: ports.all,
    unknown: new Map([[elsewhere(box), `what ${box} does with packets that met what was not understood`]]),
  };
}

/** What is written by a flow that another one called is not the last word either. */
function writtenBy(flows: readonly Flow[], all: readonly Action[]): readonly Written[] {
  const isCalled = all.some(({ kind }) => kind === 'resubmit' || kind === 'track');
  return flows.flatMap((flow) => {
    const own = allActions(flow);
    const goesOn = isCalled || own.some(({ kind }) => kind === 'goto');
    return own.flatMap((action) => (action.kind === 'write' ? [{ actions: action.actions, goesOn }] : []));
  });
}

function allActions({ actions }: Flow): readonly Action[] {
  return actions.flatMap(function flat(action): readonly Action[] {
    if (action.kind === 'write' || action.kind === 'clone') return [action, ...action.actions.flatMap(flat)];
    if (action.kind === 'buckets') return [action, ...action.buckets.flat().flatMap(flat)];
    return [action];
  });
}

/** By the table to which they are added. */
function learnedBy(flows: readonly Flow[]): ReadonlyMap<number, readonly Learned[]> {
  const found = flows.flatMap((flow) =>
    allActions(flow).flatMap((action) =>
      action.kind === 'learn'
        ? [{ ...action, what: `${flow.source.file}:${flow.source.line}: flows that learn() adds later` }]
        : [],
    ),
  );
  return Map.groupBy(found, ({ table }) => table);
}

function usedFields(flows: readonly Flow[], actions: readonly Action[]): ReadonlySet<string> {
  const used = new Set(flows.flatMap(({ matches }) => matches.map(({ field: name }) => name)));
  for (const action of actions) {
    const parts = [
      ...(action.kind === 'set' || action.kind === 'move' ? action.to : []),
      ...(action.kind === 'move' || action.kind === 'output field' ? action.from : []),
      ...(action.kind === 'track' && typeof action.zone !== 'number' ? action.zone : []),
    ];
    for (const part of parts) used.add(part.field);
    if (action.kind === 'track') for (const name of ['ct_state', 'ct_zone', 'ct_mark', 'ct_label']) used.add(name);
  }
  return used;
}

function callsOf(number: number, flows: readonly Flow[]): ReadonlySet<number> {
  const called = new Set<number>();
  for (const action of flows.flatMap(allActions)) {
    if (action.kind === 'goto') called.add(action.table);
    if (action.kind === 'resubmit') called.add(action.table ?? number);
    if (action.kind === 'track' && action.table !== undefined) called.add(action.table);
  }
  return called;
}

/** Whether a table comes, by calls, to another: only where they go round, calls have to be counted. */
function reaches(calls: ReadonlyMap<number, ReadonlySet<number>>, from: number, to: number): boolean {
  const seen = new Set<number>();
  const waiting = [from];
  for (let table = waiting.pop(); table !== undefined; table = waiting.pop()) {
    if (table === to) return true;
    if (seen.has(table)) continue;
    seen.add(table);
    append(waiting, calls.get(table) ?? []);
  }
  return false;
}

/** What came with the packet through a tunnel; what comes out of an unknown tunnel has anything. */
function tunnel(places: Places, { name, configured }: BridgePort, fields: readonly FieldName[]): Instruction {
  const type = configured?.type ?? (/^(?:patch|int|phy|tap|q[rgv])-?/.test(name) ? 'system' : '');
  const isTunnel = /^(?:vxlan|gre|geneve|stt|gtpu)/.test(type === '' ? name : type) || /^\d+$/.test(name);
  const none = (each: FieldName) => assign(places.at(each), constant(0, places.width(each)));
  const known = (each: FieldName) => {
    const from = onTheWay(each);
    const taken = isTunnel ? assign(places.at(each), read(from)) : none(each);
    return branch({ kind: 'exists', at: from }, block(taken, { op: 'deallocate', at: from }), none(each));
  };
  const label = (each: FieldName) => (each === 'tun_id' ? 'tunnel key' : each);
  const outside = (each: FieldName) =>
    isTunnel ? assign(places.at(each), fresh(label(each), places.width(each))) : none(each);
  const comes = any(...fields.map((each): Condition => ({ kind: 'exists', at: onTheWay(each) })));
  return branch(comes, block(...fields.map(known)), block(...fields.map(outside)));
}

function fragment(places: Places): Instruction {
  const at = places.at('ip_frag');
  const is = (name: string, low: number, width: number, value: number) =>
    compare({ kind: 'slice', of: read(field(name)), high: low + width - 1, low }, '==', constant(value, width));
  return branch(
    { kind: 'exists', at: field('IPv4.fragment') },
    branch(
      is('IPv4.fragment', 0, 13, 0),
      branch(is('IPv4.flags', 0, 1, 1), assign(at, constant(1, 2)), assign(at, constant(0, 2))),
      assign(at, constant(3, 2)),
    ),
    assign(at, constant(0, 2)),
  );
}
