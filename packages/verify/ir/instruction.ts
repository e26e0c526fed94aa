import type { Condition, Expr, Location } from './expression.ts';
import type { SourceRef } from './source.ts';
import type { Table } from './table.ts';

/**
 * What a port does with a packet. There is no recursion and no unbounded loop: a program always ends, and cycles come from
 * the topology alone. A path is a packet, or rather all packets that do the same.
 */
export type Instruction = (
  | { readonly op: 'block'; readonly body: readonly Instruction[] }
  /**
   * Pushes a new, unassigned value stack for the location. Bits of the packet may be allocated again with the same width,
   * or where nothing overlaps; anything else fails the path. Metadata needs a width.
   */
  | { readonly op: 'allocate'; readonly at: Location; readonly width: number }
  /** Pops the topmost stack, so that what was there before shows again. Fails when nothing is there or the width differs. */
  | { readonly op: 'deallocate'; readonly at: Location; readonly width?: number }
  /** Bits of the packet must be allocated; metadata is allocated on its first assignment. */
  | { readonly op: 'assign'; readonly to: Location; readonly value: Expr }
  /** `tag` becomes the bit address of `relativeTo` (of the start of the packet when absent) plus `offset`. */
  | { readonly op: 'createTag'; readonly tag: string; readonly relativeTo?: string; readonly offset: number }
  | { readonly op: 'destroyTag'; readonly tag: string }
  /** Packets that do not satisfy the condition are dropped here, and are reported as dropped. */
  | { readonly op: 'constrain'; readonly condition: Condition; readonly why?: string }
  | { readonly op: 'if'; readonly condition: Condition; readonly yes: Instruction; readonly no: Instruction }
  /** For every metadata name that matches the pattern (`*` any text), in order; `{}` in names of the body is the matched text. */
  | { readonly op: 'for'; readonly pattern: string; readonly body: Instruction }
  /** Names of ports are `box:port`. */
  | { readonly op: 'forward'; readonly to: string }
  /** A copy of the packet for every branch: multicast, mirroring. */
  | { readonly op: 'fork'; readonly branches: readonly Instruction[] }
  /** One of the branches, nobody knows which: ECMP, round robin. */
  | { readonly op: 'choose'; readonly branches: readonly Instruction[] }
  /** An error of the network: what should never happen did. */
  | { readonly op: 'fail'; readonly why: string }
  /** A deliberate end of the packet. */
  | { readonly op: 'drop'; readonly why: string }
  /** Drops all packet fields and tags, keeps metadata. */
  | { readonly op: 'destroyPacket' }
  /** Remembers the packet and the metadata under a name; `load` brings them back, the path condition stays. */
  | { readonly op: 'save'; readonly name: string }
  | { readonly op: 'load'; readonly name: string }
  | { readonly op: 'table'; readonly table: Table }
  /** Runs the routine of that name of the network. */
  | { readonly op: 'call'; readonly routine: string }
  /**
   * From here on the path depends on something that was not understood; verdicts say so. Besides what follows, anything may
   * happen to the packet, unless what follows is `covered`: all that can happen, whatever it was that was not understood.
   */
  | { readonly op: 'doubt'; readonly what: string; readonly covered?: true }
) & {
  readonly source?: SourceRef;
};

export type InstructionOf<Op extends Instruction['op']> = Extract<Instruction, { readonly op: Op }>;

export function block(...body: readonly Instruction[]): Instruction {
  return body.length === 1 ? body[0]! : { op: 'block', body };
}

export const nothing: Instruction = { op: 'block', body: [] };

export function assign(to: Location, value: Expr, source?: SourceRef): Instruction {
  return source === undefined ? { op: 'assign', to, value } : { op: 'assign', to, value, source };
}

export function constrain(condition: Condition, why?: string, source?: SourceRef): Instruction {
  return {
    op: 'constrain',
    condition,
    ...(why === undefined ? {} : { why }),
    ...(source === undefined ? {} : { source }),
  };
}

export function branch(condition: Condition, yes: Instruction, no: Instruction, source?: SourceRef): Instruction {
  const made = { op: 'if', condition, yes, no } as const;
  return source === undefined ? made : { ...made, source };
}

export function forward(to: string, source?: SourceRef): Instruction {
  return source === undefined ? { op: 'forward', to } : { op: 'forward', to, source };
}

export function drop(why: string, source?: SourceRef): Instruction {
  return source === undefined ? { op: 'drop', why } : { op: 'drop', why, source };
}

export function fail(why: string, source?: SourceRef): Instruction {
  return source === undefined ? { op: 'fail', why } : { op: 'fail', why, source };
}

/** The instructions directly inside. */
export function childrenOf(instruction: Instruction): readonly Instruction[] {
  switch (instruction.op) {
    case 'block':
      return instruction.body;
    case 'if':
      return [instruction.yes, instruction.no];
    case 'for':
      return [instruction.body];
    case 'fork':
    case 'choose':
      return instruction.branches;
    case 'table':
      return [...instruction.table.behaviours, instruction.table.miss];
    default:
      return [];
  }
}
