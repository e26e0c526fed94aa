import { append } from '@superfluidity/core';
import type { Style } from './style.ts';
import { violationLines } from './verification.ts';

/** `ErrorReport` of core and `ErrorBody` of the API alike. */
interface Report {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly request?: string | undefined;
  readonly answer?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: Report | undefined;
}

/** The whole chain: what failed, because of what, down to the call to the site and its answer; at last what to do. */
export function errorText(report: Report, style: Style): string {
  const lines = [
    `${style.red('error')} ${style.bold(report.code)}: ${report.message}`,
    ...exchange(report, '  '),
    ...violationLines(report.data, style),
  ];
  let deepest: Report = report;
  let indent = '  ';
  for (let { cause } = report; cause !== undefined; cause = cause.cause) {
    lines.push(`${indent}because ${style.bold(cause.code)}: ${cause.message}`, ...exchange(cause, `${indent}  `));
    if (cause.hint !== undefined) deepest = cause;
    indent += '  ';
  }
  for (const hint of new Set([deepest.hint, report.hint])) {
    if (hint !== undefined) lines.push(`${style.cyan('hint')}  ${hint}`);
  }
  return lines.join('\n');
}

function exchange({ request, answer, data }: Report, indent: string): string[] {
  const lines: string[] = [];
  if (request) append(lines, block('request', request, indent));
  if (answer) append(lines, block('answer', answer, indent));
  const problems = Array.isArray(data?.['problems']) ? (data['problems'] as ShownProblem[]) : [];
  for (const problem of problems) lines.push(`${indent}${problemText(problem)}`);
  return lines;
}

/** `Problem` of core, or less: fields of a request have a path only. */
interface ShownProblem {
  readonly path?: string;
  readonly message?: string;
  readonly code?: string;
  readonly position?: { readonly file?: string; readonly line: number; readonly column: number };
}

/** `service.yaml:25:52: SF-MODEL-ADDRESS: 10.56.0.9 is used twice`, as compilers say it. */
function problemText({ path, message = '', code, position }: ShownProblem): string {
  const where =
    position === undefined
      ? `at ${path ?? '?'}`
      : `${position.file === undefined ? '' : `${position.file}:`}${position.line}:${position.column}`;
  return [where, ...(code === undefined ? [] : [code]), message].join(': ');
}

function block(name: string, text: string, indent: string): string[] {
  const [first, ...others] = text.trimEnd().split('\n');
  const under = ' '.repeat(name.length + 2);
  return [`${indent}${name}: ${first}`, ...others.map((line) => `${indent}${under}${line}`)];
}
