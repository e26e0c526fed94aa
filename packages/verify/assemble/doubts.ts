import { block, forward, type Instruction } from '../ir/instruction.ts';
import type { FileReading } from '../read/ledger.ts';

/** Stands for all that a box may do because of lines that were not understood. */
export const anything = (box: string) => `${box} otherwise`;

/** What is there, and whatever the lines may mean that were not understood: no packet is said never to come through. */
export function orAnything(box: string, program: Instruction, doubts: readonly Instruction[]): Instruction {
  if (doubts.length === 0) return program;
  return block(...doubts, { op: 'choose', branches: [program, forward(`${anything(box)}:in`)] });
}

/** Rules and interfaces that were not understood have doubts of their own, where they stand; other lines are in doubt as a whole. */
export function doubtOf({ file, format, lines, remarks }: FileReading): readonly Instruction[] {
  const count = lines['not understood'];
  if (count === 0 || format === 'ovs-ofctl dump-flows' || format === 'show running-config') return [];
  if (format.startsWith('ip') && format.endsWith('tables-save')) return [];
  const first = remarks.find(({ fate }) => fate === 'not understood');
  const what = `${count} ${count === 1 ? 'line' : 'lines'} of ${file}, first line ${first?.line ?? '?'}: ${first?.why ?? ''}`;
  return [{ op: 'doubt', what, covered: true }];
}
