import { SuperfluidityError } from '@superfluidity/core';
import {
  assemble,
  type Assembled,
  blackHoles,
  type ConcretePath,
  explore,
  type ExploreOptions,
  interpret,
  invariants,
  isolation,
  layouts,
  loops,
  pathLines,
  reach,
  sourceName,
  type Start,
  type Verdict,
} from '@superfluidity/verify';
import type { Context } from '../context.ts';
import { answer, codes } from './answer.ts';
import { loadFiles } from './load.ts';
import { boundsOf, knownField, needed, startsOf, type VerifyOptions } from './question.ts';

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
