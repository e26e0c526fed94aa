import { compare, constant, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, constrain, drop, forward, type Instruction } from '../ir/instruction.ts';
import type { Fib, Target } from '../readers/fib/fib.ts';
import type { BoxModel } from './box-model.ts';

const ttl = field('IPv4.ttl');

/** RFC 1812, section 5.3.1: a packet that would leave with a time to live of zero does not leave. */
const oneHopLess: Instruction = block(
  constrain(compare(read(ttl), '>', constant(1, 8)), 'time to live exceeded'),
  assign(ttl, { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) }),
);

/**
 * A router with a table of IPv4 routes. Packets come in at `box:in`, leave at `box:<interface>`, and what is for the router
 * ends at `box:local`.
 */
export function routerModel(name: string, fib: Fib): BoxModel {
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
      behaviours: fib.targets.map((target) => toTarget(name, target)),
      miss: drop('no route'),
    },
  };
  return {
    box: { name, kind: 'router', source: { file: fib.file, line: 1 } },
    programs: new Map([[`${name}:in`, lookup]]),
  };
}

function toTarget(name: string, target: Target): Instruction {
  switch (target.kind) {
    case 'receive':
      return forward(`${name}:local`);
    case 'drop':
      return drop(target.why);
    case 'interfaces': {
      const ways = target.names.map((each) => forward(`${name}:${each}`));
      if (ways.length === 0) return drop('the route names no interface');
      return block(oneHopLess, ways.length === 1 ? ways[0]! : { op: 'choose', branches: ways });
    }
  }
}
