import { largest } from '@superfluidity/core';
export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string | number | undefined;
  readonly align?: 'right';
}

/** Columns two spaces apart, without lines: it can be read, and cut by other programs. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => printable(String(column.value(row) ?? '-'))));
  const lines = [columns.map((column) => column.title), ...cells];
  const widths = columns.map((_column, i) => largest(lines.map((line) => displayWidth(line[i]!))));
  return lines
    .map((line) =>
      line
        .map((cell, i) => pad(cell, widths[i]!, columns[i]!.align))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Two columns without titles: the facts of one thing. */
export function facts(pairs: readonly (readonly [name: string, value: string | number | undefined])[]): string {
  const given = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = largest(given.map(([name]) => name.length));
  return given.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`).join('\n');
}

/** What comes from descriptors and sites must not move the cursor or start a new line. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(width - displayWidth(text));
  return align === 'right' ? space + text : text + space;
}

const segmenter = new Intl.Segmenter();
const WIDE =
  /^(\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6])/u;

/** Columns that a terminal uses: East Asian wide characters (Unicode UAX 11) and emoji take two. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
