import type { AnomalySignal } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../print/table.ts';
import { clockTime } from '../print/values.ts';

export async function live(context: Context, name: string, { limit }: { readonly limit: number }): Promise<void> {
  const client = await context.client();
  const found = await client.call('getAnomalies', { params: { name }, query: { limit } });
  const { signals, rate, window, inARow } = found;
  if (signals.some(({ scores }) => scores.at(-1)?.anomalous === true)) process.exitCode = exitCodes.failed;
  await context.show(found, () => {
    if (rate === 0) return 'this server watches no anomalies: it was started with --anomalies off';
    if (signals.length === 0) return `nothing was heard of ${name} yet`;
    const promise = `Windows of ${window} values; of 100 normal ones ${Number((100 * rate).toPrecision(3))} are above the threshold; ${inARow} in a row are an alert.`;
    const scores = signals.flatMap(({ name: signal, scores: all }) => all.map((score) => ({ signal, ...score })));
    return [
      table(signals, [
        { title: 'SIGNAL', value: (each) => each.name },
        { title: 'STATE', value: stateOf },
        { title: 'THRESHOLD', value: ({ threshold }) => bits(threshold), align: 'right' },
        { title: 'LATEST', value: (each) => bits(each.scores.at(-1)?.score), align: 'right' },
        { title: 'ALERTS', value: ({ alerts }) => String(alerts), align: 'right' },
        { title: 'CHANGES', value: ({ drifts }) => String(drifts), align: 'right' },
      ]),
      ...(scores.length === 0
        ? []
        : [
            table(scores, [
              { title: 'TIME', value: ({ t }) => clockTime(t) },
              { title: 'SIGNAL', value: ({ signal }) => signal },
              { title: 'SCORE', value: ({ score }) => bits(score), align: 'right' },
              { title: 'P', value: ({ p }) => p.toPrecision(2), align: 'right' },
              { title: 'VERDICT', value: ({ anomalous }) => (anomalous ? 'anomaly' : 'normal') },
            ]),
          ]),
      promise,
    ].join('\n\n');
  });
}

const bits = (value: number | undefined) => (value === undefined ? '' : `${value.toFixed(2)} bits`);

function stateOf({ state, seen, needed }: AnomalySignal): string {
  return state === 'watching' ? 'watching' : `learning: ${Math.min(seen, needed)} of ${needed} values`;
}
