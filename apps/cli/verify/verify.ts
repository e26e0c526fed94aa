import { SuperfluidityError } from '@superfluidity/core';
import {
  askEverywhere,
  assemble,
  type ConcretePath,
  type EveryStartQuestion,
  explore,
  interpret,
  layouts,
  pathLines,
  reach,
  sourceName,
} from '@superfluidity/verify';
import type { Context } from '../context.ts';
import { answer, codes } from './answer.ts';
import { loadFiles } from './load.ts';
import { boundsOf, knownField, needed, startsOf, type VerifyOptions } from './question.ts';

const everywhere: Readonly<Record<string, (options: VerifyOptions) => EveryStartQuestion>> = {
  isolation: ({ to }) => ({ ask: 'isolation', to: needed('to', to) }),
  loops: () => ({ ask: 'loops' }),
  blackholes: () => ({ ask: 'blackholes' }),
  invariants: ({ fields: names }) => ({
    ask: 'invariants',
    kept: (names ?? ['IPv4.src', 'IPv4.dst']).map(knownField),
  }),
};

export async function verify(context: Context, question: string, path: string, options: VerifyOptions): Promise<void> {
  const assembled = assemble(path, await loadFiles(path));
  const { network } = assembled;
  const starts = startsOf(assembled, options);
  const asked = everywhere[question]?.(options);
  const bounds = boundsOf(options);
  const verdict =
    asked === undefined
      ? reach(network, starts[0], options.to, bounds)
      : await askEverywhere(network, starts, asked, bounds);
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
