import { all, compare, constant, type Condition, type Expr, meta, negation, read } from '../../ir/expression.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import { etherTypes, field } from '../../ir/fields.ts';
import type { Action, ActionOf, FieldName } from '../../readers/openflow/flow.ts';
import type { BridgePort, Ports } from './bridge.ts';
import type { ActionSets } from './action-set.ts';
import { popLabel, pushLabel, tagFrom } from './frame.ts';
import { assignParts, bits, type Places, SECOND_TAG, SECOND_TAG_TYPE, TAG_TYPE } from './places.ts';
import { track } from './track.ts';

/** What happens after the actions: nothing any more, or there is more to do with the same packet. */
export type Ending = 'last' | 'more';

export interface Context {
  readonly box: string;
  readonly file: string;
  readonly places: Places;
  readonly ports: Ports;
  /** Those that flows look at or write: key and options. */
  readonly tunnelFields: readonly FieldName[];
  readonly pushesTags: boolean;
  readonly popsTags: boolean;
  /** Absent: no flow writes into them. */
  readonly sets?: ActionSets;
  /** Flows look at another port than the packet came in by. */
  readonly usesOtherPort: boolean;
  table(number: number, ending: Ending): Instruction;
}

/** What is known of a tunnel on its way from one bridge to the next. */
export const onTheWay = (name: FieldName) => meta(name === 'tun_id' ? 'openflow.tunnel' : `openflow.tunnel ${name}`);
export const tunnelKey = onTheWay('tun_id');

export const lookedUpPort = (box: string) => meta('openflow.looked up port', box);

const over = drop('no further action');

/** The packet leaves the bridge. */
export function leave(context: Context, { name, configured }: BridgePort): Instruction {
  const { box, places, tunnelFields } = context;
  const isPlain = ['patch', 'internal', 'system'].includes(configured?.type ?? '') || configured?.tag !== undefined;
  return block(
    ...(isPlain ? [] : tunnelFields.map((each) => assign(onTheWay(each), read(places.at(each))))),
    tagged(context, configured?.type === 'patch'),
    forward(`${box}:${name}:out`),
  );
}

/** To another bridge OVS goes on with what it has read of the frame; here that is read again. */
function tagged(context: Context, isPatch: boolean): Instruction {
  const { places, pushesTags, popsTags } = context;
  const outer = places.at('tci');
  const behind: Condition = all(negation(isTagged(places)), { kind: 'exists', at: field('Vlan.id') });
  const unread =
    isPatch && popsTags ? branch(behind, doubt(context, 'a tag that was behind another one'), nothing) : nothing;
  if (!pushesTags) return block(unread, tagFrom(outer));
  const second = isTagged(places, SECOND_TAG);
  return block(
    unread,
    isPatch ? branch(second, doubt(context, 'a second VLAN tag on its way to another bridge'), nothing) : nothing,
    tagFrom(places.at(SECOND_TAG), read(places.at(SECOND_TAG_TYPE))),
    tagFrom(outer, read(places.at(TAG_TYPE))),
  );
}

/** What a bridge knows of the tags of a frame that has come in, before the tag is taken off. */
export function secondTag({ places }: Context): Instruction {
  return block(
    assign(places.at(SECOND_TAG), constant(0, 16)),
    assign(places.at(SECOND_TAG_TYPE), constant(etherTypes.vlan, 16)),
    branch(
      { kind: 'exists', at: field('Vlan.id') },
      assign(places.at(TAG_TYPE), read(field('Ether.type'))),
      assign(places.at(TAG_TYPE), constant(etherTypes.vlan, 16)),
    ),
  );
}

/** The actions of a flow, in order. A packet that is sent goes on as a copy, unless nothing more happens to it. */
export function run(context: Context, actions: readonly Action[], ending: Ending, table: number): Instruction {
  const list = ending === 'last' && context.sets === undefined ? untilTheLast(actions) : actions;
  const last = list.at(-1);
  const end = ending === 'more' ? nothing : finished(context);
  const after = last !== undefined && endsItself(context, last) ? nothing : end;
  return list.reduceRight((rest: Instruction, action, i) => {
    if (action.kind === 'decrement ttl') return oneHopLess(['IPv4.ttl', 'IPv6.hopLimit'], rest, end);
    if (action.kind === 'decrement mpls ttl') return oneHopLess(['MPLS.ttl'], rest, end);
    const isLast = ending === 'last' && i === list.length - 1;
    return block(one(context, action, isLast ? 'last' : 'more', table), rest);
  }, after);
}

/** Changes after the last output change nothing that anybody sees. */
function untilTheLast(actions: readonly Action[]): readonly Action[] {
  const unseen = new Set<Action['kind']>([
    'set',
    'move',
    'tag',
    'push vlan',
    'pop vlan',
    'push mpls',
    'pop mpls',
    'nothing',
    'clear',
    'untrack',
  ]);
  let end = actions.length;
  while (end > 0 && unseen.has(actions[end - 1]!.kind)) end -= 1;
  return actions.slice(0, end);
}

