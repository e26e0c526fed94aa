import {
  compare,
  constant,
  fresh,
  meta,
  read,
  within,
  type Expr,
  type Location,
  type Meta,
} from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, drop, nothing, type Instruction } from '../../ir/instruction.ts';
import { ctState, ctStatus, type Action, type Key, type Nat, type Value } from '../../readers/netfilter/ruleset.ts';
import { NO_INTERFACE } from './box.ts';
import type { Surroundings } from './cubes.ts';
import { connectionMeta, keyExpr, place } from './keys.ts';

/** What a chain has come to: nothing yet, accepted, or back to the chain that jumped here. */
export const verdicts = { none: 0n, accept: 1n, back: 2n } as const;

export function verdictOf(box: string): Meta {
  return meta('verdict', box);
}

export const setVerdict = (box: string, value: bigint): Instruction => assign(verdictOf(box), constant(value, 2));

export const verdictIs = (box: string, value: bigint) => compare(read(verdictOf(box)), '==', constant(value, 2));

/** What actions need to know of the box. */
export interface ActionContext extends Surroundings {
  readonly name: string;
  /** The routine of a chain of the same table; undefined when there is none, or nothing in it. */
  readonly routine: (chain: string) => string | undefined;
  /** Rules look at whether a connection was translated, so that a translation to the same address must be told from others. */
  readonly looksAtStatus: boolean;
}

/** Actions that end the rule; jumps, maps and doubts are made by the chain. */
export function actionInstruction(action: Action, context: ActionContext): Instruction {
  switch (action.is) {
    case 'accept':
      return setVerdict(context.name, verdicts.accept);
    case 'drop':
      return drop(action.why);
    case 'return':
      return setVerdict(context.name, verdicts.back);
    case 'jump':
      return jump(action.chain, action.goto, context);
    case 'assign':
      return assignment(action.key, action.value, context);
    case 'nat':
      return block(translate(action.nat, context), setVerdict(context.name, verdicts.accept));
    case 'untrack': {
      /** Once a connection is known it stays with the packet (xt_CT.c). */
      const state = meta('ct.state', context.name);
      return branch(
        compare(read(state), '==', constant(ctState.invalid, 8)),
        assign(state, constant(ctState.untracked, 8)),
        nothing,
      );
    }
    case 'doubt':
      return {
        op: 'choose',
        branches: action.outcomes.map((outcome) =>
          block(
            { op: 'doubt', what: action.what, covered: true },
            outcome === 'continue'
              ? nothing
              : outcome === 'accept'
                ? setVerdict(context.name, verdicts.accept)
                : drop(action.what),
          ),
        ),
      };
    case 'cases':
      return nothing;
  }
}

/** After a jump the rules behind it come, unless there was a verdict; after a goto those behind the last jump do. */
function jump(chain: string, goto: boolean, context: ActionContext): Instruction {
  const routine = context.routine(chain);
  const back = setVerdict(context.name, verdicts.back);
  if (routine === undefined) return goto ? back : nothing;
  const call: Instruction = { op: 'call', routine };
  if (goto) return block(call, branch(verdictIs(context.name, verdicts.accept), nothing, back));
  return block(call, branch(verdictIs(context.name, verdicts.back), setVerdict(context.name, verdicts.none), nothing));
}

function assignment(key: Key, value: Value, context: ActionContext): Instruction {
  const to = place(key, context.family, context.name);
  if (to === undefined) return nothing;
  const expr = valueExpr(value, to.width, context);
  if (key === 'ip6.dscp' || key === 'ip6.ecn') return assign(to.at, trafficClass(key, expr, to.at));
  const done = assign(to.at, expr);
  /** There may be no port, and no connection whose mark to write or read. */
  const mayLack = key === 'sport' || key === 'dport' || key === 'ct.mark';
  const needsMark = readsConnection(value)
    ? ifThere(connectionMeta('ct.mark', context.family, context.name), done)
    : done;
  return mayLack ? ifThere(to.at, needsMark) : needsMark;
}

function readsConnection(value: Value): boolean {
  if (value.is === 'key') return value.key === 'ct.mark';
  return value.is === 'and' || value.is === 'or' || value.is === 'xor'
    ? readsConnection(value.left) || readsConnection(value.right)
    : false;
}

function trafficClass(key: 'ip6.dscp' | 'ip6.ecn', value: Expr, at: Location): Expr {
  const old = read(at);
  return key === 'ip6.dscp'
    ? { kind: 'concat', parts: [value, { kind: 'slice', of: old, high: 1, low: 0 }] }
    : { kind: 'concat', parts: [{ kind: 'slice', of: old, high: 7, low: 2 }, value] };
}

