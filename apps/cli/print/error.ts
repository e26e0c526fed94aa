import type { Style } from './style.ts';

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
  const lines = [`${style.red('error')} ${style.bold(report.code)}: ${report.message}`, ...exchange(report, '  ')];
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
  if (request) lines.push(...block('request', request, indent));
  if (answer) lines.push(...block('answer', answer, indent));
  const problems = Array.isArray(data?.['problems']) ? (data['problems'] as { path?: string; message?: string }[]) : [];
  for (const { path, message } of problems) lines.push(`${indent}at ${path ?? '?'}: ${message ?? ''}`);
  return lines;
}

function block(name: string, text: string, indent: string): string[] {
  const [first, ...others] = text.trimEnd().split('\n');
  const under = ' '.repeat(name.length + 2);
  return [`${indent}${name}: ${first}`, ...others.map((line) => `${indent}${under}${line}`)];
}