function endsItself({ sets }: Context, { kind }: Action): boolean {
  return ['resubmit', 'goto', 'exit', 'track'].includes(kind) || (kind === 'output' && sets === undefined);
}

/** OpenFlow 1.1 and later: at the end the action set is executed. */
export function finished({ box, sets }: Context): Instruction {
  return sets === undefined ? over : { op: 'call', routine: actionSet(box) };
}

/** The routine that executes it. */
export const actionSet = (box: string) => `${box} action set`;

export function executeActionSet({ sets, ...context }: Context): Instruction {
  return sets!.execute((actions) => {
    // They would come here again.
    const calls = actions.find(comesBack);
    const list: readonly Action[] =
      calls === undefined ? actions : [{ kind: 'doubt', what: `${calls.kind} in an action set` }];
    return run(context, list, 'last', 0);
  });
}

function comesBack(action: Action): boolean {
  if (action.kind === 'buckets') return action.buckets.some((bucket) => bucket.some(comesBack));
  return ['resubmit', 'track', 'goto'].includes(action.kind);
}

/** OVS sends nothing back where it came from, unless told `IN_PORT`. */
function notBack(places: Places, { number }: BridgePort, out: Instruction, otherwise: Instruction): Instruction {
  return branch(compare(places.value('in_port'), '==', constant(number, 16)), otherwise, out);
}

function copy(out: Instruction, ending: Ending): Instruction {
  return ending === 'last' ? out : { op: 'fork', branches: [out, nothing] };
}

function one(context: Context, action: Action, ending: Ending, table: number): Instruction {
  const { places, box, file } = context;
  switch (action.kind) {
    case 'output':
      return output(context, action.port, context.sets === undefined ? ending : 'more');
    case 'output field':
      return outputField(context, action.from);
    case 'set': {
      if (places.isFixed(action.to)) return doubt(context, `a change of ${action.to[0]!.field}`);
      const width = action.to.reduce((sum, part) => sum + part.width, 0);
      return assignParts(places, action.to, constant(action.value, width), action.mask);
    }
    case 'move': {
      if (places.isFixed(action.to)) return doubt(context, `a change of ${action.to[0]!.field}`);
      const exists = action.from.flatMap((part) => {
        const at = places.at(part.field);
        return at.kind === 'field' ? [{ kind: 'exists', at } as const] : [];
      });
      const made = assignParts(places, action.to, places.valueOf(action.from));
      return exists.length === 0 ? made : branch({ kind: 'all', of: exists }, made, nothing);
    }
    case 'tag':
      return tag(places, action);
    case 'push vlan':
      return pushTag(context, action);
    case 'pop vlan':
      return popTag(context);
    case 'push mpls':
      return pushLabel(action.type, doubt(context, 'a fourth label of MPLS'));
    case 'pop mpls':
      return popLabel(action.type, doubt(context, 'what is behind a label of MPLS'));
    case 'resubmit':
      return resubmit(context, action, ending, table);
    case 'goto':
      return block(ownPort(context), context.table(action.table, ending));
    case 'write':
      return context.sets!.write(action.actions);
    case 'clear':
      return context.sets?.empty() ?? nothing;
    case 'buckets':
      return buckets(context, action, table);
    // Of a listing of groups, which was put in its place, or in an action set.
    case 'group':
      return doubt(context, `group ${action.id}`);
    case 'clone':
      return { op: 'fork', branches: [block(run(context, action.actions, 'more', table), over), nothing] };
    case 'track': {
      if (action.table === undefined)
        return block(track(box, places, action, file), ending === 'last' ? finished(context) : nothing);
      const again = block(track(box, places, action, file), ownPort(context), context.table(action.table, 'last'));
      return copy(again, ending);
    }
    case 'untrack':
      return block(...['ct_state', 'ct_zone', 'ct_mark'].map((name) => places.initial(name)));
    case 'exit':
      return finished(context);
    case 'doubt':
      return doubt(context, action.what);
    case 'conjunction':
    // Of which `run` takes care.
    case 'decrement ttl':
    case 'decrement mpls ttl':
    // What it adds, later packets meet: the table knows of it.
    case 'learn':
    case 'nothing':
      return nothing;
  }
}

/** Each bucket has a packet of its own; what it changes, later actions do not see. */
function buckets(context: Context, { take, buckets: some }: ActionOf<'buckets'>, table: number): Instruction {
  const ways = some.map((actions) => block(run(context, actions, 'more', table), over));
  if (take === 'all') return { op: 'fork', branches: [...ways, nothing] };
  const branches = take === 'one' && ways.length > 0 ? ways : [...ways, drop('no bucket of the group is taken')];
  return { op: 'fork', branches: [branches.length === 1 ? branches[0]! : { op: 'choose', branches }, nothing] };
}

function doubt({ file, box }: Context, what: string): Instruction {
  return unsure(box, `${file}: ${what}`);
}

/** Where packets perhaps go that met something that was not understood: without it, "they never arrive" would be claimed. */
export const elsewhere = (box: string) => `${box} elsewhere`;

