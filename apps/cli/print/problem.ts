import type { Problem } from '@superfluidity/core';
import type { Style } from './style.ts';

/** `service.yaml:12:5: error SF-MODEL-REFERENCE: there is no unit 'vidio' (did you mean 'video'?)` */
export function problemLine(problem: Problem, style: Style): string {
  const { file, line, column } = problem.position ?? {};
  const where = line === undefined ? problem.path : `${file ?? ''}:${line}:${column}`;
  const mark = problem.severity === 'error' ? style.red('error') : style.yellow('warning');
  const suggestion = problem.suggestion === undefined ? '' : ` (${problem.suggestion})`;
  return `${where === '' ? '' : `${where}: `}${mark} ${problem.code}: ${problem.message}${suggestion}`;
}
