import { shownPath } from '@superfluidity/intent/report';
import { pathLines } from '@superfluidity/verify/show';
import type { WaysReport } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { codes } from './answer.ts';

interface WaysOptions {
  readonly from: string;
  readonly to?: string;
  readonly packet?: string;
  readonly realised?: true;
  readonly paths: number;
}

/** Where packets of a service that runs go, hop by hop; the server answers. */
export async function ways(context: Context, name: string, options: WaysOptions): Promise<void> {
  const { from, to, packet, realised, paths } = options;
  const report = await (await context.client()).call('findWays', {
    params: { name },
    query: {
      from,
      ...(to === undefined ? {} : { to }),
      ...(packet === undefined ? {} : { packet }),
      realised: realised ? 'true' : 'false',
    },
  });
  const arrives = report.ways.some(({ arrivesAt }) => arrivesAt !== undefined);
  process.exitCode = arrives ? codes.holds : report.bound === undefined ? codes.violated : codes.unknown;
  await context.show(report, () => waysText(report, paths));
}

export function waysText({ ways: told, found, bound, assumptions }: WaysReport, paths: number): string {
  const lines = told.slice(0, paths).flatMap((way) => {
    const { from, arrivesAt, answered, outcome, port } = way;
    const end = arrivesAt === undefined ? `${outcome} at ${port}` : `arrives at ${arrivesAt}`;
    const back = arrivesAt === undefined ? '' : answered ? ', and its answer comes back' : ', and no answer comes back';
    return [`from ${from}: ${end}${back}`, ...pathLines(shownPath(way)).map((line) => `  ${line}`)];
  });
  const more = found - Math.min(paths, told.length);
  return [
    ...(found === 0 ? ['There are no such packets.'] : lines),
    ...(more > 0 ? [`${more} more ${more === 1 ? 'way' : 'ways'}`] : []),
    ...(bound === undefined ? [] : [`Not all ways were found: ${bound}`]),
    ...assumptions.map((each) => `taken for granted: ${each}`),
  ].join('\n');
}