export function unsure(box: string, what: string): Instruction {
  return block(
    { op: 'doubt', what, covered: true },
    { op: 'choose', branches: [nothing, forward(`${elsewhere(box)}:in`)] },
  );
}

function isTagged(places: Places, which: FieldName = 'tci'): Condition {
  return compare(bits(read(places.at(which)), 12, 12), '==', constant(1, 1));
}

/** OVS knows two tags of a frame. */
function pushTag(context: Context, { type, perhapsChanges }: ActionOf<'push vlan'>): Instruction {
  const { places, file } = context;
  const [tci, second] = [places.at('tci'), places.at(SECOND_TAG)];
  const deeper = block(assign(second, read(tci)), assign(places.at(SECOND_TAG_TYPE), read(places.at(TAG_TYPE))));
  const third = doubt(context, 'a third VLAN tag');
  const push = block(
    branch(isTagged(places), branch(isTagged(places, SECOND_TAG), third, deeper), nothing),
    assign(tci, constant(0x1000, 16)),
    assign(places.at(TAG_TYPE), constant(type, 16)),
  );
  if (perhapsChanges !== true) return push;
  const what = `${file}: whether a frame with a tag gets another, or its own is changed`;
  const either = block({ op: 'doubt', what, covered: true }, { op: 'choose', branches: [push, nothing] });
  return branch(isTagged(places), either, push);
}

function popTag({ places, pushesTags }: Context): Instruction {
  const none = constant(0, 16);
  if (!pushesTags) return assign(places.at('tci'), none);
  return block(
    assign(places.at('tci'), read(places.at(SECOND_TAG))),
    assign(places.at(TAG_TYPE), read(places.at(SECOND_TAG_TYPE))),
    assign(places.at(SECOND_TAG), none),
    assign(places.at(SECOND_TAG_TYPE), constant(etherTypes.vlan, 16)),
  );
}

function output(context: Context, name: string, ending: Ending): Instruction {
  const { box, ports, places } = context;
  switch (name.toUpperCase()) {
    case 'NORMAL':
    case 'FLOOD':
    case 'ALL':
    case 'IN_PORT': {
      const routine = name.toUpperCase() === 'ALL' ? 'FLOOD' : name.toUpperCase();
      return copy({ op: 'call', routine: `${box} ${routine}` }, ending);
    }
    case 'CONTROLLER':
      return copy(forward(`${box}:CONTROLLER:out`), ending);
  }
  const port = ports.find(name);
  const none = ending === 'last' ? drop('back to where it came from') : nothing;
  if (port === undefined) return ending === 'last' ? drop(`there is no port ${name}`) : nothing;
  return notBack(places, port, copy(leave(context, port), ending), none);
}

function outputField(context: Context, from: ActionOf<'output field'>['from']): Instruction {
  const { places, ports, box } = context;
  const width = from.reduce((sum, part) => sum + part.width, 0);
  const named = ports.all.filter(({ number }) => BigInt(number) < 1n << BigInt(width));
  return {
    op: 'table',
    table: {
      name: `${box} output`,
      keys: [{ of: places.valueOf(from), width, absent: 'fail' }],
      entries: {
        kind: 'rules',
        rules: named.map(({ number }, behaviour) => {
          const value = BigInt(number);
          return { match: [{ kind: 'range', low: value, high: value }], behaviour };
        }),
      },
      behaviours: named.map((port) => notBack(places, port, copy(leave(context, port), 'more'), nothing)),
      miss: nothing,
    },
  };
}

function tag(places: Places, { vid, pcp }: ActionOf<'tag'>): Instruction {
  const old = places.value('tci');
  const parts: Expr[] = [
    pcp === undefined ? bits(old, 15, 13) : constant(pcp, 3),
    constant(1, 1),
    vid === undefined ? bits(old, 11, 0) : constant(vid, 12),
  ];
  return assign(places.at('tci'), { kind: 'concat', parts });
}

/**
 * A packet whose time to live would be zero goes to the controller, and no further action of this flow sees it: those of a flow
 * that resubmitted it do.
 */
function oneHopLess(names: readonly string[], then: Instruction, exceeded: Instruction): Instruction {
  return names.reduceRight((otherwise, name) => {
    const ttl = field(name);
    const left: Expr = { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) };
    const less = branch(compare(read(ttl), '>', constant(1, 8)), block(assign(ttl, left), then), exceeded);
    return branch({ kind: 'exists', at: ttl }, less, otherwise);
  }, then);
}

/** ovs-actions(7): another port is looked up once; then the packet has come in where it did. */
function resubmit(
  context: Context,
  { port, table }: ActionOf<'resubmit'>,
  ending: Ending,
  current: number,
): Instruction {
  const { ports, box } = context;
  const next = context.table(table ?? current, ending);
  if (!context.usesOtherPort) return next;
  const other = port === undefined ? undefined : ports.find(port);
  const value = other === undefined ? context.places.value('in_port') : constant(other.number, 16);
  return block(assign(lookedUpPort(box), value), next);
}

function ownPort({ box, places, usesOtherPort }: Context): Instruction {
  return usesOtherPort ? assign(lookedUpPort(box), places.value('in_port')) : nothing;
}
