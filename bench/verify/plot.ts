import type { Case, Growing } from './cases.ts';
import type { Outcome, Report } from './report.ts';

/** How the time of one kind of network grows. */
export interface Series {
  readonly of: Growing;
  readonly points: readonly { readonly size: number; readonly ms: number }[];
  /** Of the best power of the size, by least squares of the logarithms: 1 is linear. Undefined for a single point. */
  readonly exponent: number | undefined;
}

export function seriesOf({ outcomes }: Pick<Report, 'outcomes'>, cases: readonly Case[]): readonly Series[] {
  const median = new Map(outcomes.map(({ what, p50 }: Outcome) => [what, p50]));
  const points = cases.flatMap(({ name, growth }) => {
    const ms = median.get(name);
    return growth === undefined || ms === undefined ? [] : [{ ...growth, ms }];
  });
  return [...Map.groupBy(points, ({ of }) => of)].map(([of, all]) => ({ of, points: all, exponent: exponentOf(all) }));
}

function exponentOf(points: Series['points']): number | undefined {
  if (points.length < 2) return undefined;
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [x, y] = [points.map(({ size }) => Math.log(size)), points.map(({ ms }) => Math.log(ms))];
  const [middleX, middleY] = [mean(x), mean(y)];
  const along = x.reduce((sum, each, i) => sum + (each - middleX) * (y[i]! - middleY), 0);
  return along / x.reduce((sum, each) => sum + (each - middleX) ** 2, 0);
}

const SIZE = { width: 760, height: 470 };
const AREA = { left: 74, right: 560, top: 24, bottom: 408 };
/** Told apart by people who see colours differently (Okabe and Ito), on light and on dark pages. */
const colours: Readonly<Record<Growing, string>> = {
  'prefixes of a router': '#1f83c4',
  'routers in a row': '#d55e00',
  'rules of iptables': '#009e73',
};
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #4d5560; }
  .grid { stroke: #8a94a0; stroke-opacity: 0.25; }
  .linear { stroke: #8a94a0; stroke-dasharray: 5 5; stroke-opacity: 0.7; }
  .axis { stroke: #8a94a0; }
  .line { fill: none; stroke-width: 2.2; }
  .name { font-weight: 600; }
  @media (prefers-color-scheme: dark) { text { fill: #b3bcc7; } }
`;

/** Time over size, both in powers of ten; dashed is what grows as its input does. */
export function growthPlot(report: Report, cases: readonly Case[]): string {
  const series = seriesOf(report, cases);
  const all = series.flatMap(({ points }) => points);
  const scale = scaleOf(all);
  const body = [
    ...grid(scale),
    ...linear(scale),
    ...series.map((each) => lineOf(each, scale)),
    ...labels(series, scale),
    text((AREA.left + AREA.right) / 2, SIZE.height - 12, 'size of the network: prefixes, routers, or rules', 'middle'),
    `<text transform="translate(18 ${(AREA.top + AREA.bottom) / 2}) rotate(-90)" text-anchor="middle">milliseconds, median</text>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img">`,
    `<title>Time to read a network and follow a packet of which nothing is known, by the size of the network</title>`,
    `<style>${STYLE}</style>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

interface Scale {
  readonly x: (size: number) => number;
  readonly y: (ms: number) => number;
  /** Powers of ten. */
  readonly sizes: readonly number[];
  readonly times: readonly number[];
}

function scaleOf(points: Series['points']): Scale {
  const decades = (values: readonly number[]) => {
    const first = Math.floor(Math.log10(Math.min(...values)));
    const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  };
  const along = (powers: readonly number[], from: number, to: number) => (value: number) =>
    Math.round((from + ((Math.log10(value) - powers[0]!) / (powers.length - 1)) * (to - from)) * 10) / 10;
  const [sizes, times] = [decades(points.map(({ size }) => size)), decades(points.map(({ ms }) => ms))];
  return {
    x: along(sizes, AREA.left, AREA.right),
    y: along(times, AREA.bottom, AREA.top),
    sizes: sizes.map((power) => 10 ** power),
    times: times.map((power) => 10 ** power),
  };
}

function grid({ x, y, sizes, times }: Scale): readonly string[] {
  const { left, right, top, bottom } = AREA;
  return [
    ...sizes.flatMap((size) => [
      line('grid', x(size), top, x(size), bottom),
      text(x(size), bottom + 20, inWords(size), 'middle'),
    ]),
    ...times.flatMap((ms) => [line('grid', left, y(ms), right, y(ms)), text(left - 10, y(ms) + 4, inWords(ms), 'end')]),
    line('axis', left, bottom, right, bottom),
    line('axis', left, top, left, bottom),
  ];
}

/** Where time is a fixed multiple of the size, for each power of ten; cut where it leaves the plot. */
function linear({ x, y, sizes, times }: Scale): readonly string[] {
  const [lowX, highX, lowY, highY] = [sizes[0]!, sizes.at(-1)!, times[0]!, times.at(-1)!];
  const lines: string[] = [];
  for (let factor = lowY / highX; factor <= highY / lowX; factor *= 10) {
    const [from, to] = [Math.max(lowX, lowY / factor), Math.min(highX, highY / factor)];
    if (to / from >= 10 ** 1.5) lines.push(line('linear', x(from), y(from * factor), x(to), y(to * factor)));
  }
  return lines;
}

function lineOf({ of, points }: Series, { x, y }: Scale): string {
  const colour = colours[of];
  const path = points.map(({ size, ms }, i) => `${i === 0 ? 'M' : 'L'}${x(size)} ${y(ms)}`).join(' ');
  const dots = points.map(
    ({ size, ms }) =>
      `<circle cx="${x(size)}" cy="${y(ms)}" r="4" fill="${colour}"><title>${inWords(size)} ${of}: ${ms} ms</title></circle>`,
  );
  return [`<path class="line" stroke="${colour}" d="${path}"/>`, ...dots].join('\n');
}

/** Beside the plot, from the highest end of a line to the lowest. */
function labels(series: readonly Series[], { y }: Scale): readonly string[] {
  const left = AREA.right + 20;
  const ends = series.toSorted((a, b) => y(a.points.at(-1)!.ms) - y(b.points.at(-1)!.ms));
  const named = ends.flatMap(({ of, exponent }, i) => {
    const top = AREA.top + 20 + i * 56;
    return [
      `<line x1="${left}" y1="${top - 5}" x2="${left + 22}" y2="${top - 5}" stroke="${colours[of]}" stroke-width="2.2"/>`,
      `<circle cx="${left + 11}" cy="${top - 5}" r="4" fill="${colours[of]}"/>`,
      `<text class="name" x="${left + 30}" y="${top}">${of}</text>`,
      ...(exponent === undefined
        ? []
        : [
            text(
              left + 30,
              top + 18,
              `time ~ size<tspan dy="-5" font-size="10">${exponent.toFixed(2)}</tspan>`,
              'start',
            ),
          ]),
    ];
  });
  const top = AREA.top + 20 + ends.length * 56;
  return [...named, line('linear', left, top - 5, left + 22, top - 5), text(left + 30, top, 'linear', 'start')];
}

const inWords = (value: number) => value.toLocaleString('en');

const line = (kind: string, x1: number, y1: number, x2: number, y2: number) =>
  `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;

const text = (x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end') =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
