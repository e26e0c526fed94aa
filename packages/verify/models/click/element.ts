import { SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';
import { meta, type Meta } from '../../ir/expression.ts';
import { drop, type Instruction } from '../../ir/instruction.ts';
import type { SourceRef } from '../../ir/source.ts';
import type { ClickArgument, ClickElement } from '@superfluidity/click';
import type { AddressNames } from './address-names.ts';

/** What a model knows of the element that it models. */
export interface ElementContext {
  readonly box: string;
  readonly element: ClickElement;
  /** Ports that are connected: one more than the highest. */
  readonly inputs: number;
  readonly outputs: number;
  readonly names: AddressNames;
  /** The other elements of the configuration, for those that refer to each other by name. */
  readonly elements: ReadonlyMap<string, ClickElement>;
  isConnected(output: number): boolean;
  /** The packet goes on at what is connected there; at a port of its own (`box:element:out1`) when nothing is. */
  to(output: number): Instruction;
  /** Click: "sent to output 1, or dropped if there is no output 1". */
  toOrDrop(output: number, why: string): Instruction;
  /** An annotation of the packet. They live from where the packet comes into the box to where it leaves it. */
  annotation(name: string): Meta;
}

/** What an element does with the packets of each of its inputs. */
export interface ElementModel {
  readonly kind: ElementKind;
  /** Documentation: what the manual says, in a line. */
  readonly does: string;
  readonly program: (context: ElementContext) => readonly Instruction[];
}

/**
 * - `entry`, `exit`, `both`: packets come into the box, leave it, or do both here.
 * - `inner`: everything else that handles packets.
 * - `information`: has no ports.
 */
export type ElementKind = 'entry' | 'exit' | 'both' | 'inner' | 'information';

/** For elements with one program, whatever the input. */
export function inner(does: string, program: (context: ElementContext) => Instruction): ElementModel {
  return { kind: 'inner', does, program: (context) => [program(context)] };
}

export function sourceOf({ element }: ElementContext): SourceRef {
  return element.source;
}

export function dropAt(context: ElementContext, why: string): Instruction {
  return drop(why, sourceOf(context));
}

export function unusableElement(
  { element }: ElementContext,
  reason: string,
  line = element.source.line,
): SuperfluidityError {
  const { file } = element.source;
  return new SuperfluidityError('SF-VERIFY-INPUT', {
    reason: `${file}:${line}: ${element.name} :: ${element.className}: ${reason}`,
    data: { file, line },
  });
}

/** Arguments by their names: by position, or as `NAME value`. */
export type Arguments = ReadonlyMap<string, ClickArgument>;

/**
 * Sorts the arguments as Click's `Args` does: those that begin with one of the names are keywords, the others are taken by
 * position. More than there are is an error; so is a missing one of the first `required`.
 */
export function readArguments(
  context: ElementContext,
  positional: readonly string[],
  keywords: readonly string[] = [],
  required = 0,
): Arguments {
  const found = new Map<string, ClickArgument>();
  const known = new Set([...positional, ...keywords]);
  let place = 0;
  for (const argument of context.element.arguments) {
    const [word = ''] = argument.text.split(' ', 1);
    if (known.has(word)) found.set(word, { ...argument, text: argument.text.slice(word.length).trim() });
    else {
      const name = positional[place];
      if (name === undefined) throw unusableElement(context, `takes no argument "${argument.text}"`, argument.line);
      found.set(name, argument);
      place += 1;
    }
  }
  const missing = positional.slice(0, required).find((name) => !found.has(name));
  if (missing !== undefined) throw unusableElement(context, `the argument ${missing} is missing`);
  return found;
}

export function numberArgument(
  context: ElementContext,
  given: Arguments,
  name: string,
  { least = 0, most, otherwise }: { readonly least?: number; readonly most: number; readonly otherwise?: number },
): number {
  const argument = given.get(name);
  if (argument === undefined && otherwise !== undefined) return otherwise;
  const text = argument?.text ?? '';
  const value = /^-?(?:\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw unusableElement(context, `${name} is a number from ${least} to ${most}, not "${text}"`, argument?.line);
  return value;
}

export function booleanArgument(context: ElementContext, given: Arguments, name: string, otherwise: boolean): boolean {
  const argument = given.get(name);
  if (argument === undefined) return otherwise;
  const text = argument.text.toLowerCase();
  if (['true', 'yes', '1', 't', 'y', ''].includes(text)) return true;
  if (['false', 'no', '0', 'f', 'n'].includes(text)) return false;
  throw unusableElement(context, `${name} is true or false, not "${argument.text}"`, argument.line);
}

export function ipArgument(context: ElementContext, given: Arguments, name: string): bigint {
  const argument = given.get(name);
  const value = context.names.ip(argument?.text ?? '');
  if (value === undefined)
    throw unusableElement(context, `${name} is an IP address, not "${argument?.text}"`, argument?.line);
  return value;
}

/** `-` gives undefined: any address. */
export function etherArgument(context: ElementContext, given: Arguments, name: string): bigint | undefined {
  const argument = given.get(name);
  if (argument?.text === '-') return undefined;
  const value = context.names.ether(argument?.text ?? '');
  if (value === undefined)
    throw unusableElement(context, `${name} is an Ethernet address, not "${argument?.text}"`, argument?.line);
  return value;
}

/** Addresses that are separated by spaces. */
export function ipList(context: ElementContext, given: Arguments, name: string): readonly bigint[] {
  const argument = given.get(name);
  if (argument === undefined || argument.text === '') return [];
  return argument.text.split(' ').map((text) => {
    const value = context.names.ip(text);
    if (value === undefined) throw unusableElement(context, `${name} lists IP addresses, not "${text}"`, argument.line);
    return value;
  });
}

/** A location of the box that outlives the packet's stay: mappings of NAT. */
export function stateOf({ box, element }: ElementContext, name: string): Meta {
  return meta(`click.${element.name}.${name}`, box);
}

/** Programs that lead to the same port are one behaviour of a table: packets split by where they go, not by why. */
export function distinctBehaviours(programs: readonly Instruction[]): {
  readonly behaviours: readonly Instruction[];
  /** For each program, its behaviour. */
  readonly indexes: readonly number[];
} {
  const behaviours: Instruction[] = [];
  const known = new Map<string, number>();
  const indexes = programs.map((program) => {
    const same = program.op === 'forward' ? known.get(program.to) : undefined;
    if (same !== undefined) return same;
    if (program.op === 'forward') known.set(program.to, behaviours.length);
    behaviours.push(program);
    return behaviours.length - 1;
  });
  return { behaviours, indexes };
}
