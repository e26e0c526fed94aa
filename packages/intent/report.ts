import type { Answer, Packet, ShownPath, SourceRef, Verdict } from '@superfluidity/verify';

/** What was proven of the policies of a service, as plain JSON: kept with operations, and shown by whoever reads them. */
export interface VerificationReport {
  /** What is meant to be there, or what sites say is there. */
  readonly plane: 'intended' | 'realised';
  /** The worst of the policies. */
  readonly answer: Answer;
  readonly policies: readonly PolicyReport[];
  /** Of what sites say is there: does it do what was meant? */
  readonly likeness?: LikenessReport;
  /** What is taken for granted, and not proven. */
  readonly assumptions: readonly string[];
  readonly tookMs: number;
}

/** What is there, held against what was meant, for the packets with which the units of the service open connections. */
export interface LikenessReport {
  readonly answer: Answer;
  readonly because: string;
  /** Of `unknown`: the bound that was hit. */
  readonly bound?: string;
  readonly dependsOn: readonly string[];
  readonly differences: readonly DifferenceReport[];
  /** Packets that were not compared. */
  readonly leftOut: readonly string[];
}

export interface DifferenceReport {
  readonly because: string;
  /** The ways that a packet takes as it was meant to, and where it is: those of its copies and of its answer. */
  readonly meant: readonly PathReport[];
  readonly there: readonly PathReport[];
}

export interface PolicyReport {
  readonly policy: string;
  readonly answer: Answer;
  readonly because: string;
  /** Of `unknown`: the bound that was hit. */
  readonly bound?: string;
  readonly dependsOn: readonly string[];
  readonly rules: readonly RuleReport[];
  /** Shortest first. */
  readonly paths: readonly PathReport[];
}

export interface RuleReport {
  readonly file: string;
  readonly line: number;
  readonly text?: string;
}

export interface PathReport {
  readonly outcome: string;
  readonly port: string;
  readonly why?: string;
  readonly source?: RuleReport;
  readonly hops: readonly { readonly port: string; readonly because: readonly RuleReport[] }[];
  readonly doubts: readonly string[];
  readonly layout: string;
  /** A packet that takes it: values of fields as text, as it is sent and as it is at the end. */
  readonly packet?: {
    readonly sent: Readonly<Record<string, string>>;
    readonly arrived: Readonly<Record<string, string>>;
  };
}

/** Where packets of a service go: the answer to a question of somebody who looks for the reason of something. */
export interface WaysReport {
  readonly plane: 'intended' | 'realised';
  /** Those that arrive first, then the shorter ones. */
  readonly ways: readonly WayReport[];
  /** How many there are; of many, `ways` are some. */
  readonly found: number;
  /** That was hit: there may be others. */
  readonly bound?: string;
  readonly assumptions: readonly string[];
  readonly tookMs: number;
}

export interface WayReport extends PathReport {
  /** Names of units: which sends, and which the packets arrive at, if any does. */
  readonly from: string;
  readonly arrivesAt?: string;
  /** Whether the answer comes back; the path goes on with it. */
  readonly answered: boolean;
}

/** Of several questions: one that is violated, else one that is not known, else they hold. */
export function worstOf(answers: readonly Answer[]): Answer {
  return answers.includes('violated') ? 'violated' : answers.includes('unknown') ? 'unknown' : 'holds';
}

/** As the engine would show it, for those who print, draw or write packets. */
export function verdictOfReport({ policy, bound: _bound, ...report }: PolicyReport): Verdict<ShownPath> {
  return {
    question: `policy/${policy}`,
    answer: report.answer,
    because: report.because,
    dependsOn: report.dependsOn,
    rules: report.rules as readonly SourceRef[],
    paths: report.paths.map(shownPath),
  };
}

/** The same of the comparison with what was meant: of each difference the ways that are there. */
export function verdictOfLikeness({ answer, because, dependsOn, differences }: LikenessReport): Verdict<ShownPath> {
  const paths = differences.flatMap(({ there }) => there);
  const rules = paths.flatMap(({ hops, source }) => [
    ...hops.flatMap((hop) => hop.because),
    ...(source === undefined ? [] : [source]),
  ]);
  const distinct = new Map(rules.map((rule) => [`${rule.file}:${rule.line}`, rule]));
  return {
    question: 'likeness',
    answer,
    because: differences[0]?.because ?? because,
    dependsOn,
    rules: [...distinct.values()] as readonly SourceRef[],
    paths: paths.map(shownPath),
  };
}

export function shownPath({ packet, outcome, ...path }: PathReport): ShownPath {
  const packetOf = (values: Readonly<Record<string, string>>): Packet => ({
    layout: path.layout,
    values: new Map(Object.entries(values).map(([name, value]) => [name, BigInt(value)])),
  });
  return {
    ...path,
    outcome: outcome as ShownPath['outcome'],
    copies: 0,
    choices: 0,
    witness: () =>
      packet === undefined ? undefined : { sent: packetOf(packet.sent), arrived: packetOf(packet.arrived), drawn: [] },
  };
}
