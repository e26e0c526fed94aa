import type { Instruction } from '../ir/instruction.ts';
import type { Box, PortId } from '../network.ts';

/** What a model makes of one box: to be put into a network with the others. */
export interface BoxModel {
  readonly box: Box;
  readonly programs: ReadonlyMap<PortId, Instruction>;
  readonly routines?: ReadonlyMap<string, Instruction>;
  /** What the model says nothing about: boxes that stand for it, and what nobody knows there. */
  readonly unknown?: ReadonlyMap<string, string>;
}
