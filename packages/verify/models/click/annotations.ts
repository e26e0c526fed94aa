import { PAINT, paintIs } from '../../filter/condition.ts';
import { compare, constant, fresh, read, type Meta } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import {
  type Arguments,
  distinctBehaviours,
  type ElementContext,
  type ElementModel,
  inner,
  ipArgument,
  numberArgument,
  readArguments,
  sourceOf,
  unusableElement,
} from './element.ts';
import { DATA, enter, exists } from './headers.ts';

/** Annotations of the packet that elements leave for others: colours, the destination address. New packets have zeros. */

export const DST_IP = 'click.dst_ip';
const COLOUR = { least: 0, most: 255 } as const;

/** PAINT is the byte at 20 of the annotations; another one when ANNO is given. */
export function paintOf(context: ElementContext, given: Arguments): Meta {
  const name = given.get('ANNO')?.text;
  return context.annotation(name === undefined || name === 'PAINT' || name === '20' ? PAINT : `click.anno.${name}`);
}

function hasColour(context: ElementContext, at: Meta, colour: number) {
  return at.name === PAINT
    ? paintIs(colour, context.box)
    : colour === 0
      ? ({
          kind: 'any',
          of: [{ kind: 'negation', of: { kind: 'exists', at } }, compare(read(at), '==', constant(0, 8))],
        } as const)
      : ({ kind: 'all', of: [{ kind: 'exists', at }, compare(read(at), '==', constant(colour, 8))] } as const);
}

export function paint(context: ElementContext, colour: number, at: Meta): Instruction {
  return assign(at, constant(colour, 8), sourceOf(context));
}

/** The annotation, made zero when nobody has set it. */
export function settled(at: Meta, width: number): Instruction {
  return branch({ kind: 'exists', at }, nothing, assign(at, constant(0, width)));
}

export function setDestination(context: ElementContext, to: Parameters<typeof assign>[1]): Instruction {
  return assign(context.annotation(DST_IP), to, sourceOf(context));
}

function paintSwitch(context: ElementContext): Instruction {
  const at = paintOf(context, readArguments(context, ['ANNO']));
  const outputs = Array.from({ length: Math.min(context.outputs, 255) }, (_, port) => port);
  const all: Instruction = { op: 'fork', branches: outputs.map((port) => context.to(port)), source: sourceOf(context) };
  const colours = outputs.length === 0 ? [] : [...outputs, 255];
  const { behaviours, indexes } = distinctBehaviours([...outputs.map((port) => context.to(port)), all]);
  return block(settled(at, 8), {
    op: 'table',
    source: sourceOf(context),
    table: {
      name: `${context.box}:${context.element.name}`,
      keys: [{ of: read(at), width: 8, absent: 'fail' }],
      entries: {
        kind: 'exact',
        values: Float64Array.from(colours),
        behaviour: Uint32Array.from(indexes.slice(0, colours.length)),
      },
      behaviours,
      miss: { op: 'drop', why: 'there is no output for the colour', source: sourceOf(context) },
    },
  });
}

function getIpAddress(context: ElementContext): Instruction {
  const given = readArguments(context, ['OFFSET'], ['ANNO', 'IP']);
  const which = given.get('IP')?.text;
  if (which === 'src' || which === 'dst')
    return block(setDestination(context, read(field(`IPv4.${which}`))), context.to(0));
  const offset = numberArgument(context, given, 'OFFSET', { most: 65_535 });
  const at = { kind: 'field', tag: DATA, offset: 8 * offset, width: 32 } as const;
  return block(
    enter,
    branch(
      exists(at),
      setDestination(context, read(at)),
      block(
        { op: 'doubt', what: `${context.element.name} copies bytes that are in no known field`, covered: true },
        setDestination(context, fresh('destination annotation', 32)),
      ),
    ),
    context.to(0),
  );
}

