import { compare, constant, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, constrain, drop, forward, type Instruction } from '../ir/instruction.ts';
import type { Fib, Target } from '../readers/fib/fib.ts';
import type { BoxModel } from './box-model.ts';
import { framed, received } from './frame.ts';

const ttl = field('IPv4.ttl');

/** RFC 1812, section 5.3.1: a packet that would leave with a time to live of zero does not leave. */
const oneHopLess: Instruction = block(
  constrain(compare(read(ttl), '>', constant(1, 8)), 'time to live exceeded'),
  assign(ttl, { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) }),
);

/**
 * A router with a table of IPv4 routes. Packets come in at `box:in`, leave at `box:<interface>`, and what is for the router
 * ends at `box:local`. When its own MAC addresses are known it takes frames and sends frames, those of an interface `Vlan7` with
 * the tag 7; otherwise links carry IP.
 */
export function routerModel(name: string, fib: Fib, own: readonly number[] = []): BoxModel {
  const lookup: Instruction = {
    op: 'table',
    table: {
      name: `${name} routes`,
      keys: [{ of: read(field('IPv4.dst')), width: 32, absent: 'fail' }],
      entries: {
        kind: 'prefixes',
        addresses: fib.addresses,
        lengths: fib.lengths,
        behaviour: fib.target,
        lines: fib.lines,
        file: fib.file,
      },
      behaviours: fib.targets.map((target) => toTarget(name, target, own)),
      miss: drop('no route'),
    },
  };
  return {
    box: { name, kind: 'router', source: { file: fib.file, line: 1 } },
    programs: new Map([[`${name}:in`, own.length === 0 ? lookup : block(received(own), lookup)]]),
  };
}

function toTarget(name: string, target: Target, own: readonly number[]): Instruction {
  switch (target.kind) {
    case 'receive':
      return forward(`${name}:local`);
    case 'drop':
      return drop(target.why);
    case 'interfaces': {
      const ways = target.names.map((each) => {
        const out = forward(`${name}:${each}`);
        const vlan = /^vlan(\d{1,4})$/i.exec(each)?.[1];
        return own.length === 0 ? out : block(framed(own, vlan === undefined ? undefined : Number(vlan)), out);
      });
      if (ways.length === 0) return drop('the route names no interface');
      return block(oneHopLess, ways.length === 1 ? ways[0]! : { op: 'choose', branches: ways });
    }
  }
}
