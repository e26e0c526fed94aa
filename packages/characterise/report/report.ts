import type { Analysis, ConfigurationAnalysis } from '../analysis/analyse.ts';
import type { Characterisation } from '../config/characterisation.ts';
import { boxPlot } from './box-plot.ts';
import { escaped, short } from './markup.ts';

/** Of Okabe and Ito (2008): told apart with every kind of eyes. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442'] as const;
const NONE = '#767676';
/** Configurations that are drawn and listed: the chosen and the cheapest ones. */
const SHOWN = 64;
const RULES = 64;

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1000px;padding:0 1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto;font:12px system-ui,sans-serif}
svg text{fill:currentColor}.grid{stroke:#ddd}.bound{stroke:#b00020;stroke-dasharray:4 3}.chosen{font-weight:bold}
.label{border-left:.8em solid;padding-left:.4em}code{font-size:.95em}
@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}th,td{border-color:#444}.grid{stroke:#444}.bound{stroke:#ff6b81}}`;

/** One page that needs nothing else: no script, nothing fetched, everything that comes from files escaped. */
export function reportPage(characterisation: Characterisation, analysis: Analysis): string {
  const { serviceId, classes } = characterisation;
  const colourOf = (label: string) => {
    const index = classes.findIndex(({ name }) => name === label);
    return index < 0 ? NONE : COLOURS[index % COLOURS.length]!;
  };
  const chosen = new Set(analysis.classes.flatMap((one) => (one.chosen === undefined ? [] : [one.chosen])));
  const measured = analysis.configurations.map((one, i) => ({ one, i })).filter(({ one }) => one.samples > 0);
  const shown = measured
    .toSorted((a, b) => Number(chosen.has(b.i)) - Number(chosen.has(a.i)) || a.one.cost - b.one.cost || a.i - b.i)
    .slice(0, SHOWN)
    .toSorted((a, b) => a.one.cost - b.one.cost || a.i - b.i);
  const varied = characterisation.parameters.flatMap(({ name, values }) => (values.length > 1 ? [name] : []));
  const plots = analysis.metrics.flatMap((metric) => {
    const bounds = classes.flatMap((one) =>
      one.bounds
        .filter((bound) => bound.metric === metric)
        .flatMap(({ comparisons }) => comparisons.map(({ bound }) => bound)),
    );
    const boxes = shown.map(({ one, i }) => ({
      label: `${varied.map((name) => String(one.values[name])).join(' ')}  (${short(one.cost)})`,
      title: one.text,
      colour: colourOf(one.label),
      percentiles: one.metrics[metric]!,
      marked: chosen.has(i),
    }));
    return [`<h3>${escaped(metric)}</h3>`, boxPlot(metric, boxes, [...new Set(bounds)])];
  });
  const cut = measured.length > SHOWN ? `<p>${SHOWN} of ${measured.length} configurations are shown.</p>` : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Characterisation of ${escaped(serviceId)}</title><style>${STYLE}</style></head><body>
<h1>Characterisation of ${escaped(serviceId)}</h1>
<p>${analysis.experiments} experiments, ${analysis.samples} samples, ${analysis.outliers} outliers left out. ${measured.length} of ${analysis.configurations.length}
configurations were measured. The tree tells the class of ${short(analysis.accuracy * 100)} % of the samples.</p>
${analysis.warnings.map((warning) => `<p role="alert">${escaped(warning)}</p>`).join('\n')}
<h2>The cheapest configuration of each class</h2>
${templatesTable(characterisation, analysis, colourOf)}
<h2>What was measured</h2>
<p>Configurations are ${escaped(varied.join(', '))}, and by cost (in brackets). Boxes hold the middle half of the samples, lines go from the 5th to the 95th percentile, dashed lines are
bounds of classes, stars mark what was chosen.</p>
${plots.join('\n')}
${cut}
<h2>Rules</h2>
${rulesTable(analysis, colourOf)}
${usageSection(analysis, colourOf)}
<h2>Configurations</h2>
${configurationsTable(
  shown.map(({ one }) => one),
  analysis,
  colourOf,
)}
${cut}
</body></html>
`;
}

type ColourOf = (label: string) => string;
type Cell = string | { readonly html: string } | { readonly number: number };

const labelCell = (label: string, colourOf: ColourOf) => ({
  html: `<span class="label" style="border-color:${colourOf(label)}">${escaped(label)}</span>`,
});

function table(titles: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cell = (tag: 'td' | 'th') => (value: Cell) => {
    if (typeof value === 'string') return `<${tag}>${escaped(value)}</${tag}>`;
    return 'html' in value ? `<${tag}>${value.html}</${tag}>` : `<${tag} class="n">${short(value.number)}</${tag}>`;
  };
  const body = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${titles.map(cell('th')).join('')}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}

function templatesTable(
  { parameters }: Characterisation,
  { classes, templates }: Analysis,
  colourOf: ColourOf,
): string {
  const names = parameters.map(({ name }) => name);
  return table(
    ['Class', ...names, 'Cost', 'Within its bounds', 'Key'],
    classes.map(({ name, cost, keys, share, interval }) => {
      const values = templates[name];
      const within =
        share === undefined
          ? '-'
          : `${short(share * 100)} % (${short(interval![0] * 100)} to ${short(interval![1] * 100)})`;
      return [
        labelCell(name, colourOf),
        ...names.map((one) => (values === undefined ? '-' : String(values[one]))),
        cost === undefined ? '-' : { number: cost },
        within,
        keys.join(', '),
      ];
    }),
  );
}

function rulesTable({ rules }: Analysis, colourOf: ColourOf): string {
  return table(
    ['When', 'Class', 'Samples', 'Of other classes'],
    rules
      .slice(0, RULES)
      .map(({ text, label, samples, errors }) => [
        { html: `<code>${escaped(text)}</code>` },
        labelCell(label, colourOf),
        { number: samples },
        { number: errors },
      ]),
  );
}

function usageSection({ usage }: Analysis, colourOf: ColourOf): string {
  if (usage === undefined) return '';
  const rows = usage.rules
    .slice(0, RULES)
    .map(({ text, label, samples, errors }) => [
      { html: `<code>${escaped(text)}</code>` },
      labelCell(label, colourOf),
      { number: samples },
      { number: errors },
    ]);
  return `<h2>What the infrastructure tells</h2>
<p>Processors in cores, memory in MiB, traffic in Mbit/s and packets a second, of each unit while it was measured. By these alone one
knows the class of ${short(usage.accuracy * 100)} % of the samples.</p>
${table(['When', 'Class', 'Samples', 'Of other classes'], rows)}`;
}

function configurationsTable(
  configurations: readonly ConfigurationAnalysis[],
  { metrics, classes }: Analysis,
  colourOf: ColourOf,
): string {
  return table(
    [
      'Configuration',
      'Cost',
      'Class',
      'Samples',
      ...metrics.map((metric) => `Median ${metric}`),
      ...classes.map(({ name }) => name),
    ],
    configurations.map(({ text, cost, label, samples, metrics: measured, shares }) => [
      text,
      { number: cost },
      labelCell(label, colourOf),
      { number: samples },
      ...metrics.map((metric) => ({ number: measured[metric]![2]! })),
      ...classes.map(({ name }) => `${short(shares[name]! * 100)} %`),
    ]),
  );
}
