import type { RouteUpdateReport } from '../incremental/route-updates.ts';
import type { End } from '../incremental/verifier.ts';
import type { Verdict } from '../verdict.ts';
import { showValue } from './values.ts';

const endText = ({ node, port }: End) => `${node}:${port}`;
const address = ({ destination }: { readonly destination: number }) => showValue('IPv4.dst', BigInt(destination));

function found({ loops, blackHoles }: RouteUpdateReport): readonly string[] {
  return [
    ...loops.map(
      ({ ends, packet }) => `packets to ${address(packet)} go round: ${[...ends, ends[0]!].map(endText).join(' -> ')}`,
    ),
    ...blackHoles.map(
      ({ from, to, packet }) =>
        `packets to ${address(packet)} are sent by ${endText(from)} to ${to.node}, which has no route`,
    ),
  ];
}

/** For people: updates that did harm, and how long they all took. */
export function routeUpdateText(reports: readonly RouteUpdateReport[], file: string): string {
  const bad = reports.filter((report) => found(report).length > 0);
  const times = reports.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b);
  const sum = times.reduce((all, each) => all + each, 0);
  const average = reports.length === 0 ? 0 : sum / reports.length;
  return [
    ...bad.flatMap((report) => [
      `${file}:${report.update.line}  ${report.update.text}  (${report.milliseconds.toFixed(3)} ms)`,
      ...found(report).map((line) => `  ${line}`),
    ]),
    `updates: ${bad.length} of ${reports.length} bring loops or black holes; ` +
      `${average.toFixed(3)} ms each, ${(times.at(-1) ?? 0).toFixed(3)} ms at most`,
  ].join('\n');
}

export function routeUpdateJson(report: RouteUpdateReport): object {
  const { update, loops, blackHoles, milliseconds } = report;
  return {
    line: update.line,
    update: update.text,
    milliseconds,
    loops: loops.map(({ ends, packet }) => ({ ends: ends.map(endText), destination: address(packet) })),
    blackHoles: blackHoles.map(({ from, to, packet }) => ({
      from: endText(from),
      to: to.node,
      destination: address(packet),
    })),
  };
}

/** One for each update that did harm. */
export function routeUpdateVerdicts(reports: readonly RouteUpdateReport[], file: string): readonly Verdict[] {
  return reports.flatMap((report) => {
    const lines = found(report);
    if (lines.length === 0) return [];
    const { line, text } = report.update;
    return {
      question: 'updates',
      answer: 'violated',
      because: lines.join('; '),
      paths: [],
      dependsOn: [],
      rules: [{ file, line, text }],
    };
  });
}
