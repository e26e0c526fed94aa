import { availableParallelism } from 'node:os';
import { SuperfluidityError } from '@superfluidity/core';
import {
  askEverywhere,
  assemble,
  type ConcretePath,
  coverageJson,
  coverageText,
  type EveryStartQuestion,
  explore,
  interpret,
  layouts,
  multipath,
  outerEntries,
  pathLines,
  reach,
  sourceName,
  block,
  field,
  fields,
  nothing,
  type Read,
  showValue,
  type SourceRef,
  symmetry,
  unreachableRules,
  verdictJson,
  verdictText,
} from '@superfluidity/verify';
import type { Context } from '../context.ts';
import { answer, answerAs, codes, readingText } from './answer.ts';
import { loadFiles } from './load.ts';
import { boundsOf, knownField, needed, neededAll, startsOf, type VerifyOptions } from './question.ts';

const everywhere: Readonly<Record<string, (options: VerifyOptions) => EveryStartQuestion>> = {
  isolation: ({ to }) => ({ ask: 'isolation', to: needed('to', to) }),
  loops: () => ({ ask: 'loops' }),
  blackholes: () => ({ ask: 'blackholes' }),
  waypoints: ({ to, through }) => ({ ask: 'waypoints', to: needed('to', to), through: neededAll('through', through) }),
  mtu: ({ size, fragments }) => ({
    ask: 'mtu',
    whole: fragments === false,
    ...(size === undefined ? {} : { bytes: size }),
  }),
  visible: ({ at, fields: names }) => ({ ask: 'visible', at: needed('at', at), fields: fieldsOf(names) }),
  hidden: ({ at, fields: names }) => ({ ask: 'hidden', at: needed('at', at), fields: fieldsOf(names) }),
  invariants: ({ fields: names }) => ({
    ask: 'invariants',
    kept: fieldsOf(names),
  }),
};

const fieldsOf = (names: readonly string[] = ['IPv4.src', 'IPv4.dst']) => names.map(knownField);

export async function verify(context: Context, question: string, path: string, options: VerifyOptions): Promise<void> {
  const assembled = assemble(path, await loadFiles(path));
  const { network } = assembled;
  const starts = startsOf(assembled, options);
  const asked = everywhere[question]?.(options);
  const bounds = boundsOf(options);
  const verdict =
    asked !== undefined
      ? await askEverywhere(network, starts, asked, { ...bounds, threads: availableParallelism() })
      : question === 'multipath'
        ? multipath(network, starts, bounds)
        : question === 'symmetry'
          ? symmetry(network, starts, { ...bounds, ...optional('to', options.to), ...optional('back', options.back) })
          : reach(network, starts[0]!, options.to, bounds);
  // Of a trip both ways are shown.
  const paths = question === 'symmetry' ? 2 * (options.paths ?? 1) : (options.paths ?? 1);
  await answer(context, assembled, verdict, { ...options, paths }, bounds.coverage);
  process.exitCode = codes[verdict.answer];
}

const optional = <K extends string>(key: K, value: string | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string };

/** To which rules of the network does no packet get? */
export async function coverage(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const assembled = assemble(path, await loadFiles(path));
  const { network, entries, readings } = assembled;
  const starts = startsOf({ ...assembled, entries: outerEntries(network, entries) }, options);
  const { verdict, files } = unreachableRules(network, starts, boundsOf(options));
  process.exitCode = codes[verdict.answer];
  if (await answerAs(context, [verdict], options)) return;
  const machine = { ...verdictJson(verdict), coverage: coverageJson(files), read: readings };
  await context.show(machine, () =>
    [...readings.map(readingText), coverageText(files), verdictText(verdict, options.paths)].join('\n'),
  );
}

/** One concrete packet, hop by hop. */
export async function explain(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const assembled = assemble(path, await loadFiles(path));
  const [start] = startsOf(assembled, options);
  // Many packets are as the filter says: one that arrives says more than one that dies of its time to live.
  const { paths, bound } = explore(assembled.network, start!, boundsOf(options));
  const arriving = paths.filter(({ outcome }) => outcome === 'delivered');
  const first = [...arriving, ...paths].find((each) => each.witness() !== undefined);
  const sent = first?.witness()?.sent;
  if (sent === undefined && bound !== undefined) {
    process.exitCode = codes.unknown;
    await context.show(
      { answer: 'unknown', bound },
      () => `explain: unknown. No packet was found: bound hit: ${bound}.`,
    );
    return;
  }
  if (first === undefined || sent === undefined) {
    throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: 'no packet is as --packet says' });
  }
  const layout = layouts.find(({ name }) => name === first.layout)!;
  const fresh = (name: string) => sent.values.get(name) ?? 0n;
  // Headers share places: the packet's own names are those of its layout.
  const names = [...sent.values.keys()].filter((name) => Object.hasOwn(fields, name));
  const watch = (_port: string, read: Read): Values => new Map(names.map((name) => [name, read(field(name))]));
  const setup = block(layout.setup, start!.setup ?? nothing);
  const ends = interpret(assembled.network, start!.port, setup, { fresh, watch });
  const shown = {
    sent: Object.fromEntries([...sent.values].map(([name, value]) => [name, String(value)])),
    ends: ends.map(endJson),
  };
  await context.show(shown, () => [pathLines(first)[0]!, ...ends.flatMap(endLines)].join('\n'));
}

type Values = ReadonlyMap<string, bigint | undefined>;

/** What a hop does to the packet: fields that are different on the next arrival, or at the end. */
function changesAt(seen: readonly unknown[], hop: number): readonly string[] {
  const [before, after] = [seen[hop], seen[hop + 1]] as [Values | undefined, Values | undefined];
  if (before === undefined || after === undefined) return [];
  const shown = (name: string, value: bigint | undefined) => (value === undefined ? 'nothing' : showValue(name, value));
  return [...before].flatMap(([name, value]) => {
    const now = after.get(name);
    return now === value ? [] : [`${name} ${shown(name, value)} -> ${shown(name, now)}`];
  });
}

function endJson({ outcome, port, why, hops, doubts, seen }: ConcretePath) {
  return {
    outcome,
    port,
    ...(why === undefined ? {} : { why }),
    doubts,
    hops: hops.map((hop, i) => ({
      port: hop.port,
      because: hop.because.map(sourceName),
      changes: changesAt(seen, i),
    })),
  };
}

function endLines({ outcome, why, hops, doubts, seen }: ConcretePath): string[] {
  const written = (source: SourceRef) => (source.text === undefined ? '' : `  ${source.text.trim()}`);
  return [
    ...hops.flatMap(({ port, because }, i) => [
      `  ${port}`,
      ...because.map((source) => `      ${sourceName(source)}${written(source)}`),
      ...changesAt(seen, i).map((change) => `      ${change}`),
    ]),
    `  ${outcome}${why === undefined ? '' : `: ${why}`}`,
    ...doubts.map((doubt) => `  depends on what was not understood: ${doubt}`),
  ];
}