function storeIpAddress(context: ElementContext): Instruction {
  const args = context.element.arguments;
  const given = readArguments(context, args.length > 1 ? ['ADDR', 'OFFSET'] : ['OFFSET'], [], 1);
  const where = given.get('OFFSET')?.text;
  if (where !== 'src' && where !== 'dst') {
    const offset = numberArgument(context, given, 'OFFSET', { most: 65_535 });
    const at = { kind: 'field', tag: DATA, offset: 8 * offset, width: 32 } as const;
    const unknown: Instruction = {
      op: 'doubt',
      what: `${context.element.name} writes bytes that are in no known field`,
    };
    const zero = compare(read(context.annotation(DST_IP)), '==', constant(0, 32));
    const written = store(context, given, at);
    const known = given.has('ADDR')
      ? written
      : block(settled(context.annotation(DST_IP), 32), branch(zero, nothing, written));
    return block(enter, branch(exists(at), known, unknown), context.to(0));
  }
  return block(store(context, given, field(`IPv4.${where}`)), context.to(0));
}

function store(context: ElementContext, given: Arguments, at: ReturnType<typeof field>): Instruction {
  if (given.has('ADDR')) return assign(at, constant(ipArgument(context, given, 'ADDR'), 32), sourceOf(context));
  const anno = context.annotation(DST_IP);
  return block(settled(anno, 32), assign(at, read(anno), sourceOf(context)));
}

export const annotationElements: Readonly<Record<string, ElementModel>> = {
  Paint: inner('sets the paint annotation to COLOR', (context) => {
    const given = readArguments(context, ['COLOR', 'ANNO'], [], 1);
    return block(
      paint(context, numberArgument(context, given, 'COLOR', COLOUR), paintOf(context, given)),
      context.to(0),
    );
  }),
  PaintSwitch: inner('sends packets to the output of their colour; 255 is a copy to all', paintSwitch),
  CheckPaint: inner('passes packets of COLOR; others to output 1, or drops them', (context) => {
    const given = readArguments(context, ['COLOR', 'ANNO'], [], 1);
    const colour = numberArgument(context, given, 'COLOR', COLOUR);
    const matches = hasColour(context, paintOf(context, given), colour);
    return branch(matches, context.to(0), context.toOrDrop(1, `not of colour ${colour}`), sourceOf(context));
  }),
  PaintTee: inner('sends packets of COLOR to output 1 as well', (context) => {
    const given = readArguments(context, ['COLOR', 'ANNO'], [], 1);
    const matches = hasColour(context, paintOf(context, given), numberArgument(context, given, 'COLOR', COLOUR));
    if (!context.isConnected(1)) return context.to(0);
    const copy: Instruction = { op: 'fork', branches: [context.to(0), context.to(1)], source: sourceOf(context) };
    return branch(matches, copy, context.to(0), sourceOf(context));
  }),
  SetIPAddress: inner('sets the destination address annotation', (context) => {
    const given = readArguments(context, ['ADDR', 'ANNO'], [], 1);
    return block(setDestination(context, constant(ipArgument(context, given, 'ADDR'), 32)), context.to(0));
  }),
  GetIPAddress: inner('copies an address of the packet to the destination address annotation', getIpAddress),
  GetIP6Address: inner(
    'copies an address of the packet to the IPv6 annotation, which routing here takes from the packet',
    (context) => {
      const given = readArguments(context, ['OFFSET'], [], 1);
      const offset = numberArgument(context, given, 'OFFSET', { most: 65_535 });
      if (offset !== 24) throw unusableElement(context, 'OFFSET is 24, the destination, in this model');
      return context.to(0);
    },
  ),
  StoreIPAddress: inner('writes an address, or the destination address annotation, into the packet', storeIpAddress),
  SetVLANAnno: inner('sets the VLAN TCI annotation', (context) => {
    const given = readArguments(context, ['VLAN_TCI', 'VLAN_PCP'], ['VLAN_ID']);
    return block(
      assign(context.annotation(VLAN_TCI), constant(tciArgument(context, given), 16), sourceOf(context)),
      context.to(0),
    );
  }),
};

export const VLAN_TCI = 'click.vlan_tci';

export function tciArgument(context: ElementContext, given: Arguments): number {
  const pcp = numberArgument(context, given, 'VLAN_PCP', { most: 7, otherwise: 0 });
  if (given.has('VLAN_ID') === given.has('VLAN_TCI'))
    throw unusableElement(context, 'needs one of VLAN_TCI and VLAN_ID');
  const id = given.has('VLAN_ID')
    ? numberArgument(context, given, 'VLAN_ID', { most: 0xfff })
    : numberArgument(context, given, 'VLAN_TCI', { most: 0xffff });
  return id | (pcp << 13);
}
