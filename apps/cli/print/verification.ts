import type { VerificationReport } from '@superfluidity/api';
import { shownPath, verdictOfReport } from '@superfluidity/intent/report';
import { pathLines, verdictText } from '@superfluidity/verify/show';
import type { Style } from './style.ts';

type PolicyReport = VerificationReport['policies'][number];
type LikenessReport = NonNullable<VerificationReport['likeness']>;

const planes = {
  intended: 'the data plane that is meant to be there',
  realised: 'the data plane that the sites have',
} as const;

/**
 * Each policy with what was found of it, the packet and its path where it does not hold; whether what is there does what was
 * meant; and what was taken for granted.
 */
export function verificationText(
  { plane, policies, likeness, assumptions }: VerificationReport,
  style: Style,
  paths = 1,
): string {
  return [
    `${style.bold('Policies')} on ${planes[plane]}`,
    ...policies.flatMap((policy) => policyLines(policy, style, paths)),
    ...(likeness === undefined ? [] : likenessLines(likeness, style, paths)),
    ...assumptions.map((each) => style.dim(`  taken for granted: ${each}`)),
  ].join('\n');
}

const marks = (style: Style) => ({
  holds: style.green('holds'),
  violated: style.red('VIOLATED'),
  unknown: style.yellow('unknown'),
});

function policyLines(report: PolicyReport, style: Style, paths: number): readonly string[] {
  const { policy, answer, because } = report;
  const [, ...details] = verdictText(verdictOfReport(report), paths).split('\n');
  return [`  ${marks(style)[answer]}  ${policy}: ${because}`, ...details.map((line) => `  ${line}`)];
}

function likenessLines(report: LikenessReport, style: Style, most: number): readonly string[] {
  const { answer, because, bound, dependsOn, differences, leftOut } = report;
  const sides = (difference: LikenessReport['differences'][number]) =>
    (['meant', 'there'] as const).flatMap((side) =>
      difference[side].flatMap((path) => [
        side === 'meant' ? 'as it is meant:' : 'as it is:',
        ...pathLines(shownPath(path)).map((line) => `  ${line}`),
      ]),
    );
  const details = [
    ...(bound === undefined ? [] : [`a bound was hit: ${bound}`]),
    ...differences.slice(0, most).flatMap((difference) => [difference.because, ...sides(difference)]),
    ...dependsOn.map((doubt) => `depends on what was not understood: ${doubt}`),
    ...leftOut.map((what) => `not compared: ${what}`),
  ];
  return [`  ${marks(style)[answer]}  as it was meant: ${because}`, ...details.map((line) => `    ${line}`)];
}

/** Of an error that refuses for their sake: the data of `SF-LIFECYCLE-POLICY`. */
export function violationLines(data: Readonly<Record<string, unknown>> | undefined, style: Style): readonly string[] {
  const policies = data?.['policies'];
  if (!Array.isArray(policies)) return [];
  return (policies as readonly PolicyReport[]).flatMap((report) => policyLines(report, style, 1));
}
