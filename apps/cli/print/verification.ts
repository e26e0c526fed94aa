import type { VerificationReport } from '@superfluidity/api';
import { verdictOfReport } from '@superfluidity/intent/report';
import { verdictText } from '@superfluidity/verify/show';
import type { Style } from './style.ts';

type PolicyReport = VerificationReport['policies'][number];

const planes = {
  intended: 'the data plane that is meant to be there',
  realised: 'the data plane that the sites have',
} as const;

/** Each policy with what was found of it, the packet and its path where it does not hold, and what was taken for granted. */
export function verificationText(
  { plane, policies, assumptions }: VerificationReport,
  style: Style,
  paths = 1,
): string {
  return [
    `${style.bold('Policies')} on ${planes[plane]}`,
    ...policies.flatMap((policy) => policyLines(policy, style, paths)),
    ...assumptions.map((each) => style.dim(`  taken for granted: ${each}`)),
  ].join('\n');
}

function policyLines(report: PolicyReport, style: Style, paths: number): readonly string[] {
  const { policy, answer, because } = report;
  const mark = { holds: style.green('holds'), violated: style.red('VIOLATED'), unknown: style.yellow('unknown') }[
    answer
  ];
  const [, ...details] = verdictText(verdictOfReport(report), paths).split('\n');
  return [`  ${mark}  ${policy}: ${because}`, ...details.map((line) => `  ${line}`)];
}

/** Of an error that refuses for their sake: the data of `SF-LIFECYCLE-POLICY`. */
export function violationLines(data: Readonly<Record<string, unknown>> | undefined, style: Style): readonly string[] {
  const policies = data?.['policies'];
  if (!Array.isArray(policies)) return [];
  return (policies as readonly PolicyReport[]).flatMap((report) => policyLines(report, style, 1));
}
