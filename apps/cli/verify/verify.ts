import { writeFile } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';
import {
  assemble,
  type Assembled,
  blackHoles,
  type ConcretePath,
  defaultLimits,
  dot,
  explore,
  type ExploreOptions,
  field,
  fields,
  interpret,
  invariants,
  isolation,
  type Layout,
  layouts,
  loops,
  mermaid,
  parseFilter,
  pcap,
  pathLines,
  reach,
  sarif,
  sourceName,
  type Start,
  type Verdict,
  verdictJson,
  verdictText,
  z3Solver,
} from '@superfluidity/verify';
import packageJson from '../package.json' with { type: 'json' };
import type { Context } from '../context.ts';
import { loadFiles } from './load.ts';

export interface VerifyOptions {
  readonly from: readonly string[];
  readonly to?: string;
  readonly packet?: string;
  readonly fields?: readonly string[];
  readonly layout?: string;
  readonly paths?: number;
  readonly timeLimit: number;
  readonly sarif?: true;
  readonly pcap?: string;
  readonly dot?: true;
  readonly mermaid?: true;
}

/** What the commands say to scripts: 0 holds, 1 violated, 2 input that cannot be used, 3 unknown. */
const codes = { holds: 0, violated: 1, unknown: 3 } as const;

type Question = (
  assembled: Assembled,
  starts: readonly Start[],
  options: VerifyOptions,
  bounds: ExploreOptions,
) => Verdict;

const questions: Readonly<Record<string, Question>> = {
  reach: ({ network }, [start], { to }, bounds) => reach(network, start!, to, bounds),
  isolation: ({ network }, starts, { to }, bounds) => isolation(network, starts, needed('to', to), bounds),
  loops: ({ network }, starts, _options, bounds) => loops(network, starts, bounds),
  blackholes: ({ network }, starts, _options, bounds) => blackHoles(network, starts, bounds),
  invariants: ({ network }, starts, { fields: names }, bounds) =>
    invariants(network, starts, (names ?? ['IPv4.src', 'IPv4.dst']).map(knownField), bounds),
};

export async function verify(context: Context, question: string, path: string, options: VerifyOptions): Promise<void> {
  const assembled = assemble(path, await loadFiles(path));
  const verdict = questions[question]!(assembled, startsOf(assembled, options), options, boundsOf(options));
  await answer(context, assembled, verdict, options);
  process.exitCode = codes[verdict.answer];
}

/** One concrete packet, hop by hop. */
export async function explain(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const assembled = assemble(path, await loadFiles(path));
  const [start] = startsOf(assembled, options);
  // Many packets are as the filter says: one that arrives says more than one that dies of its time to live.
  const { paths } = explore(assembled.network, start!, boundsOf(options));
  const arriving = paths.filter(({ outcome }) => outcome === 'delivered');
  const first = [...arriving, ...paths].find((each) => each.witness() !== undefined);
  const sent = first?.witness()?.sent;
  if (first === undefined || sent === undefined) {
    throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: 'no packet is as --packet says' });
  }
  const layout = layouts.find(({ name }) => name === first.layout)!;
  const fresh = (name: string) => sent.values.get(name) ?? 0n;
  const ends = interpret(assembled.network, start!.port, layout.setup, { fresh });
  const shown = {
    sent: Object.fromEntries([...sent.values].map(([name, value]) => [name, String(value)])),
    ends: ends.map(endJson),
  };
  await context.show(shown, () => [pathLines(first)[0]!, ...ends.flatMap(endLines)].join('\n'));
}

function endJson({ outcome, port, why, hops, doubts }: ConcretePath) {
  return {
    outcome,
    port,
    ...(why === undefined ? {} : { why }),
    doubts,
    hops: hops.map((hop) => ({ port: hop.port, because: hop.because.map(sourceName) })),
  };
}

function endLines({ outcome, why, hops, doubts }: ConcretePath): string[] {
  return [
    ...hops.flatMap(({ port, because }) => [`  ${port}`, ...because.map((source) => `      ${sourceName(source)}`)]),
    `  ${outcome}${why === undefined ? '' : `: ${why}`}`,
    ...doubts.map((doubt) => `  depends on what was not understood: ${doubt}`),
  ];
}

async function answer(
  context: Context,
  { readings }: Assembled,
  verdict: Verdict,
  options: VerifyOptions,
): Promise<void> {
  if (options.pcap !== undefined) {
    const sent = verdict.paths.flatMap((path) => path.witness()?.sent ?? []);
    await writeFile(options.pcap, pcap(sent));
    context.note(`${sent.length} packets in ${options.pcap}`);
  }
  if (options.sarif) return context.say(JSON.stringify(sarif([verdict], packageJson.version), undefined, 2));
  if (options.dot) return context.say(dot(verdict.paths).trimEnd());
  if (options.mermaid) return context.say(mermaid(verdict.paths).trimEnd());
  const machine = { ...verdictJson(verdict), read: readings };
  return context.show(machine, () => [...readings.map(readingText), verdictText(verdict, options.paths)].join('\n'));
}

function readingText({ file, format, lines, remarks }: Assembled['readings'][number]): string {
  const bad = lines['not understood'];
  const counts = [`${lines.used} lines used`];
  if (lines['without effect'] > 0) counts.push(`${lines['without effect']} without effect`);
  if (bad > 0) counts.push(`${bad} not understood`);
  const first = remarks.find(({ fate }) => fate === 'not understood');
  const why = first === undefined ? '' : `\n  ${file}:${first.line}: ${first.why}`;
  return `${file} (${format}): ${counts.join(', ')}${why}`;
}

function startsOf({ entries }: Assembled, { from, packet, layout }: VerifyOptions): readonly Start[] {
  const all = from.length > 0 ? from : entries;
  if (all.length === 0)
    throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: 'the network has no inputs: name one with --from' });
  const some = layout === undefined ? {} : { layouts: knownLayouts(layout) };
  const assume = packet === undefined ? {} : { assume: parseFilter(packet) };
  return all.map((port) => ({ port, ...some, ...assume }));
}

function boundsOf({ timeLimit }: VerifyOptions): ExploreOptions {
  // Started when a path needs it, and ended with the process.
  const { solve } = z3Solver(defaultLimits.formulaMilliseconds);
  return { limits: { milliseconds: timeLimit * 1_000 }, solve };
}

function knownLayouts(text: string): readonly Layout[] {
  const found = layouts.filter(({ name }) => name === text || name.startsWith(`${text}/`));
  if (found.length > 0) return found;
  const reason = `there is no layout '${text}'; there are ${layouts.map(({ name }) => name).join(', ')}`;
  throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason });
}

function knownField(name: string) {
  if (fields[name] !== undefined) return field(name);
  throw new SuperfluidityError('SF-VERIFY-QUESTION', {
    reason: `there is no field '${name}'; fields are named IPv4.src, TCP.dport, ...`,
  });
}

function needed(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: `name the place with --${name}` });
}
