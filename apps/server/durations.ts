import { type Duration, type Handlers, listShapes, pageOf } from '@superfluidity/api';

/** A value of a histogram, as prom-client gives it. */
interface Measured {
  readonly metricName?: string | undefined;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly value: number;
}

/** A histogram of seconds, summed up by what its labels are called. */
export function durationsBy(
  of: Duration['of'],
  { name: histogram, values }: { readonly name: string; readonly values: readonly Measured[] },
  nameOf: (labels: Measured['labels']) => string,
): readonly Duration[] {
  return [...Map.groupBy(values, ({ labels }) => nameOf(labels))].flatMap(([name, all]): Duration[] => {
    const upTo = new Map<number, number>();
    let [sum, count] = [0, 0];
    for (const { metricName, labels, value } of all) {
      if (metricName === `${histogram}_sum`) sum += value;
      if (metricName === `${histogram}_count`) count += value;
      if (metricName !== `${histogram}_bucket`) continue;
      const edge = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
      upTo.set(edge, (upTo.get(edge) ?? 0) + value);
    }
    if (count === 0) return [];
    const p95 = quantile(upTo, 0.95);
    return [
      { of, name, count, meanMs: (sum / count) * 1_000, ...(Number.isFinite(p95) ? { p95Ms: p95 * 1_000 } : {}) },
    ];
  });
}

/** By linear interpolation in its bucket, as `histogram_quantile` does; Infinity: above all of them. */
function quantile(upTo: ReadonlyMap<number, number>, q: number): number {
  const edges = [...upTo].toSorted(([a], [b]) => a - b);
  const wanted = q * (edges.at(-1)?.[1] ?? 0);
  let [edge, before] = [0, 0];
  for (const [next, count] of edges) {
    if (count >= wanted)
      return next === Infinity || count === before
        ? next
        : edge + ((next - edge) * (wanted - before)) / (count - before);
    [edge, before] = [next, count];
  }
  return edge;
}

/** Of this server, since it was started. */
export function durationHandlers(metrics: {
  readonly durations: () => Promise<readonly Duration[]>;
}): Handlers<'listDurations'> {
  return {
    listDurations: async ({ query }) => pageOf(await metrics.durations(), query, listShapes.durations),
  };
}
