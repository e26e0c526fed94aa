import { constant, type Expr, type Field } from '../ir/expression.ts';
import { fields } from '../ir/fields.ts';
import { assign, block, type Instruction } from '../ir/instruction.ts';

/** What models do with headers of a packet: allocate them, give them up, and say where they are. */
export function fieldsOf(header: string): readonly Field[] {
  return Object.values(fields).filter(({ name }) => name!.startsWith(`${header}.`));
}

export function put(at: Field, value: Expr | bigint | number): Instruction {
  const given = typeof value === 'object' ? value : constant(value, at.width);
  return block({ op: 'allocate', at, width: at.width }, assign(at, given));
}

/** Every field of the header gets the value of its name. */
export function putHeader(header: string, values: Readonly<Record<string, Expr | bigint | number>>): Instruction {
  return block(...fieldsOf(header).map((at) => put(at, values[at.name!.slice(header.length + 1)]!)));
}

export function take(at: Field): Instruction {
  return { op: 'deallocate', at, width: at.width };
}

export function takeHeader(header: string): Instruction {
  return block(...fieldsOf(header).map(take));
}

export function moveTag(tag: string, relativeTo: string, offset: number): Instruction {
  return { op: 'createTag', tag, relativeTo, offset };
}
