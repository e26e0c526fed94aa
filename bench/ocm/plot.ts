import type { ChainPolicy } from '@superfluidity/place/ocm';
import { STYLE } from '../plot-style.ts';
import type { OcmReport } from './report.ts';
import { SIZES, type StudyRow } from './study.ts';
import { SWITCHES } from './workload.ts';

const SIZE = { width: 900, height: 400 };
const PANEL = { width: 300, top: 46, bottom: 330 };
const LEFTS = [64, 420];
/** Told apart by people who see colours differently (Okabe and Ito), on light and on dark pages. */
const colours: Readonly<Record<ChainPolicy, string>> = {
  ocm: '#d55e00',
  'ocm-relaxed': '#e69f00',
  gather: '#1f83c4',
  distribute: '#009e73',
  'nova-spread': '#cc79a7',
  'nova-stack': '#7a5fb5',
  'first-fit': '#8a94a0',
  random: '#a5822f',
};
interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly value: (row: StudyRow) => number;
}

export const costPlot = (report: OcmReport): string =>
  plot(report, {
    title: 'Switching by each policy, divided by what it is by OCM, for the chains that both placed',
    unit: 'times OCM',
    value: ({ ratio }) => ratio.mean,
  });

export const acceptancePlot = (report: OcmReport): string =>
  plot(report, {
    title: 'Chains that each policy finds room for, as a part of those that OCM does',
    unit: 'chains, OCM is 1',
    value: (row) => row.accepted.mean / report.study.find(sameAs(row))!.accepted.mean,
  });

const sameAs = (row: StudyRow) => (other: StudyRow) =>
  other.policy === 'ocm' && other.switch === row.switch && other.hosts === row.hosts;

/** One panel for each switch: hosts across, by powers of ten. */
function plot({ study }: OcmReport, { title, unit, value }: Plot): string {
  const most = Math.ceil(Math.max(1, ...study.map(value).filter(Number.isFinite)) * 2) / 2;
  const y = (of: number) => round(PANEL.bottom - (of / most) * (PANEL.bottom - PANEL.top));
  const panels = SWITCHES.map((name, p) => {
    const left = LEFTS[p]!;
    const [low, high] = [Math.log10(SIZES[0]), Math.log10(SIZES.at(-1)!)];
    const x = (hosts: number) => round(left + ((Math.log10(hosts) - low) / (high - low)) * PANEL.width);
    const step = most > 4 ? 1 : 0.5;
    const ticks = Array.from({ length: Math.round(most / step) + 1 }, (_, i) => i * step);
    const rows = study.filter((row) => row.switch === name);
    return [
      `<text class="title" x="${left}" y="${PANEL.top - 14}">${name}</text>`,
      ...ticks.map(
        (tick) =>
          `<line class="grid" x1="${left}" y1="${y(tick)}" x2="${left + PANEL.width}" y2="${y(tick)}"/><text x="${left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`,
      ),
      ...SIZES.map(
        (hosts) =>
          `<text x="${x(hosts)}" y="${PANEL.bottom + 18}" text-anchor="middle">${hosts.toLocaleString('en')}</text>`,
      ),
      `<line class="axis" x1="${left}" y1="${PANEL.bottom}" x2="${left + PANEL.width}" y2="${PANEL.bottom}"/>`,
      `<text x="${left + PANEL.width / 2}" y="${PANEL.bottom + 38}" text-anchor="middle">hosts</text>`,
      ...[...Map.groupBy(rows, ({ policy }) => policy)].map(([policy, points]) => {
        const shown = points.filter((row) => Number.isFinite(value(row)));
        const path = shown.map((row, i) => `${i === 0 ? 'M' : 'L'}${x(row.hosts)} ${y(value(row))}`).join(' ');
        const dots = shown.map(
          (row) =>
            `<circle cx="${x(row.hosts)}" cy="${y(value(row))}" r="3.2" fill="${colours[policy]}"><title>${policy}, ${row.hosts} hosts: ${value(row).toFixed(2)}</title></circle>`,
        );
        return `<path class="line" stroke="${colours[policy]}" d="${path}"/>${dots.join('')}`;
      }),
    ];
  });
  const names = Object.entries(colours).map(([policy, colour], i) => {
    const top = PANEL.top + 10 + i * 24;
    return `<line x1="752" y1="${top - 4}" x2="772" y2="${top - 4}" stroke="${colour}" stroke-width="2"/><text x="780" y="${top}">${policy}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    `<text transform="translate(16 ${(PANEL.top + PANEL.bottom) / 2}) rotate(-90)" text-anchor="middle">${unit}</text>`,
    ...panels.flat(),
    ...names,
    '</svg>\n',
  ].join('\n');
}

const round = (value: number) => Math.round(value * 10) / 10;
