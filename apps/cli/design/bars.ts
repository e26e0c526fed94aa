import { largest, smallest } from '@superfluidity/core';

export interface Bars {
  readonly title: string;
  readonly unit: string;
  /** Where bars begin (default: 0): of a tornado, the value in the middle. */
  readonly base?: number;
  readonly rows: readonly { readonly label: string; readonly values: readonly number[] }[];
  /** What the values of a row are, where they are several. */
  readonly names?: readonly string[];
}

const SIZE = { width: 720, left: 190, right: 640, top: 56, row: 30 };
/** Told apart by people who see colours differently (Okabe and Ito), on light and on dark pages. */
const COLOURS = ['#1f83c4', '#d55e00'];
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #4d5560; }
  .title { font-weight: 600; }
  .axis { stroke: #8a94a0; }
  @media (prefers-color-scheme: dark) { text { fill: #b3bcc7; } }
`;

/** Horizontal bars from a base to each value of a row: of one value a bar chart, of two a tornado. */
export function barsSvg({ title, unit, base = 0, rows, names = [] }: Bars): string {
  const all = [base, ...rows.flatMap(({ values }) => values)];
  const [low, high] = [smallest(all), largest(all)];
  const span = high === low ? 1 : high - low;
  const x = (value: number) => round(SIZE.left + ((value - low) / span) * (SIZE.right - SIZE.left));
  const height = SIZE.top + rows.length * SIZE.row + 30;
  const drawn = rows.flatMap(({ label, values }, i) => {
    const top = SIZE.top + i * SIZE.row;
    return [
      `<text x="${SIZE.left - 8}" y="${top + 15}" text-anchor="end">${escaped(label)}</text>`,
      ...values.map((value, v) => {
        const [from, to] = [x(Math.min(base, value)), x(Math.max(base, value))];
        const what = names[v] === undefined ? '' : `, ${names[v]}`;
        return `<rect x="${from}" y="${top}" width="${round(to - from)}" height="20" fill="${COLOURS[v % COLOURS.length]}"><title>${escaped(label + what)}: ${shown(value)} ${escaped(unit)}</title></rect>`;
      }),
      ...(values.length === 1
        ? [`<text x="${x(Math.max(base, values[0]!)) + 6}" y="${top + 15}">${shown(values[0]!)}</text>`]
        : []),
    ];
  });
  const legend = names.map((name, v) => {
    const left = SIZE.left + v * 160;
    return `<rect x="${left}" y="32" width="12" height="12" fill="${COLOURS[v % COLOURS.length]}"/><text x="${left + 18}" y="42">${escaped(name)}</text>`;
  });
  const bottom = SIZE.top + rows.length * SIZE.row;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="16" y="20">${escaped(title)}</text>`,
    ...legend,
    ...drawn,
    `<line class="axis" x1="${x(base)}" y1="${SIZE.top - 6}" x2="${x(base)}" y2="${bottom}"/>`,
    `<text x="${x(base)}" y="${bottom + 18}" text-anchor="middle">${shown(base)} ${escaped(unit)}</text>`,
    '</svg>\n',
  ].join('\n');
}

const round = (value: number) => Math.round(value * 10) / 10;

const shown = (value: number) => (Math.abs(value) >= 100 ? Math.round(value) : round(value)).toLocaleString('en');

const escaped = (text: string) => text.replaceAll(/[<>&"]/g, (character) => `&#${character.codePointAt(0)};`);
