import { anything } from '../assemble/doubts.ts';
import { compare, constant, type Field, read } from '../ir/expression.ts';
import { etherTypes, field } from '../ir/fields.ts';
import { assign, block, branch, constrain, drop, forward, type Instruction } from '../ir/instruction.ts';
import type { Rule } from '../ir/table.ts';
import type { Fib } from '../readers/fib/fib.ts';
import type { Target } from '../readers/fib/rows.ts';
import type { Fib6 } from '../readers/fib/fib6.ts';
import type { BoxModel } from './box-model.ts';
import { framed, received } from './frame.ts';

/** RFC 1812, section 5.3.1, and RFC 8200, section 3: a packet that would leave with a time to live of zero does not leave. */
export const oneHopLess = (ttl: Field): Instruction =>
  block(
    constrain(compare(read(ttl), '>', constant(1, 8)), 'time to live exceeded'),
    assign(ttl, { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) }),
  );

interface Family {
  readonly ttl: Field;
  readonly etherType: number;
}

const ipv4: Family = { ttl: field('IPv4.ttl'), etherType: etherTypes.ipv4 };
const ipv6: Family = { ttl: field('IPv6.hopLimit'), etherType: etherTypes.ipv6 };
const isIpv6 = compare(read(field('IPv6.version')), '==', constant(6, 4));

/**
 * A router with tables of routes, of IPv4, IPv6 or both. Packets come in at `box:in`, leave at `box:<interface>`, and what is for
 * the router ends at `box:local`. When its own MAC addresses are known it takes frames and sends frames, those of an interface
 * `Vlan7` with the tag 7; otherwise links carry IP.
 */
export function routerModel(name: string, routes: Routes, own: readonly number[] = []): BoxModel {
  const { fib, fib6 } = routes;
  const of4 = fib === undefined ? drop('no routes of IPv4') : lookup4(name, fib, own);
  const program = fib6 === undefined ? of4 : branch(isIpv6, lookup6(name, fib6, own), of4);
  const file = fib?.file ?? fib6?.file;
  const lost = fib?.targets.flatMap((target) => (target.kind === 'unknown' ? [target.what] : [])) ?? [];
  return {
    box: { name, kind: 'router', ...(file === undefined ? {} : { source: { file, line: 1 } }) },
    programs: new Map([[`${name}:in`, own.length === 0 ? program : block(received(own), program)]]),
    unknown: new Map(lost.map((what) => [anything(name), `${what} from ${name}`])),
  };
}

interface Routes {
  readonly fib?: Fib;
  readonly fib6?: Fib6;
}

/** Routes to the same interfaces do the same, whatever their next hops are. */
function lookup4(name: string, fib: Fib, own: readonly number[]): Instruction {
  const first = new Map<string, number>();
  const behaviours: Instruction[] = [];
  const behaviourOf = fib.targets.map((target) => {
    const key = target.kind === 'interfaces' ? `to ${target.names.join(' ')}` : JSON.stringify(target);
    const known = first.get(key) ?? behaviours.length;
    if (known === behaviours.length) {
      first.set(key, known);
      behaviours.push(toTarget(name, target, own, ipv4));
    }
    return known;
  });
  const isSame = behaviours.length === fib.targets.length;
  return {
    op: 'table',
    table: {
      name: `${name} routes`,
      keys: [{ of: read(field('IPv4.dst')), width: 32, absent: 'fail' }],
      entries: {
        kind: 'prefixes',
        addresses: fib.addresses,
        lengths: fib.lengths,
        behaviour: isSame ? fib.target : fib.target.map((target) => behaviourOf[target]!),
        lines: fib.lines,
        file: fib.file,
      },
      behaviours,
      miss: drop('no route'),
    },
  };
}

/** The longest prefix comes first, so that the first rule that matches is the one of the longest prefix. */
function lookup6(name: string, { routes, file }: Fib6, own: readonly number[]): Instruction {
  const numbers = new Map<string, number>();
  const behaviours: Instruction[] = [];
  const rules = routes.map(({ address, length, target, line }): Rule => {
    const key = JSON.stringify(target);
    const behaviour = numbers.get(key) ?? behaviours.length;
    if (behaviour === behaviours.length) {
      numbers.set(key, behaviour);
      behaviours.push(toTarget(name, target, own, ipv6));
    }
    return { match: [{ kind: 'prefix', value: address, length }], behaviour, source: { file, line } };
  });
  return {
    op: 'table',
    table: {
      name: `${name} routes of IPv6`,
      keys: [{ of: read(field('IPv6.dst')), width: 128, absent: 'fail' }],
      entries: { kind: 'rules', rules },
      behaviours,
      miss: drop('no route'),
    },
  };
}

function toTarget(name: string, target: Target, own: readonly number[], { ttl, etherType }: Family): Instruction {
  switch (target.kind) {
    case 'receive':
      return forward(`${name}:local`);
    case 'drop':
      return drop(target.why);
    case 'unknown':
      return forward(`${anything(name)}:in`);
    case 'interfaces': {
      const ways = target.names.map((each) => {
        const out = forward(`${name}:${each}`);
        const vlan = /^vlan(\d{1,4})$/i.exec(each)?.[1];
        return own.length === 0
          ? out
          : block(framed(own, etherType, vlan === undefined ? undefined : Number(vlan)), out);
      });
      if (ways.length === 0) return drop('the route names no interface');
      return block(oneHopLess(ttl), ways.length === 1 ? ways[0]! : { op: 'choose', branches: ways });
    }
  }
}
