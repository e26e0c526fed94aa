import { compare, constant, type Condition, type Expr, meta, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { Action, ActionOf } from '../../readers/openflow/flow.ts';
import type { BridgePort, Ports } from './bridge.ts';
import { tagFrom } from './frame.ts';
import { assignParts, bits, type Places } from './places.ts';
import { track } from './track.ts';

/** What happens after the actions: nothing any more, or there is more to do with the same packet. */
export type Ending = 'last' | 'more';

export interface Context {
  readonly box: string;
  readonly file: string;
  readonly places: Places;
  readonly ports: Ports;
  readonly usesTunnels: boolean;
  readonly usesActionSet: boolean;
  /** Flows look at another port than the packet came in by. */
  readonly usesOtherPort: boolean;
  table(number: number, ending: Ending): Instruction;
}

/** The key of a tunnel on its way from one bridge to the next. */
export const tunnelKey = meta('openflow.tunnel');

export const lookedUpPort = (box: string) => meta('openflow.looked up port', box);
const chosen = (box: string) => meta('openflow.output', box);

const over = drop('no further action');

/** The packet leaves the bridge. */
export function leave({ box, places, usesTunnels }: Context, { name, configured }: BridgePort): Instruction {
  const isPlain = ['patch', 'internal', 'system'].includes(configured?.type ?? '') || configured?.tag !== undefined;
  return block(
    usesTunnels && !isPlain ? assign(tunnelKey, read(places.at('tun_id'))) : nothing,
    tagFrom(places.at('tci')),
    forward(`${box}:${name}:out`),
  );
}

/** The actions of a flow, in order. A packet that is sent goes on as a copy, unless nothing more happens to it. */
export function run(context: Context, actions: readonly Action[], ending: Ending, table: number): Instruction {
  const list = ending === 'last' && !context.usesActionSet ? untilTheLast(actions) : actions;
  const last = list.at(-1);
  const end = ending === 'more' ? nothing : finished(context);
  const after = last !== undefined && endsItself(context, last) ? nothing : end;
  return list.reduceRight((rest: Instruction, action, i) => {
    if (action.kind === 'decrement ttl') return oneHopLess(rest, end);
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
    'nothing',
    'clear',
    'untrack',
  ]);
  let end = actions.length;
  while (end > 0 && unseen.has(actions[end - 1]!.kind)) end -= 1;
  return actions.slice(0, end);
}

function endsItself({ usesActionSet }: Context, { kind }: Action): boolean {
  return ['resubmit', 'goto', 'exit', 'track'].includes(kind) || (kind === 'output' && !usesActionSet);
}

/** OpenFlow 1.1 and later: at the end the action set is executed, of which `output` is the last. */
export function finished({ box, ports, usesActionSet, ...rest }: Context): Instruction {
  if (!usesActionSet) return over;
  return {
    op: 'table',
    table: {
      name: `${box} action set`,
      keys: [{ of: read(chosen(box)), width: 17, absent: 'fail' }],
      entries: {
        kind: 'rules',
        rules: ports.all.map(({ number }, behaviour) => {
          const value = BigInt(number + 1);
          return { match: [{ kind: 'range', low: value, high: value }], behaviour };
        }),
      },
      behaviours: ports.all.map((port) =>
        notBack(rest.places, port, leave({ box, ports, usesActionSet, ...rest }, port), over),
      ),
      miss: over,
    },
  };
}

export function emptyActionSet({ box }: Context): Instruction {
  return assign(chosen(box), constant(0, 17));
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
      return output(context, action.port, context.usesActionSet ? 'more' : ending);
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
    case 'push vlan': {
      const second = doubt(context, 'a second VLAN tag');
      return branch(isTagged(places), second, assign(places.at('tci'), constant(0x1000, 16)));
    }
    case 'pop vlan':
      return assign(places.at('tci'), constant(0, 16));
    case 'resubmit':
      return resubmit(context, action, ending, table);
    case 'goto':
      return block(ownPort(context), context.table(action.table, ending));
    case 'write':
      return block(...action.actions.map((each) => written(context, each)));
    case 'clear':
      return context.usesActionSet ? emptyActionSet(context) : nothing;
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

function isTagged(places: Places): Condition {
  return compare(bits(places.value('tci'), 12, 12), '==', constant(1, 1));
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
function oneHopLess(then: Instruction, exceeded: Instruction): Instruction {
  const less = (name: string): Instruction => {
    const ttl = field(name);
    const left: Expr = { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) };
    return branch(compare(read(ttl), '>', constant(1, 8)), block(assign(ttl, left), then), exceeded);
  };
  const has = (name: string): Condition => ({ kind: 'exists', at: field(name) });
  return branch(has('IPv4.ttl'), less('IPv4.ttl'), branch(has('IPv6.hopLimit'), less('IPv6.hopLimit'), then));
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

function written(context: Context, action: Action): Instruction {
  if (action.kind === 'nothing') return nothing;
  const port = action.kind === 'output' ? context.ports.find(action.port) : undefined;
  if (port !== undefined) return assign(chosen(context.box), constant(port.number + 1, 17));
  return doubt(context, `${action.kind} in an action set`);
}
