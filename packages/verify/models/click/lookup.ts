import { read } from '../../ir/expression.ts';
import { constant } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { block, type Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import { addressBlock, prefixLength } from '../../filter/addresses.ts';
import type { ClickArgument } from '@superfluidity/click';
import { DST_IP, setDestination, settled } from './annotations.ts';
import { dropAt, type ElementContext, type ElementModel, inner, sourceOf, unusableElement } from './element.ts';

/**
 * Routing tables: `ADDR/MASK [GW] OUT`. The longest prefix of the destination address annotation decides; the gateway, if
 * there is one, becomes the annotation. All classes of IPRouteTable do the same, only faster or slower.
 */
interface Route {
  readonly value: number;
  readonly length: number;
  readonly gateway: bigint;
  readonly output: number;
  readonly line: number;
}

function routeOf(context: ElementContext, { text, line }: ClickArgument): Route {
  const words = text.split(' ');
  const net = context.names.prefix(words[0]!);
  const length = net === undefined ? undefined : prefixLength(32, net.mask);
  const output = /^-?\d{1,5}$/.test(words.at(-1)!) && words.length > 1 ? Number(words.at(-1)) : undefined;
  const gateway = words.length === 3 && words[1] !== '-' ? context.names.ip(words[1]!) : 0n;
  if (net === undefined || length === undefined || output === undefined || gateway === undefined || words.length > 3)
    throw unusableElement(context, `a route is ADDR/MASK [GW] OUT, not "${text}"`, line);
  return { value: Number(net.value), length, gateway, output, line };
}

function lookup(context: ElementContext): Instruction {
  const routes = new Map<number, Route>();
  // "Routes replaced by later versions": of two for the same prefix the later one counts.
  for (const argument of context.element.arguments) {
    const route = routeOf(context, argument);
    routes.set(route.value * 64 + route.length, route);
  }
  const list = [...routes.values()];
  const behaviours = new Map<string, number>();
  const programs: Instruction[] = [];
  const indexes = list.map(({ gateway, output }) => {
    const key = `${gateway} ${output}`;
    const known = behaviours.get(key);
    if (known !== undefined) return known;
    behaviours.set(key, programs.length);
    const gone = output < 0 ? dropAt(context, 'the route leads nowhere') : context.to(output);
    programs.push(gateway === 0n ? gone : block(setDestination(context, constant(gateway, 32)), gone));
    return programs.length - 1;
  });
  const anno = context.annotation(DST_IP);
  return block(settled(anno, 32), {
    op: 'table',
    source: sourceOf(context),
    table: {
      name: `${context.box}:${context.element.name}`,
      keys: [{ of: read(anno), width: 32, absent: 'fail' }],
      entries: {
        kind: 'prefixes',
        addresses: Uint32Array.from(list, ({ value }) => value),
        lengths: Uint8Array.from(list, ({ length }) => length),
        behaviour: Uint32Array.from(indexes),
        lines: Uint32Array.from(list, ({ line }) => line),
        file: context.element.source.file,
      },
      behaviours: programs,
      miss: dropAt(context, 'there is no route'),
    },
  });
}

/** LookupIP6Route(ADDR/MASK GW OUT, ...): by the destination of the packet. */
function lookup6(context: ElementContext): Instruction {
  const rules = context.element.arguments.map(
    ({ text, line }): Rule & { readonly length: number; readonly output: number } => {
      const words = text.split(' ');
      const net = addressBlock(words[0]!);
      const output = Number(words.at(-1));
      const length = net?.width === 128 ? prefixLength(128, net.mask) : undefined;
      if (
        net === undefined ||
        length === undefined ||
        words.length < 2 ||
        words.length > 3 ||
        !Number.isInteger(output)
      )
        throw unusableElement(context, `a route is ADDR/MASK [GW] OUT, not "${text}"`, line);
      const match = [{ kind: 'prefix', value: net.value, length }] as const;
      return { match, behaviour: 0, length, output, source: { file: context.element.source.file, line } };
    },
  );
  const outputs = [...new Set(rules.map(({ output }) => output))];
  return {
    op: 'table',
    source: sourceOf(context),
    table: {
      name: `${context.box}:${context.element.name}`,
      keys: [{ of: read(field('IPv6.dst')), width: 128, absent: 'fail' }],
      entries: {
        kind: 'rules',
        rules: rules
          .toSorted((a, b) => b.length - a.length)
          .map(({ match, source, output }) => ({ match, behaviour: outputs.indexOf(output), source: source! })),
      },
      behaviours: outputs.map((output) =>
        output < 0 ? dropAt(context, 'the route leads nowhere') : context.to(output),
      ),
      miss: dropAt(context, 'there is no route'),
    },
  };
}

const names = [
  'LinearIPLookup',
  'StaticIPLookup',
  'RadixIPLookup',
  'DirectIPLookup',
  'RangeIPLookup',
  'SortedIPLookup',
  'LookupIPRoute',
];

export const lookupElements: Readonly<Record<string, ElementModel>> = {
  ...Object.fromEntries(names.map((name) => [name, inner('routes by the longest prefix', lookup)])),
  LookupIP6Route: inner('routes IPv6 by the longest prefix', lookup6),
};
