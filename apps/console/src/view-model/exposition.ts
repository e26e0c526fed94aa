/** What the control plane says of itself at /metrics: Prometheus text exposition, version 0.0.4. */
export interface Measured {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Lines that are read; a server of this project writes some thousand. */
const LINES_MAX = 20_000;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n' };

/** Comments and lines that are none are skipped. */
export function readExposition(text: string): readonly Measured[] {
  const found: Measured[] = [];
  for (const line of text.split('\n', LINES_MAX)) {
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const number = value === '+Inf' ? Infinity : Number(value);
    if (Number.isNaN(number)) continue;
    const pairs = [...labels.matchAll(LABEL)].map(([, key, raw]) => [
      key!,
      raw!.replaceAll(/\\(.)/g, (_all, one: string) => ESCAPES[one] ?? one),
    ]);
    found.push({ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: number });
  }
  return found;
}

export interface Durations {
  readonly of: string;
  readonly count: number;
  readonly meanMs: number;
  /** Below which 95 of 100 lay, by linear interpolation in its bucket, as `histogram_quantile` does; Infinity: above all. */
  readonly p95Ms: number;
}

/** A histogram of seconds, by one of its labels, the most frequent first. */
export function durationsBy(measured: readonly Measured[], histogram: string, label: string): readonly Durations[] {
  const parts = Map.groupBy(
    measured.filter(({ name, labels }) => name.startsWith(`${histogram}_`) && labels[label] !== undefined),
    ({ labels }) => labels[label]!,
  );
  const rows = [...parts].map(([of, rowsOf]): Durations => {
    const sum = (suffix: string) =>
      rowsOf.reduce((all, one) => (one.name === `${histogram}_${suffix}` ? all + one.value : all), 0);
    const upTo = new Map<number, number>();
    for (const { name, labels, value } of rowsOf) {
      if (name !== `${histogram}_bucket`) continue;
      const edge = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
      upTo.set(edge, (upTo.get(edge) ?? 0) + value);
    }
    const count = sum('count');
    return { of, count, meanMs: count > 0 ? (sum('sum') / count) * 1_000 : 0, p95Ms: quantile(upTo, 0.95) * 1_000 };
  });
  return rows.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count || a.of.localeCompare(b.of));
}

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
