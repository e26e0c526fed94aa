import { STYLE } from '../plot-style.ts';

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [number, number])[];
  /** Points alone, where there is no order between them. */
  readonly dots?: boolean;
}

const WIDTH = 900;
const [TOP, BOTTOM, PANEL_WIDTH] = [46, 300, 350];
const LEFTS = [64, 504];

/** At most two panels beside each other, each with its own axes from 0 on. */
export function panels(title: string, all: readonly Panel[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 390" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    ...all.flatMap((panel, i) => drawn(panel, LEFTS[i]!)),
    '</svg>\n',
  ].join('\n');
}

function drawn({ title, x: unit, series }: Panel, left: number): readonly string[] {
  const points = series.flatMap((each) => each.points);
  const [mostX, mostY] = [niceTop(Math.max(...points.map(([x]) => x))), niceTop(Math.max(...points.map(([, y]) => y)))];
  const x = (of: number) => round(left + (of / mostX) * PANEL_WIDTH);
  const y = (of: number) => round(BOTTOM - (of / mostY) * (BOTTOM - TOP));
  const ticks = [0, 1, 2, 3, 4];
  return [
    `<text class="title" x="${left}" y="${TOP - 18}">${title}</text>`,
    ...ticks.flatMap((i) => {
      const [atX, atY] = [(mostX * i) / 4, (mostY * i) / 4];
      return [
        `<line class="grid" x1="${left}" y1="${y(atY)}" x2="${left + PANEL_WIDTH}" y2="${y(atY)}"/><text x="${left - 8}" y="${y(atY) + 4}" text-anchor="end">${shown(atY)}</text>`,
        `<text x="${x(atX)}" y="${BOTTOM + 18}" text-anchor="middle">${shown(atX)}</text>`,
      ];
    }),
    `<line class="axis" x1="${left}" y1="${BOTTOM}" x2="${left + PANEL_WIDTH}" y2="${BOTTOM}"/>`,
    `<text x="${left + PANEL_WIDTH / 2}" y="${BOTTOM + 38}" text-anchor="middle">${unit}</text>`,
    ...series.map(({ name, colour, points: own, dots = false }, i) => {
      const path = own.map(([px, py], n) => `${n === 0 ? 'M' : 'L'}${x(px)} ${y(py)}`).join(' ');
      const marks = own.map(
        ([px, py]) =>
          `<circle cx="${x(px)}" cy="${y(py)}" r="${dots ? 5 : 2.2}" fill="${colour}"><title>${name}: ${shown(px)}, ${shown(py)}</title></circle>`,
      );
      const at = left + (i % 3) * 120;
      const legend = `<circle cx="${at + 5}" cy="${BOTTOM + 56 + 18 * Math.floor(i / 3)}" r="5" fill="${colour}"/><text x="${at + 15}" y="${BOTTOM + 60 + 18 * Math.floor(i / 3)}">${name}</text>`;
      return `${dots ? '' : `<path class="line" stroke="${colour}" d="${path}"/>`}${marks.join('')}${legend}`;
    }),
  ];
}

/** The least of 1, 2, 4, 6, 8, 10 times a power of ten that is not below. */
function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((times) => times * power).find((top) => top >= value - 1e-9)!;
}

const shown = (value: number) => String(Number(value.toPrecision(4)));
const round = (value: number) => Math.round(value * 10) / 10;
