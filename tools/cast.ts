/**
 * `node tools/cast.ts`: runs `superfluidity demo` and makes docs/images/demo.svg of what it prints, at the speed at which
 * it was printed. Where nothing may move, the end is shown.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './run.ts';

interface Line {
  readonly ms: number;
  readonly text: string;
}

const COLUMNS = 96;
const ROWS = 26;
const LINE_PX = 18;
const COLUMN_PX = 7.8;
const MARGIN_PX = 16;
const BAR_PX = 30;
const DEMO_MS_MAX = 120_000;
/** The end is shown for so long before it begins again. */
const END_MS = 8_000;

async function record(): Promise<readonly Line[]> {
  const program = join(root, 'apps/cli/bin/superfluidity.js');
  const lines: Line[] = [{ ms: 0, text: '$ npx superfluidity demo' }];
  const start = performance.now();
  const demo = spawn(process.execPath, [program, 'demo'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    timeout: DEMO_MS_MAX,
  });
  for (const stream of [demo.stdout, demo.stderr])
    createInterface({ input: stream }).on('line', (text) => lines.push({ ms: performance.now() - start, text }));
  const [code] = (await once(demo, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the demo failed:\n${lines.map(({ text }) => text).join('\n')}`);
  return lines;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const clipped = (text: string) => (text.length > COLUMNS ? `${text.slice(0, COLUMNS - 1)}…` : text);

/** Times and steps stand back; what was claimed and measured stands out. */
function coloured(text: string): string {
  const shown = clipped(text.trimEnd());
  const [, time, step] = /^( *[\d.]+ s  )(  )?/.exec(shown) ?? [];
  if (time !== undefined) {
    const rest = escaped(shown.slice(time.length));
    return `<tspan class="dim">${time}</tspan>${step === undefined ? `<tspan class="loud">${rest}</tspan>` : rest}`;
  }
  const [answer] = /^(?:yes|no)(?= )/.exec(shown) ?? [];
  if (answer === undefined) return escaped(shown);
  return `<tspan class="${answer}">${answer}</tspan>${escaped(shown.slice(answer.length))}`;
}

/** Steps of an animation: the property has the value from that time on. */
function keyframes(name: string, lines: readonly Line[], totalMs: number, value: (count: number) => string): string {
  const steps = lines.map(({ ms }, i) => `${((100 * ms) / totalMs).toFixed(2)}%{transform:${value(i + 1)}}`);
  return `@keyframes ${name}{${steps.join('')}100%{transform:${value(lines.length)}}}`;
}

function draw(lines: readonly Line[]): string {
  const totalMs = lines.at(-1)!.ms + END_MS;
  const width = Math.round(COLUMNS * COLUMN_PX + 2 * MARGIN_PX);
  const height = BAR_PX + ROWS * LINE_PX + MARGIN_PX;
  const scrolled = (count: number) => `translateY(${-Math.max(0, count - ROWS) * LINE_PX}px)`;
  const covered = (count: number) => `translateY(${count * LINE_PX}px)`;
  const text = lines.map((line, i) => `<text y="${(i + 0.75) * LINE_PX}">${coloured(line.text)}</text>`).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="superfluidity demo in a terminal">
<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#c3cddd;white-space:pre}
.dim{fill:#6f7f99}.loud{fill:#ffffff;font-weight:600}.yes{fill:#34c79a;font-weight:600}.no{fill:#ff8a5c;font-weight:600}
#page{transform:${scrolled(lines.length)};animation:page ${totalMs}ms step-end infinite}
#cover{transform:${covered(lines.length)};animation:cover ${totalMs}ms step-end infinite}
${keyframes('page', lines, totalMs, scrolled)}
${keyframes('cover', lines, totalMs, covered)}
@media (prefers-reduced-motion:reduce){#page,#cover{animation:none}}
</style>
<rect width="${width}" height="${height}" rx="10" fill="#0e1729"/>
<g fill="#33415c"><circle cx="20" cy="16" r="5"/><circle cx="38" cy="16" r="5"/><circle cx="56" cy="16" r="5"/></g>
<svg x="${MARGIN_PX}" y="${BAR_PX}" width="${width - 2 * MARGIN_PX}" height="${ROWS * LINE_PX}" xml:space="preserve">
<g id="page">
${text}
<rect id="cover" width="100%" height="${(ROWS + 1) * LINE_PX}" fill="#0e1729"/>
</g>
</svg>
</svg>
`;
}

writeFileSync(join(root, 'docs/images/demo.svg'), draw(await record()));
