import { append } from '@superfluidity/core';
import { ClickMistake, expand, parseClick } from '@superfluidity/click';
import type { Block, Service } from '@superfluidity/model';
import { dialectLimits } from '../errors.ts';

/** A mistake in the program of a Click unit. */
export interface ProgramMistake {
  /** Of the program in the model: `functions[0].units[0].program`. */
  readonly path: string;
  /** In the program, from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** What is wrong with the programs of a service whose environment is Click. Classes of elements are not looked at. */
export function programMistakes(service: Service): readonly ProgramMistake[] {
  const found: ProgramMistake[] = [];
  const visit = (block: Block, path: string) => {
    if (found.length >= dialectLimits.problems) return;
    const { execution, children } = block;
    if (execution?.environment === 'click' && execution.program !== undefined)
      append(found, mistakesOf(execution.program, `${path}.program`));
    const counts = { function: 0, unit: 0, element: 0, service: 0 };
    for (const child of children) {
      if (child.kind === 'element') continue;
      visit(child, `${path}${path === '' ? '' : '.'}${child.kind}s[${counts[child.kind]}]`);
      counts[child.kind] += 1;
    }
  };
  visit(service.block, '');
  return found;
}

function mistakesOf(text: string, path: string): readonly ProgramMistake[] {
  const found: ProgramMistake[] = [];
  const mistake = ({ place: { offset }, message }: ClickMistake) => {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    found.push({ path, line, column: offset - before.lastIndexOf('\n'), message: message.slice(0, 300) });
  };
  try {
    const { scope } = parseClick('program', text, { mistake });
    if (found.length === 0) expand(scope);
  } catch (error) {
    if (!(error instanceof ClickMistake)) throw error;
    mistake(error);
  }
  return found;
}