function valueExpr(value: Value, width: number, context: ActionContext): Expr {
  switch (value.is) {
    case 'constant':
      return constant(value.value & ((1n << BigInt(width)) - 1n), width);
    case 'any':
      return fresh('rule', width);
    case 'key': {
      const from = keyExpr(value.key, context.family, context.name) ?? constant(0n, width);
      const fromWidth = place(value.key, context.family, context.name)?.width ?? width;
      if (fromWidth === width) return from;
      return fromWidth < width
        ? { kind: 'extend', of: from, width }
        : { kind: 'slice', of: from, high: width - 1, low: 0 };
    }
    default:
      return {
        kind: 'binary',
        op: value.is,
        left: valueExpr(value.left, width, context),
        right: valueExpr(value.right, width, context),
      };
  }
}

export const ifThere = (at: Location, then: Instruction): Instruction => branch({ kind: 'exists', at }, then, nothing);

/** One translation of the first packet of a connection. What it makes of the others is in conntrack.ts. */
function translate(nat: Nat, context: ActionContext): Instruction {
  if (nat.family !== undefined && nat.family !== context.family) return nothing;
  const side = nat.of === 'source' ? 'saddr' : 'daddr';
  const address = place(`${context.family}.${side}`, context.family, context.name)!;
  const port = field(nat.of === 'source' ? 'TCP.sport' : 'TCP.dport');
  const status = connectionMeta('ct.status', context.family, context.name);
  const bit = nat.of === 'source' ? ctStatus.snat : ctStatus.dnat;
  const mark = assign(status, {
    kind: 'binary',
    op: 'or',
    left: read(status),
    right: constant(bit, 16),
  });
  /** IPS_SRC_NAT and IPS_DST_NAT are set only when the translation changes something (nf_nat_setup_info). */
  const changed = (at: Location, to: Expr) =>
    context.looksAtStatus ? branch(compare(read(at), '==', to), nothing, mark) : mark;
  const steps: Instruction[] = [];
  if (nat.ownAddress) steps.push(ownAddress(nat, address.at, changed, context));
  else if (nat.addresses !== undefined && nat.mask !== undefined) {
    const old: Expr = {
      kind: 'binary',
      op: 'and',
      left: read(address.at),
      right: constant(hostBits(nat.mask, address.width), address.width),
    };
    const to: Expr = {
      kind: 'binary',
      op: 'or',
      left: old,
      right: constant(nat.addresses[0] & nat.mask, address.width),
    };
    steps.push(changed(address.at, to), assign(address.at, to));
  } else if (nat.addresses !== undefined) {
    const [low, high] = nat.addresses;
    if (low === high) {
      const to = constant(low, address.width);
      steps.push(changed(address.at, to), assign(address.at, to));
    } else {
      /** One of the range, by a hash of the addresses: for us, any. */
      steps.push(mark, assign(address.at, fresh(`${nat.of} address`, address.width, [[low, high]])));
    }
  }
  if (nat.ports !== undefined) steps.push(ifThere(port, translatePort(nat.ports, nat.random, port, changed, mark)));
  return block(...steps);
}

function hostBits(mask: bigint, width: number): bigint {
  return (1n << BigInt(width)) - 1n - mask;
}

/** A port that is within the range is kept (nf_nat_core.c), unless it is to be random. */
function translatePort(
  [low, high]: readonly [bigint, bigint],
  random: boolean,
  port: Location,
  changed: (at: Location, to: Expr) => Instruction,
  mark: Instruction,
): Instruction {
  if (low === high) return block(changed(port, constant(low, 16)), assign(port, constant(low, 16)));
  const any = block(mark, assign(port, fresh('translated port', 16, [[low, high]])));
  return random ? any : branch(within(read(port), [[low, high]]), nothing, any);
}

/**
 * masquerade takes the first address of the interface by which the packet leaves, redirect that of the interface by which it
 * came; for packets of this host, redirect takes the loopback. Without such an address the packet is dropped.
 */
function ownAddress(
  nat: Nat,
  at: Location,
  changed: (at: Location, to: Expr) => Instruction,
  context: ActionContext,
): Instruction {
  const width = context.family === 'ip' ? 32 : 128;
  const key = meta(nat.of === 'source' ? 'oif' : 'iif', context.name);
  const put = (value: bigint) => block(changed(at, constant(value, width)), assign(at, constant(value, width)));
  const loopback = context.family === 'ip' ? 0x7f00_0001n : 1n;
  const byInterface = context.box.interfaces.flatMap(({ name, addresses }) => {
    const own = addresses.find(({ family }) => family === context.family);
    return own === undefined ? [] : [{ number: context.interfaces.number(name), value: own.address }];
  });
  if (!context.box.interfaces.some(({ name }) => name === 'lo')) {
    byInterface.push({ number: context.interfaces.number('lo'), value: loopback });
  }
  const start = drop('the interface has no address to translate to');
  const chosen = byInterface.reduceRight(
    (otherwise: Instruction, { number, value }) =>
      branch(compare(read(key), '==', constant(number, 16)), put(value), otherwise),
    start,
  );
  if (nat.of === 'source') return chosen;
  return branch(compare(read(key), '==', constant(NO_INTERFACE, 16)), put(loopback), chosen);
}
